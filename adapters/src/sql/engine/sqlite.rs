//! How a SQLite file is held.

use std::path::Path;

use sea_orm::ConnectOptions;

/// Connections that read, beside the one that writes: enough that a long read holds nobody up. On
/// two cores, eight read no faster.
pub const READERS: u32 = 4;
/// How long a statement waits for another process that has the file, in milliseconds.
const BUSY_MS: &str = "5000";
/// Pages of the write-ahead log after which it is moved into the file (16 MiB): a smaller log syncs
/// the file more often than the orders do.
const CHECKPOINT_PAGES: &str = "4000";
/// Memory of the writing connection for pages, in KiB (SQLite counts pages where it is positive).
const CACHE_KIB: &str = "-65536";

/// Connections to a file, with a durable write-ahead log. Those that write create it where it is
/// missing.
pub fn options(file: &Path, connections: u32, only_reads: bool) -> ConnectOptions {
    let file = file.to_owned();
    // The path in the address is replaced below: a real one may hold what an address can't.
    let mut options = ConnectOptions::new("sqlite:ledger");
    options
        .max_connections(connections)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        // A connection to a file does not break by itself.
        .test_before_acquire(false)
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .map_sqlx_sqlite_opts(move |sqlite| {
            sqlite
                .filename(&file)
                .create_if_missing(!only_reads)
                .pragma("journal_mode", "WAL")
                .pragma("synchronous", "FULL")
                .pragma("foreign_keys", "ON")
                .pragma("busy_timeout", BUSY_MS)
                .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
                .pragma("cache_size", if only_reads { "-8192" } else { CACHE_KIB })
                .pragma("temp_store", "MEMORY")
                .pragma("query_only", if only_reads { "ON" } else { "OFF" })
        });
    options
}
