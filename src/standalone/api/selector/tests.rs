//! Selectors, one a row.

use serde_json::json;

use super::Selector;
use crate::standalone::api::resource::{RESOURCES, Resource};
use crate::standalone::store::{Object, Revision};

fn pods() -> &'static Resource {
    RESOURCES.iter().find(|resource| resource.kind == "Pod").unwrap()
}

#[test]
fn labels_and_fields_decide() {
    let object = json!({
        "metadata": { "name": "p", "namespace": "n", "labels": { "app": "web", "empty": "", "n": "5" } },
        "spec": { "nodeName": "here", "hostNetwork": true },
    });
    let object = Object::stamp(object, Revision(1)).unwrap();
    let table = [
        // labels                    fields                            meant
        ("", "", true),
        ("app", "", true),
        ("!app", "", false),
        ("app=web,empty=", "", true),
        ("app = web , n > 4", "", true),
        ("none!=web", "", true),
        ("app notin (web,db)", "", false),
        ("none notin (web)", "", true),
        ("app in (web),app!=db", "", true),
        ("n<5", "", false),
        ("app>1", "", false),
        ("", "spec.nodeName=here", true),
        ("", "spec.nodeName!=here", false),
        ("", "spec.hostNetwork=true", true),
        ("", "status.phase=", true),
        ("", "status.phase!=Failed", true),
        ("app=web", "metadata.name=q", false),
    ];
    for (labels, fields, meant) in table {
        let selector = Selector::parse(pods(), labels, fields).unwrap();
        assert_eq!(
            selector.matches(&object).unwrap(),
            meant,
            "labels \"{labels}\", fields \"{fields}\""
        );
    }
}

#[test]
fn what_cannot_be_read_is_said() {
    let table = [
        // labels         fields
        ("a in b", ""),
        ("a within (b)", ""),
        ("a>many", ""),
        ("a b", ""),
        ("=a", ""),
        ("a=b=c", ""),
        ("a,a!==b", ""),
        ("a,,b", ""),
        ("a in (b c)", ""),
        ("a/b/c", ""),
        ("", "metadata.name=a=b"),
        ("", "spec.colour=red"),
        ("", "status.phase"),
    ];
    let said = table.map(|(labels, fields)| {
        let mistake = Selector::parse(pods(), labels, fields).unwrap_err();
        format!("{labels}{fields}: {mistake}")
    });
    insta::assert_snapshot!(said.join("\n"), @r#"
    a in b: unable to parse requirement: "a in b" is no term of a label selector; write key=value, key!=value, key in (a,b), key notin (a,b), key or !key
    a within (b): unable to parse requirement: "a within (b)" is no term of a label selector; write key=value, key!=value, key in (a,b), key notin (a,b), key or !key
    a>many: unable to parse requirement: "a>many" is no term of a label selector; write key=value, key!=value, key in (a,b), key notin (a,b), key or !key
    a b: unable to parse requirement: "a b" is no term of a label selector; write key=value, key!=value, key in (a,b), key notin (a,b), key or !key
    =a: unable to parse requirement: "=a" is no term of a label selector; write key=value, key!=value, key in (a,b), key notin (a,b), key or !key
    a=b=c: unable to parse requirement: "a=b=c" is no term of a label selector; write key=value, key!=value, key in (a,b), key notin (a,b), key or !key
    a,a!==b: unable to parse requirement: "a!==b" is no term of a label selector; write key=value, key!=value, key in (a,b), key notin (a,b), key or !key
    a,,b: unable to parse requirement: "" is no term of a label selector; write key=value, key!=value, key in (a,b), key notin (a,b), key or !key
    a in (b c): unable to parse requirement: "a in (b c)" is no term of a label selector; write key=value, key!=value, key in (a,b), key notin (a,b), key or !key
    a/b/c: unable to parse requirement: "a/b/c" is no term of a label selector; write key=value, key!=value, key in (a,b), key notin (a,b), key or !key
    metadata.name=a=b: invalid selector: "metadata.name=a=b" is no term of a field selector; write field=value or field!=value
    spec.colour=red: field label not supported: spec.colour
    status.phase: invalid selector: "status.phase" is no term of a field selector; write field=value or field!=value
    "#);
}
