//! The controller as it runs in a cluster, on the embedded API: who is in charge, what is told, what trouble does.

mod calendars;
mod charge;
mod events;
mod leadership;
#[path = "../support/request.rs"]
mod request;
mod trouble;
mod world;
