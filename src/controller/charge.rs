//! Which CronJobs a controller is in charge of, and so what it watches.

use std::fmt;

use crate::cronjob::CalendarPlaces;
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
    /// Where calendars are looked for.
    pub calendars: CalendarPlaces,
    /// The namespace whose calendars are for everybody: the controller's own.
    pub calendars_in: Option<String>,
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

/// As a person says where it is.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_deref().unwrap_or("any namespace"))
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

    /// The watches that are needed of calendars: those of the CronJobs, and of the namespace that is for everybody.
    pub fn calendar_scopes(&self) -> Vec<Scope> {
        let shared = self.calendars_in.clone().map(|namespace| Scope(Some(namespace)));
        let mut scopes = match self.calendars {
            CalendarPlaces::Nowhere => return vec![],
            CalendarPlaces::Shared => return shared.into_iter().collect(),
            CalendarPlaces::All => self.scopes(),
        };
        if scopes != [Scope::CLUSTER] {
            scopes.extend(shared);
            scopes.sort();
            scopes.dedup();
        }
        scopes
    }
}

/// As a person says it: `all CronJobs in a, b with tier=batch`.
impl fmt::Display for Charge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.adoption {
            Adoption::All => "all CronJobs",
            Adoption::OptedIn => "the CronJobs handed over",
        })?;
        if !self.namespaces.is_empty() {
            write!(f, " in {}", self.namespaces.join(", "))?;
        }
        match &self.selector {
            Some(selector) => write!(f, " with {selector}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charge_reads_as_a_person_says_it() {
        assert_eq!(Charge::default().to_string(), "all CronJobs");
        let narrow = Charge {
            adoption: Adoption::OptedIn,
            namespaces: vec!["a".into(), "b".into()],
            selector: Some("tier=batch".into()),
            ..Charge::default()
        };
        assert_eq!(
            narrow.to_string(),
            "the CronJobs handed over in a, b with tier=batch"
        );
    }

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
