//! Captures of the event log over HTTP, for those whom the API server lets have them.
//!
//! `GET /capture` with a bearer token: a TokenReview tells whose it is, a SubjectAccessReview whether they may `get` the
//! non-resource URL `/capture`. Then the log is streamed as a capture, as it was when the request came in: what is
//! appended meanwhile is not part of it. A thread of its own reads the log and waits for a slow client, so the operator
//! waits for nobody. `?from=SEQ&to=SEQ` asks for a part.
//!
//! A capture that breaks off has no end mark, so whoever reads it notices.

use std::{io, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Frame, Incoming};
use ramen_api::kinds::{SUBJECT_ACCESS_REVIEW, TOKEN_REVIEW};
use ramen_events::{Outcome, Seq, capture, log::History};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc};

use crate::{kube_api::calls::Calls, metrics::outcome_word};

/// The only path.
const PATH: &str = "/capture";
/// How much is sent at once.
const CHUNK: usize = 64 * 1024;
/// How many pieces may wait for a slow client.
const WAITING: usize = 4;
/// How many strangers are asked about at the same time: each question is a request to the API server.
const QUESTIONS: usize = 4;

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Gives captures of one log.
pub(crate) struct Captures {
    log: Arc<dyn History>,
    calls: Calls,
    /// Where the operator runs: the file's name.
    cluster: String,
    questions: Semaphore,
    /// One capture at a time.
    turn: Arc<Semaphore>,
}

/// Why there is no capture: what the client is told.
struct Refused {
    status: StatusCode,
    text: String,
}

fn refused(status: StatusCode, text: impl Into<String>) -> Refused {
    Refused { status, text: text.into() }
}

impl Captures {
    /// Gives captures of `log`, to those whom the server behind `calls` lets have them.
    pub(crate) fn new(log: Arc<dyn History>, calls: Calls, cluster: String) -> Self {
        let (questions, turn) = (Semaphore::new(QUESTIONS), Arc::new(Semaphore::new(1)));
        Self { log, calls, cluster, questions, turn }
    }

    /// Answers a request.
    pub(crate) async fn answer(&self, request: &Request<Incoming>) -> Response<Body> {
        self.try_answer(request).await.unwrap_or_else(|refused| {
            let body = Full::new(Bytes::from(refused.text + "\n")).map_err(|never| match never {}).boxed_unsync();
            let mut response = Response::new(body);
            *response.status_mut() = refused.status;
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
            if refused.status == StatusCode::UNAUTHORIZED {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            response
        })
    }

    async fn try_answer(&self, request: &Request<Incoming>) -> Result<Response<Body>, Refused> {
        if request.uri().path() != PATH {
            return Err(refused(StatusCode::NOT_FOUND, format!("there is {PATH}")));
        }
        if request.method() != Method::GET {
            return Err(refused(StatusCode::METHOD_NOT_ALLOWED, format!("{PATH} can be read only: GET")));
        }
        let user = self.admit(request.headers()).await?;
        let (from, to) = self.part(request.uri().query().unwrap_or_default())?;
        let turn = Arc::clone(&self.turn).try_acquire_owned().map_err(|_| {
            refused(StatusCode::TOO_MANY_REQUESTS, "another capture is being taken; try again when it has ended")
        })?;
        tracing::info!(user, from = from.0, to = to.0, "a capture of the log is taken");
        let (out, mut chunks) = mpsc::channel(WAITING);
        let log = Arc::clone(&self.log);
        tokio::task::spawn_blocking(move || {
            let mut out = Chunks { out, full: Vec::with_capacity(CHUNK) };
            let written =
                capture::write(&*log, from, to, &mut out).and_then(|_| out.send().map_err(capture::Error::Write));
            drop(turn);
            if let Err(err) = written {
                tracing::warn!(error = %err, "a capture broke off");
                // The client may be what went away.
                drop(out.out.blocking_send(Err(io::Error::other("the capture broke off"))));
            }
        });
        let frames = futures::stream::poll_fn(move |context| chunks.poll_recv(context));
        let frames = futures::StreamExt::map(frames, |chunk| chunk.map(Frame::data));
        let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        let name = format!("attachment; filename=\"{}-{}-{}.ramenlog\"", self.cluster, from.0, to.0);
        if let Ok(name) = HeaderValue::from_str(&name) {
            headers.insert(header::CONTENT_DISPOSITION, name);
        }
        Ok(response)
    }

    /// Which records are asked for; all of them, unless the query says otherwise.
    fn part(&self, query: &str) -> Result<(Seq, Seq), Refused> {
        let bad = |text: String| refused(StatusCode::BAD_REQUEST, text);
        let (first, last) = (self.log.base().seq.next(), self.log.head().seq);
        let (mut from, mut to) = (first, last);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let place = match name {
                "from" => &mut from,
                "to" => &mut to,
                _ => return Err(bad(format!("unknown parameter {name:?}: there are from and to"))),
            };
            *place = Seq(value.parse().map_err(|_| bad(format!("{name}={value}: a record's number is wanted")))?);
        }
        if from < first || to > last || from > to.next() {
            return Err(bad(format!("records {from} to {to} are not there: the log has {first} to {last}")));
        }
        Ok((from, to))
    }

