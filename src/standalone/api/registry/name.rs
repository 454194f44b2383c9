//! Names: which ones are allowed, and how one is made up.
//!
//! Sources: "Object Names and IDs" of the Kubernetes documentation; `apiserver/pkg/storage/names`.

use uuid::Uuid;

/// The longest name, as of a DNS subdomain.
const NAME_CHARS_MAX: usize = 253;

/// The longest name that is made up; longer beginnings are cut, so that the name still fits into a label.
const GENERATED_CHARS_MAX: usize = 63;

/// How many characters are made up.
const SUFFIX_CHARS: usize = 5;

/// Consonants and digits that cannot be mistaken for each other, nor spell a word.
const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// How often a new name is made up when the first ones are taken.
pub(super) const NAME_ATTEMPTS: usize = 8;

/// A name that begins with `base` and ends by chance.
pub(super) fn generated(base: &str) -> String {
    let kept: String = base.chars().take(GENERATED_CHARS_MAX - SUFFIX_CHARS).collect();
    let mut chance = Uuid::new_v4().as_u128();
    let mut name = kept;
    for _ in 0..SUFFIX_CHARS {
        let letters = ALPHABET.len() as u128;
        let index = usize::try_from(chance % letters).unwrap_or_default();
        name.push(char::from(ALPHABET[index]));
        chance /= letters;
    }
    name
}

/// What is wrong with a name; `None` when nothing is.
pub(super) fn complaint(name: &str) -> Option<String> {
    if name.len() > NAME_CHARS_MAX {
        return Some(format!("must be no more than {NAME_CHARS_MAX} characters"));
    }
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_label = |label: &str| {
        label.starts_with(alphanumeric)
            && label.ends_with(alphanumeric)
            && label.chars().all(|c| alphanumeric(c) || c == '-')
    };
    if name.split('.').all(is_label) {
        return None;
    }
    Some(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start \
         and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
         '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
            .to_owned(),
    )
}
