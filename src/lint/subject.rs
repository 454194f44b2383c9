//! What a rule gets to see: an object that could be read, what it means, and its place in a text.

use std::ops::Range;
use std::sync::Arc;

use k8s_openapi::api::batch::v1 as batch;
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{Options, Rule, meant};
use crate::cronjob::Key;
use crate::cronjob::extension::{ExtensionError, Extensions};
use crate::manifest::DEFAULT_NAMESPACE;
use crate::manifest::diagnostic::Diagnostic;
use crate::manifest::lower::timing;
use crate::manifest::path::FieldPath;
use crate::manifest::report::{Reporter, within_scalar};
use crate::manifest::schema::Schema;
use crate::manifest::source::{Place, Source};
use crate::manifest::tree::Node;
use crate::schedule::{Advice, Expression, Schedule, TimeZones, Timestamp, advice};

/// An object under examination.
pub(super) struct Subject {
    pub(super) source: Arc<Source>,
    /// What it is called, as in `CronJob shop/report`.
    pub(super) name: String,
    /// The tree, as it was meant: of the whole object, or of the pod template in one that is no CronJob or Job.
    pub(super) node: Node,
    /// Where that part is in the object.
    pub(super) within: FieldPath,
    /// Its type.
    pub(super) schema: Schema,
    pub(super) object: Object,
    pub(super) options: Options,
    /// The rules that it does not want to hear of.
    pub(super) silenced: Vec<&'static Rule>,
    /// When a CronJob is due; none where that can't be read.
    pub(super) timing: Option<Timing>,
    /// What its annotations ask for.
    pub(super) extensions: Extensions,
    /// What is wrong with its annotations.
    pub(super) annotation_mistakes: Vec<ExtensionError>,
}

/// The object itself.
pub(super) enum Object {
    CronJob(Box<batch::CronJob>),
    Job(Box<batch::Job>),
    /// The pods of anything else.
    Pods(Box<PodTemplateSpec>),
}

/// When a CronJob is due.
pub(super) struct Timing {
    /// Its schedules.
    pub(super) expressions: Vec<Expression>,
    /// Whether they are those of an annotation.
    pub(super) annotated: bool,
    /// All of them together.
    pub(super) all: Schedule,
    /// What may surprise about each of them.
    pub(super) advice: Vec<Vec<Advice>>,
}

/// A Job's spec and where it is.
pub(super) struct JobView<'s> {
    pub(super) spec: &'s batch::JobSpec,
    pub(super) path: FieldPath,
}

impl Subject {
    /// A subject without what follows from its annotations and its schedule.
    pub(super) fn new(
        reporter: &Reporter<'_>,
        schema: Schema,
        object: Object,
        options: &Options,
        silenced: Vec<&'static Rule>,
    ) -> Subject {
        Subject {
            source: Arc::clone(reporter.source),
            name: reporter.subject.to_owned(),
            silenced,
            node: reporter.node.clone(),
            within: reporter.within.clone(),
            schema,
            object,
            options: options.clone(),
            timing: None,
            extensions: Extensions::default(),
            annotation_mistakes: Vec::new(),
        }
    }

    /// Works out what the annotations ask for and when a CronJob is due.
    pub(super) fn understand(&mut self, zones: &TimeZones, now: Timestamp) {
        let mut annotations = self.annotations();
        if let Some(dialect) = self.options.dialect {
            meant::with_dialect(dialect, &mut annotations);
        }
        let annotations = annotations
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        (self.extensions, self.annotation_mistakes) = Extensions::read(&self.key(), annotations);
        self.timing = self
            .cron_job()
            .and_then(|spec| Timing::of(spec, &self.extensions, zones, now));
    }

