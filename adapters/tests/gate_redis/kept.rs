//! What a Redis keeps, as only an operator looks at it.

/// The keys that have `part` in their names, and how many milliseconds each is kept; -1 is for ever.
pub fn keys_of(url: &str, part: &str) -> Vec<(String, i64)> {
    let mut connection = redis::Client::open(url).unwrap().get_connection().unwrap();
    let mut keys = redis::cmd("KEYS");
    let keys: Vec<String> = keys
        .arg(format!("*{part}*"))
        .query(&mut connection)
        .unwrap();
    let mut left = |key: &str| redis::cmd("PTTL").arg(key).query(&mut connection).unwrap();
    keys.into_iter()
        .map(|key| {
            let ms = left(&key);
            (key, ms)
        })
        .collect()
}
