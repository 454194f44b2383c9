//! Names, labels and their like.

use super::super::names::{dns_label, dns_subdomain, environment_variable, label_value, like, qualified};

#[test]
fn good_names_are_good() {
    for name in ["a", "a-b", "0", "1a", "x".repeat(63).as_str()] {
        assert_eq!(dns_label(name), Vec::<String>::new(), "{name}");
        assert_eq!(dns_subdomain(name), Vec::<String>::new(), "{name}");
        assert_eq!(label_value(name), Vec::<String>::new(), "{name}");
        assert_eq!(qualified(name), Vec::<String>::new(), "{name}");
    }
    for name in ["example.com/Name", "a/b", "My_name.x"] {
        assert_eq!(qualified(name), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn bad_names_are_bad() {
    let too_long = "x".repeat(254);
    for name in [
        "",
        "A",
        "-a",
        "a-",
        "a_b",
        "a b",
        "é",
        ".a",
        "a..b",
        "a.",
        too_long.as_str(),
    ] {
        assert!(!dns_subdomain(name).is_empty(), "{name}");
        assert!(!dns_label(name).is_empty(), "{name}");
    }
    for name in ["", "/a", "a/", "a/b/c", "-a", "UPPER.com/x", "a/é"] {
        assert!(!qualified(name).is_empty(), "{name}");
    }
    for name in ["", "=", "a=b", "é", "tab\t"] {
        assert!(!environment_variable(name).is_empty(), "{name}");
    }
}

#[test]
fn a_name_is_offered_for_what_is_none() {
    let table = [
        ("Nightly_Backup", Some("nightly-backup")),
        ("My Job!", Some("my-job")),
        ("_x_", Some("x")),
        ("fine", None),
        ("!!!", None),
        ("é", None),
    ];
    for (name, expected) in table {
        assert_eq!(like(name).as_deref(), expected, "{name}");
    }
}
