//! Captures from running operators, over HTTP.

use std::{
    fs,
    io::{self, IsTerminal, Read, Write},
    net::IpAddr,
    path::Path,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use tempfile::NamedTempFile;
use ureq::http::{Uri, header};

use crate::open::Usage;

/// Where an operator gives captures.
const PATH: &str = "/capture";
/// How long an operator may take to begin: it asks its API server twice.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often progress is shown, in bytes.
const STEP: u64 = 4 << 20;

/// What an operator is shown before it gives a capture. It is printed nowhere.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Out of a file; `-` is stdin.
    ///
    /// # Errors
    /// [`Usage`] when there is none.
    pub fn read(file: Option<&Path>) -> Result<Self> {
        let text = match file {
            None => {
                let text =
                    "an operator gives captures to whoever may have them: give --token-file (kubectl create token)";
                return Err(Usage(text.to_owned()).into());
            }
            Some(path) if path == Path::new("-") => {
                io::read_to_string(io::stdin()).context("could not read a token")?
            }
            Some(path) => fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?,
        };
        Self::new(&text).ok_or_else(|| Usage("what --token-file holds is no token".to_owned()).into())
    }

    /// Out of a text, if that is a token.
    pub fn new(text: &str) -> Option<Self> {
        let token = text.trim();
        (!token.is_empty() && !token.contains(char::is_whitespace)).then(|| Self(token.to_owned()))
    }
}

/// Fetches the log of the operator at `address`, into a file that is removed when dropped.
///
/// # Errors
/// [`Usage`] when the address is none on this machine; when the operator can't be reached or refuses, with its words.
pub fn fetch(address: &str, token: &Token) -> Result<NamedTempFile> {
    let uri = local(address)?;
    let Token(token) = token;
    let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_recv_response(Some(PATIENCE));
    let agent: ureq::Agent = config.build().into();
    let request = agent.get(&uri).header(header::AUTHORIZATION, format!("Bearer {token}"));
    let answer = request.call().with_context(|| format!("could not ask {uri} for a capture"))?;
    let status = answer.status();
    if !status.is_success() {
        let words = answer.into_body().read_to_string().unwrap_or_default();
        bail!("{uri} gives no capture: {status}: {}", words.trim());
    }
    let mut file = NamedTempFile::new().context("could not make a file for the capture")?;
    copy(&mut answer.into_body().into_reader(), &mut file)
        .with_context(|| format!("the capture of {uri} broke off; ask again"))?;
    Ok(file)
}

/// Where to ask for a capture. Tokens travel in the clear, so they go no further than this machine.
///
/// # Errors
/// [`Usage`] with what is wrong.
pub fn local(address: &str) -> Result<Uri> {
    let wrong = |what: &str| Usage(format!("{address}: {what}; it is written http://127.0.0.1:PORT"));
    let uri: Uri = address.parse().map_err(|err| wrong(&format!("this is no address ({err})")))?;
    if uri.scheme_str() != Some("http") {
        return Err(wrong("operators give captures over plain HTTP, on their own machine").into());
    }
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    if host != "localhost" && !host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()) {
        return Err(wrong("a token is sent to this machine only: use kubectl port-forward").into());
    }
    if !matches!(uri.path(), "" | "/" | PATH) {
        return Err(wrong("captures are at /capture").into());
    }
    let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
    Ok(format!("http://{authority}{PATH}").parse()?)
}

fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let shown = io::stderr().is_terminal();
    let mut total = 0;
    loop {
        let copied = io::copy(&mut from.take(STEP), to)?;
        total += copied;
        if shown && total > STEP {
            eprint!("\r{} MiB", total >> 20);
        }
        if copied < STEP {
            break;
        }
    }
    if shown && total > STEP {
        eprintln!();
    }
    to.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_stay_on_this_machine() {
        for address in ["http://127.0.0.1:8082", "http://localhost:1/", "http://[::1]:1/capture"] {
            assert!(local(address).is_ok_and(|uri| uri.path() == PATH), "{address}");
        }
        for address in [
            "http://10.0.0.1:8082",
            "https://127.0.0.1:1",
            "http://hub.example.org/capture",
            "http://",
            "http://127.0.0.1/x",
        ] {
            assert!(local(address).is_err(), "{address}");
        }
    }
}
