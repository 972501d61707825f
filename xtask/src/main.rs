//! Generators of files that are committed.
fn main() {}
