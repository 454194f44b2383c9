//! Punctual.
fn main() {}
