//! One container, one process.

use std::os::unix::fs::PermissionsExt;
use std::time::Instant;

use super::*;
use crate::standalone::runtime::output::lines::LONGEST_LINE;

#[tokio::test]
async fn output_comes_before_the_end_and_both_streams_are_read() {
    insta::assert_snapshot!(live(&script("echo one; echo two >&2; sleep 0.05; printf three")).story().await, @r"
    started
      one
    ! two
      three
    ended with 0
    ");
}

#[tokio::test]
async fn exit_codes_and_signals_are_told() {
    insta::assert_snapshot!(live(&script("exit 3")).story().await, @r"
    started
    ended with 3
    ");
    insta::assert_snapshot!(live(&script("kill -KILL $$$$")).story().await, @r"
    started
    ended with 137 by signal 9
    ");
    insta::assert_snapshot!(live(&script("kill -SEGV $$$$")).story().await, @r"
    started
    ended with 139 by signal 11
    ");
}

#[tokio::test]
async fn commands_and_arguments_are_expanded_and_variables_are_given() {
    let container = json!({
        "name": "main",
        "command": ["/bin/sh", "-c", "echo \"$0|$1|$GREETING|$HOSTNAME|$HOME\"; pwd"],
        "args": ["$(GREETING)", "$$(GREETING) $(UNKNOWN)"],
        "env": [{"name": "NAME", "value": "Ada"}, {"name": "GREETING", "value": "hello $(NAME)"}],
        "workingDir": "/usr/bin/..",
    });
    insta::assert_snapshot!(live(&container).story().await, @r"
    started
      hello Ada|$(GREETING) $(UNKNOWN)|hello Ada|test-1|/
      /usr
    ended with 0
    ");
}

#[tokio::test]
async fn nothing_is_inherited() {
    let base = Base::chosen_from("/tmp".into(), [("PATH".to_owned(), "/usr/bin:/bin".to_owned())]);
    let container = json!({"name": "main", "command": ["env"]});
    let story = live_with(&container, "Never", base).story().await;
    let without_folder = |line: &str| match line.split_once("=/") {
        Some((name, path)) if path.contains("u-1") => format!("{name}={}", path.rsplit('/').next().unwrap()),
        _ => line.to_owned(),
    };
    let mut lines: Vec<_> = story.lines().map(without_folder).collect();
    lines.sort_unstable();
    insta::assert_snapshot!(lines.join("\n"), @r"
      HOME=/
      HOSTNAME=test-1
      PATH=/usr/bin:/bin
      TERMINATION_MESSAGE_PATH=main.0.message
    ended with 0
    started
    ");
}

#[tokio::test]
async fn no_signal_is_ignored_from_the_start() {
    let options = options();
    let own = std::env::current_exe().unwrap().into_os_string();
    let ignoring = ["/bin/sh", "-c", r#"trap '' HUP INT QUIT TERM; exec "$0" "$@""#].map(Into::into);
    let arguments = options.supervisor.into_iter().flatten().skip(1);
    let options = Options {
        supervisor: Some(ignoring.into_iter().chain([own]).chain(arguments).collect()),
        ..options
    };
    // `$$$$` is the `$$` of the shell.
    let heeds = r#"for s in HUP INT QUIT TERM; do trap "echo $s" $s; kill -$s $$$$; done"#;
    let story = live_on(&script(heeds), "Never", options).story().await;
    insta::assert_snapshot!(story, @r"
    started
      HUP
      INT
      QUIT
      TERM
    ended with 0
    ");
}

#[tokio::test]
async fn standard_input_is_empty() {
    insta::assert_snapshot!(live(&script("cat; echo end")).story().await, @r"
    started
      end
    ended with 0
    ");
}

#[tokio::test]
async fn why_a_process_did_not_start_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str, mode: u32| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    file("plain.txt", "text", 0o644);
    file("orphan.sh", "#!/no/such/interpreter\n", 0o755);
    file("bare.sh", "echo hello\n", 0o755);
    // More than Linux takes as one argument.
    let long = "x".repeat(200_000);
    let mut told = Vec::new();
    for (command, working_dir) in [
        (vec!["no-such-program"], "."),
        (vec!["./no-such-file"], "."),
        (vec!["./"], "."),
        (vec![""], "."),
        (vec!["./plain.txt"], "."),
        (vec!["./orphan.sh"], "."),
        (vec!["./bare.sh"], "."),
        (vec!["date", &long], "."),
        (vec!["date"], "no-such-folder"),
        (vec!["date"], "plain.txt"),
    ] {
        let container = json!({"name": "main", "command": command, "workingDir": working_dir});
        let base = Base::chosen_from(folder.path().to_owned(), []);
        let changes = live_with(&container, "Never", base).changes().await;
        let Change::Ended(ended) = &changes[0] else {
            panic!("{changes:?}")
        };
        let message = ended
            .message
            .clone()
            .unwrap_or_default()
            .replace(&folder.path().display().to_string(), "/srv");
        let reason = ended.reason.as_deref().unwrap_or_default();
        told.push(format!("{} {reason}: {message}", ended.exit_code));
    }
    insta::assert_snapshot!(told.join("\n"), @r#"
    127 StartError: the command "no-such-program" was found in none of the folders of PATH (/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin); install it, or write its full path in `command`
    127 StartError: the command /srv/no-such-file does not exist; correct `command`
    126 StartError: the command /srv is a folder; name the program in it in `command`
    128 StartError: `command` begins with an empty word; name the program there
    126 StartError: the command /srv/plain.txt may not be executed; `chmod +x` makes it so
    127 StartError: the script /srv/orphan.sh asks for an interpreter that does not exist; correct its first line
    126 StartError: /srv/bare.sh is neither a program for this machine nor a script that names its interpreter; begin it with a line such as `#!/bin/sh`, or write `sh` before it in `command`
    126 StartError: the arguments and variables of "date" are longer than this machine hands over; put what is long into a file, such as that of a config map
    128 StartError: the working folder /srv/no-such-folder does not exist; create it, or change `workingDir`
    128 StartError: the working folder /srv/plain.txt is not a folder; change `workingDir`
    "#);
}

#[tokio::test]
async fn a_stop_is_heard_by_the_whole_group() {
    let mut lived = live(&script(
        "trap 'echo parent; exit 0' TERM; (trap 'echo child; exit 0' TERM; echo ready; while :; do sleep 0.01; done) & wait; wait",
    ));
    assert_eq!(lived.line().await, "ready");
    lived.orders.send_replace(Order::Stop { grace: PATIENCE });
    let mut heard: Vec<_> = lived.story().await.lines().map(str::to_owned).collect();
    heard.sort();
    assert!(heard.contains(&"  parent".to_owned()), "{heard:?}");
    assert!(heard.contains(&"ended with 0".to_owned()), "{heard:?}");
}

#[tokio::test]
async fn who_does_not_heed_a_stop_is_killed_after_the_grace() {
    let mut lived = live(&script("trap '' TERM; echo ready; while :; do sleep 0.01; done"));
    assert_eq!(lived.line().await, "ready");
    lived.orders.send_replace(Order::Stop {
        grace: Duration::from_millis(100),
    });
    insta::assert_snapshot!(lived.story().await, @"ended with 137 by signal 9");
}

#[tokio::test]
async fn a_kill_does_not_wait_for_the_grace() {
    let mut lived = live(&script("trap '' TERM; echo ready; while :; do sleep 0.01; done"));
    assert_eq!(lived.line().await, "ready");
    lived.orders.send_replace(Order::Stop { grace: PATIENCE * 2 });
    lived.orders.send_replace(Order::Kill);
    insta::assert_snapshot!(lived.story().await, @"ended with 137 by signal 9");
}

#[tokio::test]
async fn nobody_of_the_group_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let pid = folder.path().join("pid");
    let story = live(&script(&format!(
        "sleep 60 & echo $! > {}; echo done",
        pid.display()
    )))
    .story()
    .await;
    insta::assert_snapshot!(story, @r"
    started
      done
    ended with 0
    ");
    let pid = std::fs::read_to_string(pid).unwrap();
    let alive = || {
        std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).is_ok_and(|stat| !stat.contains(") Z"))
    };
    let begun = Instant::now();
    while alive() && begun.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(!alive(), "a descendant is left");
}

#[tokio::test]
async fn a_descendant_that_escapes_and_holds_the_pipe_does_not_hold_the_pod() {
    let begun = Instant::now();
    let story = live(&script(
        "setsid sh -c 'sleep 5; echo late' & sleep 0.1; echo done",
    ))
    .story()
    .await;
    assert!(
        begun.elapsed() < Duration::from_secs(4),
        "the pod waited for the pipe"
    );
    insta::assert_snapshot!(story, @r"
    started
      done
    ended with 0
    ");
}

#[tokio::test]
async fn a_slow_reader_loses_nothing() {
    let mut lived = live(&script("seq 1 20000"));
    let mut wanted = 1;
    while let Some(event) = lived.events.recv().await {
        if let What::Line { text, .. } = event.what {
            assert_eq!(text, wanted.to_string());
            if wanted % 5_000 == 0 {
                tokio::time::sleep(Duration::from_millis(400)).await;
            }
            wanted += 1;
        }
    }
    assert_eq!(wanted, 20_001);
}

#[tokio::test]
async fn a_line_without_end_comes_in_pieces() {
    let mut lived = live(&script("head -c 40000 /dev/zero | tr '\\0' x"));
    let mut lengths = Vec::new();
    while let Some(event) = lived.events.recv().await {
        if let What::Line { text, ends, .. } = event.what {
            lengths.push((text.len(), ends));
        }
    }
    assert_eq!(
        lengths,
        [
            (LONGEST_LINE, false),
            (LONGEST_LINE, false),
            (40_000 - 2 * LONGEST_LINE, false)
        ]
    );
}

#[tokio::test]
async fn a_missing_config_map_is_waited_for() {
    let container = json!({
        "name": "main",
        "command": ["true"],
        "envFrom": [{"configMapRef": {"name": "look"}}],
    });
    let mut lived = live(&container);
    let (_, change) = lived.news.recv().await.unwrap();
    let Change::Waiting { reason, message } = change else {
        panic!("{change:?}")
    };
    insta::assert_snapshot!(format!("{reason}: {message}"), @r#"CreateContainerConfigError: config map "look" does not exist, and container "main" takes variables from it; create it, or mark the reference `optional: true`"#);
    lived.orders.send_replace(Order::Kill);
    tokio::time::timeout(PATIENCE, lived.task).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_failure_is_restarted_at_once_and_then_after_a_while() {
    let folder = tempfile::tempdir().unwrap();
    let failing = script(&format!("echo run >> {}/runs; exit 1", folder.path().display()));
    let mut lived = live_with(&failing, "OnFailure", Base::chosen_from("/tmp".into(), []));
    let mut told_of = Vec::new();
    while told_of
        .last()
        .is_none_or(|told: &String| !told.starts_with("restarts"))
    {
        told_of.push(told(&lived.events.recv().await.unwrap().what));
    }
    insta::assert_snapshot!(told_of.join("\n"), @r"
    started
    ended with 1
    started
    ended with 1
    restarts after 10s
    ");
    lived.orders.send_replace(Order::Stop { grace: PATIENCE });
    tokio::time::timeout(PATIENCE, lived.task).await.unwrap().unwrap();
    assert_eq!(
        std::fs::read_to_string(folder.path().join("runs")).unwrap(),
        "run\nrun\n"
    );
}

#[tokio::test]
async fn two_hundred_starts_do_not_wait_for_a_slow_one() {
    let slow = live(&script("sleep 2"));
    let begun = Instant::now();
    let quick: Vec<_> = (0..200).map(|_| live(&script("exit 7"))).collect();
    for lived in quick {
        assert_eq!(lived.story().await, "started\nended with 7\n");
    }
    assert!(begun.elapsed() < PATIENCE);
    slow.orders.send_replace(Order::Kill);
    slow.task.await.unwrap();
}

#[tokio::test]
async fn a_stop_can_be_hurried_and_is_asked_for_once() {
    let mut lived = live(&script(
        "trap 'echo asked' TERM; echo ready; while :; do sleep 0.01; done 2>/dev/null",
    ));
    assert_eq!(lived.line().await, "ready");
    lived.orders.send_replace(Order::Stop { grace: PATIENCE * 2 });
    assert_eq!(lived.line().await, "asked");
    lived.orders.send_replace(Order::Stop {
        grace: Duration::from_millis(100),
    });
    insta::assert_snapshot!(lived.story().await, @"ended with 137 by signal 9");
}
