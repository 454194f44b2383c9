//! Objects written in a second, each acknowledged when it is on disk.
//!
//! Three figures from one run: SQLite by itself, one write a transaction, which is what a durable store without groups
//! could reach at most; the store with one writer; and with many, whose writes share transactions.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use punctual::clock::{Clock, SystemClock};
use punctual::standalone::store::{Key, SharedStore, SqliteOptions, SqliteStore};
use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, SqliteConnection};

/// How long each is measured.
const TIME: Duration = Duration::from_secs(5);

/// How many write at once.
const WRITERS: [usize; 2] = [1, 64];

/// Measures and prints.
pub(crate) async fn measure() {
    let folder = tempfile::tempdir().expect("a folder");
    println!(
        "objects written in a second, each on disk{:>12}{:>10}",
        "", "ratio"
    );
    let bare = bare(&folder.path().join("bare.db")).await;
    report("bare SQLite, one write a transaction", bare, bare);
    for writers in WRITERS {
        let path = folder.path().join(format!("{writers}.db"));
        report(
            &format!("punctual, {writers} at once"),
            store(&path, writers).await,
            bare,
        );
    }
    println!();
}

fn report(what: &str, rate: f64, bare: f64) {
    println!("{what:<41}{rate:>12.0}{:>10.2}", rate / bare);
}

/// About as large as a Job.
fn document() -> Value {
    json!({ "metadata": { "name": "a" }, "padding": "x".repeat(1_500) })
}

async fn bare(path: &Path) -> f64 {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let mut connection = SqliteConnection::connect_with(&options)
        .await
        .expect("a database");
    sqlx::query("CREATE TABLE objects (name TEXT PRIMARY KEY, document TEXT)")
        .execute(&mut connection)
        .await
        .expect("a table");
    let started = Instant::now();
    let mut written = 0_u32;
    while started.elapsed() < TIME {
        sqlx::query("INSERT INTO objects VALUES (?, ?)")
            .bind(format!("n{written}"))
            .bind(document().to_string())
            .execute(&mut connection)
            .await
            .expect("written");
        written += 1;
    }
    f64::from(written) / started.elapsed().as_secs_f64()
}

async fn store(path: &Path, writers: usize) -> f64 {
    let opened = SqliteStore::open(path, SystemClock.now(), &SqliteOptions::default()).await;
    let store: SharedStore = Arc::new(opened.expect("a store").0);
    let started = Instant::now();
    let tasks = (0..writers).map(|writer| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let mut written = 0_u32;
            while started.elapsed() < TIME {
                let key = Key::new("things", "default", format!("n{writer}-{written}"));
                store.create(&key, document()).await.expect("written");
                written += 1;
            }
            written
        })
    });
    let written = futures::future::join_all(tasks).await;
    let total: u32 = written
        .into_iter()
        .map(|written| written.expect("a writer"))
        .sum();
    f64::from(total) / started.elapsed().as_secs_f64()
}
