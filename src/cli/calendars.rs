//! The calendars that CronJobs can name (`punctual.dev/exclude`), for commands that look ahead.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::ListParams;
use kube::{Api, Client};

use crate::cli::chosen::{in_namespace, list};
use crate::cronjob::extension::CALENDAR_LABEL;
use crate::cronjob::{CalendarPlaces, Calendars};
use crate::manifest::{CronJob, Loaded, read_calendar};

/// The arguments that say where to look for calendars.
#[derive(Debug, clap::Args)]
pub(super) struct CalendarArgs {
    /// The namespace whose calendars are for everybody, as the controller's is
    #[arg(long, value_name = "NAMESPACE", default_value = "punctual-system")]
    calendars_in: String,
}

/// The calendars of this machine's `punctual up`, wherever they are.
pub(super) async fn of_machine(client: &Client) -> Calendars {
    of_scopes(client, Calendars::default(), &[None]).await
}

impl CalendarArgs {
    /// The calendars among some manifests.
    pub(super) fn among(&self, loaded: &Loaded) -> Calendars {
        loaded.calendars(&self.calendars_in)
    }

    /// The calendars that some CronJobs of a cluster may name. Not everybody may list them, and hardly anybody has to: nothing
    /// is asked for where none is named.
    pub(super) async fn named_by(
        &self,
        cronjobs: &[CronJob],
        client: &Client,
        namespace: Option<&str>,
    ) -> Calendars {
        let names_some = |object: &CronJob| !object.extensions().0.policies.calendars.is_empty();
        if cronjobs.iter().any(names_some) {
            self.of_cluster(client, namespace).await
        } else {
            Calendars::default()
        }
    }

    /// The calendars of a cluster: of one namespace or of all, and those for everybody. Where they can't be listed, whoever
    /// names one of them is told so.
    async fn of_cluster(&self, client: &Client, namespace: Option<&str>) -> Calendars {
        let calendars = Calendars::new(CalendarPlaces::All, Some(self.calendars_in.clone()));
        let shared = namespace.map(|_| self.calendars_in.as_str());
        let mut scopes = vec![namespace];
        scopes.extend(shared.filter(|shared| namespace != Some(shared)).map(Some));
        of_scopes(client, calendars, &scopes).await
    }
}

async fn of_scopes(client: &Client, mut calendars: Calendars, scopes: &[Option<&str>]) -> Calendars {
    for scope in scopes {
        let objects: Api<ConfigMap> = in_namespace(client, *scope);
        let labelled = ListParams::default().labels(&format!("{CALENDAR_LABEL}=true"));
        match list(&objects, labelled, "calendars").await {
            Ok(found) => found.iter().for_each(|object| {
                read_calendar(&mut calendars, object);
            }),
            Err(failure) => {
                calendars.close(scope.map(str::to_owned), failure.message);
            }
        }
    }
    calendars
}
