//! "Did you mean": the nearest of the words that would have been right.

use std::iter::once;

/// How alike two words must be (Jaro–Winkler, 0 to 1) for one to be offered for the other.
///
/// `shedule` and `schedule` are 0.96 alike, `Forbidden` and `Forbid` 0.93; at 0.85 strangers such as `args`
/// and `name` stay apart.
const ALIKE_MIN: f64 = 0.85;

/// What other tools call the fields of CronJobs, Jobs and containers, and what people call them from memory.
const WORDS: [(&str, &str); 29] = [
    ("cmd", "command"),
    ("entrypoint", "command"),
    ("arguments", "args"),
    ("cron", "schedule"),
    ("crontab", "schedule"),
    ("cronSchedule", "schedule"),
    ("cronExpression", "schedule"),
    ("secretKeyRef", "secretRef"),
    ("configMapKeyRef", "configMapRef"),
    ("tz", "timeZone"),
    ("zone", "timeZone"),
    ("concurrency", "concurrencyPolicy"),
    ("paused", "suspend"),
    ("environment", "env"),
    ("envs", "env"),
    ("key", "name"),
    ("envVars", "env"),
    ("ttl", "ttlSecondsAfterFinished"),
    ("timeout", "activeDeadlineSeconds"),
    ("timeoutSeconds", "activeDeadlineSeconds"),
    ("deadline", "startingDeadlineSeconds"),
    ("retries", "backoffLimit"),
    ("maxRetries", "backoffLimit"),
    ("restart", "restartPolicy"),
    ("pullPolicy", "imagePullPolicy"),
    ("pullSecrets", "imagePullSecrets"),
    ("mounts", "volumeMounts"),
    ("podTemplate", "template"),
    ("historyLimit", "successfulJobsHistoryLimit"),
];

/// The candidate that `word` was most probably meant to be.
pub(crate) fn nearest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let word = plain(word);
    let alike = |candidate: &str| strsim::jaro_winkler(&word, &plain(candidate));
    let best = candidates.iter().max_by(|a, b| alike(a).total_cmp(&alike(b)))?;
    (alike(best) >= ALIKE_MIN).then_some(best)
}

/// The field that `word` was most probably meant to be: one that is called so elsewhere, or the nearest.
pub(crate) fn meant<'a>(word: &str, fields: &[&'a str]) -> Option<&'a str> {
    let known = WORDS.iter().find(|(other, _)| plain(other) == plain(word));
    let field = known.and_then(|(_, field)| fields.iter().find(|name| *name == field).copied());
    field.or_else(|| nearest(word, fields))
}

/// How many letters must be changed to make one word of the other; case and what joins words do not count.
pub(crate) fn letters_apart(word: &str, other: &str) -> usize {
    let is_other_name = WORDS.contains(&(word, other));
    if is_other_name {
        return 1;
    }
    strsim::osa_distance(&plain(word), &plain(other))
}

/// Several words as a person lists them: `a, b and c`.
pub(crate) fn listed(words: impl IntoIterator<Item = String>) -> String {
    let words: Vec<String> = words.into_iter().collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => once(before.join(", "))
            .chain([last.clone()])
            .collect::<Vec<_>>()
            .join(" and "),
        None => String::new(),
    }
}

fn plain(text: &str) -> String {
    text.to_ascii_lowercase().replace(['-', '_', ' '], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_what_was_probably_meant_and_nothing_else() {
        let fields = [
            "schedule",
            "timeZone",
            "concurrencyPolicy",
            "suspend",
            "jobTemplate",
        ];
        let table = [
            ("shedule", Some("schedule")),
            ("Schedule", Some("schedule")),
            ("timezone", Some("timeZone")),
            ("time_zone", Some("timeZone")),
            ("concurencyPolicy", Some("concurrencyPolicy")),
            ("jobtemplate", Some("jobTemplate")),
            ("template", Some("jobTemplate")),
            ("tz", Some("timeZone")),
            ("cron", Some("schedule")),
            ("image", None),
            ("", None),
        ];
        for (word, expected) in table {
            assert_eq!(meant(word, &fields), expected, "{word}");
        }
    }

    #[test]
    fn lists_words_as_a_person_does() {
        let list = |words: &[&str]| listed(words.iter().map(ToString::to_string));
        assert_eq!(list(&[]), "");
        assert_eq!(list(&["a"]), "a");
        assert_eq!(list(&["a", "b"]), "a and b");
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
    }
}
