//! Stories of files, and what follows from each state of them.

use serde_json::json;

use super::*;
use crate::cronjob::Key;

/// `name=version`, in a file.
fn item(file: &str, text: &str) -> Item {
    let (name, version) = text.split_once('=').unwrap();
    Item {
        id: Id {
            kind: "CronJob",
            key: Key {
                namespace: "default".into(),
                name: name.into(),
            },
        },
        json: json!({ "metadata": { "name": name }, "spec": version }),
        file: file.into(),
        object: None,
        is_followed: true,
    }
}

/// A file as it is now: `-` for gone, `!` for broken, else its objects. `~` is for one that is being written or can't be
/// looked at.
fn seen(file: &str, text: &str) -> Seen {
    match text {
        "-" => Seen::Gone,
        "!" => Seen::Broken,
        text => Seen::Holds(text.split_whitespace().map(|text| item(file, text)).collect()),
    }
}

/// Some files, as they are now; or, for no file, how many milliseconds pass.
type State<'s> = &'s [(&'s str, &'s str)];

/// How the API refuses whatever is written.
fn refusal(why: &str) -> Option<Refusal> {
    let may_pass = match why {
        "fits" => return None,
        "full" => true,
        _ => false,
    };
    let message = why.to_owned();
    Some(Refusal { message, may_pass })
}

