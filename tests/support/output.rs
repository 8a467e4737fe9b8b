//! What a process prints.

use std::io::{BufRead, BufReader, Read};
use std::process::Child;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use super::PATIENCE;

/// Everything that a process has printed, whether anybody looks at it or not.
pub struct Output {
    lines: Arc<Mutex<Vec<String>>>,
    /// How many of the two streams are open, and a number that changes with each line.
    changed: watch::Receiver<(usize, usize)>,
}

impl Output {
    pub fn of(process: &mut Child) -> Self {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (changes, changed) = watch::channel((2, 0));
        let streams: [Box<dyn Read + Send>; 2] = [
            Box::new(process.stdout.take().unwrap()),
            Box::new(process.stderr.take().unwrap()),
        ];
        for stream in streams {
            let (lines, changes) = (Arc::clone(&lines), changes.clone());
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    lines.lock().unwrap().push(line);
                    changes.send_modify(|(_, count)| *count += 1);
                }
                changes.send_modify(|(open, _)| *open -= 1);
            });
        }
        Self { lines, changed }
    }

    pub fn text(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    /// Where the endpoint is, once that is printed; nothing if the process ends before.
    pub async fn url(&mut self) -> Option<String> {
        self.announced("Endpoint", "/graphql").await
    }

    /// The URL that is printed behind a word, without its path; nothing if the process ends before.
    pub async fn announced(&mut self, word: &str, path: &str) -> Option<String> {
        let announced = |line: &String| {
            let url = line.trim().strip_prefix(word)?.trim();
            Some(url.strip_suffix(path)?.to_owned())
        };
        let found = async {
            loop {
                let (open, _) = *self.changed.borrow_and_update();
                let url = self.lines.lock().unwrap().iter().find_map(announced);
                if url.is_some() || open < 2 {
                    return url;
                }
                self.changed.changed().await.ok()?;
            }
        };
        tokio::time::timeout(PATIENCE, found).await.ok()?
    }

    /// All of it, once the process has closed both streams.
    pub async fn ended(&mut self) -> String {
        let closed = self.changed.wait_for(|(open, _)| *open == 0);
        let _ = tokio::time::timeout(PATIENCE, closed)
            .await
            .expect("the process ends");
        self.lines.lock().unwrap().join("\n")
    }
}
