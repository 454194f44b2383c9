//! Time zones within the schedule.

use super::{Finds, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "P018",
    name: "zone-in-schedule",
    severity: Severity::Error,
    summary: "The schedule names its time zone itself",
    page: r#"
Kubernetes 1.22 to 1.28 took `TZ=` and `CRON_TZ=` without meaning to; since 1.29 it refuses a new CronJob with
them. The time zone has a field of its own:

    schedule: "0 6 * * *"
    timeZone: Europe/Rome
"#,
    finds: Finds::Reading(&["zone-in-schedule"]),
};
