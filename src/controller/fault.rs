//! A rule that breaks down: a fault of ours, on one CronJob of thousands. The others go on.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a rule makes of values, or the words with which it broke down. A rule is a function: nothing is left half done.
pub(super) fn soundly<T>(rule: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(rule)).map_err(|panic| {
        let fixed = panic.downcast_ref::<&str>().map(ToString::to_string);
        let words = fixed.or_else(|| panic.downcast_ref::<String>().cloned());
        words.unwrap_or_else(|| "no word of why".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_that_breaks_down_says_why() {
        assert_eq!(soundly(|| 7), Ok(7));
        let broken: Result<(), _> = soundly(|| panic!("on purpose"));
        assert_eq!(broken, Err("on purpose".into()));
        let broken: Result<(), _> = soundly(|| panic!("on purpose, by {}", "a test"));
        assert_eq!(broken, Err("on purpose, by a test".into()));
    }
}
