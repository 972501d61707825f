//! Frames: kind, length, a check of these, contents, a check.
//!
//! Each frame's checks cover the frame and the full check of the frame before it, and so everything up to there. What
//! ends the file is a digest of all of it, which any BLAKE3 tool can recompute.

use std::io::{self, Read, Write};

use crate::capture::{Error, Place};

pub(super) const HEADER: u8 = b'H';
pub(super) const SNAPSHOT: u8 = b'S';
pub(super) const BLOB: u8 = b'B';
pub(super) const RECORD: u8 = b'R';
/// A state along the way, since format 2.
pub(super) const MILESTONE: u8 = b'M';
pub(super) const TRAILER: u8 = b'T';

/// Bytes before the contents: kind (1), length (4, little endian), check (4).
pub(super) const LEAD: usize = 9;
/// Bytes after the contents.
pub(super) const CHECK: usize = 16;
/// Bytes of the digest that ends the file.
pub(super) const DIGEST: usize = 32;

/// Follows the checks through a file.
struct Chain {
    last: [u8; 32],
    all: blake3::Hasher,
}

impl Chain {
    fn new() -> Self {
        Self { last: [0; 32], all: blake3::Hasher::new() }
    }

    /// What is checked by these parts and by all before them.
    fn over(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.last);
        for part in parts {
            hasher.update(part);
        }
        *hasher.finalize().as_bytes()
    }

    fn digest(&self) -> [u8; DIGEST] {
        *self.all.finalize().as_bytes()
    }
}

/// Writes a file with its checks.
pub(super) struct Framed<W> {
    out: W,
    chain: Chain,
}

impl<W: Write> Framed<W> {
    /// Starts a file with these bytes.
    pub fn new(out: W, start: &[u8]) -> io::Result<Self> {
        let mut framed = Self { out, chain: Chain::new() };
        framed.chain.last = framed.chain.over(&[start]);
        framed.put(start)?;
        Ok(framed)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.chain.all.update(bytes);
        self.out.write_all(bytes)
    }

    pub fn frame(&mut self, kind: u8, contents: &[u8]) -> io::Result<()> {
        let length = u32::try_from(contents.len()).map_err(|_| io::Error::other("a frame holds less than 4 GiB"))?;
        let [a, b, c, d] = length.to_le_bytes();
        let lead = [kind, a, b, c, d];
        let check = self.chain.over(&[&lead]);
        self.put(&lead)?;
        self.put(&check[..LEAD - lead.len()])?;
        self.put(contents)?;
        self.chain.last = self.chain.over(&[&lead, contents]);
        let check = self.chain.last;
        self.put(&check[..CHECK])
    }

    /// Ends the file.
    pub fn finish(mut self) -> io::Result<()> {
        self.out.write_all(&self.chain.digest())?;
        self.out.flush()
    }
}

/// Reads a file and checks it against what it says of itself.
pub(super) struct Checked<R> {
    input: R,
    /// What checks are compared with; `None` when the digest of the whole file was found right before, so that each of its
    /// bytes is what was written.
    chain: Option<Chain>,
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
    /// Checks each frame; for a file of which the digest is right (`known`), that is done.
    pub fn new(input: R, known: bool) -> Self {
        Self { input, chain: (!known).then(Chain::new), position: 0 }
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

    fn hashed<const N: usize>(&mut self) -> Result<[u8; N], Bad> {
        let bytes = self.exact()?;
        if let Some(chain) = &mut self.chain {
            chain.all.update(&bytes);
        }
        Ok(bytes)
    }

    /// The bytes that the file starts with; the frame after them tells whether they are right.
    pub fn start<const N: usize>(&mut self) -> Result<[u8; N], Bad> {
        let start = self.hashed()?;
        if let Some(chain) = &mut self.chain {
            chain.last = chain.over(&[&start]);
        }
        Ok(start)
    }

    /// The contents of the next frame, which must be of this kind and no longer than `limit`.
    pub fn frame(&mut self, kind: u8, limit: usize) -> Result<Vec<u8>, Bad> {
        let mut contents = Vec::new();
        self.one_of(&[(kind, limit)], &mut contents)?;
        Ok(contents)
    }

    /// The kind of the next frame, which must be one of these and no longer than its limit; its contents replace `contents`.
    pub fn one_of(&mut self, kinds: &[(u8, usize)], contents: &mut Vec<u8>) -> Result<u8, Bad> {
        let lead = self.hashed::<5>()?;
        let check = self.chain.as_ref().map(|chain| chain.over(&[&lead]));
        let said = self.hashed::<{ LEAD - 5 }>()?;
        if check.is_some_and(|check| !check.starts_with(&said)) {
            return Err(Bad::Damage);
        }
        let [found, a, b, c, d] = lead;
        let (kind, length) = (found, u32::from_le_bytes([a, b, c, d]));
        let limit = kinds.iter().find(|(known, _)| *known == kind).map(|(_, limit)| *limit).ok_or(Bad::Damage)?;
        if usize::try_from(length).map_or(true, |length| length > limit) {
            return Err(Bad::Damage);
        }
        contents.clear();
        // What a length claims is not believed before it is there.
        contents.reserve((length as usize).min(1 << 16));
        let read = (&mut self.input).take(u64::from(length)).read_to_end(contents).map_err(Bad::Io)?;
        self.position += read as u64;
        if let Some(chain) = &mut self.chain {
            chain.all.update(contents);
        }
        if contents.len() as u64 != u64::from(length) {
            return Err(Bad::End);
        }
        let check = self.chain.as_mut().map(|chain| {
            chain.last = chain.over(&[&lead, contents]);
            chain.last
        });
        let found = self.hashed::<CHECK>()?;
        if check.is_none_or(|check| check.starts_with(&found)) { Ok(kind) } else { Err(Bad::Damage) }
    }

    /// Checks the digest that ends the file, and that it does.
    pub fn finish(mut self) -> Result<(), Bad> {
        let found = self.exact()?;
        if self.chain.take().is_some_and(|chain| found != chain.digest()) {
            return Err(Bad::Damage);
        }
        match self.exact::<1>() {
            Err(Bad::End) => Ok(()),
            Err(err) => Err(err),
            Ok(_) => Err(Bad::Damage),
        }
    }
}

/// Whether the digest that ends a file is that of all before it. In one go over large parts this is many times faster than
/// the checks of frames, which are needed only to find where a file is damaged.
pub(super) fn is_whole(mut input: impl Read, length: u64) -> io::Result<bool> {
    let Some(mut left) = length.checked_sub(DIGEST as u64) else { return Ok(false) };
    let mut hasher = blake3::Hasher::new();
    let mut part = vec![0; 1 << 18];
    while left > 0 {
        let most = usize::try_from(left).map_or(part.len(), |left| left.min(part.len()));
        let read = input.read(&mut part[..most])?;
        if read == 0 {
            return Ok(false);
        }
        hasher.update(&part[..read]);
        left -= read as u64;
    }
    let mut digest = [0; DIGEST];
    match input.read_exact(&mut digest) {
        Ok(()) => Ok(*hasher.finalize().as_bytes() == digest),
        Err(err) if err.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(err) => Err(err),
    }
}
