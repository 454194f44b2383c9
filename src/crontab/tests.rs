//! Whole crontabs, and what becomes of them; every manifest is read back by our own loader.

use super::{Format, Import, Imported, Remark};
use crate::manifest::load_bytes;
use crate::schedule::TimeZones;

fn import(format: Format) -> Import {
    Import {
        format,
        time_zone: TimeZones::built_in().zone("Europe/Berlin").expect("a zone"),
        now: "2026-07-01T00:00:00Z".parse().expect("an instant"),
        passwd: "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/var/www:/bin/false\n\
                 mail:x:8:8:mail:/var/mail:/bin/false\n\
                 first.last:x:1000:1000::/home/first:/bin/sh\n\
                 nobody:x:65534:65534::/nonexistent:/bin/false\n"
            .into(),
        is_program: |word| word == "mail",
        home: Some("/home/me".into()),
        namespace: "default".into(),
        image: "busybox".into(),
    }
}

fn read(format: Format, crontab: &str) -> Imported {
    import(format).read(crontab, &TimeZones::built_in())
}

/// The text, after making sure that Punctual itself takes it without a word.
fn imported(format: Format, crontab: &str) -> String {
    let imported = read(format, crontab);
    let loaded = load_bytes(
        [("imported.yaml", imported.yaml.as_bytes())],
        &TimeZones::built_in(),
    );
    assert!(
        loaded.diagnostics.is_empty(),
        "{:?}\n{}",
        loaded.diagnostics,
        imported.yaml
    );
    assert_eq!(loaded.objects.len(), imported.cronjobs);
    let remarks = imported.remarks.iter();
    let remarks: Vec<String> = remarks
        .map(|(line, remark)| format!("line {line}: {remark}\n"))
        .collect();
    format!("{}{}", imported.yaml, remarks.concat())
}

#[test]
fn a_users_crontab() {
    insta::assert_snapshot!(imported(
        Format::User,
        r#"
MAILTO=ops@example.com
SHELL=/bin/bash
PATH=/usr/local/bin:/usr/bin:/bin
GREETING = "hello $(world)"

# Back up the database
# at night.
30 2 * * *   /opt/backup/run.sh --full >> /var/log/backup.log 2>&1
*/5 * * * *  cd /srv/app && ./poll.py   # not a comment, but the command's
0 9 * * 1-5  mail -s "It's 9" team%Good morning,%100\% of you.
@daily       /usr/bin/certbot renew
@reboot      /usr/local/bin/warm-cache

CRON_TZ=America/New_York
0 0 * * SUN  ./backup.sh
"#
    ));
}

#[test]
fn the_systems_crontab() {
    insta::assert_snapshot!(imported(
        Format::System,
        "17 *\t* * *\troot    cd / && run-parts --report /etc/cron.hourly\n\
         HOME=/srv\n\
         -0 4 * * 7 www-data nice -n 10 php /srv/cron.php\n\
         0 4 * * 5-7 www-data php /srv/cron.php\n\
         0 4 */2 * 1 root echo both\n\
         5 4 * * * somebody true\n\
         5 5 * * * root\n\
         nonsense\n\
         61 * * * * root true\n\
         0~59 1 * * * root true\n"
    ));
}

/// Read as one of the other format, an entry of a system crontab would run a command called `root`, and one of a user's
/// its first argument.
#[test]
fn a_crontab_of_the_other_format_is_noticed() {
    let table = [
        (
            Format::User,
            "root cd / && run-parts /etc/cron.hourly",
            Some("root"),
        ),
        (Format::User, "www-data php /srv/cron.php", Some("www-data")),
        (Format::User, "mail -s hello me", None),
        (Format::User, "backup --full", None),
        (Format::System, "/opt/backup.sh --full", Some("/opt/backup.sh")),
        (Format::System, "backup.sh --full", Some("backup.sh")),
        (Format::System, "first.last backup.sh --full", None),
        (Format::System, "mail backup.sh --full", None),
        (Format::System, "elsewhere backup.sh --full", None),
    ];
    let mut told = vec![];
    for (format, command, wrong) in table {
        let imported = read(format, &format!("17 * * * * {command}\n"));
        let reasons = imported.remarks.iter().filter_map(|(_, remark)| match remark {
            Remark::LeftOut(reason) => Some(reason),
            Remark::LookTwice(_) => None,
        });
        let reasons: Vec<&String> = reasons.collect();
        assert_eq!(reasons.len(), usize::from(wrong.is_some()), "{command}");
        assert_eq!(imported.cronjobs, usize::from(wrong.is_none()), "{command}");
        told.extend(reasons.into_iter().cloned());
    }
    insta::assert_snapshot!(told.join("\n"));
}

