//! Requests to a whole collection: list, watch, create, delete.

use axum::response::Response;
use http::StatusCode;
use serde_json::Value;

use super::body::Content;
use super::call::Call;
use super::form::Form;
use super::params::{Continue, ListQuery, revision};
use super::{ApiError, Endpoint, fields, item, list, meta, watch};
use crate::standalone::api::registry::{Deletion, Owners, Part, read};
use crate::standalone::api::selector::Selector;
use crate::standalone::api::together::each;
use crate::standalone::store::{Key, Page, Place, Range, Revision, Scope, StoreError};

/// What the parameters of a create are called when they are refused.
const CREATE_OPTIONS: &str = "CreateOptions";

/// `GET` of a collection.
pub(super) async fn list_or_watch(call: Call) -> Result<Response, ApiError> {
    let query: ListQuery = call.query()?;
    let request = Request::new(call, query)?;
    if request.query.watch {
        watch::stream(request).await
    } else {
        list(request).await
    }
}

/// A watch of a collection, by its older path.
pub(super) async fn watch_all(call: Call) -> Result<Response, ApiError> {
    let query = ListQuery {
        watch: true,
        ..call.query()?
    };
    watch::stream(Request::new(call, query)?).await
}

/// A watch of one object, by its older path.
pub(super) async fn watch_named(call: Call) -> Result<Response, ApiError> {
    let query = call.query()?;
    watch_one(call, query).await
}

/// A watch of one object: of the collection, with the name as the selector.
pub(super) async fn watch_one(call: Call, mut query: ListQuery) -> Result<Response, ApiError> {
    query.watch = true;
    query.field_selector = format!("metadata.name={}", call.target.name);
    watch::stream(Request::new(call, query)?).await
}

/// `POST` to a collection.
pub(super) async fn create(call: Call, content: Content) -> Result<Response, ApiError> {
    let (query, mode) = call.write(CREATE_OPTIONS)?;
    let endpoint = &call.endpoint;
    let mut object = content.object(endpoint)?;
    check_namespace(&call.target.namespace, meta::namespace(&object))?;
    let warnings = fields::settle(&call, &query, &content, &mut object, None)?;
    let created = endpoint
        .registry()
        .create(
            endpoint.resource,
            &call.target.namespace,
            object,
            mode,
            Owners::Author(&call.author(&query, Part::Main)),
        )
        .await?;
    let warnings = warnings.about(&call, &created, None)?;
    Ok(warnings.on(call.answer(StatusCode::CREATED, created)?))
}

