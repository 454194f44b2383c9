//! HTTP: which path and method leads to which handler.
//!
//! The routes are made from the [table of resources](super::resource), so that a row there is all it takes to serve one.
//!
//! | file | requests |
//! |---|---|
//! | `collection`, `list`, `watch` | to a whole collection |
//! | `item` | to one object |
//! | `log`, `eviction`, `attach` | to a pod's subresources |
//! | `reviews` | to what is answered and not kept |
//! | `discovery`, `openapi` | for what is served, and what it is made of |
//!
//! | file | what they share |
//! |---|---|
//! | `call`, `params` | a request: of which resource, where, and with which parameters |
//! | `body`, `fields`, `repeated` | what it brings, and fields in it that should not be there |
//! | `accept`, `form` | in which form it is answered |

mod accept;
mod attach;
mod body;
mod call;
mod collection;
mod discovery;
mod eviction;
mod fields;
mod form;
mod item;
mod list;
mod log;
mod openapi;
mod params;
mod repeated;
mod reviews;
mod watch;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get, post, put};
use http::{Method, Uri};
use tower::util::MapRequest;

use accept::{Accepted, Notation};

use super::absent::ABSENTEES;
use super::error::{ApiError, JSON};
use super::registry::Registry;
use super::resource::{RESOURCES, Resource};
use super::{Api, meta};
use crate::standalone::store::Object;

/// What a handler works on: one resource of one API.
#[derive(Debug, Clone)]
struct Endpoint {
    api: Api,
    resource: &'static Resource,
}

impl Endpoint {
    fn registry(&self) -> &Registry {
        &self.api.registry
    }

    /// An object in the form of this resource.
    fn shown(&self, object: Object) -> Result<Object, ApiError> {
        if self.resource.strategy.is_stored_form() {
            return Ok(object);
        }
        let shown = self.resource.strategy.shown(super::registry::read(&object)?);
        Ok(Object::stamp(shown, object.revision())?)
    }
}

/// The whole API.
pub(super) fn router(api: &Api) -> Router {
    let mut router = discovery::routes()
        .merge(openapi::routes())
        .merge(reviews::routes());
    for resource in RESOURCES.iter().chain(ABSENTEES) {
        router = router.merge(routes(Endpoint {
            api: api.clone(),
            resource,
        }));
    }
    let router = router
        .fallback(|| async { ApiError::NoSuchPath })
        .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
        .layer(from_fn(without_head))
        .layer(from_fn(as_accepted));
    // Paths are changed before they are looked up, so around the router.
    Router::new().fallback_service(MapRequest::new(router, without_slash))
}

/// The request without a slash at the end of its path, which means nothing.
fn without_slash(mut request: Request) -> Request {
    let path = request.uri().path();
    let kept = path.trim_end_matches('/');
    if kept.len() == path.len() || kept.is_empty() {
        return request;
    }
    let asked = request
        .uri()
        .query()
        .map_or_else(|| kept.to_owned(), |query| format!("{kept}?{query}"));
    let mut parts = request.uri().clone().into_parts();
    // A part of a path is a path.
    parts.path_and_query = asked.parse().ok();
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
    request
}

/// Answers in the notation that the client accepts.
async fn as_accepted(request: Request, next: Next) -> Response {
    let accepted = Accepted::of(request.headers());
    let response = next.run(request).await;
    match accepted.map(|accepted| accepted.notation) {
        Ok(Notation::Yaml) => body::as_yaml(response).await,
        // Who accepts nothing that is given hears so in JSON.
        Ok(Notation::Json) | Err(_) => response,
    }
}

/// Of the API nobody can have the header alone, which is all that `HEAD` asks for.
async fn without_head(request: Request, next: Next) -> Response {
    if request.method() == Method::HEAD && request.uri().path().starts_with("/api") {
        return ApiError::MethodNotAllowed.into_response();
    }
    next.run(request).await
}

/// The routes of one resource.
fn routes(endpoint: Endpoint) -> Router {
    let (root, plural) = (endpoint.resource.root(), endpoint.resource.plural);
    // Watches had paths of their own before they were lists that go on.
    let watched = |path: &str| path.replacen(&root, &format!("{root}/watch"), 1);
    let everywhere = format!("{root}/{plural}");
    let collection = if endpoint.resource.namespaced {
        format!("{root}/namespaces/{{namespace}}/{plural}")
    } else {
        everywhere.clone()
    };
    let item = format!("{collection}/{{name}}");
    let mut of_collection: MethodRouter<Endpoint> = get(collection::list_or_watch);
    let mut of_item: MethodRouter<Endpoint> = get(item::read);
    if endpoint.resource.is_writable() {
        of_collection = of_collection.post(collection::create);
        of_item = of_item.put(item::replace).patch(item::patch).delete(item::delete);
    } else {
        let resource = endpoint.resource;
        let refuse = move || async move { ApiError::NotMadeHere { resource } };
        of_collection = of_collection.delete(collection::delete_none).fallback(refuse);
        of_item = of_item
            .put(item::refuse_change)
            .patch(item::refuse_patch)
            .delete(item::delete_own)
            .fallback(refuse);
    }
    if endpoint.resource.verbs.contains(&"deletecollection") {
        of_collection = of_collection.delete(collection::delete);
    }
    let mut router = Router::new().route(&collection, of_collection);
    if endpoint.resource.namespaced {
        router = router
            .route(&everywhere, get(collection::list_or_watch))
            .route(&watched(&everywhere), get(collection::watch_all));
    }
    if endpoint.resource.verbs.contains(&"watch") {
        router = router
            .route(&watched(&collection), get(collection::watch_all))
            .route(&watched(&item), get(collection::watch_named));
    }
    if endpoint.resource.has_status {
        let of_status = get(item::read)
            .put(item::replace_status)
            .patch(item::patch_status);
        router = router.route(&format!("{item}/status"), of_status);
    }
    if endpoint.resource.has_log {
        router = router
            .route(&format!("{item}/log"), get(log::read))
            .route(&format!("{item}/eviction"), post(eviction::evict))
            .route(
                &format!("{item}/attach"),
                get(attach::refuse).post(attach::refuse),
            )
            .route(
                &format!("{item}/exec"),
                get(attach::refuse_exec).post(attach::refuse_exec),
            )
            .route(
                &format!("{item}/portforward"),
                get(attach::refuse_forwarding).post(attach::refuse_forwarding),
            );
    }
    if endpoint.resource.has_finalize() {
        router = router.route(&format!("{item}/finalize"), put(item::finalize));
    }
    if endpoint.resource.kind == "ServiceAccount" {
        router = router.route(&format!("{item}/token"), post(reviews::refuse_token));
    }
    router.route(&item, of_item).with_state(endpoint)
}
