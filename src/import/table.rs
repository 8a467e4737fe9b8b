//! A CSV file as rows with line numbers, whatever its bytes are: plain or gzip, UTF-8 or
//! Windows-1252, with or without a byte-order mark. Never more of it in memory than one row.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use csv::ByteRecord;
use encoding_rs::WINDOWS_1252;
use flate2::read::MultiGzDecoder;

/// The longest row that is read, in bytes: a quote that is never closed would take in the rest of
/// the file.
pub const MOST_ROW_BYTES: usize = 1024 * 1024;
/// What is read at once, in bytes; as much as a row may be longer than its bound.
const READ_BYTES: usize = 64 * 1024;

/// A file that can't be read, or not any further.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unreadable {
    /// The last line that was read, counted from 1; nothing if not even the header was.
    pub after_line: Option<u64>,
    /// Why, for people.
    pub reason: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.after_line {
            Some(line) => write!(out, "after line {line}: {}", self.reason),
            None => self.reason.fmt(out),
        }
    }
}

/// A table being read.
pub struct Table {
    reader: csv::Reader<Lines>,
    /// Bytes read since the last row.
    since_row: Arc<AtomicUsize>,
    header: Vec<String>,
    record: ByteRecord,
    line: u64,
}

impl Table {
    /// Opens a file, gzip or not: its first bytes say which.
    ///
    /// # Errors
    /// It is not there, may not be read, or has no header.
    pub fn open(path: &Path) -> Result<Self, Unreadable> {
        let unreadable = |error: io::Error| Unreadable {
            after_line: None,
            reason: format!("{}: {error}", path.display()),
        };
        let file = File::open(path).map_err(unreadable)?;
        if file.metadata().map_err(unreadable)?.is_dir() {
            return Err(unreadable(io::ErrorKind::IsADirectory.into()));
        }
        Self::read(file).map_err(|error| Unreadable {
            reason: format!("{}: {}", path.display(), error.reason),
            ..error
        })
    }

    /// The same from any bytes.
    ///
    /// # Errors
    /// They have no header.
    pub fn read(bytes: impl Read + Send + 'static) -> Result<Self, Unreadable> {
        let unreadable = |reason: String| Unreadable {
            after_line: None,
            reason,
        };
        let since_row = Arc::new(AtomicUsize::new(0));
        let lines = plain(bytes)
            .and_then(|bytes| Lines::new(bytes, Arc::clone(&since_row)))
            .map_err(|error| unreadable(error.to_string()))?;
        let mut table = Self {
            reader: csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .buffer_capacity(READ_BYTES)
                .from_reader(lines),
            since_row,
            header: Vec::new(),
            record: ByteRecord::new(),
            line: 0,
        };
        if !table.next_row().map_err(|error| unreadable(error.reason))? {
            return Err(unreadable("it is empty".to_owned()));
        }
        table.header = (0..table.width()).map(|at| table.cell(at)).collect();
        Ok(table)
    }

    /// The names of the columns, without blanks around them.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// The column of this name, whatever its case.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.header
            .iter()
            .position(|column| column.eq_ignore_ascii_case(name))
    }

    /// Goes to the next row; false at the end.
    ///
    /// # Errors
    /// The file breaks off or a row has no end. There is no going on after it.
    pub fn next_row(&mut self) -> Result<bool, Unreadable> {
        self.since_row.store(0, Ordering::Relaxed);
        match self.reader.read_byte_record(&mut self.record) {
            Ok(true) => {
                self.line = self.line_of_record();
                Ok(true)
            }
            Ok(false) => Ok(false),
            Err(error) => Err(Unreadable {
                after_line: (self.line > 0).then_some(self.line),
                reason: error.to_string(),
            }),
        }
    }

    /// The line on which the row begins, counted from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// How many cells the row has.
    pub fn width(&self) -> usize {
        self.record.len()
    }

    /// A cell as text, without blanks around it; empty beyond the end of the row.
    pub fn cell(&self, column: usize) -> String {
        let bytes = self.record.get(column).unwrap_or_default();
        match std::str::from_utf8(bytes) {
            Ok(text) => text.trim().to_owned(),
            Err(_) => WINDOWS_1252
                .decode_without_bom_handling(bytes)
                .0
                .trim()
                .to_owned(),
        }
    }

    /// The position of the record itself is where the blank lines before it begin, so this counts
    /// back from its end.
    fn line_of_record(&self) -> u64 {
        let within = self.record.as_slice().iter().filter(|byte| **byte == b'\n');
        let lines = within.count() as u64 + 1;
        self.reader.position().line().saturating_sub(lines)
    }
}

/// The bytes of the table itself, out of the archive if it is in one.
fn plain(bytes: impl Read + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
    let (start, whole) = peek(bytes, 2)?;
    if start == [0xff, 0xfe] || start == [0xfe, 0xff] {
        let reason = "it is written in UTF-16; save it as CSV in UTF-8";
        return Err(io::Error::other(reason));
    }
    if start == [0x1f, 0x8b] {
        return Ok(Box::new(MultiGzDecoder::new(BufReader::new(whole))));
    }
    Ok(Box::new(whole))
}

/// The first bytes, and all of them again.
fn peek<R: Read>(mut bytes: R, most: u64) -> io::Result<(Vec<u8>, impl Read)> {
    let mut start = Vec::new();
    bytes.by_ref().take(most).read_to_end(&mut start)?;
    Ok((start.clone(), Cursor::new(start).chain(bytes)))
}

