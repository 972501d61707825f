//! Frames: kind, length, a check of these, contents, a check of everything so far.

use std::io::{self, Read, Write};

use crate::capture::{Error, Place};

pub(super) const HEADER: u8 = b'H';
pub(super) const SNAPSHOT: u8 = b'S';
pub(super) const BLOB: u8 = b'B';
pub(super) const RECORD: u8 = b'R';
pub(super) const TRAILER: u8 = b'T';

/// Bytes before the contents: kind (1), length (4, little endian), check (4).
pub(super) const LEAD: usize = 9;
/// Bytes after the contents.
pub(super) const CHECK: usize = 16;
/// Bytes of the digest that ends the file.
pub(super) const DIGEST: usize = 32;

/// Writes a file and remembers a digest of all that was written.
pub(super) struct Framed<W> {
    out: W,
    digest: blake3::Hasher,
}

impl<W: Write> Framed<W> {
    pub fn new(out: W) -> Self {
        Self { out, digest: blake3::Hasher::new() }
    }

    pub fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.digest.update(bytes);
        self.out.write_all(bytes)
    }

    pub fn frame(&mut self, kind: u8, contents: &[u8]) -> io::Result<()> {
        let length = u32::try_from(contents.len()).map_err(|_| io::Error::other("a frame holds less than 4 GiB"))?;
        self.raw(&[kind])?;
        self.raw(&length.to_le_bytes())?;
        let check = *self.digest.finalize().as_bytes();
        self.raw(&check[..4])?;
        self.raw(contents)?;
        let check = *self.digest.finalize().as_bytes();
        self.raw(&check[..CHECK])
    }

    /// Ends the file.
    pub fn finish(mut self) -> io::Result<()> {
        let digest = *self.digest.finalize().as_bytes();
        self.out.write_all(&digest)?;
        self.out.flush()
    }
}

/// Reads a file and checks it against the digests in it.
pub(super) struct Checked<R> {
    input: R,
    digest: blake3::Hasher,
    position: u64,
}

/// Why a frame could not be read.
pub(super) enum Bad {
    Io(io::Error),
    End,
    Damage,
}

impl Bad {
    /// The error for a frame at `place`; `io` tells which file it is.
    pub fn at(self, place: Place, io: impl FnOnce(io::Error) -> Error) -> Error {
        match self {
            Self::Io(err) => io(err),
            Self::End => Error::Truncated { place },
            Self::Damage => Error::Damaged { place },
        }
    }
}

impl<R: Read> Checked<R> {
    pub fn new(input: R) -> Self {
        Self { input, digest: blake3::Hasher::new(), position: 0 }
    }

    /// Where in the file the next frame starts.
    pub fn position(&self) -> u64 {
        self.position
    }

    fn exact<const N: usize>(&mut self) -> Result<[u8; N], Bad> {
        let mut bytes = [0; N];
        self.input.read_exact(&mut bytes).map_err(|err| match err.kind() {
            io::ErrorKind::UnexpectedEof => Bad::End,
            _ => Bad::Io(err),
        })?;
        self.position += N as u64;
        Ok(bytes)
    }

    /// The next `N` bytes, unchecked as yet.
    pub fn raw<const N: usize>(&mut self) -> Result<[u8; N], Bad> {
        let bytes = self.exact()?;
        self.digest.update(&bytes);
        Ok(bytes)
    }

    /// The contents of the next frame, which must be of this kind and no longer than `limit`.
    pub fn frame(&mut self, kind: u8, limit: usize) -> Result<Vec<u8>, Bad> {
        let [found] = self.raw::<1>()?;
        let length = u32::from_le_bytes(self.raw::<4>()?);
        self.check::<4>()?;
        if found != kind || usize::try_from(length).map_or(true, |length| length > limit) {
            return Err(Bad::Damage);
        }
        let mut contents = Vec::new();
        let read = (&mut self.input).take(u64::from(length)).read_to_end(&mut contents).map_err(Bad::Io)?;
        self.position += read as u64;
        self.digest.update(&contents);
        if contents.len() as u64 != u64::from(length) {
            return Err(Bad::End);
        }
        self.check::<CHECK>()?;
        Ok(contents)
    }

    /// Compares the next `N` bytes with the digest of all before them.
    fn check<const N: usize>(&mut self) -> Result<(), Bad> {
        let digest = *self.digest.finalize().as_bytes();
        let found = self.raw::<N>()?;
        if digest.starts_with(&found) { Ok(()) } else { Err(Bad::Damage) }
    }

    /// Checks the digest that ends the file, and that it does.
    pub fn finish(mut self) -> Result<(), Bad> {
        self.check::<DIGEST>()?;
        match self.exact::<1>() {
            Err(Bad::End) => Ok(()),
            Err(err) => Err(err),
            Ok(_) => Err(Bad::Damage),
        }
    }
}
