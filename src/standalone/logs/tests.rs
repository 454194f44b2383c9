//! Logs that are written and read back, and the lines that are asked for.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::writer::leaves_room;
use super::*;
use crate::schedule::Timestamp;

fn at(second: i64) -> Timestamp {
    Timestamp::from_timestamp(1_795_000_000 + second, 0).unwrap()
}

fn line(second: i64, text: &str) -> Line {
    Line {
        at: at(second),
        stream: Stream::Stdout,
        ends: true,
        text: text.into(),
    }
}

fn write(writer: &mut Writer, texts: &[&str]) {
    for (second, text) in (0..).zip(texts) {
        writer.push(&line(second, text));
    }
    writer.flush(at(0));
}

fn read(reader: &mut Reader) -> Vec<String> {
    let mut read = Vec::new();
    loop {
        let lines = reader.read().unwrap();
        if lines.is_empty() {
            return read;
        }
        read.extend(
            lines
                .into_iter()
                .map(|line| String::from_utf8(line.text).unwrap()),
        );
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_line_looks_as_container_engines_write_it() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("pod/0.log");
    let mut writer = Writer::open(&path).unwrap();
    write(&mut writer, &["hello, world"]);
    writer.push(&Line {
        stream: Stream::Stderr,
        ends: false,
        ..line(1, " two  spaces ")
    });
    writer.flush(at(1));
    insta::assert_snapshot!(std::fs::read_to_string(&path).unwrap(), @r"
    2026-11-18T11:06:40.000000000Z stdout F hello, world
    2026-11-18T11:06:41.000000000Z stderr P  two  spaces
    ");
    let lines = Reader::at_start(&path).read().unwrap();
    assert_eq!(lines[0], line(0, "hello, world"));
    assert_eq!((lines[1].stream, lines[1].ends), (Stream::Stderr, false));
    assert_eq!(lines[1].text, b" two  spaces ");
}

#[test]
fn bytes_stay_as_they_are() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("0.log");
    let text = b"caf\xe9\r\0".to_vec();
    let mut writer = Writer::open(&path).unwrap();
    writer.push(&Line {
        text: text.clone(),
        ..line(0, "")
    });
    writer.flush(at(0));
    assert_eq!(Reader::at_start(&path).read().unwrap()[0].text, text);
}

#[test]
fn a_line_that_a_crash_cut_off_spoils_no_other() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("0.log");
    std::fs::write(&path, "2026-11-18T10:26:40Z stdout F whole\n2026-11-18T10:2").unwrap();
    write(&mut Writer::open(&path).unwrap(), &["after"]);
    assert_eq!(read(&mut Reader::at_start(&path)), ["whole", "after"]);
}

#[test]
fn a_log_is_bounded_and_its_end_is_kept() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("0.log");
    let mut writer = Writer::with_limit(&path, 1_000).unwrap();
    for number in 0..1_000 {
        write(&mut writer, &[&number.to_string()]);
    }
    assert_eq!(names(folder.path()).len(), FILES);
    let kept = read(&mut Reader::at_start(&path));
    let first: usize = kept[0].parse().unwrap();
    assert!(first > 500, "{first}");
    let expected: Vec<_> = (first..1_000).map(|number| number.to_string()).collect();
    assert_eq!(kept, expected, "in order, with no gap");
}

#[test]
fn a_reader_that_keeps_up_reads_everything_across_files() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("0.log");
    let mut reader = Reader::at_end(&path).unwrap();
    let mut writer = Writer::with_limit(&path, 200).unwrap();
    let mut got = Vec::new();
    for number in 0..200 {
        write(&mut writer, &[&number.to_string()]);
        if number % 3 == 0 {
            got.extend(read(&mut reader));
        }
    }
    got.extend(read(&mut reader));
    let expected: Vec<_> = (0..200).map(|number| number.to_string()).collect();
    assert_eq!(got, expected);
}

/// Each line is a file of its own, and the writer never waits but for a reader that would miss what is removed.
#[test]
fn no_line_is_lost_or_doubled_however_fast_files_are_set_aside() {
    const LINES: usize = 3_000;
    const PATIENCE: Duration = Duration::from_mins(2);
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("0.log");
    let mut reader = Reader::at_start(&path);
    let got = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&got);
    let writing = std::thread::spawn(move || {
        let mut writer = Writer::with_limit(&path, 1).unwrap();
        for number in 0..LINES {
            while seen.load(Ordering::Relaxed) + FILES < number + 2 {
                assert!(Arc::strong_count(&seen) > 1, "the reader has given up");
                std::thread::yield_now();
            }
            write(&mut writer, &[&number.to_string()]);
        }
    });
    let begun = Instant::now();
    while got.load(Ordering::Relaxed) < LINES {
        assert!(begun.elapsed() < PATIENCE, "no line comes after {got:?}");
        for text in read(&mut reader) {
            assert_eq!(text, got.fetch_add(1, Ordering::Relaxed).to_string());
        }
    }
    writing.join().unwrap();
}

