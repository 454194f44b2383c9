//! The end of a name that is made up, as Kubernetes makes it (`apiserver/pkg/storage/names`).

/// No vowels, so that no word appears, and nothing that is mistaken for another.
const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// How many characters are made up.
pub(super) const LENGTH: usize = 5;

/// The longest such a name may be: it may become a label, and that of a pod its host's name.
pub(super) const NAME_MAX: usize = 63;

/// So many characters, which a number decides.
pub(super) fn name_suffix(mut number: u128) -> String {
    let base = ALPHABET.len() as u128;
    (0..LENGTH)
        .map(|_| {
            let character = usize::try_from(number % base).unwrap_or_default();
            number /= base;
            char::from(ALPHABET[character])
        })
        .collect()
}
