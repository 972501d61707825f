//! The hub operator.
fn main() {}