    /// Namespace and name.
    pub(super) fn key(&self) -> Key {
        let metadata = self.metadata();
        let text = |field: Option<&String>| field.cloned().unwrap_or_default();
        Key {
            namespace: metadata
                .and_then(|metadata| metadata.namespace.clone())
                .unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned()),
            name: text(metadata.and_then(|metadata| metadata.name.as_ref())),
        }
    }

    pub(super) fn metadata(&self) -> Option<&ObjectMeta> {
        match &self.object {
            Object::CronJob(cron_job) => Some(&cron_job.metadata),
            Object::Job(job) => Some(&job.metadata),
            Object::Pods(template) => template.metadata.as_ref(),
        }
    }

    /// Name and value of every annotation.
    pub(super) fn annotations(&self) -> Vec<(String, String)> {
        let annotations = self.metadata().and_then(|metadata| metadata.annotations.as_ref());
        annotations
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// The spec of a CronJob.
    pub(super) fn cron_job(&self) -> Option<&batch::CronJobSpec> {
        match &self.object {
            Object::CronJob(cron_job) => Some(&cron_job.spec),
            Object::Job(_) | Object::Pods(_) => None,
        }
    }

    /// Whether a CronJob starts nothing for now.
    pub(super) fn is_suspended(&self) -> bool {
        let in_spec = self.cron_job().and_then(|spec| spec.suspend).unwrap_or(false);
        if self.extensions.managed {
            self.extensions.paused
        } else {
            in_spec
        }
    }

    /// The Job that is described: a CronJob's, or the object itself.
    pub(super) fn job(&self) -> Option<JobView<'_>> {
        let (spec, path) = match &self.object {
            Object::CronJob(cron_job) => (cron_job.spec.job_template.spec.as_ref()?, "spec.jobTemplate.spec"),
            Object::Job(job) => (job.spec.as_ref()?, "spec"),
            Object::Pods(_) => return None,
        };
        let path = FieldPath::of(path);
        Some(JobView { spec, path })
    }

    /// The template of the pods, and where it is.
    pub(super) fn pods(&self) -> Option<(&PodTemplateSpec, FieldPath)> {
        match (&self.object, self.job()) {
            (Object::Pods(template), _) => Some((template, FieldPath::root())),
            (_, Some(job)) => Some((&job.spec.template, job.path.child("template"))),
            (_, None) => None,
        }
    }

    /// For what is told in the same words where manifests are run.
    pub(super) fn reporter(&self) -> Reporter<'_> {
        Reporter {
            source: &self.source,
            node: &self.node,
            within: &self.within,
            subject: &self.name,
        }
    }

    /// Says something about a field; its severity is that of the rule.
    pub(super) fn say(&self, path: &FieldPath, message: impl Into<String>) -> Diagnostic {
        let place = Place::new(&self.source, self.node.span_of(path));
        self.diagnostic(path, message).at(place)
    }

    /// Says something about a part of a field's text.
    pub(super) fn say_within(
        &self,
        path: &FieldPath,
        part: &Range<usize>,
        message: impl Into<String>,
    ) -> Diagnostic {
        let whole = self.node.span_of(path);
        let span = within_scalar(&self.source, self.node.at(path), whole, part);
        self.diagnostic(path, message).at(Place::new(&self.source, span))
    }

    /// Says something about the name of a field.
    pub(super) fn say_of_key(&self, path: &FieldPath, message: impl Into<String>) -> Diagnostic {
        let place = Place::new(&self.source, self.node.key_span(path));
        self.diagnostic(path, message).at(place)
    }

    fn diagnostic(&self, path: &FieldPath, message: impl Into<String>) -> Diagnostic {
        // The code and the severity are the rule's.
        Diagnostic::warning("", message)
            .about(self.name.as_str())
            .field(self.within.join(path))
    }

    /// What advice about the schedules says that `is_meant`.
    pub(super) fn advised(&self, is_meant: fn(&Advice) -> bool) -> Vec<Diagnostic> {
        let Some(timing) = &self.timing else {
            return Vec::new();
        };
        let found = timing
            .expressions
            .iter()
            .zip(&timing.advice)
            .flat_map(|(expression, advice)| {
                let meant = advice.iter().filter(move |advice| is_meant(advice));
                meant.map(|advice| self.say_of_schedule(expression, advice.message(), advice.help()))
            });
        found.collect()
    }

    /// Says something about one of the schedules.
    pub(super) fn say_of_schedule(
        &self,
        expression: &Expression,
        message: impl Into<String>,
        help: Option<&str>,
    ) -> Diagnostic {
        let annotated = self.timing.as_ref().is_some_and(|timing| timing.annotated);
        let said = if annotated {
            let path = FieldPath::of("metadata.annotations").key("punctual.dev/schedules");
            let text = self.node.at(&path).and_then(Node::as_str).unwrap_or_default();
            let start = text.find(expression.as_str()).unwrap_or(0);
            self.say_within(&path, &(start..start + expression.as_str().len()), message)
        } else {
            self.say(&FieldPath::of("spec.schedule"), message)
        };
        match help {
            Some(help) => said.help(help),
            None => said,
        }
    }
}

impl Timing {
    fn of(
        spec: &batch::CronJobSpec,
        extensions: &Extensions,
        zones: &TimeZones,
        now: Timestamp,
    ) -> Option<Timing> {
        let (expressions, zone) =
            timing(&spec.schedule, spec.time_zone.as_deref(), extensions, zones).ok()?;
        let terms = &extensions.policies.terms;
        let advice = expressions
            .iter()
            .map(|expression| advice(expression, &zone, terms, now));
        Some(Timing {
            advice: advice.collect(),
            all: terms.apply(&expressions, &zone),
            expressions: expressions.to_vec(),
            annotated: extensions.schedules.is_some(),
        })
    }
}
