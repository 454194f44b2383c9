//! How a name is made up for an object that only says what its name begins with (`apiserver/pkg/storage/names`).

use uuid::Uuid;

use crate::standalone::name_suffix::{self, NAME_MAX, name_suffix};

/// How often a new name is made up when the first ones are taken.
pub(super) const NAME_ATTEMPTS: usize = 8;

/// A name that begins with `base`, cut where it is too long, and ends by chance.
pub(super) fn generated(base: &str) -> String {
    let kept: String = base.chars().take(NAME_MAX - name_suffix::LENGTH).collect();
    kept + &name_suffix(Uuid::new_v4().as_u128())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_up_name_keeps_its_beginning_and_fits_into_a_label() {
        assert!(generated("nightly-").starts_with("nightly-") && generated("nightly-").len() == 13);
        assert_eq!(generated(&"x".repeat(200)).len(), 63);
        assert_ne!(generated("a"), generated("a"));
    }
}
