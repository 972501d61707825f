//! The operator of a managed cluster.
fn main() {}
