//! The environment every process starts from.
//!
//! A container starts from its image's environment. A process has no image, so it starts from a short list of
//! variables of this machine, the ones that programs (and people who come from cron) count on. Everything else that
//! `punctual` itself was started with stays out: a Job must not depend on the shell that happened to start
//! `punctual`, and the secrets of a service are no business of the Jobs it runs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::credentials::Account;

/// The variables that are handed on when this machine has them. `LC_*` are handed on as well.
const HANDED_ON: [&str; 9] = [
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR",
];

/// Where programs are looked for when this machine does not say: what a container's image usually says.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Where processes start, and with which variables, unless their container says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The working folder of a container without `workingDir`; a relative `workingDir` starts here as well.
    pub working_dir: PathBuf,
    /// The variables that a container's `env` is laid over.
    pub variables: BTreeMap<String, String>,
}

impl Base {
    /// The base that this process offers: the folder it was started in, and its variables from the short list.
    pub fn of_this_process() -> Self {
        // Variables that are not UTF-8 can't be written in a manifest either; they are left out.
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let working_dir = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
        Self::chosen_from(working_dir, variables)
    }

    /// The base out of everything a process was started with.
    pub fn chosen_from(working_dir: PathBuf, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut chosen = BTreeMap::from([
            ("PATH".to_owned(), DEFAULT_PATH.to_owned()),
            ("HOME".to_owned(), "/".to_owned()),
        ]);
        chosen.extend(variables.into_iter().filter(|(name, _)| handed_on(name)));
        Self {
            working_dir,
            variables: chosen,
        }
    }

    /// The variables for a process of another user: what tells who somebody is tells of that user, if it is known.
    pub(super) fn of_user(&self, account: Option<Account<'_>>) -> BTreeMap<String, String> {
        let mut variables = self.variables.clone();
        for name in ["USER", "LOGNAME", "SHELL"] {
            variables.remove(name);
        }
        if let Some(account) = account {
            variables.extend(["USER", "LOGNAME"].map(|name| (name.to_owned(), account.name.to_owned())));
        }
        let home = account.map_or("/", |account| account.home);
        variables.insert("HOME".to_owned(), home.to_owned());
        variables
    }
}

fn handed_on(name: &str) -> bool {
    HANDED_ON.contains(&name) || name.starts_with("LC_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(variables: &[(&str, &str)]) -> String {
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let base = Base::chosen_from(PathBuf::from("/srv"), variables);
        let lines = base
            .variables
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_path_and_a_home_are_always_there() {
        insta::assert_snapshot!(chosen(&[]), @r"
        HOME=/
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
        ");
    }

    #[test]
    fn what_programs_count_on_is_handed_on_and_secrets_are_not() {
        let machine = [
            ("PATH", "/opt/bin:/bin"),
            ("HOME", "/home/ada"),
            ("LANG", "en_GB.UTF-8"),
            ("LC_TIME", "C"),
            ("AWS_SECRET_ACCESS_KEY", "hush"),
            ("KUBECONFIG", "/root/admin"),
            ("LD_PRELOAD", "/tmp/x.so"),
        ];
        insta::assert_snapshot!(chosen(&machine), @r"
        HOME=/home/ada
        LANG=en_GB.UTF-8
        LC_TIME=C
        PATH=/opt/bin:/bin
        ");
    }
}