/// The example of crontab(5), on a machine that has a user of that name and no program.
#[test]
fn a_program_that_is_a_users_name_too_is_imported() {
    let import = Import {
        is_program: |_| false,
        ..import(Format::User)
    };
    let read = |crontab: &str| {
        let imported = import.read(crontab, &TimeZones::built_in());
        let remarks: Vec<String> = imported.remarks.iter().map(|(_, r)| r.to_string()).collect();
        (imported.cronjobs, imported.left_out, remarks.join("\n"))
    };
    let nothing = String::new;
    let mail = "0 22 * * 1-5 mail -s \"It's 10pm\" joe%Joe,%%Where are your kids?%\n";
    assert_eq!(read(mail), (1, 0, nothing()));
    assert_eq!(read("0 22 * * * mail\n"), (1, 0, nothing()));
    // It could be either.
    let (cronjobs, left_out, remarks) = read("0 4 * * * mail joe < /etc/motd\n5 4 * * * echo\n");
    assert_eq!((cronjobs, left_out), (2, 0));
    insta::assert_snapshot!(remarks, @"look twice: its command begins with mail, which is a user of this machine and no program that is found; in a system crontab it would run as mail (--system)");
    let (cronjobs, left_out, _) = read("0 4 * * * mail /opt/sort\n5 4 * * * www-data /opt/clean\n");
    assert_eq!((cronjobs, left_out), (0, 2));
}

/// An entry with a zone before it is a variable, to cron as well.
#[test]
fn a_zone_that_is_none_is_told() {
    for (crontab, told) in [
        ("TZ=America/Lima\n", ""),
        ("TZ=\n", ""),
        (
            "TZ=America/Lima 0 8 * * * /bin/lima\n",
            "look twice: TZ is handed to the commands as it stands here, and `America/Lima 0 8 * * * /bin/lima` cannot be a \
             time zone: names are made of letters, digits and `/`, `_`, `+`, `-`, `.`, with no blanks; an entry stands on a line \
             of its own",
        ),
    ] {
        let crontab = format!("{crontab}0 8 * * * true\n");
        let yaml = imported(Format::User, &crontab);
        let remarks = read(Format::User, &crontab).remarks;
        let remarks: Vec<String> = remarks.iter().map(|(_, remark)| remark.to_string()).collect();
        assert_eq!(remarks.join("\n"), told, "{yaml}");
    }
}

#[test]
fn a_byte_order_mark_is_none_of_the_first_entry() {
    let imported = read(Format::User, "\u{feff}0 8 * * * true\n");
    assert_eq!(
        (imported.cronjobs, imported.left_out),
        (1, 0),
        "{}",
        imported.yaml
    );
}

/// The words of the command of the only entry, as a process gets them: two dollars are one there.
fn words(imported: &Imported) -> Vec<String> {
    let loaded = load_bytes([("x.yaml", imported.yaml.as_bytes())], &TimeZones::built_in());
    let pod = &loaded.objects[0].json["spec"]["jobTemplate"]["spec"]["template"]["spec"];
    let words = pod["containers"][0]["command"].as_array();
    let words = words.into_iter().flatten().filter_map(|word| word.as_str());
    words.map(|word| word.replace("$$", "$")).collect()
}

