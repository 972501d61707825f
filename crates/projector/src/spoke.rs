//! Controllers of a managed cluster: one folder each.
