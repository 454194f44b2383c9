//! What SQLite's result codes mean to us.
//!
//! Source: "Result and Error Codes" of SQLite's documentation. The lower byte of a code says what has happened, and the
//! others where.

use std::path::Path;

use super::aside;
use crate::standalone::data_dir::Obstacle;

const ERROR: i32 = 1;
const READ_ONLY: i32 = 8;
const IO_ERROR: i32 = 10;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const CANNOT_OPEN: i32 = 14;
const NOT_A_DATABASE: i32 = 26;
const SHORT_READ: i32 = 522;
/// For the index of the log.
const NO_ROOM_FOR_INDEX: i32 = 4874;

/// What a disk itself could not do: read, write, force out a file or a folder, cut off, look at, find a place.
const OF_THE_DISK: [i32; 7] = [266, 778, 1034, 1290, 1546, 1802, 5642];

/// Whether the cause lies in what the file holds, not in how it is reached.
///
/// `SQLITE_ERROR` counts: our statements are right, so it means that the tables are not ours any more.
pub(super) fn is_damage(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::RowNotFound => true,
        other => result_code(other).is_some_and(|code| {
            matches!(code & 0xff, ERROR | CORRUPT | NOT_A_DATABASE) || code == SHORT_READ
        }),
    }
}

/// What keeps a database from being written, if it is that. SQLite says only of a full disk what the system has said.
pub(super) fn obstacle(error: &sqlx::Error, database: &Path) -> Option<Obstacle> {
    if let sqlx::Error::Io(error) = error {
        return Obstacle::behind(error, database);
    }
    obstacle_of(result_code(error)?, database)
}

fn obstacle_of(code: i32, database: &Path) -> Option<Obstacle> {
    match code & 0xff {
        _ if code == NO_ROOM_FOR_INDEX => Some(Obstacle::Full),
        FULL => Some(Obstacle::Full),
        READ_ONLY | IO_ERROR | CANNOT_OPEN => {
            let found = Obstacle::to(&[database.to_owned(), aside::log_of(database)]);
            // The disk may fail in this one place only.
            found.or_else(|| OF_THE_DISK.contains(&code).then_some(Obstacle::Broken))
        }
        _ => None,
    }
}

/// The extended result code.
fn result_code(error: &sqlx::Error) -> Option<i32> {
    error.as_database_error()?.code()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_fails_where_the_database_is_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let of = |code| obstacle_of(code, &folder.path().join("punctual.db"));
        let [reading, forcing_out, locking, short_of_memory] = [266, 1034, 3850, 3082].map(of);
        assert_eq!(
            (reading, forcing_out),
            (Some(Obstacle::Broken), Some(Obstacle::Broken))
        );
        assert_eq!((locking, short_of_memory), (None, None));
    }
}