#[test]
fn a_reader_that_is_too_slow_reads_that_lines_are_missing() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("0.log");
    let mut reader = Reader::at_start(&path);
    let mut writer = Writer::with_limit(&path, 1).unwrap();
    let mut write_until = |end: usize| {
        for number in end - FILES + 1..end {
            write(&mut writer, &[&number.to_string()]);
        }
    };
    // The file that was being read is the first that goes: nothing of it is missed.
    write_until(5);
    assert_eq!(read(&mut reader), ["1", "2", "3", "4"]);
    write_until(9);
    assert_eq!(read(&mut reader), ["5", "6", "7", "8"]);
    write_until(13);
    write_until(17);
    insta::assert_snapshot!(read(&mut reader).join("\n"), @r"
    9
    punctual: lines are missing here, as the log grew faster than it was read, and only its last files are kept
    13
    14
    15
    16
    ");
}

#[test]
fn a_reader_at_the_end_sees_only_what_comes() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("0.log");
    let mut writer = Writer::open(&path).unwrap();
    write(&mut writer, &["before"]);
    let mut reader = Reader::at_end(&path).unwrap();
    assert!(reader.read().unwrap().is_empty());
    write(&mut writer, &["after"]);
    assert_eq!(read(&mut reader), ["after"]);
}

/// The answer to a query over a log of four lines, the third of which comes in two pieces.
fn asked(query: LogQuery) -> String {
    let piece = Line {
        ends: false,
        ..line(2, "thr")
    };
    let past = [
        line(0, "one"),
        line(1, "two"),
        piece,
        line(2, "ee"),
        line(3, "four"),
    ];
    let mut selection = Selection::new(query);
    let mut shown: Vec<u8> = past.into_iter().flat_map(|line| selection.past(line)).collect();
    shown.extend(selection.turn());
    shown.extend(selection.show(&line(4, "five")));
    String::from_utf8(shown).unwrap()
}

#[test]
fn what_is_asked_for_is_shown() {
    let all = LogQuery::default;
    let tail = |lines| LogQuery {
        tail_lines: Some(lines),
        ..all()
    };
    assert_eq!(asked(all()), "one\ntwo\nthree\nfour\nfive\n");
    assert_eq!(asked(tail(0)), "five\n");
    assert_eq!(asked(tail(1)), "four\nfive\n");
    assert_eq!(asked(tail(2)), "three\nfour\nfive\n");
    assert_eq!(asked(tail(99)), asked(all()));
    let since = Some(at(3));
    assert_eq!(asked(LogQuery { since, ..all() }), "four\nfive\n");
    let limit_bytes = Some(6);
    assert_eq!(asked(LogQuery { limit_bytes, ..all() }), "one\ntw");
    let timestamps = true;
    insta::assert_snapshot!(asked(LogQuery { timestamps, ..tail(2) }), @r"
    2026-11-18T11:06:42.000000000Z three
    2026-11-18T11:06:43.000000000Z four
    2026-11-18T11:06:44.000000000Z five
    ");
}

#[test]
fn a_log_leaves_the_last_of_the_room_to_the_database() {
    const MIB: u64 = 1024 * 1024;
    for (bytes, free, all, expected) in [
        (100, 1_000 * MIB, 10_000 * MIB, true),
        (100, 33 * MIB, 10_000 * MIB, true),
        (100, 32 * MIB, 10_000 * MIB, false),
        (100, 0, 10_000 * MIB, false),
        // A disk of 4 MiB.
        (100, 2 * MIB, 4 * MIB, true),
        (100, MIB, 4 * MIB, false),
    ] {
        assert_eq!(
            leaves_room(bytes, free, all),
            expected,
            "{bytes} of {free} of {all}"
        );
    }
}

#[test]
fn a_log_goes_on_when_an_old_file_of_it_can_not_be_removed() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("0.log");
    std::fs::create_dir(folder.path().join("0.log.1")).unwrap();
    let mut writer = Writer::with_limit(&path, 1_000).unwrap();
    for number in 0..1_000 {
        write(&mut writer, &[&number.to_string()]);
    }
    let longest = names(folder.path())
        .iter()
        .map(|name| std::fs::metadata(folder.path().join(name)).unwrap())
        .filter(std::fs::Metadata::is_file)
        .map(|metadata| metadata.len())
        .max();
    assert!(longest.is_some_and(|longest| longest < 1_200), "{longest:?}");
    assert!(
        names(folder.path()).len() <= FILES + 1,
        "{:?}",
        names(folder.path())
    );
    let mut reader = Reader::at_end(&path).unwrap();
    write(&mut writer, &["after"]);
    assert_eq!(read(&mut reader), ["after"]);
}

#[test]
fn a_log_that_can_not_be_set_aside_says_so_once_and_goes_on() {
    let folder = TempDir::new().unwrap();
    // With a number behind it the name is longer than a file system takes.
    let path = folder.path().join("x".repeat(255));
    let mut writer = Writer::with_limit(&path, 200).unwrap();
    for number in 0..8 {
        write(&mut writer, &[&number.to_string()]);
    }
    drop(writer);
    insta::assert_snapshot!(std::fs::read_to_string(&path).unwrap(), @r"
    2026-11-18T11:06:40.000000000Z stdout F 0
    2026-11-18T11:06:40.000000000Z stdout F 1
    2026-11-18T11:06:40.000000000Z stdout F 2
    2026-11-18T11:06:40.000000000Z stdout F 3
    2026-11-18T11:06:40.000000000Z stdout F 4
    2026-11-18T11:06:40.000000000Z stderr F punctual: this file of the log can't be set aside, and goes on growing: File name too long (os error 36)
    2026-11-18T11:06:40.000000000Z stdout F 5
    2026-11-18T11:06:40.000000000Z stdout F 6
    2026-11-18T11:06:40.000000000Z stdout F 7
    ");
}
