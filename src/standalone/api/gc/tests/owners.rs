//! Owners and dependents.

use serde_json::json;

use super::{Moment, Propagation, Scene, map, meta, owner_references, set, touch};

/// Three generations are made and the first is deleted before the collector has heard of any of them. It looks at the
/// second when it does not know the third yet, and finds that the first waits already.
#[tokio::test]
async fn who_is_heard_of_late_waits_for_dependents_that_are_heard_of_later() {
    let mut scene = Scene::begin().await;
    let first = scene.make_map("first", &[]).await;
    let second = scene.make_map("second", &[("first", &first)]).await;
    scene.make_map("third", &[("second", &second)]).await;
    scene.delete("first", Propagation::Foreground).await;
    assert_eq!(scene.settle().await, ["third", "second", "first"]);
}

/// The owner loses its finalizer to somebody else, and is made and deleted anew, before the collector lets it go.
#[tokio::test]
async fn an_owner_that_was_made_anew_is_not_let_go_in_place_of_the_former() {
    for (propagation, left) in [(Propagation::Orphan, true), (Propagation::Foreground, false)] {
        let mut scene = Scene::begin().await;
        scene.make_map("owner", &[]).await;
        scene.delete("owner", propagation).await;
        scene.hear().await;
        set(
            &scene.registry,
            &map("owner"),
            &["metadata", "finalizers"],
            json!([]),
        )
        .await;
        let anew = scene.make_map("owner", &[]).await;
        scene.make_map("dependent", &[("owner", &anew)]).await;
        scene.delete("owner", propagation).await;
        scene.act().await;
        let kept = scene.find("owner").await;
        assert!(kept.is_some(), "{propagation:?}: it waits for its own dependent");
        scene.settle().await;
        assert!(scene.find("owner").await.is_none(), "{propagation:?}");
        assert_eq!(scene.find("dependent").await.is_some(), left, "{propagation:?}");
    }
}

/// Somebody takes what is left of the owner's references away, and keeps the dependent.
#[tokio::test]
async fn what_is_no_longer_owned_is_not_collected() {
    let mut scene = Scene::begin().await;
    let owner = scene.make_map("owner", &[]).await;
    scene.make_map("dependent", &[("owner", &owner)]).await;
    scene.delete("owner", Propagation::Background).await;
    scene.meddle(Moment::BeforeDelete, async |registry| {
        set(
            &registry,
            &map("dependent"),
            &["metadata", "ownerReferences"],
            json!([]),
        )
        .await;
    });
    scene.settle().await;
    assert!(scene.find("dependent").await.is_some());
}

/// As long as it is written to meanwhile, it is looked at again.
#[tokio::test]
async fn what_is_written_to_is_collected_all_the_same() {
    let mut scene = Scene::begin().await;
    let owner = scene.make_map("owner", &[]).await;
    scene.make_map("dependent", &[("owner", &owner)]).await;
    scene.delete("owner", Propagation::Background).await;
    scene.meddle(Moment::BeforeDelete, async |registry| {
        touch(&registry, "dependent").await;
    });
    scene.settle().await;
    assert!(scene.find("dependent").await.is_none());
}

/// So many own each other in a circle, of which the first is deleted, or all are: each would wait for the other.
#[tokio::test]
async fn a_circle_of_owners_goes() {
    for (length, all) in [(1, false), (2, false), (2, true), (3, false), (3, true)] {
        let mut scene = Scene::begin().await;
        let names = &["first", "second", "third"][..length];
        let mut owners = Vec::new();
        for name in names {
            let uid = scene.make_map(name, &owners_before(&owners)).await;
            owners.push((*name, uid));
        }
        let last = owner_references(&owners_before(&owners));
        set(
            &scene.registry,
            &map("first"),
            &["metadata", "ownerReferences"],
            last,
        )
        .await;
        for name in names.iter().take(if all { length } else { 1 }) {
            scene.delete(name, Propagation::Foreground).await;
        }
        let mut gone = scene.settle().await;
        gone.sort_unstable();
        assert_eq!(gone, names, "all: {all}");
    }
}

/// One that the circle does not wait for waits for one of the circle, which somebody else holds.
#[tokio::test]
async fn who_is_not_in_the_circle_waits_for_who_is() {
    let mut scene = Scene::begin().await;
    let outside = scene.make_map("outside", &[]).await;
    let first = scene.make_map("first", &[]).await;
    let second = scene
        .make_map("second", &[("outside", &outside), ("first", &first)])
        .await;
    let last = owner_references(&[("second", &second)]);
    let hold = json!(["example.com/hold"]);
    for (name, field, value) in [("first", "ownerReferences", last), ("second", "finalizers", hold)] {
        set(&scene.registry, &map(name), &["metadata", field], value).await;
    }
    for name in ["outside", "first"] {
        scene.delete(name, Propagation::Foreground).await;
    }
    scene.hear().await;
    assert_eq!(scene.settle().await, ["first"]);
    set(
        &scene.registry,
        &map("second"),
        &["metadata", "finalizers"],
        json!([]),
    )
    .await;
    assert_eq!(scene.settle().await, ["second", "outside"]);
}

/// One owner does not wait for it, and is let go at once. Until that has gone it is no owner to stay with.
#[tokio::test]
async fn who_waits_does_so_whatever_becomes_of_other_owners() {
    let mut scene = Scene::begin().await;
    let (patient, hasty) = (
        scene.make_map("patient", &[]).await,
        scene.make_map("hasty", &[]).await,
    );
    scene.make_map("dependent", &[]).await;
    let mut owners = owner_references(&[("patient", &patient), ("hasty", &hasty)]);
    owners[1]["blockOwnerDeletion"] = false.into();
    let hold = json!(["example.com/hold"]);
    for (field, value) in [("ownerReferences", owners), ("finalizers", hold)] {
        set(&scene.registry, &map("dependent"), &["metadata", field], value).await;
    }
    for name in ["patient", "hasty"] {
        scene.delete(name, Propagation::Foreground).await;
    }
    scene.hear().await;
    assert_eq!(scene.settle().await, ["hasty"]);
    assert!(scene.find("patient").await.is_some());
    let finalizers = ["metadata", "finalizers"];
    set(&scene.registry, &map("dependent"), &finalizers, json!([])).await;
    assert_eq!(scene.settle().await, ["dependent", "patient"]);
}

/// The last that was made, as the owner of the next.
fn owners_before<'a>(made: &'a [(&str, String)]) -> Vec<(&'a str, &'a str)> {
    made.last()
        .map(|(name, uid)| (*name, uid.as_str()))
        .into_iter()
        .collect()
}

/// Or the writes would be in each other's way.
#[tokio::test]
async fn a_dependent_forgets_all_its_owners_at_once() {
    let mut scene = Scene::begin().await;
    let first = scene.make_map("first", &[]).await;
    let second = scene.make_map("second", &[]).await;
    scene
        .make_map("dependent", &[("first", &first), ("second", &second)])
        .await;
    for owner in ["first", "second"] {
        scene.delete(owner, Propagation::Orphan).await;
    }
    scene.hear().await;
    scene.act().await;
    assert_eq!(scene.news().await.len(), 3, "each of the three is written once");
    let dependent = scene.find("dependent").await.expect("it stays");
    assert_eq!(meta::get(&dependent, "ownerReferences"), None);
}
