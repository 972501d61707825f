//! The hub operator
