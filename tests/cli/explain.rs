//! `punctual explain`.

use insta::assert_snapshot;

use crate::{exit_code, punctual, text};

fn explain(arguments: &[&str]) -> String {
    let output = punctual(&[&["explain", "--at", "2026-11-24T12:00:00Z"], arguments].concat());
    assert_eq!(text(&output.stderr), "");
    assert_eq!(exit_code(&output), 0);
    text(&output.stdout)
}

/// In a folder with files, a shell makes their names of each `*`.
#[test]
fn a_schedule_that_was_not_quoted_is_recognised() {
    let files = ["Cargo.toml", "README.md", "src"].repeat(5);
    let split = [&["explain"][..], &files, &["--time-zone", "UTC"]].concat();
    let together = files.join(" ").replace("src", "src tests");
    for arguments in [
        split,
        vec!["explain", &together],
        vec!["next", "*/5", "*", "*", "*", "*"],
    ] {
        let output = punctual(&arguments);
        assert_eq!(exit_code(&output), 2);
        assert_snapshot!(text(&output.stderr));
    }
}

#[test]
fn a_schedule_is_said_counted_and_warned_of() {
    let or = explain(&["0 0 13 * 5"]);
    let gap = explain(&["30 2 * * *", "--time-zone", "Europe/Berlin"]);
    let steps = explain(&["*/7 * * * *"]);
    let never = explain(&["0 0 31 2 *"]);
    let every = explain(&["@every 90s"]);
    let last = explain(&["0 17 * * FRIL", "--dialect", "extended"]);
    let quartz = explain(&["0 0 9 ? * MON-FRI 2027", "--dialect", "quartz"]);
    assert_snapshot!([or, gap, steps, never, every, last, quartz].join("\n----\n"));
}

#[test]
fn programs_get_json() {
    assert_snapshot!(explain(&[
        "0 9 * * 1-5",
        "--time-zone",
        "Europe/Rome",
        "-o",
        "json"
    ]));
    assert_snapshot!(explain(&["-f", "fixtures/quickstart.yaml", "-o", "json"]));
}

#[test]
fn a_schedule_of_another_dialect_is_refused_and_recognised() {
    for (arguments, code) in [
        (&["explain", "0 0 L * *"][..], 3),
        (&["next", "0 0 12 ? * 2-6 2027"], 3),
        (&["next", "H * * * *", "--dialect", "extended"][..], 3),
        (&["explain", "0 0 17 ? * 6L", "--dialect", "quartz"], 3),
        (&["explain", "30 0 17 LW * ?", "--dialect", "quartz"], 3),
        (&["explain", "0 0 17 ? * 6#2 2027", "--dialect", "quartz"], 3),
        (&["explain", "0 0 * * *", "--dialect", "cronie"], 2),
    ] {
        let output = punctual(arguments);
        assert_eq!(exit_code(&output), code);
        assert_eq!(text(&output.stdout), "");
        assert_snapshot!(text(&output.stderr));
    }
}

/// Of each two dialects, an expression that is good in the second only: the first says which.
#[test]
fn what_is_good_in_another_dialect_is_recognised_between_all_of_them() {
    let refused = [
        ("kubernetes", "0 17 * * FRIL"),
        ("kubernetes", "0 0 12 ? * 2-6 2027"),
        ("kubernetes", "0 0 12 * * 5"),
        ("extended", "TZ=Asia/Tokyo 0 9 * * *"),
        ("extended", "0 0 12 ? * 2-6 2027"),
        ("quartz", "0 9 * * 1-5"),
        ("quartz", "H 3 * * *"),
        ("quartz", "0 0 12 15W * ?"),
    ];
    let said = refused.map(|(dialect, expression)| {
        let output = punctual(&["explain", expression, "--dialect", dialect]);
        assert_eq!(exit_code(&output), 3, "{expression}");
        format!("{dialect}\n{}", text(&output.stderr))
    });
    assert_snapshot!(said.join("\n"));
}

/// What one dialect says with `L`, `W` and `#`, seconds or names, in the words of the others.
#[test]
fn the_same_in_other_dialects_is_shown_where_there_is_one() {
    let same = |expression: &str, dialect: &str| {
        let text = explain(&[expression, "--dialect", dialect, "-o", "json"]);
        let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let others = json["same"].as_array().expect("a list").iter();
        let others = others.map(|same| format!("{}: {}", same["dialect"], same["schedule"]));
        format!(
            "{expression} ({dialect}) {}",
            others.collect::<Vec<String>>().join(", ")
        )
    };
    let lines = [
        ("0 9 * * 1-5", "kubernetes"),
        ("0 0 13 * 5", "kubernetes"),
        ("0 17 * * FRIL", "extended"),
        ("0 17 * * FRI#2", "extended"),
        ("0 17 L * *", "extended"),
        ("0 17 L-3 * *", "extended"),
        ("0 17 15W * *", "extended"),
        ("0 17 LW * *", "extended"),
        ("0 17 1,L * *", "extended"),
        ("30 0 9 * * *", "extended"),
        ("*/15 * * * * ?", "quartz"),
        ("0 30 2 ? * 2-6", "quartz"),
        ("0 30 2 ? * 2-6 2027", "quartz"),
    ];
    assert_snapshot!(
        lines
            .map(|(expression, dialect)| same(expression, dialect))
            .join("\n")
    );
}

#[test]
fn every_policy_is_explained() {
    assert_snapshot!(explain(&["-f", "fixtures/forecast/policies.yaml"]));
}

/// A calendar is one of the same files, in the namespace of the CronJob or in that of the controller.
#[test]
fn a_calendar_that_is_not_there_is_said_and_holds_its_cronjob() {
    let folder = tempfile::tempdir().expect("a folder");
    let policies = std::fs::read_to_string("fixtures/forecast/policies.yaml").expect("the fixture");
    let objects: Vec<&str> = policies.split("---\n").collect();
    let calendar = objects[0];
    let closed = objects
        .iter()
        .find(|object| object.contains("name: closed"))
        .expect("a CronJob");
    let file = folder.path().join("cron.yaml");
    let next = |manifests: String, arguments: &[&str]| {
        std::fs::write(&file, manifests).expect("a file");
        let file = file.display().to_string();
        let all = [
            "next",
            "-f",
            file.as_str(),
            "--at",
            "2026-11-25T12:00:00Z",
            "-n",
            "1",
            "-o",
            "json",
        ];
        let output = punctual(&[&all[..], arguments].concat());
        let (code, said) = (exit_code(&output), text(&output.stderr));
        // What is left out was refused.
        assert_eq!(code, if said.contains("is left out") { 3 } else { 0 }, "{said}");
        format!("{}{said}", text(&output.stdout))
    };
    let elsewhere = calendar.replace("namespace: shop", "namespace: cron");
    assert_snapshot!(
        [
            next((*closed).to_owned(), &[]),
            next(format!("{calendar}---\n{closed}"), &[]),
            next(format!("{elsewhere}---\n{closed}"), &[]),
            next(format!("{elsewhere}---\n{closed}"), &["--calendars-in", "cron"]),
            next(
                format!("{}---\n{closed}", calendar.replace("2026-11-26", "someday")),
                &[]
            ),
        ]
        .join("----\n")
    );
}

/// What the fields and annotations of a CronJob say about its runs is explained with its schedule.
#[test]
fn a_cronjob_is_explained_with_its_rules() {
    assert_snapshot!(explain(&[
        "-f",
        "fixtures/forecast/shop.yaml",
        "-f",
        "fixtures/lint/P025-invalid-annotation/good.yaml"
    ]));
}
