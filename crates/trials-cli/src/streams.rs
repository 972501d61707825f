//! What is printed, where it may happen that nobody reads it any more.
//!
//! `ramen-sim play … | head -1` closes our output early. That changes nothing of what is to be done, nor of how it ends:
//! logs are still written, and the exit code is that of the whole work.

use std::{
    fmt::Display,
    io::{self, ErrorKind, Write},
};

/// An output that goes on in silence when nobody reads it any more.
pub struct Patient<W> {
    /// What it is called where it cannot be written.
    name: &'static str,
    inner: W,
    closed: bool,
}

impl<W: Write> Patient<W> {
    pub fn new(name: &'static str, inner: W) -> Self {
        Self { name, inner, closed: false }
    }

    /// What was to be said, or `silent` from when on the reader has gone.
    fn or<T>(&mut self, said: io::Result<T>, silent: T) -> io::Result<T> {
        match said {
            Err(err) if err.kind() == ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(silent)
            }
            said => said.map_err(|err| io::Error::new(err.kind(), format!("cannot write {}: {err}", self.name))),
        }
    }
}

impl<W: Write> Write for Patient<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.closed {
            return Ok(bytes.len());
        }
        let written = self.inner.write(bytes);
        self.or(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        let flushed = self.inner.flush();
        self.or(flushed, ())
    }
}

/// Tells people something beside the output; where stderr cannot be written, there is nobody to tell.
pub fn tell(what: impl Display) {
    let _ = writeln!(io::stderr(), "{what}");
}

/// Tells people what is wrong, in the name of the program.
pub fn complain(what: impl Display) {
    tell(format_args!("ramen-sim: {what}"));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so and stop")]

    use std::io::{self, ErrorKind, Write};

    use super::Patient;

    /// Fails in this way.
    struct Failing(ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    #[test]
    fn a_reader_who_has_gone_is_no_error() {
        let mut out = Patient::new("the page", Failing(ErrorKind::BrokenPipe));
        writeln!(out, "a line").unwrap();
        out.flush().unwrap();
    }

    #[test]
    fn a_full_disk_is_one() {
        let mut out = Patient::new("the page", Failing(ErrorKind::StorageFull));
        let told = writeln!(out, "a line").unwrap_err().to_string();
        assert!(told.starts_with("cannot write the page: "), "{told}");
    }
}
