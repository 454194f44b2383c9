//! Nothing that can be read makes the reader fall over.

use proptest::prelude::*;
use punctual::manifest::{Loaded, Paint, load_bytes, render_all};
use punctual::schedule::TimeZones;

/// Reads the bytes as YAML and as JSON, and draws all there is to say about them.
fn read(bytes: &[u8]) -> (Loaded, String) {
    let loaded = load_bytes(
        [("cron.yaml", bytes), ("cron.json", bytes)],
        &TimeZones::built_in(),
    );
    let plain = render_all(&loaded.diagnostics, Paint::Plain);
    render_all(&loaded.diagnostics, Paint::Coloured);
    (loaded, plain)
}

/// A good manifest, to be spoilt.
const GOOD: &str = include_str!("../../fixtures/good/everything-a-cron-job-has.yaml");

/// Pieces that YAML, JSON and cron manifests are made of.
fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "apiVersion: batch/v1\n",
        "kind: CronJob\n",
        "kind: List\n",
        "items:\n",
        "metadata:\n",
        "  name: a\n",
        "spec:\n",
        "  schedule: ",
        "* * * * *",
        "\"0 24 * * *\"",
        "TZ=",
        "  jobTemplate:\n",
        "---\n",
        "...\n",
        "- ",
        "? ",
        ": ",
        "&a ",
        "*a ",
        "<<: ",
        "{",
        "}",
        "[",
        "]",
        "\"",
        "'",
        "|\n",
        ">-\n",
        "\t",
        "\n",
        " ",
        "#",
        "!!str ",
        "%YAML 1.1\n",
        "\\",
        "\u{feff}",
        "é",
        "\u{0}",
        "null",
        "5",
        "-1",
        "0x",
        "{{ x }}",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn arbitrary_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read(&bytes);
    }

    #[test]
    fn arbitrary_text(text in "\\PC{0,200}") {
        read(text.as_bytes());
    }

    #[test]
    fn arbitrary_pieces_of_manifests(pieces in prop::collection::vec(piece(), 0..40)) {
        read(pieces.concat().as_bytes());
    }

    #[test]
    fn a_good_manifest_cut_short_or_with_a_byte_changed(
        at in 0..GOOD.len(), byte in any::<u8>(), cut in any::<bool>(),
    ) {
        let mut bytes = GOOD.as_bytes().to_vec();
        bytes[at] = byte;
        if cut {
            bytes.truncate(at);
        }
        let (loaded, said) = read(&bytes);
        // Whatever is not loaded is spoken of.
        prop_assert!(loaded.objects.len() == 2 || !said.is_empty());
    }
}
