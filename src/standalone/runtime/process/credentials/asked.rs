//! From a pod to the credentials of one of its containers. Pure.
//!
//! What a pod's `securityContext` says holds for its containers, unless theirs says otherwise. A user without a group has
//! the group, and is in the groups, that this machine's accounts say, as a container has those of its image; one that
//! nobody knows has a group of its own number, for the group 0 of a container would be root's here.

use k8s_openapi::api::core::v1::{Capabilities, Container, Pod, PodSecurityContext, SecurityContext};
use rustix::thread::CapabilitySet;

use super::{Accounts, Credentials, Own};
use crate::standalone::runtime::process::fitness::{AS_CONTAINERS, Unfit};

/// What is said of one container.
pub(super) struct Said<'a> {
    pub(super) of_pod: Option<&'a PodSecurityContext>,
    pub(super) own: Option<&'a SecurityContext>,
}

impl<'a> Said<'a> {
    pub(super) fn of(pod: &'a Pod, container: &'a Container) -> Self {
        let spec = pod.spec.as_ref();
        Self {
            of_pod: spec.and_then(|spec| spec.security_context.as_ref()),
            own: container.security_context.as_ref(),
        }
    }

    /// The container's word, or else the pod's.
    pub(super) fn either<T>(
        &self,
        own: impl FnOnce(&'a SecurityContext) -> Option<T>,
        of_pod: impl FnOnce(&'a PodSecurityContext) -> Option<T>,
    ) -> Option<T> {
        self.own.and_then(own).or_else(|| self.of_pod.and_then(of_pod))
    }

    fn user(&self) -> Option<u32> {
        self.either(|own| own.run_as_user, |of_pod| of_pod.run_as_user)
            .map(id)
    }

    /// The user that it asks for, if that is not the one that we are.
    fn another_user(&self, own: &Own) -> Option<u32> {
        self.user().filter(|user| *user != own.user)
    }

    fn group(&self) -> Option<u32> {
        self.either(|own| own.run_as_group, |of_pod| of_pod.run_as_group)
            .map(id)
    }

    fn supplemental(&self) -> impl Iterator<Item = u32> {
        let groups = self.of_pod.and_then(|of_pod| of_pod.supplemental_groups.as_ref());
        groups.into_iter().flatten().copied().map(id)
    }

    pub(super) fn capabilities(&self) -> Option<&'a Capabilities> {
        self.own.and_then(|own| own.capabilities.as_ref())
    }
}

/// Who can do least, by convention.
const NOBODY: u32 = 65_534;

/// The number of a user or group. The API takes none that is not one; the largest means "as before" to the kernel, and
/// must not leave a process what we are.
fn id(id: i64) -> u32 {
    let id = u32::try_from(id).ok().filter(|id| *id != u32::MAX);
    id.unwrap_or(NOBODY)
}

/// The group of a pod's volumes.
pub(in crate::standalone::runtime) fn fs_group(pod: &Pod) -> Option<u32> {
    let of_pod = pod.spec.as_ref()?.security_context.as_ref()?;
    of_pod.fs_group.map(id)
}

/// Looks for a user or group that this process can't start another one as.
pub(in crate::standalone::runtime) fn check(
    pod: &Pod,
    container: &Container,
    own: &Own,
) -> Result<(), Unfit> {
    if own.is_root() {
        return Ok(());
    }
    let said = Said::of(pod, container);
    let another = |field, what, asked: u32, ours: u32| {
        let name = &container.name;
        let message = format!(
            "container {name:?} asks for {what} {asked} (`securityContext.{field}`), and punctual runs as {what} {ours}, which can't start processes as another; run punctual as root, take the field out, or {AS_CONTAINERS}"
        );
        Err(Unfit {
            container: name.clone(),
            reason: "UserUnsupported",
            message,
        })
    };
    if let Some(user) = said.another_user(own) {
        return another("runAsUser", "user", user, own.user);
    }
    if let Some(group) = said.group().filter(|group| *group != own.group) {
        return another("runAsGroup", "group", group, own.group);
    }
    let mut supplemental = said.supplemental();
    if let Some(group) = supplemental.find(|group| *group != own.group && !own.groups.contains(group)) {
        return another("supplementalGroups", "group", group, own.group);
    }
    Ok(())
}

/// Whether the process would run as root although it must not (`runAsNonRoot`).
pub(in crate::standalone::runtime) fn is_forbidden_root(pod: &Pod, container: &Container, own: &Own) -> bool {
    let said = Said::of(pod, container);
    let must_not = said.either(|own| own.run_as_non_root, |of_pod| of_pod.run_as_non_root);
    must_not == Some(true) && said.user().unwrap_or(own.user) == 0
}

/// Whether what this machine knows of users has a say in what a process is started with.
pub(in crate::standalone::runtime) fn depends_on_accounts(
    pod: &Pod,
    container: &Container,
    own: &Own,
) -> bool {
    own.is_root() && Said::of(pod, container).another_user(own).is_some()
}

/// Makes out what a process is started with.
pub(in crate::standalone::runtime) fn credentials(
    pod: &Pod,
    container: &Container,
    own: &Own,
    accounts: &Accounts,
) -> Credentials {
    let said = Said::of(pod, container);
    let no_new_privileges = said.own.and_then(|own| own.allow_privilege_escalation) == Some(false);
    if !own.is_root() {
        return Credentials {
            no_new_privileges,
            ..Credentials::default()
        };
    }
    let user = said.another_user(own);
    let account = user.and_then(|user| accounts.user(user));
    let group = said.group().or(account.map(|account| account.group)).or(user);
    let is_strict = said
        .of_pod
        .and_then(|of_pod| of_pod.supplemental_groups_policy.as_deref())
        == Some("Strict");
    let account = account.filter(|_| !is_strict);
    let of_account = account
        .into_iter()
        .flat_map(|account| accounts.groups(account.name));
    let kept = own.groups.iter().copied().filter(|_| user.is_none());
    let asked: Vec<u32> = said.supplemental().chain(fs_group(pod)).collect();
    let changes = user.is_some() || !asked.is_empty();
    let mut groups: Vec<u32> = kept.chain(of_account).chain(asked).collect();
    groups.sort_unstable();
    groups.dedup();
    Credentials {
        user,
        group,
        groups: Some(groups).filter(|_| changes),
        no_new_privileges,
        dropped: said.capabilities().map_or(0, dropped),
    }
}

/// The capabilities that are taken away and not given again.
fn dropped(capabilities: &Capabilities) -> u64 {
    let set = |names: &Option<Vec<String>>| {
        let names = names.iter().flatten().map(|name| named(name));
        names.fold(CapabilitySet::empty(), CapabilitySet::union)
    };
    set(&capabilities.drop).difference(set(&capabilities.add)).bits()
}

/// The capability of a name, with or without the `CAP_` of the kernel. What the kernel has not can't be had either.
fn named(name: &str) -> CapabilitySet {
    let name = name.to_ascii_uppercase();
    let name = name.strip_prefix("CAP_").unwrap_or(&name);
    let known = CapabilitySet::all().iter_names();
    let of_name = known.filter(|(known, _)| name == "ALL" || *known == name);
    of_name.fold(CapabilitySet::empty(), |all, (_, one)| all.union(one))
}