fn output(imported: &Imported) -> String {
    let words = words(imported);
    let output = std::process::Command::new(&words[0])
        .args(&words[1..])
        .output()
        .expect("a shell");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What the shell makes of a command with `%` is what cron makes of it.
#[test]
fn standard_input_arrives() {
    let table = [
        ("cat -%it's%100\\%", "it's\n100%\n"),
        ("cat -%it's%", "it's\n"),
        ("cat -%it's%%", "it's\n\n"),
        ("cat -%", ""),
        ("cat -%%", "\n"),
        (r"echo \\%unread", "\\\n"),
        (r"cat -%a\\%b", "a\\%b\n"),
    ];
    for (command, arrives) in table {
        let import = read(Format::User, &format!("HOME=/\n* * * * * {command}\n"));
        assert_eq!(output(&import), arrives, "{command}");
    }
}

/// Kubernetes takes two dollars for one, and expands `$(NAME)`; cron hands both to the shell.
#[test]
fn dollars_reach_the_shell_as_they_are_written() {
    let table = [
        ("true > /tmp/x.$$", "true > /tmp/x.$$$$"),
        ("echo $HOME", "echo $HOME"),
        ("echo $(date)", "echo $$(date)"),
        ("echo $$(date) $", "echo $$$$(date) $"),
        ("echo $$$x", "echo $$$$$$x"),
    ];
    for (command, written) in table {
        let crontab = format!("PRICE={command}\n* * * * * {command}\n");
        let imported = read(Format::User, &crontab);
        let written = format!("{written:?}");
        let found = imported.yaml.matches(&written).count();
        assert_eq!(found, 2, "{written} in:\n{}", imported.yaml);
        assert_eq!(words(&imported)[2], command);
    }
    let pid: Result<u32, _> = output(&read(Format::User, "* * * * * echo $$")).trim().parse();
    assert!(pid.is_ok());
}

/// cron(8): what a clock change skips runs after it, and what it repeats runs once, unless a star is in the minute or the
/// hour. Where the clock never changes the annotations would be a mistake.
#[test]
fn clock_changes_are_met_as_cron_meets_them() {
    let table = [
        ("Europe/Berlin", "30 2 * * *", true),
        ("Europe/Berlin", "0 0-23/4 * * *", true),
        ("Europe/Berlin", "@daily", true),
        ("Europe/Berlin", "*/30 2 * * *", false),
        ("Europe/Berlin", "30 */2 * * *", false),
        ("Europe/Berlin", "30 * * * *", false),
        ("Europe/Berlin", "@hourly", false),
        ("Asia/Kolkata", "30 2 * * *", false),
    ];
    for (zone, fields, wanted) in table {
        let imported = read(Format::User, &format!("CRON_TZ={zone}\n{fields} true\n"));
        let told =
            imported.yaml.contains("clock-gap: RunAfter") && imported.yaml.contains("clock-repeat: First");
        assert_eq!(told, wanted, "{fields} in {zone}");
    }
}

/// Both crons take a Sunday at the end of a range for the seventh day.
#[test]
fn ranges_of_weekdays_may_end_on_sunday() {
    let table = [
        ("fri-sun", "5,6,0"),
        ("Mon-Sun", "1,2,3,4,5,6,0"),
        ("5-7/2", "5,0"),
        ("sun-tue", "sun-tue"),
        ("mon-fri", "mon-fri"),
        ("7", "0"),
    ];
    for (written, wanted) in table {
        let imported = read(Format::User, &format!("0 4 * * {written} true\n"));
        let schedule = format!("schedule: \"0 4 * * {wanted}\"");
        assert!(imported.yaml.contains(&schedule), "{written}: {}", imported.yaml);
    }
}

/// cron(8) and crontab(5): PATH, HOME and LOGNAME are set; of these a crontab may set the first two.
#[test]
fn variables_that_cron_sets_are_set() {
    let env = |imported: &Imported| {
        let lines = imported
            .yaml
            .lines()
            .filter_map(|line| line.trim().strip_prefix("- {name: "));
        lines.collect::<Vec<&str>>().join("\n")
    };
    let user = read(Format::User, "PATH=/opt/bin\n0 4 * * * true\n");
    assert_eq!(env(&user), "\"PATH\", value: \"/opt/bin\"}");
    let system = read(Format::System, "LOGNAME=me\n0 4 * * * www-data true\n");
    assert_eq!(
        env(&system),
        "\"HOME\", value: \"/var/www\"}\n\
         \"LOGNAME\", value: \"www-data\"}\n\
         \"PATH\", value: \"/usr/bin:/bin\"}"
    );
}

/// A zone that is none, an empty shell and an empty home are what cron takes for the usual ones.
#[test]
fn variables_without_a_meaning_leave_things_as_usual() {
    let imported = read(
        Format::User,
        "CRON_TZ=America/Lima\nCRON_TZ=Foo/Bar\nSHELL=\nHOME=\n0 4 * * * true\nCRON_TZ=\n",
    );
    let yaml = &imported.yaml;
    assert!(yaml.contains("timeZone: \"Europe/Berlin\""), "{yaml}");
    assert!(yaml.contains("command: [\"/bin/sh\", "), "{yaml}");
    assert!(yaml.contains("workingDir: \"/home/me\""), "{yaml}");
    let [(2, Remark::LeftOut(reason))] = &imported.remarks[..] else {
        panic!("{:?}", imported.remarks);
    };
    assert!(reason.starts_with("there is no time zone `Foo/Bar`"), "{reason}");
}

/// Nothing in a crontab makes it panic, and whatever comes out can be read.
#[test]
fn odd_lines_do_no_harm() {
    let odd = [
        "= =",
        "@",
        "@every",
        "*",
        "* * * * *",
        "* * * * * %",
        "* * * * * \\",
        "é * * * * ü%ö",
        "\u{0}",
        "0 0 * * 7-7 x",
        "0 0 * * 0-7/0 x",
        "0 0 * * 9-7 x",
        "A=",
        "=B",
        "\"A\"='b'",
        "* * * * * ====",
        "* * * * * ./.",
    ];
    let text = imported(Format::User, &odd.join("\n"));
    assert!(text.contains("schedule:"), "{text}");
}
