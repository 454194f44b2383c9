//! Messages written by hand, and bytes that are none. What kubectl itself sends is in `tests/api/kubectl.rs`.

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// A field that is a text, bytes or a message. Its number may take two bytes.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap();
    let key = number << 3 | 2;
    let key = if key < 128 { vec![key] } else { vec![key, 1] };
    [&key[..], &[length], content].concat()
}

fn object(api_version: &str, kind: &str, message: &[u8]) -> Vec<u8> {
    let type_meta = [field(1, api_version.as_bytes()), field(2, kind.as_bytes())].concat();
    [MAGIC.to_vec(), field(1, &type_meta), field(2, message)].concat()
}

#[test]
fn a_secret_is_read() {
    // A name, an empty generateName and an empty creationTimestamp, as Go writes them; then an entry, and the type.
    let metadata = [field(1, b"s"), field(2, b""), field(8, b"")].concat();
    let entry = [field(1, b"key"), field(2, b"value")].concat();
    let message = [field(1, &metadata), field(2, &entry), field(3, b"Opaque")].concat();
    assert_eq!(
        decode(&object("v1", "Secret", &message)).unwrap(),
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": { "name": "s" },
            "data": { "key": "dmFsdWU=" },
            "type": "Opaque",
        })
    );
}

#[test]
fn a_zero_that_was_written_is_kept() {
    let spec = [vec![7 << 3, 0, 10 << 3, 0, 2 << 3, 3], field(14, b"Failed")].concat();
    let read = decode(&object("batch/v1", "Job", &field(2, &spec))).unwrap();
    assert_eq!(
        read["spec"],
        json!({ "backoffLimit": 0, "suspend": false, "completions": 3, "podReplacementPolicy": "Failed" })
    );
}

#[test]
fn a_volume_has_the_fields_of_its_source() {
    let map = field(1, &field(1, b"cm"));
    let volume = [field(1, b"v"), field(2, &field(19, &map))].concat();
    let read = decode(&object("v1", "Pod", &field(2, &field(1, &volume)))).unwrap();
    assert_eq!(
        read["spec"]["volumes"],
        json!([{ "name": "v", "configMap": { "name": "cm" } }])
    );
}

#[test]
fn what_is_no_object_is_refused() {
    let whole = object("v1", "ConfigMap", &field(1, &field(1, b"name")));
    assert_eq!(decode(b"{}"), Err(ProtobufError::NoEnvelope));
    assert_eq!(decode(&whole[..whole.len() - 1]), Err(ProtobufError::Truncated));
    let unknown = ProtobufError::UnknownKind {
        api_version: "v1".to_owned(),
        kind: "Nothing".to_owned(),
    };
    assert_eq!(decode(&object("v1", "Nothing", b"")), Err(unknown));
    let mistyped = decode(&object("v1", "ConfigMap", &[1 << 3, 0]));
    assert_eq!(mistyped, Err(ProtobufError::Mistyped { name: "metadata" }));
}

proptest! {
    #[test]
    fn no_bytes_break_the_reader(message in prop::collection::vec(any::<u8>(), 0..120)) {
        let _ = decode(&object("v1", "Pod", &message));
        let _ = decode(&[MAGIC, &message].concat());
    }
}