    /// Tells who asks, if they may have what they ask for.
    async fn admit(&self, headers: &HeaderMap) -> Result<String, Refused> {
        let token = bearer(headers).ok_or_else(|| {
            refused(StatusCode::UNAUTHORIZED, "a token is wanted: Authorization: Bearer TOKEN (kubectl create token)")
        })?;
        let _permit = self.questions.acquire().await;
        let who = self.calls.review(&TOKEN_REVIEW, json!({ "token": token })).await.map_err(|err| unasked(&err))?;
        if who["authenticated"] != true {
            return Err(refused(
                StatusCode::UNAUTHORIZED,
                "the API server does not know this token, or it has expired",
            ));
        }
        let user = who["user"]["username"].as_str().unwrap_or_default().to_owned();
        let question = question(&who["user"]);
        let may = self.calls.review(&SUBJECT_ACCESS_REVIEW, question).await.map_err(|err| unasked(&err))?;
        if may["allowed"] != true {
            return Err(refused(
                StatusCode::FORBIDDEN,
                format!(
                    "{user} may not have captures: bind a ClusterRole to it that allows verb get on nonResourceURL {PATH}"
                ),
            ));
        }
        Ok(user)
    }
}

/// May this user `get` captures?
fn question(user: &Value) -> Value {
    let mut spec = json!({ "nonResourceAttributes": { "path": PATH, "verb": "get" } });
    for (field, value) in [("user", &user["username"]), ("uid", &user["uid"]), ("groups", &user["groups"])] {
        if !value.is_null() {
            spec[field] = value.clone();
        }
    }
    if !user["extra"].is_null() {
        spec["extra"] = user["extra"].clone();
    }
    spec
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// The API server could not be asked. What it says goes to our own log only: it may repeat what it was asked.
fn unasked(outcome: &Outcome) -> Refused {
    tracing::warn!(outcome = outcome_word(outcome), "could not ask the API server who may have a capture");
    refused(
        StatusCode::SERVICE_UNAVAILABLE,
        format!(
            "the API server could not be asked whether you may have a capture ({}); the operator needs the right to \
             create tokenreviews and subjectaccessreviews",
            outcome_word(outcome)
        ),
    )
}

/// Cuts what is written into pieces and hands them over.
struct Chunks {
    out: mpsc::Sender<io::Result<Bytes>>,
    full: Vec<u8>,
}

impl Chunks {
    fn send(&mut self) -> io::Result<()> {
        let chunk = Bytes::from(std::mem::replace(&mut self.full, Vec::with_capacity(CHUNK)));
        self.out.blocking_send(Ok(chunk)).map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "the client went away"))
    }
}

impl io::Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.full.extend_from_slice(bytes);
        if self.full.len() >= CHUNK {
            self.send()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::none("", None)]
    #[case::bearer("Bearer abc", Some("abc"))]
    #[case::lower_case("bearer abc", Some("abc"))]
    #[case::empty("Bearer ", None)]
    #[case::basic("Basic abc", None)]
    fn only_bearer_tokens_count(#[case] value: &'static str, #[case] token: Option<&str>) {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static(value));
        assert_eq!(bearer(&headers), token);
    }

    #[test]
    fn the_question_repeats_all_that_is_known_of_the_user() {
        let user = json!({ "username": "u", "uid": "1", "groups": ["g"], "extra": { "k": ["v"] } });
        let wanted = json!({ "user": "u", "uid": "1", "groups": ["g"], "extra": { "k": ["v"] },
            "nonResourceAttributes": { "path": "/capture", "verb": "get" } });
        assert_eq!(question(&user), wanted);
    }
}
