//! Whole crontabs, and what becomes of them; every manifest is read back by our own loader.

use super::{Format, Import};
use crate::manifest::load_bytes;
use crate::schedule::TimeZones;

fn import(format: Format) -> Import {
    Import {
        format,
        time_zone: "Europe/Berlin".into(),
        namespace: "default".into(),
        image: "busybox".into(),
    }
}

/// The text, after making sure that Punctual itself takes it without a word.
fn imported(format: Format, crontab: &str) -> String {
    let imported = import(format).read(crontab);
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
    let left_out: Vec<String> = imported
        .left_out
        .iter()
        .map(|(line, reason)| format!("left out: line {line}: {reason}\n"))
        .collect();
    format!("{}{}", imported.yaml, left_out.concat())
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
         5 5 * * * root\n\
         nonsense\n\
         61 * * * * root true\n\
         0~59 1 * * * root true\n"
    ));
}

/// Read as a user's, each entry would be a CronJob that runs a command called `root`.
#[test]
fn a_systems_crontab_that_is_taken_for_a_users_is_noticed() {
    let imported = import(Format::User).read("17 * * * * root cd / && run-parts /etc/cron.hourly\n");
    let reason = "its command begins with root, as entries of a system crontab do; then add --system";
    assert_eq!(
        (imported.cronjobs, imported.left_out),
        (0, vec![(1, reason.to_owned())])
    );
}

/// What the shell makes of a command with `%` is what cron makes of it.
#[test]
fn standard_input_arrives() {
    let import = import(Format::User).read("* * * * * cat -%it's%100\\%%\n");
    let loaded = load_bytes([("x.yaml", import.yaml.as_bytes())], &TimeZones::built_in());
    let command = &loaded.objects[0].json["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
        ["command"];
    let words: Vec<&str> = command
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|word| word.as_str())
        .collect();
    let output = std::process::Command::new(words[0])
        .args(&words[1..])
        .output()
        .expect("a shell");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "it's\n100%\n\n");
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
