//! Which CronJobs a controller is in charge of, and so what it watches.

use crate::manifest::Adoption;

/// What a controller is in charge of. The default is everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Charge {
    /// All CronJobs, or those that are handed over.
    pub adoption: Adoption,
    /// The CronJobs of these namespaces; none means of all.
    pub namespaces: Vec<String>,
    /// The CronJobs whose labels match this selector. Their Jobs need not match it.
    pub selector: Option<String>,
}

/// What one watch covers: a namespace, or with `None` the whole cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(pub Option<String>);

impl Scope {
    /// The whole cluster.
    pub const CLUSTER: Scope = Scope(None);

    /// Whether objects of `namespace` are watched here.
    pub fn covers(&self, namespace: &str) -> bool {
        self.0.as_deref().is_none_or(|ours| ours == namespace)
    }
}

impl Charge {
    /// The watches that are needed, of each kind. A namespace that is named twice is watched once.
    pub fn scopes(&self) -> Vec<Scope> {
        if self.namespaces.is_empty() {
            return vec![Scope::CLUSTER];
        }
        let mut scopes: Vec<Scope> = self.namespaces.iter().cloned().map(Some).map(Scope).collect();
        scopes.sort();
        scopes.dedup();
        scopes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_namespace_is_watched_once_and_without_any_the_cluster_is() {
        let scopes = |namespaces: &[&str]| {
            let namespaces = namespaces.iter().map(|&name| name.to_owned()).collect();
            Charge {
                namespaces,
                ..Charge::default()
            }
            .scopes()
        };
        assert_eq!(scopes(&[]), [Scope::CLUSTER]);
        assert_eq!(
            scopes(&["b", "a", "b"]),
            [Scope(Some("a".into())), Scope(Some("b".into()))]
        );
        assert!(
            Scope::CLUSTER.covers("a") && scopes(&["a"])[0].covers("a") && !scopes(&["a"])[0].covers("b")
        );
    }
}
