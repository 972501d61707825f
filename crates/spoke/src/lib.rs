//! The operator of a managed cluster
