//! The file, opened for writing: three statements, each in a transaction of its own.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqliteLockingMode, SqliteSynchronous,
};
use sqlx::{Connection, QueryBuilder, Sqlite, SqliteConnection};

use super::checksum;
use super::reserve::log_bytes;
use super::schema::{self, APPLICATION_ID};
use crate::standalone::store::state::{Forgotten, Resource, Write};
use crate::standalone::store::{Change, Revision};

/// The size of a page, in bytes: SQLite's default.
const PAGE_BYTES: u64 = 4096;

/// In how many steps room is given back at one time: what is written meanwhile waits for that.
const STEPS_AT_ONCE: usize = 32;

/// How many rows one statement removes.
const ROWS_REMOVED_AT_ONCE: usize = 1_000;

/// The database, for its only writer.
#[derive(Debug)]
pub(super) struct Database {
    path: PathBuf,
    /// Which file was found there.
    file: File,
    connection: SqliteConnection,
}

/// A file, whatever its name: its device and its number there.
type File = (u64, u64);

impl Database {
    /// Opens a database that was looked at before.
    pub(super) async fn open(path: &Path) -> Result<Self, sqlx::Error> {
        let connection = SqliteConnection::connect_with(&options(path)).await?;
        Ok(Self {
            path: path.to_owned(),
            file: file_at(path)?,
            connection,
        })
    }

    /// Fills an empty file with the tables of the newest version; its writes come after `began`.
    pub(super) async fn create(path: &Path, began: Revision) -> Result<(), sqlx::Error> {
        let mut database = Self::open(path).await?;
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
            "PRAGMA application_id = {APPLICATION_ID}"
        )))
        .execute(&mut database.connection)
        .await?;
        database.migrate(0, schema::MIGRATIONS).await?;
        let mut everything = Backlog::default();
        everything.until.insert(Resource::Borrowed(""), began);
        database.forget(&everything).await?;
        database.close().await
    }

    /// Takes the tables from version `from` to the newest.
    pub(super) async fn migrate(
        &mut self,
        from: i64,
        migrations: &'static [&'static str],
    ) -> Result<(), sqlx::Error> {
        schema::migrate(&mut self.connection, from, migrations).await
    }

    /// Where the file is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes all of them or none, and returns when they are on disk.
    ///
    /// One statement is one transaction. In a file that was moved or removed it would succeed, as SQLite looks for that only
    /// where there is no log, and the next start would know nothing of it.
    pub(super) async fn append(&mut self, writes: &[Write]) -> Result<(), sqlx::Error> {
        match file_at(&self.path) {
            Ok(file) if file == self.file => {}
            Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why.into()),
            _ => return Err(sqlx::Error::Io(Errno::STALE.into())),
        }
        let mut insert: QueryBuilder<Sqlite> = QueryBuilder::new(
            "INSERT INTO writes (revision, resource, namespace, name, deletes, document, checksum) ",
        );
        insert.push_values(writes, |mut row, write| {
            let revision = write.object.revision().0.cast_signed();
            let deletes = write.change == Change::Deleted;
            let place = [&*write.resource, &*write.place.namespace, &*write.place.name];
            let text = write.object.text();
            row.push_bind(revision);
            for column in place {
                row.push_bind(column.to_owned());
            }
            row.push_bind(i64::from(deletes))
                .push_bind(text.to_owned())
                .push_bind(checksum::of_write(revision, place, deletes, text));
        });
        let insert = insert.build().persistent(writes.len() == 1);
        insert.execute(&mut self.connection).await.map(drop)
    }

    /// Removes what nobody can ask for any more.
    ///
    /// That the events are forgotten and that the rows are gone become true together, so that a window never has holes.
    pub(super) async fn forget(&mut self, backlog: &Backlog) -> Result<(), sqlx::Error> {
        let mut transaction = self.connection.begin().await?;
        for (resource, until) in &backlog.until {
            let until = until.0.cast_signed();
            sqlx::query("INSERT OR REPLACE INTO forgotten (resource, revision, checksum) VALUES (?, ?, ?)")
                .bind(resource.as_ref())
                .bind(until)
                .bind(checksum::of_forgotten(resource, until))
                .execute(&mut *transaction)
                .await?;
        }
        for rows in backlog.rows.chunks(ROWS_REMOVED_AT_ONCE) {
            let mut delete: QueryBuilder<Sqlite> =
                QueryBuilder::new("DELETE FROM writes WHERE revision IN (");
            let mut revisions = delete.separated(", ");
            for row in rows {
                revisions.push_bind(row.0.cast_signed());
            }
            delete.push(")");
            delete
                .build()
                .persistent(false)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await
    }

    /// Moves the log of writes into the database and gives its room back. What is in both takes room twice, so on a full
    /// disk it is where room is found.
    pub(super) async fn empty_log(&mut self) -> Result<(), sqlx::Error> {
        let checkpoint = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)");
        checkpoint.execute(&mut self.connection).await.map(drop)
    }

    /// Gives room back that the database does not need any more, in steps that the log has room for.
    pub(super) async fn give_back(&mut self) -> Result<(), sqlx::Error> {
        let mut unused = self.unused_pages().await?;
        for _ in 0..STEPS_AT_ONCE {
            let step = format!("PRAGMA incremental_vacuum({})", log_pages(&self.path) / 2);
            sqlx::raw_sql(sqlx::AssertSqlSafe(step))
                .execute(&mut self.connection)
                .await?;
            self.empty_log().await?;
            let left = self.unused_pages().await?;
            if left >= unused {
                break;
            }
            unused = left;
        }
        Ok(())
    }

    /// How many pages of the file hold nothing.
    async fn unused_pages(&mut self) -> Result<i64, sqlx::Error> {
        let count = sqlx::query_scalar("PRAGMA freelist_count");
        count.fetch_one(&mut self.connection).await
    }

    /// Moves the log of writes into the database and lets go of the file.
    pub(super) async fn close(self) -> Result<(), sqlx::Error> {
        self.connection.close().await
    }
}

