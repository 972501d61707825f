//! The pure core: folds events into state and decides what to do next
