//! "Did you mean": the nearest of the words that would have been right.

/// How alike two words must be (Jaro–Winkler, 0 to 1) for one to be offered for the other.
///
/// `shedule` and `schedule` are 0.96 alike, `Forbidden` and `Forbid` 0.93; at 0.85 strangers such as `args`
/// and `name` stay apart.
const ALIKE_MIN: f64 = 0.85;

/// The candidate that `word` was most probably meant to be.
pub(crate) fn nearest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let plain = |text: &str| text.to_ascii_lowercase().replace(['-', '_', ' '], "");
    let word = plain(word);
    let alike = |candidate: &str| strsim::jaro_winkler(&word, &plain(candidate));
    let best = candidates.iter().max_by(|a, b| alike(a).total_cmp(&alike(b)))?;
    (alike(best) >= ALIKE_MIN).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::nearest;

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
            ("image", None),
            ("", None),
        ];
        for (word, expected) in table {
            assert_eq!(nearest(word, &fields), expected, "{word}");
        }
    }
}
