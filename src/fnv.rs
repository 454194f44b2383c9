//! A number that stands for a text: the FNV-1a hash, which is the same in every version, on every machine and in every
//! program. Names, offsets and records depend on it, so it stays as it is.

/// The hash of nothing.
const BASIS: u64 = 0xcbf2_9ce4_8422_2325;

/// What each byte multiplies it by.
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// The hash of some bytes.
pub fn fnv1a(bytes: impl IntoIterator<Item = u8>) -> u64 {
    fnv1a_on(BASIS, bytes)
}

/// The hash of what `hash` is the hash of, and of more bytes after it.
pub fn fnv1a_on(hash: u64, more: impl IntoIterator<Item = u8>) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(PRIME);
    more.into_iter().fold(hash, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published test vectors of FNV-1a.
    #[test]
    fn the_hash_is_the_one_that_everybody_has() {
        for (text, hash) in [
            ("", 0xcbf2_9ce4_8422_2325),
            ("a", 0xaf63_dc4c_8601_ec8c),
            ("foobar", 0x8594_4171_f739_67e8),
        ] {
            assert_eq!(fnv1a(text.bytes()), hash, "{text}");
        }
        assert_eq!(fnv1a_on(fnv1a(*b"foo"), *b"bar"), fnv1a(*b"foobar"));
    }
}
