//! The zone that cron goes by on this machine.
//!
//! Cron asks the C library, which reads `/etc/localtime` and nothing else: `/etc/timezone` is a note of Debian's for
//! people, and may be an old one. So it only says which name is meant where several zones have the same rules.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// What the C library reads.
const LOCALTIME: &str = "localtime";

/// Where Debian and its kin note the name.
const TIMEZONE: &str = "timezone";

/// The name of the zone that `etc` (`/etc`) says, one of `names` where it is a copy of a file of `zoneinfo`. Nothing if it
/// can't be told.
pub(super) fn machine_zone(etc: &Path, zoneinfo: &Path, names: &[String]) -> Option<String> {
    let localtime = etc.join(LOCALTIME);
    let links = [fs::read_link(&localtime), fs::canonicalize(&localtime)];
    let mut links = links.iter().flatten();
    if let Some(name) = links.find_map(|path| path.to_str()?.split_once("zoneinfo/")) {
        return Some(name.1.to_owned());
    }
    let rules = match fs::read(&localtime) {
        Ok(rules) => rules,
        // The C library takes UTC then.
        Err(error) if error.kind() == ErrorKind::NotFound => return Some("UTC".into()),
        Err(_) => return None,
    };
    let noted = fs::read_to_string(etc.join(TIMEZONE)).unwrap_or_default();
    let mut names = std::iter::once(noted.trim()).chain(names.iter().map(String::as_str));
    let has_these_rules = |name: &&str| fs::read(zoneinfo.join(name)).is_ok_and(|other| other == rules);
    names.find(has_these_rules).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A root with a `zoneinfo` of three zones, whose files hold their rules in a word.
    fn root() -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a folder");
        for (name, rules) in [
            ("Europe/Berlin", "CET"),
            ("Europe/Oslo", "CET"),
            ("Etc/UTC", "UTC"),
        ] {
            let path = root.path().join("zoneinfo").join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, rules).expect("written");
        }
        fs::create_dir(root.path().join("etc")).expect("made");
        root
    }

    fn zone(root: &tempfile::TempDir) -> Option<String> {
        let names = ["Etc/UTC", "Europe/Berlin", "Europe/Oslo"].map(str::to_owned);
        machine_zone(&root.path().join("etc"), &root.path().join("zoneinfo"), &names)
    }

    /// What `/etc/localtime` is: a link to this, or a copy of that.
    enum Localtime {
        Link(&'static str),
        Copy(&'static str),
        Missing,
    }
    use Localtime::{Copy, Link, Missing};

    #[test]
    fn localtime_decides_and_the_noted_name_only_among_equals() {
        let table = [
            (
                Link("../zoneinfo/Europe/Berlin"),
                "Etc/UTC",
                Some("Europe/Berlin"),
            ),
            (
                Link("/usr/share/zoneinfo/Asia/Tokyo"),
                "Etc/UTC",
                Some("Asia/Tokyo"),
            ),
            (Copy("CET"), "Europe/Oslo\n", Some("Europe/Oslo")),
            (Copy("CET"), "Etc/UTC\n", Some("Europe/Berlin")),
            (Copy("CET"), "", Some("Europe/Berlin")),
            (Copy("of our own"), "Europe/Oslo", None),
            (Missing, "Europe/Berlin", Some("UTC")),
        ];
        for (localtime, noted, expected) in table {
            let root = root();
            let etc = root.path().join("etc");
            match localtime {
                Link(to) => symlink(to, etc.join(LOCALTIME)).expect("a link"),
                Copy(rules) => fs::write(etc.join(LOCALTIME), rules).expect("written"),
                Missing => {}
            }
            fs::write(etc.join(TIMEZONE), noted).expect("written");
            assert_eq!(zone(&root).as_deref(), expected, "noted: {noted:?}");
        }
    }

    #[test]
    fn a_link_to_a_link_is_followed() {
        let root = root();
        let etc = root.path().join("etc");
        symlink("../zoneinfo/Europe/Oslo", etc.join("zone")).expect("a link");
        symlink("zone", etc.join(LOCALTIME)).expect("a link");
        assert_eq!(zone(&root).as_deref(), Some("Europe/Oslo"));
    }
}
