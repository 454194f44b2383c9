//! Namespaces that go, and others that are made under their names.

use serde_json::json;

use super::{
    Collector, Deletion, Key, Mode, Moment, NAMESPACES, PODS, Propagation, Registry, Scene, Store as _,
    let_go, make_map, make_namespace, make_pod, map, read, set, touch,
};

fn shop() -> Key {
    Key::new(NAMESPACES.stored_as, "", "shop")
}

async fn delete_shop(registry: &Registry) {
    let deletion = Deletion::default();
    let deleted = registry.delete(NAMESPACES, &shop(), &deletion, Mode::Real).await;
    deleted.expect("it is there");
}

/// The namespace goes, whatever is in it, and another is made that has a config map of the same name.
async fn make_anew(registry: &Registry) {
    set(registry, &shop(), &["spec", "finalizers"], json!([])).await;
    make_namespace(registry).await;
    make_map(registry, "goods", &[]).await;
}

#[tokio::test]
async fn what_is_late_in_a_namespace_goes_with_it() {
    let mut scene = Scene::begin().await;
    make_map(&scene.registry, "goods", &[]).await;
    delete_shop(&scene.registry).await;
    touch(&scene.registry, "goods").await;
    assert_eq!(scene.settle().await, ["goods", "shop"]);
}

/// They may use it until they end.
#[tokio::test]
async fn pods_go_before_all_else_in_their_namespace() {
    let mut scene = Scene::begin().await;
    make_map(&scene.registry, "goods", &[]).await;
    for name in ["one", "two"] {
        make_pod(&scene.registry, name).await;
    }
    let pod = |name: &str| Key::new(PODS.stored_as, "shop", name);
    delete_shop(&scene.registry).await;
    assert!(scene.settle().await.is_empty());
    touch(&scene.registry, "goods").await;
    let_go(&scene.registry, &pod("one")).await;
    assert_eq!(scene.settle().await, ["one"]);
    let mut anew = Collector::new(scene.registry.clone());
    anew.begin().await.expect("a list of everything");
    assert!(scene.settle().await.is_empty(), "also to one that begins then");
    let_go(&scene.registry, &pod("two")).await;
    assert_eq!(scene.settle().await, ["two", "goods", "shop"]);
}

/// Or it would be in the next one of its name.
#[tokio::test]
async fn what_is_in_a_namespace_that_somebody_lets_go_goes_at_once() {
    let mut scene = Scene::begin().await;
    scene.make_map("goods", &[]).await;
    make_pod(&scene.registry, "one").await;
    delete_shop(&scene.registry).await;
    assert!(scene.settle().await.is_empty());
    set(&scene.registry, &shop(), &["spec", "finalizers"], json!([])).await;
    assert_eq!(scene.settle().await, ["shop", "goods"]);
    let one = Key::new(PODS.stored_as, "shop", "one");
    let_go(&scene.registry, &one).await;
    assert_eq!(scene.settle().await, ["one"]);
}

/// It goes at once when it is deleted.
#[tokio::test]
async fn what_is_in_a_namespace_that_somebody_has_let_go_before_goes_with_it() {
    let mut scene = Scene::begin().await;
    scene.make_map("goods", &[]).await;
    set(&scene.registry, &shop(), &["spec", "finalizers"], json!([])).await;
    assert!(scene.settle().await.is_empty());
    delete_shop(&scene.registry).await;
    assert_eq!(scene.settle().await, ["shop", "goods"]);
}

/// Its namespace was looked for before the namespace went, and it was written after that.
#[tokio::test]
async fn what_is_later_than_its_namespace_goes() {
    let mut scene = Scene::begin().await;
    scene.make_map("goods", &[]).await;
    let document = scene.find("goods").await.expect("a document");
    delete_shop(&scene.registry).await;
    assert_eq!(scene.settle().await, ["goods", "shop"]);
    scene
        .store
        .create(&map("goods"), document)
        .await
        .expect("it is late");
    assert_eq!(scene.settle().await, ["goods"]);
}

/// What the collector has heard was of the former.
#[tokio::test]
async fn what_is_in_a_namespace_that_was_made_anew_stays() {
    let mut scene = Scene::begin().await;
    scene.make_map("goods", &[]).await;
    delete_shop(&scene.registry).await;
    touch(&scene.registry, "goods").await;
    scene.hear().await;
    scene.delete("goods", Propagation::Background).await;
    make_anew(&scene.registry).await;
    scene.act().await;
    assert!(scene.find("goods").await.is_some(), "at once");
    scene.settle().await;
    assert!(scene.find("goods").await.is_some(), "in the end");
}

/// It is made anew while the former is emptied.
#[tokio::test]
async fn a_namespace_is_emptied_of_its_own_contents() {
    let mut scene = Scene::begin().await;
    delete_shop(&scene.registry).await;
    let list = Moment::BeforeListOf(map("").resource);
    scene.meddle(list, async |registry| make_anew(&registry).await);
    scene.settle().await;
    assert!(scene.find("goods").await.is_some());
}

/// It is made anew, and deleted, when nothing was found in the former.
#[tokio::test]
async fn a_namespace_is_let_go_when_its_own_contents_have_gone() {
    let mut scene = Scene::begin().await;
    scene.make_map("goods", &[]).await;
    let hold = json!(["example.com/hold"]);
    set(&scene.registry, &map("goods"), &["metadata", "finalizers"], hold).await;
    delete_shop(&scene.registry).await;
    scene.settle().await;
    set(
        &scene.registry,
        &map("goods"),
        &["metadata", "finalizers"],
        json!([]),
    )
    .await;
    scene.hear().await;
    let last = Moment::BeforeListOf("leases.coordination.k8s.io");
    scene.meddle(last, async |registry| {
        make_anew(&registry).await;
        delete_shop(&registry).await;
    });
    scene.act().await;
    assert!(scene.registry.get(NAMESPACES, "", "shop").await.is_ok());
    assert_eq!(scene.settle().await, ["shop", "goods", "shop"]);
}

/// What was told is heard of, too, and is nothing new.
#[tokio::test]
async fn a_namespace_tells_what_it_waits_for_whenever_that_changes() {
    let mut scene = Scene::begin().await;
    let finalizers = ["metadata", "finalizers"];
    for name in ["one", "two"] {
        scene.make_map(name, &[]).await;
        set(
            &scene.registry,
            &map(name),
            &finalizers,
            json!(["example.com/hold"]),
        )
        .await;
    }
    scene.settle().await;
    scene.collector.tell().await.expect("the store goes on");
    assert!(scene.news().await.is_empty(), "it does not go");
    delete_shop(&scene.registry).await;
    for (left, last) in [(2, "two"), (1, "one")] {
        scene.settle().await;
        scene.collector.tell().await.expect("the store goes on");
        let shop = scene.registry.get(NAMESPACES, "", "shop").await;
        let shop = read(&shop.expect("it waits")).expect("JSON");
        let conditions = shop["status"]["conditions"].as_array().expect("conditions");
        assert_eq!(shop["status"]["phase"], "Terminating");
        let told = format!(
            "Some content in the namespace has finalizers remaining: example.com/hold in {left} resource instances"
        );
        assert!(
            conditions.iter().any(|condition| condition["message"] == told),
            "{conditions:?}"
        );
        scene.settle().await;
        scene.collector.tell().await.expect("the store goes on");
        assert!(scene.news().await.is_empty(), "it has told so");
        set(&scene.registry, &map(last), &finalizers, json!([])).await;
    }
    assert_eq!(scene.settle().await, ["one", "shop"]);
    scene.collector.tell().await.expect("the store goes on");
}
