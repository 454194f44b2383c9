//! What is done about a database that is missing, old, too new or damaged.
//!
//! An empty database is made only where there has never been one, or where a person asks for it. Beginning anew by itself
//! would be the comfortable answer to damage and the wrong one: runs that go on would be forgotten and started beside
//! themselves, and catch-up runs would be lost, without anybody hearing of it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::aside;
use super::codes;
use super::database::Database;
use super::error::OpenError;
use super::load::{self, Loaded, Trouble};
use super::reserve::Reserve;
use super::schema::version_of;
use crate::schedule::Timestamp;
use crate::standalone::data_dir::{Obstacle, private_file, suffixed};
use crate::standalone::store::{Revision, WATCH_WINDOW_EVENTS};

/// How a database is opened.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// Begin with an empty database where there was one that is damaged; that one is kept.
    pub start_empty: bool,
    /// A folder that has something in it only if there has been a database.
    pub pods: Option<PathBuf>,
    /// How many events are kept for each resource.
    pub window_events: usize,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            start_empty: false,
            pods: None,
            window_events: WATCH_WINDOW_EVENTS,
        }
    }
}

/// A database that is ready.
pub(super) struct Opened {
    pub(super) database: Database,
    pub(super) loaded: Loaded,
    pub(super) reserve: Reserve,
    /// The damaged one that was put aside, now or before, and that it takes the place of.
    pub(super) put_aside: Option<PathBuf>,
}

/// Opens the database at a path, or makes it.
pub(super) async fn open(
    path: &Path,
    now: Timestamp,
    options: &SqliteOptions,
    migrations: &'static [&'static str],
) -> Result<Opened, OpenError> {
    let opening = Opening {
        path,
        now,
        options,
        migrations,
    };
    opening.open().await
}

struct Opening<'a> {
    path: &'a Path,
    now: Timestamp,
    options: &'a SqliteOptions,
    migrations: &'static [&'static str],
}

