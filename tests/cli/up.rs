//! `punctual up`.
