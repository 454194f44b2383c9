//! Time zones by name: which exist, which database is believed, and what is said about the others.

use std::collections::BTreeMap;

use punctual::schedule::{
    BuiltIn, ChronoTz, SourceError, TimeZones, Timestamp, TzifError, UnknownZone, Zone, ZoneSource,
};

use crate::at;

#[test]
fn every_name_of_the_database_loads() {
    let zones = TimeZones::built_in();
    let names = zones.names();
    assert!(names.len() >= 590, "{} names", names.len());
    for name in names.iter().map(String::as_str).chain([
        "US/Eastern",
        "Zulu",
        "W-SU",
        "Factory",
        "Etc/GMT-14",
        "GB-Eire",
    ]) {
        let zone = zones.zone(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(zone.name(), name);
    }
}

#[test]
fn the_laws_of_2026_are_known() {
    let zones = TimeZones::built_in();
    let now = at("2026-12-01T12:00:00Z");
    let offset = |name: &str| zones.zone(name).expect("known").offset_seconds(now);
    assert!(zones.version() >= "2026f", "{}", zones.version());
    assert_eq!(zones.origin(), "built in");
    assert_eq!(
        (offset("America/Vancouver"), offset("Africa/Casablanca")),
        (-7 * 3_600, 0)
    );
    assert_eq!((offset("America/Edmonton"), offset("UTC")), (-6 * 3_600, 0));
}

/// The built-in database has every zone that `chrono-tz` has, and both tell the same offsets, as read in two ways, but where history has been corrected or laws have changed.
#[test]
fn the_databases_agree() {
    let year = |year: i64| Timestamp::from_timestamp((year - 1970) * 31_556_952, 0).expect("in range");
    let mut different: BTreeMap<String, String> = BTreeMap::new();
    for name in ChronoTz.names() {
        let old = ChronoTz.zone(&name).expect("readable").expect("listed");
        let new = BuiltIn.zone(&name).expect("readable").expect(&name);
        let mut at = year(1850);
        while at < year(2037) {
            if old.offset_seconds(at) != new.offset_seconds(at) {
                different
                    .entry(name.clone())
                    .or_insert(at.format("%Y").to_string());
            }
            at += chrono::TimeDelta::seconds(1_234_567);
        }
    }
    insta::assert_debug_snapshot!(different);
}

/// A database of one zone, for the order of databases.
struct Fixed(&'static str, &'static str);

impl ZoneSource for Fixed {
    fn version(&self) -> &str {
        self.0
    }

    fn origin(&self) -> &'static str {
        "a test"
    }

    fn zone(&self, name: &str) -> Result<Option<Zone>, SourceError> {
        if name == "Test/Broken" {
            return Ok(Some(Zone::from_tzif(name, b"TZif?")?));
        }
        // Whatever it is called here, it is this zone of the built-in database.
        if name == "Europe/Rome" || name == "Test/Only" {
            BuiltIn.zone(self.1)
        } else {
            Ok(None)
        }
    }

    fn names(&self) -> Vec<String> {
        vec!["Europe/Rome".into(), "Test/Only".into()]
    }
}

#[test]
fn the_newest_database_is_believed() {
    // Version, the version in use, whose Rome it is, in hours from UTC in winter.
    let rows = [
        ("2099a", "2099a", 9),
        (BuiltIn.version(), BuiltIn.version(), 9),
        ("2025a", BuiltIn.version(), 1),
        ("", BuiltIn.version(), 1),
    ];
    for (version, in_use, hours) in rows {
        let zones = TimeZones::built_in().with(Box::new(Fixed(version, "Asia/Tokyo")));
        let rome = zones.zone("Europe/Rome").expect("known");
        assert_eq!(zones.version(), in_use, "{version}");
        assert_eq!(
            rome.offset_seconds(at("2026-12-01T12:00:00Z")),
            hours * 3_600,
            "{version}"
        );
        assert!(zones.zone("Test/Only").is_ok(), "{version}");
        assert!(zones.zone("America/New_York").is_ok(), "{version}");
    }
}

#[test]
fn what_is_said_about_names_that_are_none() {
    let zones = TimeZones::built_in().with(Box::new(Fixed("2099a", "UTC")));
    let names = [
        "",
        "Local",
        "local",
        "Continent/InvalidZone",
        " Continent/Zone",
        "Continent/Zone ",
        "Europe/",
        "/Europe/Rome",
        "../../etc/passwd",
        "Europe/./Rome",
        "-Rome",
        "Europe/Rome\0",
        "Europe/Romeeeeeeeeeeee",
        "europe/rome",
        "Rome",
        "Europe/Roma",
        "America/New York",
        "PST",
        "UTC+2",
        "GMT-05:00",
        "+0100",
        "Köln",
        "Test/Broken",
    ];
    let told = |name: &&str| {
        let error = zones.zone(name).expect_err("no such zone");
        format!(
            "{name:?}\n  {error}\n  help: {}\n",
            error.help().unwrap_or_default()
        )
    };
    insta::assert_snapshot!(names.iter().map(told).collect::<Vec<_>>().join("\n"));
}

#[test]
fn broken_data_says_so() {
    let error = Zone::from_tzif("Test/Broken", b"no zone").expect_err("not TZif");
    assert!(matches!(error, TzifError::Malformed(_)), "{error:?}");
    let zones = TimeZones::built_in().with(Box::new(Fixed("2099a", "UTC")));
    let error = zones.zone("Test/Broken").expect_err("broken");
    assert!(matches!(error, UnknownZone::Unreadable { .. }), "{error:?}");
    assert_eq!(
        std::error::Error::source(&error)
            .map(ToString::to_string)
            .as_deref(),
        Some("the data is not in the TZif format")
    );
}