/// `DELETE` of a collection: of every object that the selectors mean.
pub(super) async fn delete(call: Call, content: Content) -> Result<Response, ApiError> {
    let (deletion, mode) = item::deletion(&call, &content)?;
    let query = call.query()?;
    let request = Request::new(call, query)?;
    let (registry, resource) = (request.endpoint.registry(), request.endpoint.resource);
    let mut deleted = request.find(&Range::default()).await?;
    each(&deleted.objects, async |object| {
        let document = read(object)?;
        let key = Key {
            resource: resource.stored_as,
            place: place(&document),
        };
        // What was found, and not a namesake that was made since.
        let deletion = Deletion {
            uid: Some(meta::uid(&document).to_owned()),
            ..deletion.clone()
        };
        match registry.delete(resource, &key, &deletion, mode).await {
            // Somebody else deleted it first, which is just as well.
            Ok(_) | Err(ApiError::NotFound { .. } | ApiError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    })
    .await?;
    deleted.revision = registry.store().revision().await?;
    list::answer(&request, deleted)
}

/// `DELETE` of a collection of what can't be deleted: of none.
pub(super) async fn delete_none(call: Call) -> Result<Response, ApiError> {
    let query = call.query()?;
    let request = Request::new(call, query)?;
    let found = request.find(&Range::default()).await?;
    if !found.objects.is_empty() {
        let resource = request.endpoint.resource;
        return Err(ApiError::NotMadeHere { resource });
    }
    list::answer(&request, found)
}

/// Fails when an object says another namespace than the path.
pub(super) fn check_namespace(path: &str, object: &str) -> Result<(), ApiError> {
    if object.is_empty() || path.is_empty() || object == path {
        return Ok(());
    }
    Err(ApiError::bad_request(format!(
        "the namespace of the provided object does not match the namespace sent on the request: \
         the object says {object}, the path {path}"
    )))
}

/// A list or a watch: of what, and which of it.
pub(super) struct Request {
    pub(super) endpoint: Endpoint,
    pub(super) scope: Scope,
    pub(super) selector: Selector,
    pub(super) query: ListQuery,
    /// How the objects are shown.
    pub(super) form: Form,
}

impl Request {
    fn new(call: Call, query: ListQuery) -> Result<Self, ApiError> {
        query.check()?;
        let form = call.form()?;
        if query.watch {
            call.check_stream()?;
        }
        let (endpoint, namespace) = (call.endpoint, call.target.namespace);
        let resource = endpoint.resource;
        let selector = Selector::parse(resource, &query.label_selector, &query.field_selector)?;
        let scope = Scope {
            resource: resource.stored_as,
            namespace: Some(namespace).filter(|name| !name.is_empty()),
        };
        Ok(Self {
            endpoint,
            scope,
            selector,
            query,
            form,
        })
    }

    /// The objects that are meant, in the form of the resource; at most as many as the range's limit.
    pub(super) async fn find(&self, range: &Range) -> Result<Page, ApiError> {
        let mut range = range.clone();
        // What a selector passes over does not count, so how far a page reaches is seen only on the way.
        let limit = range.limit.take_if(|_| !self.selector.is_everything());
        let listed = self.endpoint.registry().store().list(&self.scope, range.clone());
        let mut page = listed.await.map_err(|error| too_old(error, &range))?;
        let mut objects = std::mem::take(&mut page.objects).into_iter();
        for (index, object) in objects.by_ref().enumerate() {
            if (index + 1) % list::AT_ONE_TIME == 0 {
                tokio::task::yield_now().await;
            }
            let object = self.endpoint.shown(object)?;
            if !self.selector.matches(&object)? {
                continue;
            }
            page.objects.push(object);
            if limit == Some(page.objects.len()) {
                break;
            }
        }
        if objects.len() > 0
            && let Some(last) = page.objects.last()
        {
            page.more_after = Some(place(&read(last)?));
        }
        Ok(page)
    }
}

async fn list(request: Request) -> Result<Response, ApiError> {
    let page = request.find(&range(&request.query)?).await?;
    let asked = revision(&request.query.resource_version)?.unwrap_or_default();
    if page.revision < asked {
        return Err(ApiError::TooLargeResourceVersion {
            asked: asked.0,
            newest: page.revision.0,
        });
    }
    list::answer(&request, page)
}

/// Which part of the list, at which revision ("Semantics for get and list").
fn range(query: &ListQuery) -> Result<Range, ApiError> {
    let limit = query
        .limit
        .filter(|limit| *limit > 0)
        .map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
    if let Some(Continue { at, after }) = Continue::parse(&query.continue_token)? {
        if !["", "0"].contains(&query.resource_version.as_str()) {
            return Err(ApiError::bad_request(
                "specifying resource version is not allowed when using continue",
            ));
        }
        return Ok(Range {
            after: Some(after),
            limit,
            at: Some(at).filter(|at| *at != Continue::NOW),
        });
    }
    let asked = revision(&query.resource_version)?;
    let at = match (asked, query.resource_version_match.as_str()) {
        (None | Some(Revision(0)), _) | (Some(_), "NotOlderThan") => None,
        (Some(revision), "Exact") => Some(revision),
        // Without a rule, pages are of the revision itself and whole lists are not older than it.
        (Some(revision), _) => limit.is_some().then_some(revision),
    };
    Ok(Range {
        after: None::<Place>,
        limit,
        at,
    })
}

/// Where an object is kept.
fn place(document: &Value) -> Place {
    Place {
        namespace: meta::namespace(document).to_owned(),
        name: meta::name(document).to_owned(),
    }
}

/// What a store's refusal means for a list.
fn too_old(error: StoreError, range: &Range) -> ApiError {
    match error {
        StoreError::Expired { .. } => match &range.after {
            Some(after) => {
                let rest = Continue {
                    at: Continue::NOW,
                    after: after.clone(),
                };
                ApiError::Expired {
                    message: "The provided continue parameter is too old to display a consistent list result. You can \
                              start a new list without the continue parameter, or use the continue token in this response \
                              to retrieve the remainder of the results. Continuing with the provided token results in an \
                              inconsistent list - objects that were created, modified, or deleted between the time the \
                              first chunk was returned and now may show up in the list."
                        .to_owned(),
                    goes_on: Some(rest.token()),
                }
            }
            None => ApiError::Expired {
                message: "The resourceVersion for the provided list is too old.".to_owned(),
                goes_on: None,
            },
        },
        StoreError::Ahead { newest } => ApiError::TooLargeResourceVersion {
            asked: range.at.unwrap_or_default().0,
            newest: newest.0,
        },
        source => ApiError::Internal { source },
    }
}