fn file_at(path: &Path) -> io::Result<File> {
    let metadata = fs::metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

/// How long the log of writes becomes, in pages.
fn log_pages(path: &Path) -> u64 {
    log_bytes(path) / PAGE_BYTES
}

/// How the file is opened for writing.
fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        // Room that it does not need any more can be given back without writing it anew.
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        // Nobody else has the folder; so the index of the log can be kept in memory instead of in a shared file.
        .locking_mode(SqliteLockingMode::Exclusive)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        // On macOS a sync reaches the disk itself only with these; elsewhere they do nothing.
        .pragma("fullfsync", "ON")
        .pragma("checkpoint_fullfsync", "ON")
        .pragma("wal_autocheckpoint", log_pages(path).to_string())
        // What a burst has made of it is given back when its contents are in the database.
        .pragma("journal_size_limit", log_bytes(path).to_string())
        .pragma("trusted_schema", "OFF")
        .thread_name(|_| "store".to_owned())
}

/// What has left the window of events and is still in the database.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    until: BTreeMap<Resource, Revision>,
    rows: Vec<Revision>,
    /// Up to where each resource is forgotten already: an event may leave the database before it leaves the window.
    done: BTreeMap<Resource, Revision>,
}

impl Backlog {
    /// Takes note of an event that was forgotten.
    ///
    /// With it goes the version before it, and, when it was a deletion, the deletion itself. Any other version stays: it is
    /// the object, until the next event of this object is forgotten.
    fn add(&mut self, (resource, event): Forgotten) {
        let revision = event.object.revision();
        if self.done.get(&resource).is_some_and(|done| revision <= *done) {
            return;
        }
        self.rows.extend(event.previous.map(|object| object.revision()));
        if event.change == Change::Deleted {
            self.rows.push(revision);
        }
        let until = self.until.entry(resource).or_default();
        *until = revision.max(*until);
    }

    /// Takes note of events that were forgotten.
    pub(super) fn extend(&mut self, events: impl IntoIterator<Item = Forgotten>) {
        events.into_iter().for_each(|event| self.add(event));
    }

    /// All of it is gone from the database.
    pub(super) fn clear(&mut self) {
        self.done.append(&mut self.until);
        self.rows.clear();
    }

    /// How many rows can go.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is nothing to forget.
    pub(super) fn is_empty(&self) -> bool {
        self.until.is_empty()
    }
}
