//! All rules, and how one is found.

use super::rule::{Finds, Rule};
use super::rules::ALL;

/// All rules, in the order of their codes.
pub fn rules() -> &'static [Rule] {
    &ALL
}

/// The rule of a code or a name.
pub fn find(word: &str) -> Option<&'static Rule> {
    ALL.iter().find(|rule| rule.is_called(word))
}

/// The rule of what was found while reading.
pub(super) fn of_reading(code: &str) -> Option<&'static Rule> {
    ALL.iter().find(|rule| match rule.finds {
        Finds::InText(codes) | Finds::Reading(codes) => codes.contains(&code),
        Finds::InObject(_) | Finds::InAll(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_there_once_and_in_order() {
        for pair in ALL.windows(2) {
            assert!(
                pair[0].code < pair[1].code,
                "{} before {}",
                pair[0].code,
                pair[1].code
            );
        }
        for rule in &ALL {
            let digits = rule.code.strip_prefix('P').expect("codes begin with P");
            assert!(
                digits.len() == 3 && digits.parse::<u16>().is_ok(),
                "{}",
                rule.code
            );
            assert_eq!(find(rule.code), Some(rule));
            assert_eq!(find(&rule.name.to_uppercase()), Some(rule), "{}", rule.name);
        }
    }

    #[test]
    fn a_page_says_something_and_stays_within_a_terminal() {
        for rule in &ALL {
            assert!(!rule.summary.ends_with('.'), "{}", rule.code);
            assert!(rule.page.trim().len() > 80, "{}", rule.code);
            let widest = rule.page.lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(120), "{}", rule.code);
        }
    }
}
