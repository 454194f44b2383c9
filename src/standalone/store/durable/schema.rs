//! The tables, version by version.
//!
//! A database carries the versions that it went through, and the `punctual` that took it to each. A newer `punctual` takes
//! an older database further; an older one refuses a newer database, and leaves it as it is.

use sqlx::{Connection, SqliteConnection};

/// Marks a file as a database of this program (`PRAGMA application_id`): the letters "Pnct".
pub(super) const APPLICATION_ID: i64 = 0x506e_6374;

/// What takes a database from each version to the next, from none to 1 first. Only ever add to it.
pub(super) const MIGRATIONS: &[&str] = &["
    CREATE TABLE migrations (
        version INTEGER PRIMARY KEY,
        punctual TEXT NOT NULL
    ) STRICT;

    CREATE TABLE writes (
        revision INTEGER PRIMARY KEY,
        resource TEXT NOT NULL,
        namespace TEXT NOT NULL,
        name TEXT NOT NULL,
        deletes INTEGER NOT NULL,
        document TEXT NOT NULL,
        checksum INTEGER NOT NULL
    ) STRICT;

    -- The events of a resource are no longer known up to this revision. The empty name speaks of all of them.
    CREATE TABLE forgotten (
        resource TEXT PRIMARY KEY,
        revision INTEGER NOT NULL,
        checksum INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
"];

/// The version that `migrations` lead to.
pub(super) fn version_of(migrations: &[&str]) -> i64 {
    i64::try_from(migrations.len()).unwrap_or(i64::MAX)
}

/// Takes a database from version `from` on: all the way, or not at all.
pub(super) async fn migrate(
    connection: &mut SqliteConnection,
    from: i64,
    migrations: &'static [&'static str],
) -> Result<(), sqlx::Error> {
    let done = usize::try_from(from).unwrap_or_default();
    let mut transaction = connection.begin().await?;
    for (version, statements) in (1_i64..).zip(migrations).skip(done) {
        sqlx::raw_sql(*statements).execute(&mut *transaction).await?;
        sqlx::query("INSERT INTO migrations (version, punctual) VALUES (?, ?)")
            .bind(version)
            .bind(env!("CARGO_PKG_VERSION"))
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await
}