/// What follows, in words, from one state of files after another. `("fits", "")` and so on tell how the API answers from
/// then on.
fn story(states: &[State<'_>]) -> String {
    let mut files = Files::default();
    let mut now = Duration::ZERO;
    let mut answer = None;
    let mut steps = Vec::new();
    for state in states {
        let seen = match state {
            [(why, "")] => {
                answer = refusal(why);
                continue;
            }
            [("", millis)] => {
                now += Duration::from_millis(millis.parse().unwrap());
                BTreeMap::new()
            }
            files => files
                .iter()
                .filter(|(_, text)| *text != "~")
                .map(|(file, text)| ((*file).to_owned(), seen(file, text)))
                .collect(),
        };
        let unsure = state.iter().filter(|(_, text)| *text == "~");
        let unsure = unsure.map(|(file, _)| file.into()).collect();
        let plan = files.look(seen, &unsure, now);
        let mut words = Vec::new();
        for Step { item, only_if_gone } in &plan.apply {
            let version = item.json["spec"].as_str().unwrap();
            words.push(match only_if_gone {
                false => format!("apply {}={version}", item.id.key.name),
                true => format!("keep {}", item.id.key.name),
            });
        }
        for (item, owner) in &plan.taken {
            words.push(format!("{} is {owner}'s", item.id.key.name));
        }
        for (id, file) in &plan.prune {
            words.push(format!("prune {} of {file}", id.key.name));
        }
        let applied = plan.apply.iter().map(|step| &step.item.id);
        for id in applied.chain(plan.prune.iter().map(|(id, _)| id)) {
            match &answer {
                None => files.done(id),
                Some(why) if files.failed(id, why, now) => words.push(format!("tell {}", why.message)),
                Some(_) => {}
            }
        }
        steps.push(if words.is_empty() {
            "nothing".to_owned()
        } else {
            words.join(", ")
        });
    }
    steps.join("; ")
}

#[test]
fn what_changes_is_applied_and_what_goes_is_pruned() {
    let table: [(&str, &[State<'_>], &str); 10] = [
        (
            "as it was",
            &[&[("a", "x=1 y=1")], &[("a", "x=1 y=1")]],
            "apply x=1, apply y=1; keep x, keep y",
        ),
        (
            "changed",
            &[&[("a", "x=1 y=1")], &[("a", "x=2 y=1")]],
            "apply x=1, apply y=1; apply x=2, keep y",
        ),
        (
            "taken out",
            &[
                &[("a", "x=1 y=1")],
                &[("a", "y=1")],
                &[("", "2999")],
                &[("", "1")],
            ],
            "apply x=1, apply y=1; keep y; nothing; prune x of a",
        ),
        (
            "written piece by piece",
            &[
                &[("a", "x=1 y=1")],
                &[("a", "x=1")],
                &[("", "2000")],
                &[("a", "x=1 y=1")],
                &[("", "9000")],
            ],
            "apply x=1, apply y=1; keep x; nothing; keep x, keep y; nothing",
        ),
        (
            "away for a while, and changed when it comes back elsewhere",
            &[
                &[("a", "x=1")],
                &[("a", "-")],
                &[("", "1000")],
                &[("b", "x=2")],
                &[("", "9000")],
            ],
            "apply x=1; nothing; nothing; apply x=2; nothing",
        ),
        (
            "its file removed",
            &[&[("a", "x=1"), ("b", "y=1")], &[("a", "-")], &[("", "3000")]],
            "apply x=1, apply y=1; nothing; prune x of a",
        ),
        (
            "broken, and mended",
            &[
                &[("a", "x=1 y=1")],
                &[("a", "!")],
                &[("", "9000")],
                &[("a", "x=2")],
                &[("", "3000")],
            ],
            "apply x=1, apply y=1; nothing; nothing; apply x=2; prune y of a",
        ),
        (
            "its file renamed",
            &[&[("a", "x=1")], &[("a", "-"), ("b", "x=1")]],
            "apply x=1; keep x",
        ),
        (
            "moved, and changed",
            &[&[("b", "x=1")], &[("a", "x=2"), ("b", "y=1")]],
            "apply x=1; apply x=2, apply y=1",
        ),
        (
            "in two files",
            &[&[("a", "x=1")], &[("b", "x=2")], &[("a", "y=1")]],
            "apply x=1; x is a's; apply y=1, apply x=2",
        ),
    ];
    for (what, states, expected) in table {
        assert_eq!(story(states), expected, "{what}");
    }
}

#[test]
fn what_came_from_a_broken_file_is_its_own_until_that_is_right() {
    let mut files = Files::begin(vec![item("b", "other=1")], &BTreeMap::new());
    files.hold_former(
        ["kept", "gone"]
            .map(|name| (item("a", &format!("{name}=1")).id, "a".into()))
            .into(),
    );
    assert!(files.holds(Path::new("a")) && !files.holds(Path::new("c")));
    let plan = files.look(
        [("a".into(), seen("a", "kept=1"))].into(),
        &BTreeSet::new(),
        Duration::ZERO,
    );
    let applied = plan.apply.iter().map(|step| &step.item.id.key.name);
    assert_eq!(applied.collect::<Vec<_>>(), ["kept"], "nobody knows what it was");
    let gone = files.look(BTreeMap::new(), &BTreeSet::new(), MISSING_FOR).prune;
    let gone: Vec<_> = gone
        .iter()
        .map(|(id, file)| (id.key.name.as_str(), file.as_str()))
        .collect();
    assert_eq!(gone, [("gone", "a")]);
}

#[test]
fn what_may_be_in_its_file_is_not_pruned() {
    let table: [(&str, &[State<'_>], &str); 6] = [
        (
            "cut off while it is written",
            &[
                &[("a", "x=1 y=1")],
                &[("a", "x=1")],
                &[("", "2000")],
                &[("a", "!")],
                &[("", "9000")],
                &[("a", "x=1")],
                &[("", "3000")],
            ],
            "apply x=1, apply y=1; keep x; nothing; nothing; nothing; keep x; prune y of a",
        ),
        (
            "away, and back with a mistake",
            &[
                &[("a", "x=1")],
                &[("a", "-")],
                &[("", "1000")],
                &[("a", "!")],
                &[("", "9000")],
                &[("a", "-")],
                &[("", "3000")],
            ],
            "apply x=1; nothing; nothing; nothing; nothing; nothing; prune x of a",
        ),
        (
            "another file broken",
            &[
                &[("a", "x=1"), ("b", "y=1")],
                &[("a", "-")],
                &[("b", "!")],
                &[("", "3000")],
            ],
            "apply x=1, apply y=1; nothing; nothing; prune x of a",
        ),
        (
            "being written",
            &[
                &[("a", "x=1 y=1")],
                &[("a", "x=1")],
                &[("", "2999")],
                &[("a", "~")],
                &[("", "2999")],
                &[("a", "~")],
                &[("", "2999")],
                &[("a", "x=1 y=1")],
                &[("", "9000")],
            ],
            "apply x=1, apply y=1; keep x; nothing; nothing; nothing; nothing; nothing; keep x, keep y; nothing",
        ),
        (
            "its folder away for a while",
            &[
                &[("d/a", "x=1")],
                &[("d/a", "-")],
                &[("", "2999")],
                &[("d", "~")],
                &[("", "2999")],
                &[("", "1")],
            ],
            "apply x=1; nothing; nothing; nothing; nothing; prune x of d/a",
        ),
        (
            "another folder away",
            &[
                &[("d/e/a", "x=1")],
                &[("d/e/a", "-")],
                &[("d", "~")],
                &[("", "2999")],
                &[("d", "~")],
                &[("", "1")],
            ],
            "apply x=1; nothing; nothing; nothing; nothing; prune x of d/e/a",
        ),
    ];
    for (what, states, expected) in table {
        assert_eq!(story(states), expected, "{what}");
    }
}

#[test]
fn what_could_not_be_pruned_is_pruned_later() {
    let table: [(&str, &[State<'_>], &str); 3] = [
        (
            "tried again, and told once",
            &[
                &[("a", "x=1")],
                &[("full", "")],
                &[("a", "-")],
                &[("", "3000")],
                &[("", "499")],
                &[("", "1")],
                &[("fits", "")],
                &[("", "1000")],
                &[("", "60000")],
            ],
            "apply x=1; nothing; prune x of a, tell full; nothing; prune x of a; prune x of a; nothing",
        ),
        (
            "never to be",
            &[
                &[("a", "x=1")],
                &[("forbidden", "")],
                &[("a", "-")],
                &[("", "3000")],
                &[("", "60000")],
            ],
            "apply x=1; nothing; prune x of a, tell forbidden; nothing",
        ),
        (
            "back meanwhile",
            &[
                &[("a", "x=1")],
                &[("full", "")],
                &[("a", "-")],
                &[("", "3000")],
                &[("fits", "")],
                &[("b", "x=1")],
                &[("", "60000")],
            ],
            "apply x=1; nothing; prune x of a, tell full; keep x; nothing",
        ),
    ];
    for (what, states, expected) in table {
        assert_eq!(story(states), expected, "{what}");
    }
}

#[test]
fn what_was_refused_is_not_held_as_applied() {
    let table: [(&str, &[State<'_>], &str); 6] = [
        (
            "saved again when it can be taken",
            &[
                &[("a", "x=1")],
                &[("invalid", "")],
                &[("a", "x=2")],
                &[("", "60000")],
                &[("a", "x=2")],
                &[("fits", "")],
                &[("a", "x=2")],
                &[("a", "x=2")],
            ],
            "apply x=1; apply x=2, tell invalid; nothing; apply x=2, tell invalid; apply x=2; keep x",
        ),
        (
            "put back to what it was",
            &[
                &[("a", "x=1")],
                &[("invalid", "")],
                &[("a", "x=2")],
                &[("fits", "")],
                &[("a", "x=1")],
            ],
            "apply x=1; apply x=2, tell invalid; keep x",
        ),
        (
            "tried again by itself, less and less often, and told once",
            &[
                &[("full", "")],
                &[("a", "x=1")],
                &[("", "499")],
                &[("", "1")],
                &[("", "999")],
                &[("", "1")],
                &[("a", "!")],
                &[("fits", "")],
                &[("", "60000")],
                &[("", "60000")],
            ],
            "apply x=1, tell full; nothing; apply x=1; nothing; apply x=1; nothing; apply x=1; nothing",
        ),
        (
            "written anew meanwhile, and refused in another way",
            &[
                &[("full", "")],
                &[("a", "x=1")],
                &[("a", "x=2")],
                &[("invalid", "")],
                &[("", "500")],
                &[("", "60000")],
            ],
            "apply x=1, tell full; apply x=2, tell full; apply x=2, tell invalid; nothing",
        ),
        (
            "nobody knows whether it was",
            &[
                &[("a", "x=1")],
                &[("full", "")],
                &[("a", "x=2")],
                &[("fits", "")],
                &[("a", "x=1")],
            ],
            "apply x=1; apply x=2, tell full; apply x=1",
        ),
        (
            "what could not be looked for is looked for again, and not written over",
            &[
                &[("a", "x=1")],
                &[("full", "")],
                &[("a", "x=1")],
                &[("fits", "")],
                &[("", "500")],
                &[("", "500")],
            ],
            "apply x=1; keep x, tell full; keep x; nothing",
        ),
    ];
    for (what, states, expected) in table {
        assert_eq!(story(states), expected, "{what}");
    }
}

#[test]
fn what_was_refused_at_the_start_is_not_held_either() {
    let refused =
        ["full", "invalid"].map(|name| (item("a", &format!("{name}=1")).id, refusal(name).unwrap()));
    let items = ["full=1", "invalid=1", "taken=1"].map(|text| item("a", text));
    let mut files = Files::begin(items.into(), &refused.into());
    let mut applied = |seen: BTreeMap<String, Seen>, now| {
        let steps = files.look(seen, &BTreeSet::new(), now).apply.into_iter();
        let steps = steps.filter(|step| !step.only_if_gone);
        steps.map(|step| step.item.id.key.name).collect::<Vec<_>>()
    };
    assert_eq!(applied(BTreeMap::new(), FIRST_WAIT), ["full"]);
    let saved = [("a".into(), seen("a", "full=1 invalid=1 taken=1"))];
    assert_eq!(applied(saved.into(), FIRST_WAIT), ["full", "invalid"]);
}
