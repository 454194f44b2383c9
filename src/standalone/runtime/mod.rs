//! Pods as processes: what the kubelet is in a cluster.
//!
//! ```text
//!  pods ──▶ node ──▶ pod ──▶ container ──▶ engine ──▶ supervisor ──▶ process ──▶ stream ──▶ log ──▶ output
//!            ▲        │         │
//!            └─ API ◀─┴─ status ◀┘
//! ```
//!
//! | file | one idea |
//! |---|---|
//! | `node` | watches the pods, gives each a task, and brings all of them to an end |
//! | `cordon` | whether pods that have not been started wait |
//! | `orphans` | ends what is left of pods that nobody knows any more |
//! | `room` | makes room on a disk that is nearly full |
//! | `pod` | one pod: its containers in their order, its deadline, its status |
//! | `container` | one container: its process, and the restarts of it |
//! | `waits` | what a container waits for, and for how long |
//! | `engine` | the seam between a container's life and what keeps its attempts going |
//! | `supervisor` | a small process for each attempt, which outlives `punctual`; the engine of processes |
//! | `order` | what containers are told to do, and how an end is brought about |
//! | `process` | one process: started in a group of its own, its exit collected |
//! | `cgroup` | the limits of a process |
//! | `containers` | an engine: containers by Docker or Podman |
//! | `registration` | the node as an object |
//! | `start_error`, `shortage` | why a process did not start, and whether it is worth trying again |
//! | [`open_files`] | how many files may be open |
//! | `runtimes` | which engine runs a pod |
//! | [`entrypoint`] | the commands that stand for images |
//! | `fitness` | what a process can't have |
//! | `overlap` | where two of its containers would have one thing that are to have two |
//! | `credentials` | whom a process runs as, and with which privileges |
//! | `unkept` | what of a pod nobody keeps to here |
//! | `attendance` | what nobody does here beside a container: probes and hooks |
//! | `last_words` | the message that a failed container leaves |
//! | `root` | the folder that a process with volumes starts in |
//! | `machine` | what all pods share; what a container's process is |
//! | `base`, [`environment`], [`expansion`] | the variables of a process |
//! | `sources`, `fields` | what variables and files are taken from: config maps, secrets, the pod, the machine |
//! | `volumes` | the folders of a pod that its containers share |
//! | `within` | what lies below a folder that others can write to, without following what they have put there |
//! | `stream`, `lines`, [`output`] | what a process writes, line by line, on its way to a reader |
//! | `showing` | what is shown of a container, which never waits for that |
//! | `restart`, `status` | pure rules: when to restart, what the status says |

pub mod entrypoint;
pub mod environment;
pub mod expansion;
pub mod open_files;
pub mod output;

mod attendance;
mod base;
mod cgroup;
mod container;
mod containers;
mod cordon;
mod credentials;
mod engine;
mod fields;
mod fitness;
mod last_words;
mod lines;
mod machine;
mod node;
mod order;
mod orphans;
mod overlap;
mod pod;
mod process;
mod registration;
mod restart;
mod room;
mod root;
mod runtimes;
mod shortage;
mod showing;
mod sources;
mod start_error;
mod status;
mod stream;
mod supervisor;
mod unkept;
mod volumes;
mod waits;
mod within;

#[cfg(test)]
mod tests;

pub use base::Base;
pub use cgroup::limited_here;
pub use containers::{NoEngine, reach_engine};
pub use lines::LONGEST_LINE;
pub use machine::{Options, PODS_AT_ONCE};
pub use node::{Node, Shutdown};
pub use output::{
    Event, OUTPUT_QUEUE, Open, Origin, Outlet, Output, Pace, Stream, What, Work, WorkKind, job_of,
};
pub use room::make_at_start as make_room_at_start;
pub use runtimes::Runtimes;
pub use supervisor::supervise_if_asked;

pub(super) use registration::register;
