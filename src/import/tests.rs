//! Whole imports, against a catalogue that remembers what it was handed.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::Cursor;

use domain::refusal::{Reason, Rule};
use proptest::prelude::*;

use super::*;

/// Stands for the domain: refuses what it has, and whatever breaks a rule.
#[derive(Default)]
struct Shop {
    rows: Vec<CatalogueRow>,
    skus: HashSet<String>,
    faults_after: Option<usize>,
}

impl Shop {
    fn take(&mut self, rows: &[CatalogueRow]) -> Result<Imported, Fault> {
        if self
            .faults_after
            .is_some_and(|most| self.rows.len() >= most)
        {
            return Err(Fault::unavailable("importing items", "the disk is full"));
        }
        let mut imported = Imported::default();
        for (place, row) in rows.iter().enumerate() {
            let mut refusals = row.details.refusals();
            if row.total < 0 {
                refusals.push(Reason::from(Rule::TooSmall { least: 0 }).at(["total"]));
            }
            if !self.skus.insert(row.sku.clone()) {
                refusals.push(Reason::from(Rule::Repeated).at(["sku"]));
            }
            if refusals.is_empty() {
                imported.created += 1;
                self.rows.push(row.clone());
            }
            let refused = refusals.into_iter().map(|refusal| (place, refusal));
            imported.refused.extend(refused);
        }
        Ok(imported)
    }
}

fn import(bytes: impl Into<Vec<u8>>, shop: &mut Shop) -> Result<ImportReport, ImportError> {
    let catalogue = Catalogue::new(Table::read(Cursor::new(bytes.into()))?)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    Ok(runtime.block_on(import_catalogue(
        catalogue,
        async |rows: &[CatalogueRow]| shop.take(rows),
    )))
}

fn refusals(report: &ImportReport) -> Vec<(u64, Option<&str>)> {
    report
        .refused
        .iter()
        .map(|cell| (cell.line, cell.column.as_deref()))
        .collect()
}

#[test]
fn the_rest_goes_in_and_every_refused_row_says_why() {
    let text = "\u{feff}Price,Currency,SKU,name,stock,Category,colour\r\n\
        12.50,gbp,A-1,Lamp,10,ETC,red\r\n\
        \r\n\
        12.5,XXX,A-2,Lamp,10,,red\r\n\
        12.555,GBP,A-3,,ten,TOYS,red\r\n\
        -1,GBP,A-4,Lamp,-1,,red\r\n\
        1,GBP,A-1,Again,1,beauty,red\r\n\
        1,GBP,A-5\r\n\
        ,,,,,,\r\n\
        9000,KRW,A-6,\"A lamp,\r\nof two lines\",0,FASHION,\r\n";
    let mut shop = Shop::default();
    let report = import(text, &mut shop).unwrap();
    let expected = [
        (4, Some("currency")),
        (5, Some("price")),
        (5, Some("stock")),
        (5, Some("category")),
        (5, Some("name")),
        (6, Some("price")),
        (6, Some("stock")),
        (7, Some("sku")),
        (8, None),
    ];
    assert_eq!(refusals(&report), expected);
    assert_eq!(
        (report.rows, report.created, report.refused_rows),
        (7, 2, 5)
    );
    assert_eq!(report.ignored_columns, ["colour"]);
    assert_eq!((report.not_listed, &report.stopped), (0, &None));
    let names: Vec<_> = shop
        .rows
        .iter()
        .map(|row| row.details.name.as_str())
        .collect();
    assert_eq!(names, ["Lamp", "A lamp,\nof two lines"]);
    let mut printed = Vec::new();
    report.print(&mut printed).unwrap();
    insta::assert_snapshot!(String::from_utf8(printed).unwrap());
}

#[test]
fn a_header_without_the_columns_names_those_that_are_missing() {
    let error = import("sku,name,stock\n", &mut Shop::default())
        .unwrap_err()
        .to_string();
    assert!(error.contains("no price, currency;"), "{error}");
    let error = import("sku,name,price,currency,stock,SKU\n", &mut Shop::default());
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("sku is there twice")
    );
}