/// The lines of a text, each with the same end, `\n`, whatever it had, the last one too; without a
/// byte-order mark. It fails when too much of it is asked for within one row.
struct Lines {
    bytes: Box<dyn Read + Send>,
    since_row: Arc<AtomicUsize>,
    /// Whether the last byte was `\r`, of which `\n` is the other half.
    half_end: bool,
    ended: bool,
}

impl Lines {
    fn new(bytes: impl Read + Send + 'static, since_row: Arc<AtomicUsize>) -> io::Result<Self> {
        const MARK: &[u8] = b"\xef\xbb\xbf";
        let (start, mut bytes) = peek(bytes, MARK.len() as u64)?;
        if start == MARK {
            bytes.read_exact(&mut [0; MARK.len()])?;
        }
        Ok(Self {
            bytes: Box::new(bytes),
            since_row,
            half_end: false,
            ended: false,
        })
    }

    /// Gives every line its end, in place; how many bytes are left.
    fn even_out(&mut self, bytes: &mut [u8]) -> usize {
        let mut kept = 0;
        for at in 0..bytes.len() {
            let byte = bytes[at];
            if byte != b'\n' || !self.half_end {
                bytes[kept] = if byte == b'\r' { b'\n' } else { byte };
                kept += 1;
            }
            self.half_end = byte == b'\r';
        }
        kept
    }
}

impl Read for Lines {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.since_row.load(Ordering::Relaxed) > MOST_ROW_BYTES {
            return Err(io::Error::other(format!(
                "a row is longer than {MOST_ROW_BYTES} bytes; is a quote not closed?"
            )));
        }
        while !self.ended && !into.is_empty() {
            let read = self.bytes.read(into)?;
            if read == 0 {
                self.ended = true;
                into[0] = b'\n';
                return Ok(1);
            }
            let kept = self.even_out(&mut into[..read]);
            if kept > 0 {
                self.since_row.fetch_add(kept, Ordering::Relaxed);
                return Ok(kept);
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn table(bytes: impl Into<Vec<u8>>) -> Table {
        Table::read(Cursor::new(bytes.into())).unwrap()
    }

    /// Every row as its line and its cells.
    fn rows(mut table: Table) -> Vec<(u64, Vec<String>)> {
        let mut rows = Vec::new();
        while table.next_row().unwrap() {
            let cells = (0..table.width()).map(|at| table.cell(at)).collect();
            rows.push((table.line(), cells));
        }
        rows
    }

    fn row(line: u64, cells: &[&str]) -> (u64, Vec<String>) {
        (line, cells.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn columns_are_found_by_name() {
        let table = table("\u{feff} SKU ,Name\n1,2\n");
        assert_eq!(table.header(), ["SKU", "Name"]);
        assert_eq!(
            (table.column("sku"), table.column("price")),
            (Some(0), None)
        );
    }

    #[test]
    fn lines_are_those_of_an_editor() {
        for newline in ["\n", "\r\n", "\r"] {
            let lines = ["a,b", "1,2", "", "3,\"x", "y\"", "", "4,5"];
            let found = rows(table(lines.join(newline)));
            let expected = [
                row(2, &["1", "2"]),
                row(4, &["3", "x\ny"]),
                row(7, &["4", "5"]),
            ];
            assert_eq!(found, expected, "{newline:?}");
        }
    }

    #[test]
    fn text_is_utf_8_or_windows_1252() {
        let found = rows(table(b"name\nCaf\xc3\xa9\nCaf\xe9 \x93A\x94\n".as_slice()));
        assert_eq!(found, [row(2, &["Café"]), row(3, &["Café “A”"])]);
    }

    #[test]
    fn gzip_is_recognised_by_its_bytes_in_one_part_or_more() {
        let part = |text: &str| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        };
        let found = rows(table([part("a\n1\n"), part("2\n")].concat()));
        assert_eq!(found, [row(2, &["1"]), row(3, &["2"])]);
    }

    #[test]
    fn a_broken_archive_ends_in_an_error_after_what_could_be_read() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(b"a\n1\n2\n").unwrap();
        let mut bytes = encoder.finish().unwrap();
        bytes.truncate(bytes.len() - 4);
        let mut table = table(bytes);
        let mut read = 0;
        let error = loop {
            match table.next_row() {
                Ok(true) => read += 1,
                Ok(false) => panic!("the archive is not whole"),
                Err(error) => break error,
            }
        };
        assert_eq!((read, error.after_line), (2, Some(3)));
    }

    #[test]
    fn a_quote_without_end_does_not_take_in_the_file() {
        let endless = Cursor::new(b"a\n\"".to_vec()).chain(io::repeat(b'x'));
        let mut table = Table::read(endless).unwrap();
        let error = table.next_row().unwrap_err();
        assert!(error.to_string().contains("quote"), "{error}");
    }

    #[test]
    fn what_is_no_table_is_said_to_be_none() {
        for (bytes, reason) in [
            (b"".as_slice(), "empty"),
            (b"\xff\xfes\0k\0u\0", "UTF-16"),
            (b"\x1f\x8bnonsense", "gzip"),
        ] {
            let error = Table::read(bytes).err().unwrap();
            assert!(error.to_string().contains(reason), "{error}");
        }
    }

    #[test]
    fn a_cell_beyond_the_row_is_empty() {
        let mut table = table("a,b\n1\n");
        assert!(table.next_row().unwrap());
        assert_eq!((table.width(), table.cell(1).as_str()), (1, ""));
    }
}
