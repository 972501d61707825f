//! Controllers of the hub: one folder each.