#[test]
fn a_fault_stops_it_and_says_what_may_be_missing() {
    let mut text = "sku,name,price,currency,stock\n".to_owned();
    for sku in 0..=2 * CHUNK {
        writeln!(text, "{sku},Lamp,1,GBP,1").unwrap();
    }
    let mut shop = Shop {
        faults_after: Some(CHUNK),
        ..Default::default()
    };
    let report = import(text, &mut shop).unwrap();
    assert_eq!(report.created, CHUNK as u64);
    let stopped = report.stopped.unwrap();
    assert!(
        stopped.contains("the disk is full") && stopped.contains("1000 rows"),
        "{stopped}"
    );
}

#[test]
fn more_refusals_than_are_listed_are_counted() {
    let mut text = "sku,name,price,currency,stock\n".to_owned();
    for sku in 0..report::MOST_LISTED + 5 {
        writeln!(text, "{sku},,1,GBP,1").unwrap();
    }
    let report = import(text, &mut Shop::default()).unwrap();
    assert_eq!(report.refused_rows, report::MOST_LISTED as u64 + 5);
    assert_eq!(
        (report.refused.len(), report.not_listed),
        (report::MOST_LISTED, 5)
    );
}

#[tokio::test]
async fn a_catalogue_is_derived_from_an_order_book_in_an_archive() {
    use std::io::Write as _;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let mut archive = flate2::write::GzEncoder::new(&mut file, flate2::Compression::fast());
    let book = b"InvoiceNo,StockCode,Description,Quantity,UnitPrice,CustomerID,Country\n\
        900001,10001,CAF\xc9 CUP,6,2.55,71,UK\n\
        900001,10001,CAF\xc9 CUP,2,2.55,71,UK\n\
        900001,POST,POSTAGE,1,18,71,UK\n\
        900002,10002,LANTERN,x,3,,UK\n\
        C900003,10001,CAF\xc9 CUP,-1,2.55,71,UK\n";
    archive.write_all(book).unwrap();
    archive.finish().unwrap();
    let source = ImportSource {
        catalogue: None,
        from_orders: Some(file.path().to_owned()),
    };
    let mut shop = Shop::default();
    let report = run(&source, async |rows: &[CatalogueRow]| shop.take(rows))
        .await
        .unwrap();
    assert_eq!(
        (report.rows, report.created, report.stopped.as_deref()),
        (1, 1, None)
    );
    let row = &shop.rows[0];
    assert_eq!((row.details.name.as_str(), row.total), ("CAFÉ CUP", 8));
    insta::assert_snapshot!(serde_json::to_string_pretty(&report.to_json()).unwrap());
    let mut printed = Vec::new();
    report.print(&mut printed).unwrap();
    insta::assert_snapshot!("derived_for_people", String::from_utf8(printed).unwrap());
}

#[tokio::test]
async fn a_file_that_is_not_there_is_said_to_be_missing() {
    let source = ImportSource {
        catalogue: Some("nowhere.csv".into()),
        from_orders: None,
    };
    let mut shop = Shop::default();
    let error = run(&source, async |rows: &[CatalogueRow]| shop.take(rows))
        .await
        .unwrap_err();
    assert!(error.to_string().starts_with("nowhere.csv: "), "{error}");
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = import(bytes.clone(), &mut Shop::default());
        let mut text = b"sku,name,price,currency,stock\n".to_vec();
        text.extend(bytes);
        let report = import(text, &mut Shop::default()).unwrap();
        prop_assert!(report.created + report.refused_rows <= report.rows);
    }

    #[test]
    fn each_row_goes_in_or_is_refused(rows in proptest::collection::vec(
        ("[a-c]{0,2}", ".{0,3}", "-?[0-9]{0,3}(\\.[0-9]{1,3})?", "GBP|KRW|XX|", "-?[0-9]{0,4}|x"),
        0..40,
    )) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["sku", "name", "price", "currency", "stock"]).unwrap();
        let blank = |row: &(String, String, String, String, String)| {
            [&row.0, &row.1, &row.2, &row.3, &row.4].iter().all(|cell| cell.trim().is_empty())
        };
        for row in &rows {
            writer.write_record([&row.0, &row.1, &row.2, &row.3, &row.4]).unwrap();
        }
        let mut shop = Shop::default();
        let report = import(writer.into_inner().unwrap(), &mut shop).unwrap();
        let written = rows.iter().filter(|row| !blank(row)).count() as u64;
        prop_assert_eq!(report.rows, written);
        prop_assert_eq!(report.created + report.refused_rows, written);
        prop_assert_eq!(report.created, shop.rows.len() as u64);
    }
}
