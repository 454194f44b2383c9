//! What each command does.

use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::ApiResource;
use punctual::clock::Clock;
use punctual::controller::Pace;
use punctual::cronjob::{Key, Outcome};
use serde_json::{Value, json};

use super::{World, objects};
use crate::language::{Apply, Command, JobKind, Which, name};

/// What one namespace may have of the pace while others wait; the default of `punctual controller`.
const NAMESPACE_SHARE: f64 = 0.5;

impl World {
    /// Does what a command says, and lets everybody react to it.
    pub(crate) async fn perform(&mut self, command: &Command) {
        self.wire.transcript.line(&format!("> {command}"));
        match command {
            Command::At(instant) => self.pass_until(*instant).await,
            Command::Tick(by) => self.pass_until(self.clock.now() + *by).await,
            Command::StepClock(by) => self.clock.step(*by),
            Command::Stop => self.wire.kill_controller(),
            Command::Restart => self.start_controller(),
            Command::Pace(starts) => {
                self.pace = Pace::new((*starts).into(), NAMESPACE_SHARE);
                self.start_controller();
            }
            Command::Fault(fault) => self.wire.arm(fault.clone()),
            Command::DelayWatch { of, by } => self.wire.delay_watch(*of, by.to_std().unwrap_or_default()),
            Command::CutWatch { of, how } => self.wire.cut_watch(*of, *how),
            Command::Hush => self.wire.transcript.hush(),
            Command::Summarise => self.wire.transcript.summarise(),
            Command::AutoFinish {
                cronjob,
                after,
                outcome,
            } => {
                let after = after.to_std().unwrap_or_default();
                self.wire.endings.set(cronjob.clone(), after, *outcome);
            }
            Command::ShowStatus(cronjob) => self.show_status(cronjob).await,
            Command::ShowJobs => self.show_jobs().await,
            Command::WriteEvents => self.write_events(),
            Command::ShowEvents => self.show_events().await,
            _ => self.change(command).await,
        }
        self.settle().await;
    }

    /// The commands that change objects.
    async fn change(&mut self, command: &Command) {
        let client = &self.client;
        match command {
            Command::Apply(apply) => self.apply(apply).await,
            Command::Edit(cronjob) => self.edit(cronjob).await,
            Command::Malform(cronjob) | Command::Heal(cronjob) => {
                let malformed = matches!(command, Command::Malform(_));
                self.wire.watches.malform(cronjob, malformed);
                self.edit(cronjob).await;
            }
            Command::Release(cronjob) => {
                let patch = Patch::Merge(json!({ "metadata": { "finalizers": null } }));
                let cronjobs = objects::cronjobs(client, &cronjob.namespace);
                let released = cronjobs
                    .patch(&cronjob.name, &PatchParams::default(), &patch)
                    .await;
                self.complain(released);
            }
            Command::DeleteCronJob(key) => {
                let cronjobs = objects::cronjobs(client, &key.namespace);
                self.complain(cronjobs.delete(&key.name, &DeleteParams::default()).await);
            }
            Command::DeleteJob(key) => {
                let jobs = objects::jobs(client, &key.namespace);
                self.complain(jobs.delete(&key.name, &DeleteParams::background()).await);
            }
            Command::DeleteNamespace(namespace) => {
                let namespaces = Api::<Namespace>::all(client.clone());
                self.complain(namespaces.delete(namespace, &DeleteParams::default()).await);
            }
            Command::CreateNamespace(namespace) => {
                let object =
                    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } });
                self.create(
                    &Api::all_with(client.clone(), &ApiResource::erase::<Namespace>(&())),
                    object,
                )
                .await;
            }
            Command::StartJob { name, of, kind } => self.start_job(name, of, *kind).await,
            Command::Finish { which, outcome } => self.finish(which, *outcome).await,
            _ => {}
        }
    }

    async fn apply(&self, apply: &Apply) {
        for key in apply.keys() {
            self.apply_one(&key, apply).await;
        }
    }

    async fn apply_one(&self, key: &Key, apply: &Apply) {
        let cronjobs = objects::cronjobs(&self.client, &key.namespace);
        if let Ok(Some(_)) = cronjobs.get_opt(&key.name).await {
            let metadata = json!({ "annotations": apply.annotations() });
            let patch = Patch::Merge(json!({ "metadata": metadata, "spec": apply.spec() }));
            self.complain(cronjobs.patch(&key.name, &PatchParams::default(), &patch).await);
            return;
        }
        let resource = ApiResource::erase::<CronJob>(&());
        let raw = Api::namespaced_with(self.client.clone(), &key.namespace, &resource);
        self.create(&raw, apply.new_cronjob(key)).await;
    }

    async fn edit(&self, cronjob: &Key) {
        if !objects::edit(&self.client, cronjob).await {
            self.wire
                .transcript
                .line(&format!("  there is no CronJob {}", name(cronjob)));
        }
    }

    async fn start_job(&self, key: &Key, of: &Key, kind: JobKind) {
        let owner = objects::cronjobs(&self.client, &of.namespace)
            .get_opt(&of.name)
            .await;
        let object = objects::job(key, kind, owner.ok().flatten().as_ref());
        let resource = ApiResource::erase::<Job>(&());
        let raw = Api::namespaced_with(self.client.clone(), &key.namespace, &resource);
        self.create(&raw, object).await;
    }

    async fn finish(&self, which: &Which, outcome: Outcome) {
        let unfinished = match which {
            Which::Named(job) => vec![job.clone()],
            Which::Oldest(cronjob) => self.unfinished(cronjob).await.into_iter().take(1).collect(),
            Which::Newest(cronjob) => self
                .unfinished(cronjob)
                .await
                .into_iter()
                .next_back()
                .into_iter()
                .collect(),
            Which::All(cronjob) => self.unfinished(cronjob).await,
        };
        if unfinished.is_empty() {
            self.wire.transcript.line("  there is nothing to finish");
        }
        for job in unfinished {
            if !objects::finish(&self.client, &job, outcome, self.clock.now()).await {
                self.wire
                    .transcript
                    .line(&format!("  there is no Job {}", name(&job)));
            }
        }
    }

    /// The runs of a CronJob that have not ended, oldest first.
    async fn unfinished(&self, cronjob: &Key) -> Vec<Key> {
        let jobs = objects::all_jobs(&self.client).await;
        jobs.iter()
            .filter(|job| objects::owner(job).as_ref() == Some(cronjob) && objects::outcome(job).is_none())
            .map(objects::key)
            .collect()
    }

    async fn create(&self, api: &Api<DynamicObject>, object: Value) {
        match serde_json::from_value(object) {
            Ok(object) => self.complain(api.create(&PostParams::default(), &object).await),
            Err(error) => self.wire.transcript.line(&format!("  {error}")),
        }
    }

    /// Says why something did not work: the API's words.
    fn complain<T>(&self, outcome: kube::Result<T>) {
        match outcome {
            Ok(_) => {}
            Err(kube::Error::Api(status)) => self.wire.transcript.line(&format!("  {}", status.message)),
            Err(error) => self.wire.transcript.line(&format!("  {error}")),
        }
    }

    /// Every CronJob there is, by name.
    pub(super) async fn cronjobs(&self) -> Vec<CronJob> {
        let list = Api::<CronJob>::all(self.client.clone())
            .list(&ListParams::default())
            .await;
        list.map(|list| list.items).unwrap_or_default()
    }
}
