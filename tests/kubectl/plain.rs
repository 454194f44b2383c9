//! What kubectl prints, without what is different each time: moments, ages, ids, revisions, names that are made up.

/// The letters of which names are made up.
const MADE_UP: &str = "bcdfghjklmnpqrstvwxz2456789";

/// How many of them.
const MADE_UP_CHARS: usize = 5;

/// What lines begin with that only some versions of kubectl print, from 1.32 to 1.36.
const OF_SOME_VERSIONS: [&str; 4] = [
    "Time Zone:",
    "creationTimestamp: null",
    "warning: couldn't fetch pre-attach logs",
    "All commands and output from this session",
];

/// The text with names for what is different each time, and columns two spaces apart.
pub(crate) fn plain(text: &str) -> String {
    let is_of_all = |line: &&str| {
        !OF_SOME_VERSIONS
            .iter()
            .any(|some| line.trim_start().starts_with(some))
    };
    let lines: Vec<String> = text.lines().filter(is_of_all).map(line).collect();
    lines.join("\n")
}

fn line(line: &str) -> String {
    if let Some((before, _)) = line.split_once("resourceVersion: \"") {
        return format!("{before}resourceVersion: REVISION");
    }
    // Newer versions say where they delete.
    if let Some((deleted, rest)) = line.split_once("\" deleted from ")
        && let Some((_, rest)) = rest.split_once(" namespace")
    {
        return format!("{deleted}\" deleted{rest}");
    }
    let indent = line.len() - line.trim_start_matches(' ').len();
    let words: Vec<String> = line[indent..].split(' ').map(word).collect();
    let mut text = moments(&words.join(" "));
    while text.contains("   ") {
        text = text.replace("   ", "  ");
    }
    format!("{}{}", &line[..indent], text.trim_end())
}

/// A word, which may be quoted or in parentheses.
fn word(word: &str) -> String {
    let is_inside = |c: char| c.is_ascii_alphanumeric() || "-.:/=+_".contains(c);
    let start = word.find(is_inside).unwrap_or(word.len());
    let end = word.rfind(is_inside).map_or(start, |last| last + 1);
    let (before, core, after) = (&word[..start], &word[start..end], &word[end..]);
    if core.starts_with("process://") {
        return "process://PID".to_owned();
    }
    let parts: Vec<String> = core.split('/').map(part).collect();
    format!("{before}{}{after}", parts.join("/"))
}

fn part(part: &str) -> String {
    if let Some((label, value)) = part.split_once('=') {
        return format!("{label}={}", self::part(value));
    }
    if is_uuid(part) {
        return "UID".to_owned();
    }
    if is_moment(part) {
        return "TIME".to_owned();
    }
    if is_age(part) {
        return "AGE".to_owned();
    }
    let tail = part.trim_end_matches([':', '.']);
    let (name, suffix) = tail.rsplit_once('-').unwrap_or(("", tail));
    if !name.is_empty() && suffix.len() == MADE_UP_CHARS && suffix.chars().all(|c| MADE_UP.contains(c)) {
        return format!("{}-XXXXX{}", self::part(name), &part[tail.len()..]);
    }
    if !name.is_empty() && suffix.len() == 8 && suffix.bytes().all(|byte| byte.is_ascii_digit()) {
        return format!("{name}-MINUTE{}", &part[tail.len()..]);
    }
    part.to_owned()
}

fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

/// A moment in RFC 3339.
fn is_moment(text: &str) -> bool {
    let pattern = "dddd-dd-ddTdd:dd:dd";
    text.ends_with('Z')
        && text.len() > pattern.len()
        && pattern
            .chars()
            .zip(text.chars())
            .all(|(expected, found)| match expected {
                'd' => found.is_ascii_digit(),
                other => other == found,
            })
}

/// A duration as kubectl writes it: `12s`, `2m5s`.
fn is_age(text: &str) -> bool {
    let units = text.trim_start_matches(|c: char| c.is_ascii_digit());
    match (units.len() < text.len(), units.split_at_checked(1)) {
        (true, Some(("s", ""))) => true,
        (true, Some(("m", rest))) => rest.is_empty() || is_age(rest),
        _ => false,
    }
}

/// Takes out moments as `describe` writes them: `Thu, 26 Nov 2026 10:04:43 +0000`.
fn moments(text: &str) -> String {
    let Some(zone) = text.find(" +0000") else {
        return text.to_owned();
    };
    let length = "Thu, 26 Nov 2026 10:04:43".len();
    match zone.checked_sub(length).and_then(|start| text.get(..start)) {
        Some(before) => format!("{before}TIME{}", moments(&text[zone + " +0000".len()..])),
        None => text.to_owned(),
    }
}
