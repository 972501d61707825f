//! A store behind HTTP, as an S3 client meets it.
