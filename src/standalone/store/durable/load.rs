//! Reads the whole database without changing a byte of it, and trusts nothing: the structure is checked, and every row.
//!
//! The connection is one that can't write. So a database that turns out to be damaged is kept exactly as it was found, its
//! log included.

use std::path::Path;

use futures::TryStreamExt;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};

use super::aside;
use super::checksum;
use super::codes::is_damage;
use super::schema::APPLICATION_ID;
use super::wal;
use crate::standalone::store::state::{Forgotten, Resource, State, Write};
use crate::standalone::store::{Object, Place, Revision};

/// What a database holds.
pub(super) struct Loaded {
    pub(super) state: State,
    /// What did not fit into the window any more.
    pub(super) forgotten: Vec<Forgotten>,
}

/// What was found in place of a database that can be used as it is.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It has the tables of an older version.
    Older(i64),
    /// It has the tables of a newer version, made by this `punctual`.
    Newer { version: i64, punctual: String },
    /// What is in it can't be trusted.
    Damaged(String),
    /// It can't be read at the moment.
    Unreadable(sqlx::Error),
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        if is_damage(&error) {
            let told = error.as_database_error().map(|error| error.message().to_owned());
            Self::Damaged(told.unwrap_or_else(|| error.to_string()))
        } else {
            Self::Unreadable(error)
        }
    }
}

/// The length of the header with which every database begins, in bytes.
const HEADER_BYTES: u64 = 100;

/// Loads a database of this version.
pub(super) async fn load(path: &Path, version: i64, window_events: usize) -> Result<Loaded, Trouble> {
    // SQLite takes an empty file for a new database, and removes the log beside it.
    if std::fs::metadata(path).map_err(sqlx::Error::Io)?.len() < HEADER_BYTES {
        return Err(Trouble::Damaged("it is cut off at its beginning".to_owned()));
    }
    if !wal::is_whole(&aside::log_of(path)).map_err(sqlx::Error::Io)? {
        let what =
            "a part of the log of its last writes is not what was written, and more was written after it";
        return Err(Trouble::Damaged(what.to_owned()));
    }
    let options = SqliteConnectOptions::new().filename(path).read_only(true);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    let loaded = load_from(&mut connection, version, window_events).await;
    let closed = connection.close().await;
    let loaded = loaded?;
    closed?;
    Ok(loaded)
}

async fn load_from(
    connection: &mut SqliteConnection,
    version: i64,
    window_events: usize,
) -> Result<Loaded, Trouble> {
    check_structure(connection).await?;
    check_version(connection, version).await?;
    let mut loaded = Loaded {
        state: State::new(Revision::default(), window_events),
        forgotten: Vec::new(),
    };
    let known_after = load_forgotten(connection, &mut loaded.state).await?;
    load_writes(connection, &known_after, &mut loaded).await?;
    Ok(loaded)
}

async fn check_structure(connection: &mut SqliteConnection) -> Result<(), Trouble> {
    let id: i64 = sqlx::query_scalar("PRAGMA application_id")
        .fetch_one(&mut *connection)
        .await?;
    if id != APPLICATION_ID {
        return Err(Trouble::Damaged("it is not a database of punctual".to_owned()));
    }
    sqlx::query("PRAGMA cell_size_check = ON")
        .execute(&mut *connection)
        .await?;
    let found: String = sqlx::query_scalar("PRAGMA integrity_check(1)")
        .fetch_one(&mut *connection)
        .await?;
    if found == "ok" {
        Ok(())
    } else {
        Err(Trouble::Damaged(found.replace('\n', " ")))
    }
}

async fn check_version(connection: &mut SqliteConnection, known: i64) -> Result<(), Trouble> {
    let newest: Option<(i64, String)> =
        sqlx::query_as("SELECT version, punctual FROM migrations ORDER BY version DESC LIMIT 1")
            .fetch_optional(connection)
            .await?;
    match newest {
        None => Err(Trouble::Damaged(
            "it does not say which version it has".to_owned(),
        )),
        Some((version, _)) if version == known => Ok(()),
        Some((version, _)) if version < known => Err(Trouble::Older(version)),
        Some((version, punctual)) => Err(Trouble::Newer { version, punctual }),
    }
}

/// Up to which revision the events of each resource are forgotten.
type KnownAfter = std::collections::HashMap<String, Revision>;

async fn load_forgotten(connection: &mut SqliteConnection, state: &mut State) -> Result<KnownAfter, Trouble> {
    let mut known_after = KnownAfter::new();
    let mut rows = sqlx::query_as("SELECT resource, revision, checksum FROM forgotten ORDER BY resource")
        .fetch(connection);
    while let Some((resource, revision, sum)) = rows.try_next().await? {
        let (resource, revision, sum): (String, i64, i64) = (resource, revision, sum);
        if sum != checksum::of_forgotten(&resource, revision) {
            return Err(bad_row("forgotten", revision));
        }
        let until = Revision(revision.cast_unsigned());
        if resource.is_empty() {
            state.restore_beginning(until);
        } else {
            state.restore_forgotten(Resource::Owned(resource.clone()), until);
        }
        known_after.insert(resource, until);
    }
    if known_after.contains_key("") {
        Ok(known_after)
    } else {
        Err(Trouble::Damaged("it does not say where it begins".to_owned()))
    }
}

/// A row of `writes`.
type Row = (i64, String, String, String, bool, String, i64);

async fn load_writes(
    connection: &mut SqliteConnection,
    known_after: &KnownAfter,
    loaded: &mut Loaded,
) -> Result<(), Trouble> {
    let mut rows = sqlx::query_as::<_, Row>(
        "SELECT revision, resource, namespace, name, deletes, document, checksum FROM writes ORDER BY revision",
    )
    .fetch(connection);
    while let Some((revision, resource, namespace, name, deletes, document, sum)) = rows.try_next().await? {
        if sum != checksum::of_write(revision, [&resource, &namespace, &name], deletes, &document) {
            return Err(bad_row("writes", revision));
        }
        let revision = Revision(revision.cast_unsigned());
        let object =
            Object::from_text(document, revision).map_err(|_| bad_row("writes", revision.0.cast_signed()))?;
        let is_event = known_after.get(&resource).is_none_or(|until| revision > *until);
        let resource = Resource::Owned(resource);
        let place = Place { namespace, name };
        if is_event {
            let change = loaded.state.change_of(&resource, &place, deletes);
            let write = Write {
                change,
                resource,
                place,
                object,
            };
            loaded.forgotten.extend(loaded.state.apply(write));
        } else {
            loaded.state.restore(resource, place, object);
        }
    }
    Ok(())
}

fn bad_row(table: &str, revision: i64) -> Trouble {
    Trouble::Damaged(format!("row {revision} of table {table} is not what was written"))
}
