//! The contract, run by the store in memory.

use super::contract::contract_of;
use super::{MemoryStore, WATCH_WINDOW_EVENTS};

contract_of!(MemoryStore::with_window, WATCH_WINDOW_EVENTS);
