//! The file, opened for writing: three statements, each in a transaction of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteLockingMode, SqliteSynchronous};
use sqlx::{Connection, QueryBuilder, Sqlite, SqliteConnection};

use super::checksum;
use super::schema::{self, APPLICATION_ID};
use crate::standalone::store::state::{Forgotten, Resource, Write};
use crate::standalone::store::{Change, Revision};

/// The log of writes is cut to this size, in bytes, when a burst has made it longer and its contents are in the database.
const LOG_BYTES_KEPT: u32 = 16 * 1024 * 1024;

/// How many rows one statement removes.
const ROWS_REMOVED_AT_ONCE: usize = 1_000;

/// The database, for its only writer.
#[derive(Debug)]
pub(super) struct Database {
    path: PathBuf,
    connection: SqliteConnection,
}

impl Database {
    /// Opens a database that was looked at before.
    pub(super) async fn open(path: &Path) -> Result<Self, sqlx::Error> {
        let connection = SqliteConnection::connect_with(&options(path)).await?;
        Ok(Self {
            path: path.to_owned(),
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
    /// One statement is one transaction.
    pub(super) async fn append(&mut self, writes: &[Write]) -> Result<(), sqlx::Error> {
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

    /// Moves the log of writes into the database and gives its room back. The log grows to megabytes before that happens by
    /// itself, so on a full disk it is where room is found.
    pub(super) async fn empty_log(&mut self) -> Result<(), sqlx::Error> {
        let checkpoint = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)");
        checkpoint.execute(&mut self.connection).await.map(drop)
    }

    /// Moves the log of writes into the database and lets go of the file.
    pub(super) async fn close(self) -> Result<(), sqlx::Error> {
        self.connection.close().await
    }
}

/// How the file is opened for writing.
fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        // Nobody else has the folder; so the index of the log can be kept in memory instead of in a shared file.
        .locking_mode(SqliteLockingMode::Exclusive)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        // On macOS a sync reaches the disk itself only with these; elsewhere they do nothing.
        .pragma("fullfsync", "ON")
        .pragma("checkpoint_fullfsync", "ON")
        .pragma("journal_size_limit", LOG_BYTES_KEPT.to_string())
        .pragma("trusted_schema", "OFF")
        .thread_name(|_| "store".to_owned())
}

/// What has left the window of events and is still in the database.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    until: BTreeMap<Resource, Revision>,
    rows: Vec<Revision>,
}

impl Backlog {
    /// Takes note of an event that was forgotten.
    ///
    /// With it goes the version before it, and, when it was a deletion, the deletion itself. Any other version stays: it is
    /// the object, until the next event of this object is forgotten.
    pub(super) fn add(&mut self, (resource, event): Forgotten) {
        let revision = event.object.revision();
        self.rows.extend(event.previous.map(|object| object.revision()));
        if event.change == Change::Deleted {
            self.rows.push(revision);
        }
        let until = self.until.entry(resource).or_default();
        *until = revision.max(*until);
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
