//! The limits of a process, by control groups of the kernel.
//!
//! A container with limits gets a group of its own, where this machine lets one be made: below the group that this
//! process is in (a service with `Delegate=yes`, or root), else at the top (root). Both versions of control groups are
//! known. A group is the kernel's, so it holds on when `punctual` dies; the supervisor that is in charge of the process
//! removes it with the process's end.
//!
//! | file | one idea |
//! |---|---|
//! | `places` | where on this machine groups can be made, and for which limits |
//! | `group` | one group: entered for a start, asked about memory, removed |

mod group;
mod places;

pub(super) use group::Group;
pub(super) use places::Places;

use k8s_openapi::api::core::v1::Container;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Written;

use crate::manifest::quantity::Quantity;

/// Something that a group limits, as `resources.limits` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resource {
    Memory,
    Cpu,
}

impl Resource {
    pub(super) const ALL: [Resource; 2] = [Resource::Memory, Resource::Cpu];

    /// Its name in a manifest, which is that of the kernel's controller as well.
    pub(super) fn name(self) -> &'static str {
        match self {
            Resource::Memory => "memory",
            Resource::Cpu => "cpu",
        }
    }

    /// How much of it a container may have: bytes of memory, billionths of a CPU.
    fn limit(self, container: &Container) -> Option<i64> {
        let limits = container.resources.as_ref()?.limits.as_ref()?;
        let Written(text) = limits.get(self.name())?;
        let limit = Quantity::parse(text)?;
        Some(match self {
            Resource::Memory => limit.units(),
            Resource::Cpu => limit.nanos(),
        })
    }
}

/// The resources that are limited here, by their names.
pub fn limited_here() -> Vec<&'static str> {
    let places = Places::here();
    let limited = Resource::ALL
        .into_iter()
        .filter(|resource| places.limit(*resource));
    limited.map(Resource::name).collect()
}
