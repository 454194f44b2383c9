//! Where the fields of a kind are: every name, and the mappings that have a field of it.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use crate::manifest::schema::Schema;

/// What stands in a route for "any item of the list".
pub(super) const ITEM: &str = "[]";

/// Deeper than this no field is: the schema of what is looked into has no cycles, and this keeps it so.
const DEPTH_MAX: usize = 24;

/// What nobody writes: it is filled in by the server.
const NOT_WRITTEN: [&str; 2] = ["status", "managedFields"];

/// The way from a kind's root to a mapping: the names of fields, and [`ITEM`].
pub(super) type Route = Vec<&'static str>;

/// A field of a kind.
#[derive(Debug, Clone)]
pub(super) struct Home {
    /// The mapping that has the field.
    pub route: Route,
    /// The type of the field.
    pub schema: Schema,
}

/// All fields of a kind, by name.
pub(super) type Homes = HashMap<&'static str, Vec<Home>>;

static KNOWN: LazyLock<Mutex<HashMap<&'static str, Arc<Homes>>>> = LazyLock::new(Mutex::default);

/// The fields of a kind. They are looked up once for each kind, of which there is a handful.
pub(super) fn homes(root: Schema) -> Arc<Homes> {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let of_this_kind = known.entry(root.name().unwrap_or_default()).or_insert_with(|| {
        let mut homes = Homes::new();
        collect(root, &mut Route::new(), &mut homes);
        Arc::new(homes)
    });
    Arc::clone(of_this_kind)
}

fn collect(schema: Schema, route: &mut Route, homes: &mut Homes) {
    if route.len() > DEPTH_MAX {
        return;
    }
    for (name, field) in schema.fields() {
        if NOT_WRITTEN.contains(&name) {
            continue;
        }
        let home = Home {
            route: route.clone(),
            schema: field,
        };
        homes.entry(name).or_default().push(home);
        route.push(name);
        if field.is_list() {
            route.push(ITEM);
            collect(field.items(), route, homes);
            route.pop();
        } else {
            collect(field, route, homes);
        }
        route.pop();
    }
}
