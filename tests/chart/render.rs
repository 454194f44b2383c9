//! What Helm makes of the chart: golden renders, the plain `install.yaml`, and values that are refused.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Stdio};

use libtest_mimic::{Failed, Trial};
use punctual::cronjob::extension::{ANNOTATION_PREFIX, REGISTER};

use crate::{CHART, needing, read};

/// The values that people start from.
const EXAMPLES: [&str; 3] = ["managed-cluster", "replace-built-in", "one-namespace"];

/// Values that must be refused, and a word of the reason.
const MISTAKES: [(&str, &str); 14] = [
    ("replica: 3", "replica"),
    ("adopt: everything", "adopt"),
    ("namespaces: [Team_A]", "namespaces"),
    ("namespaces: team-a", "namespaces"),
    ("image: {digest: 'sha256:abc'}", "digest"),
    ("metrics: {serviceMonitor: {enable: true}}", "enable"),
    ("metrics: {port: 0}", "port"),
    ("podAntiAffinity: preferred", "podAntiAffinity"),
    ("resources: {limits: {memory: 1GiB}}", "memory"),
    ("extraArgs: [--adopt=all]", "--adopt"),
    ("selector: a=b=c", "selector"),
    ("runAsUser: 0", "runAsUser"),
    ("leaseDurationSeconds: 1", "leaseDurationSeconds"),
    ("extraArgs: [--lease-duration=5s]", "leaseDurationSeconds"),
];

/// Where the plain manifest is that `kubectl apply -f` takes.
const INSTALL: &str = "charts/install.yaml";

pub(crate) fn trials(helm: bool) -> Vec<Trial> {
    let mut trials = vec![
        needing(helm, "render::helm_lint_finds_nothing", lint),
        needing(helm, "render::install_yaml_is_what_the_chart_renders", install),
        needing(helm, "render::one_namespace_needs_no_cluster_role", one_namespace),
        Trial::test("render::the_policy_knows_our_annotations", policy),
    ];
    for example in EXAMPLES {
        let name = format!("render::example_{example}");
        trials.push(needing(helm, &name, move || golden(example)));
    }
    for (values, word) in MISTAKES {
        let name = format!("render::refuses::{values}");
        trials.push(needing(helm, &name, move || refuses(values, word)));
    }
    trials
}

/// What the engine answers.
pub(crate) fn helm(arguments: &[&str], input: &str) -> Result<serde_json::Value, Failed> {
    let mut child = Command::new("python3")
        .arg("tests/chart/helm.py")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes())?;
    }
    Ok(serde_json::from_slice(&child.wait_with_output()?.stdout)?)
}

fn rendered(file: Option<&str>) -> Result<BTreeMap<String, String>, Failed> {
    let arguments: Vec<&str> = ["render"].into_iter().chain(file).collect();
    Ok(serde_json::from_value(helm(&arguments, "")?)?)
}

/// The files that the chart makes of some values.
pub(crate) fn rendered_with(values: &str) -> Result<BTreeMap<String, String>, Failed> {
    Ok(serde_json::from_value(helm(&["render", "-"], values)?)?)
}

fn lint() -> Result<(), Failed> {
    let errors = helm(&["lint"], "")?["errors"].take();
    if errors == serde_json::json!([]) {
        Ok(())
    } else {
        Err(errors.to_string().into())
    }
}

fn golden(example: &str) -> Result<(), Failed> {
    let files = rendered(Some(&format!("{CHART}/examples/{example}.yaml")))?;
    let text: Vec<String> = files
        .iter()
        // The dashboard is checked by `alerts`; a copy of it says nothing.
        .filter(|(name, _)| !name.ends_with("dashboard.yaml"))
        .map(|(name, text)| format!("# {name}\n{}", text.trim()))
        .collect();
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(format!("example_{example}"), text.join("\n---\n"));
    });
    Ok(())
}

fn install() -> Result<(), Failed> {
    let files = rendered(None)?;
    let parts = files
        .iter()
        .filter(|(name, _)| !name.contains("tests/") && !name.ends_with("NOTES.txt"))
        .map(|(_, text)| format!("---\n{}\n", text.trim()));
    let namespace = "---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: punctual-system\n  labels:\n    \
                     pod-security.kubernetes.io/enforce: restricted\n";
    let head = "# Punctual in place of the built-in controller, without Helm: kubectl apply -f install.yaml\n# Rendered from \
                charts/punctual with its default values; UPDATE_INSTALL=1 cargo test --test chart writes it anew.\n";
    let whole = format!("{head}{namespace}{}", parts.collect::<String>());
    if std::env::var_os("UPDATE_INSTALL").is_some() {
        std::fs::write(INSTALL, &whole)?;
    }
    if read(INSTALL)? == whole {
        Ok(())
    } else {
        Err(format!(
            "{INSTALL} is not what the chart renders; UPDATE_INSTALL=1 cargo test --test chart writes it"
        )
        .into())
    }
}

fn one_namespace() -> Result<(), Failed> {
    let files = rendered(Some(&format!("{CHART}/examples/one-namespace.yaml")))?;
    let text: String = files.into_values().collect();
    if text.contains("ClusterRole") {
        return Err("a chart for one namespace asks for a ClusterRole".into());
    }
    if text.contains("secrets") {
        return Err("nothing may read secrets".into());
    }
    Ok(())
}

fn refuses(values: &str, word: &str) -> Result<(), Failed> {
    let answer = helm(&["render", "-"], values)?;
    match answer["refused"].as_str() {
        Some(reason) if reason.contains(word) => Ok(()),
        _ => Err(format!("{values:?} was not refused with a word of {word:?}: {answer}").into()),
    }
}

/// The admission policy must not refuse what the controller understands, nor let through what it does not.
fn policy() -> Result<(), Failed> {
    let text = read(&format!("{CHART}/annotations.yaml"))?;
    let listed: BTreeSet<&str> = text
        .lines()
        .filter(|line| line.starts_with(ANNOTATION_PREFIX))
        .map(|line| line.trim_end_matches(':'))
        .collect();
    let known: BTreeSet<&str> = REGISTER.iter().map(|annotation| annotation.name).collect();
    if listed == known {
        return Ok(());
    }
    let difference: Vec<&&str> = listed.symmetric_difference(&known).collect();
    Err(format!("{CHART}/annotations.yaml and the register differ in {difference:?}").into())
}