impl Opening<'_> {
    async fn open(&self) -> Result<Opened, OpenError> {
        let reserve = Reserve::beside(self.path);
        let mut put_aside = None;
        if self.is_missing()? {
            put_aside = aside::find(self.path).map_err(|source| self.io("read", source))?;
            self.create().await?;
        } else if let Some(kept) = self.put_aside_orphan()? {
            put_aside = Some(kept);
            self.create().await?;
        }
        let loaded = match self.load().await {
            Err(Trouble::Damaged(what)) => {
                put_aside = Some(self.put_aside(what)?);
                self.create().await?;
                self.load().await
            }
            outcome => outcome,
        };
        let loaded = loaded.map_err(|trouble| self.refusal(trouble))?;
        let mut database = Database::open(self.path)
            .await
            .map_err(|error| self.unusable(error))?;
        // What a crash has left at its end would look like damage, once more has been written over a part of it.
        let _on_a_full_disk_it_stays = database.empty_log().await;
        Ok(Opened {
            database,
            loaded,
            reserve,
            put_aside,
        })
    }

    /// Reads what is there, and takes it to this version first where it is older.
    async fn load(&self) -> Result<Loaded, Trouble> {
        let version = version_of(self.migrations);
        let window = self.options.window_events;
        let loaded = match load::load(self.path, version, window).await {
            Err(Trouble::Older(from)) => {
                let mut database = Database::open(self.path).await?;
                database.migrate(from, self.migrations).await?;
                database.close().await?;
                load::load(self.path, version, window).await
            }
            outcome => outcome,
        };
        // Left behind by a reader that can't remove it.
        let _remade_when_needed = fs::remove_file(aside::index_of(self.path));
        loaded
    }

    /// Whether there is no database, and none is missed.
    fn is_missing(&self) -> Result<bool, OpenError> {
        let failed = |source| self.io("read", source);
        let is_there = self.path.try_exists().map_err(failed)?;
        if is_there || has_content(&aside::log_of(self.path)).map_err(failed)? {
            return Ok(false);
        }
        match aside::find(self.path).map_err(failed)? {
            Some(kept) if !self.options.start_empty => Err(OpenError::PutAside {
                path: self.path.to_owned(),
                kept,
            }),
            Some(_) => Ok(true),
            None => self.is_first().map(|()| true),
        }
    }

    /// Fails when there has been a database, which nobody has put aside.
    fn is_first(&self) -> Result<(), OpenError> {
        match &self.options.pods {
            Some(pods)
                if !self.options.start_empty
                    && has_entries(pods).map_err(|source| self.io("read", source))? =>
            {
                Err(OpenError::Missing {
                    path: self.path.to_owned(),
                    pods: pods.clone(),
                })
            }
            _ => Ok(()),
        }
    }

    /// Puts a log aside that has lost its database: it would be taken for that of a new one.
    fn put_aside_orphan(&self) -> Result<Option<PathBuf>, OpenError> {
        if self.path.try_exists().map_err(|source| self.io("read", source))? {
            return Ok(None);
        }
        self.put_aside("only the log of its last writes is there".to_owned())
            .map(Some)
    }

    /// Puts a damaged database aside; an error unless an empty one may take its place.
    fn put_aside(&self, what: String) -> Result<PathBuf, OpenError> {
        let kept = aside::put(self.path, self.now).map_err(|source| self.io("put aside", source))?;
        if self.options.start_empty {
            return Ok(kept);
        }
        Err(OpenError::Damaged {
            path: self.path.to_owned(),
            kept,
            what,
        })
    }

    /// Makes an empty database, in one step: a crash leaves either none or a whole one.
    async fn create(&self) -> Result<(), OpenError> {
        let draft = suffixed(self.path, ".new");
        let made = |source| self.io("made", source);
        for left_behind in [&draft, &aside::log_of(&draft), &aside::index_of(&draft)] {
            match fs::remove_file(left_behind) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(made(error)),
                _ => {}
            }
        }
        let empty = private_file().write(true).create_new(true).open(&draft);
        drop(empty.map_err(made)?);
        let began = self.beginning().map_err(made)?;
        let created = Database::create(&draft, began).await;
        created.map_err(|error| self.unusable(error))?;
        // An empty log, left by a reader, may belong to the one before.
        let _mostly_not_there = fs::remove_file(aside::log_of(self.path));
        fs::rename(&draft, self.path).map_err(made)?;
        aside::sync_folder(self.path).map_err(made)
    }

    /// The revision before the first. Clients may still know revisions of a database that was put aside, and must not meet
    /// them again with another meaning; milliseconds since 1970 are ahead of them, unless there were a thousand
    /// writes a second for all that time.
    fn beginning(&self) -> io::Result<Revision> {
        let first = match aside::find(self.path)? {
            Some(_) => self.now.timestamp_millis().max(1).cast_unsigned(),
            None => 1,
        };
        Ok(Revision(first))
    }

    fn refusal(&self, trouble: Trouble) -> OpenError {
        let path = self.path.to_owned();
        let known = version_of(self.migrations);
        match trouble {
            Trouble::Newer { version, punctual } => OpenError::Newer {
                path,
                version,
                known,
                punctual,
            },
            Trouble::Unreadable(source) => self.unusable(source),
            // Neither is left: the older was taken to this version, and a new one is whole.
            Trouble::Older(_) | Trouble::Damaged(_) => OpenError::Unusable {
                path,
                source: sqlx::Error::RowNotFound,
            },
        }
    }

    fn unusable(&self, source: sqlx::Error) -> OpenError {
        let path = self.path.to_owned();
        match codes::obstacle(&source, self.path) {
            Some(obstacle) => OpenError::Unwritable { path, obstacle },
            None => OpenError::Unusable { path, source },
        }
    }

    fn io(&self, action: &'static str, source: io::Error) -> OpenError {
        let path = self.path.to_owned();
        match Obstacle::behind(&source, self.path) {
            Some(obstacle) => OpenError::Unwritable { path, obstacle },
            None => OpenError::Io { path, action, source },
        }
    }
}

fn has_entries(folder: &Path) -> io::Result<bool> {
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_some()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn has_content(file: &Path) -> io::Result<bool> {
    match fs::metadata(file) {
        Ok(metadata) => Ok(metadata.len() > 0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
