//! What a failed request to a store means: an outcome that starts with one word.

use std::fmt::Debug;

use aws_sdk_s3::{
    config::http::HttpResponse,
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
};
use ramen_events::Outcome;
use ramen_ports::StoreProfile;

use crate::kube_api::failure::{chain, never_connected};

/// A failed request.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// How the command ends because of it.
    pub(crate) outcome: Outcome,
    /// The store's word for it, or ours.
    pub(crate) reason: String,
    /// Whether nobody answered.
    pub(crate) silent: bool,
}

impl Failure {
    /// Refused before anything was sent.
    pub(crate) fn unsent(reason: &str, message: String) -> Self {
        let outcome = Outcome::Refused { code: 0, reason: reason.to_owned(), message };
        Self { outcome, reason: reason.to_owned(), silent: false }
    }

    /// No answer in time.
    pub(crate) fn timeout(profile: &StoreProfile, what: &str) -> Self {
        let message = format!("Timeout: {}: {what}", place(profile));
        Self { outcome: Outcome::Unknown { message }, reason: "Timeout".to_owned(), silent: true }
    }

    /// What the client tells of a failure.
    pub(crate) fn of<E>(profile: &StoreProfile, err: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        match err {
            SdkError::TimeoutError(_) => Self::timeout(profile, "no answer in time"),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => {
                Self::timeout(profile, "no connection in time")
            }
            SdkError::DispatchFailure(failure) => match failure.as_connector_error() {
                Some(err) => {
                    let message = format!("ConnectionFailed: {}: {}", place(profile), chain(err));
                    // A connection that did not come about carried no request; one that broke may have.
                    let outcome = if never_connected(err) {
                        Outcome::Unreachable { message }
                    } else {
                        Outcome::Unknown { message }
                    };
                    Self { outcome, reason: "ConnectionFailed".to_owned(), silent: true }
                }
                None => Self::timeout(profile, "no connection"),
            },
            SdkError::ServiceError(answer) => {
                let code = answer.raw().status().as_u16();
                let reason = answer.err().code().unwrap_or_else(|| word_for(code)).to_owned();
                let text = answer.err().message().unwrap_or("the store gave no further words");
                let message = format!("{text} ({})", place(profile));
                let outcome = if code >= 500 {
                    Outcome::Unknown { message: format!("{reason}: {message}") }
                } else {
                    Outcome::Refused { code, reason: reason.clone(), message }
                };
                Self { outcome, reason, silent: false }
            }
            SdkError::ResponseError(_) => {
                let message = format!("BadAnswer: what {} answered is not S3", place(profile));
                Self { outcome: Outcome::Unknown { message }, reason: "BadAnswer".to_owned(), silent: false }
            }
            other => Self::unsent("BadRequest", format!("{}", DisplayErrorContext(other))),
        }
    }
}

/// Which store, for people.
pub(crate) fn place(profile: &StoreProfile) -> String {
    format!("store {} ({}, bucket {})", profile.name, profile.endpoint, profile.bucket)
}

/// The word for an answer without one: some stores leave it out where there is no body.
fn word_for(code: u16) -> &'static str {
    match code {
        301 | 307 => "Redirected",
        401 | 403 => "AccessDenied",
        404 => "NotFound",
        412 => "PreconditionFailed",
        429 | 503 => "SlowDown",
        501 => "NotImplemented",
        _ => "Refused",
    }
}
