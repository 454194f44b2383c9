//! The controller as it runs in a cluster, on the embedded API: who is in charge, what is told, what trouble does.

mod charge;
mod events;
mod leadership;
mod trouble;
mod world;
