//! What a failed request means for the command that made it.

use std::error::Error as StdError;

use ramen_events::Outcome;

/// The outcome of a command one of whose calls failed so.
pub(crate) fn outcome(err: &kube::Error) -> Outcome {
    match err {
        kube::Error::Api(status) => ramen_ports::refusal(status.code, &status.reason, &status.message),
        // It was never sent.
        kube::Error::BuildRequest(_) => {
            Outcome::Refused { code: 0, reason: "BadRequest".to_owned(), message: chain(err) }
        }
        _ if never_connected(err) => Outcome::Unreachable { message: chain(err) },
        _ => Outcome::Unknown { message: chain(err) },
    }
}

/// Whether the server said that the object, or its kind, is not there.
pub(crate) fn is_not_found(err: &kube::Error) -> bool {
    matches!(err, kube::Error::Api(status) if status.code == 404)
}

/// Whether the server said that the object is another than expected.
pub(crate) fn is_conflict(err: &kube::Error) -> bool {
    matches!(err, kube::Error::Api(status) if status.code == 409)
}

/// Whether no connection came about, so that nobody can have read the request.
pub(crate) fn never_connected(err: &(dyn StdError + 'static)) -> bool {
    causes(err).any(|cause| {
        cause
            .downcast_ref::<hyper_util::client::legacy::Error>()
            .is_some_and(hyper_util::client::legacy::Error::is_connect)
    })
}

/// An error and what led to it, as one line without repetitions.
pub(crate) fn chain(err: &(dyn StdError + 'static)) -> String {
    let mut text = String::new();
    for cause in causes(err) {
        let cause = cause.to_string();
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

fn causes<'a>(err: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let mut next = Some(err);
    std::iter::from_fn(move || {
        let err = next?;
        next = err.source();
        Some(err)
    })
}

#[cfg(test)]
mod tests {
    use kube::core::Status;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::conflict(409, "Conflict", "conflict")]
    #[case::exists(409, "AlreadyExists", "conflict")]
    #[case::not_found(404, "NotFound", "refused")]
    #[case::invalid(422, "Invalid", "refused")]
    #[case::slow_down(429, "TooManyRequests", "refused")]
    #[case::gave_up(504, "Timeout", "unknown")]
    #[case::broken(500, "InternalError", "unknown")]
    fn a_refusal_is_told_from_what_may_have_happened(#[case] code: u16, #[case] reason: &str, #[case] word: &str) {
        let status = Status::failure("no", reason).with_code(code);
        assert_eq!(crate::metrics::outcome_word(&outcome(&kube::Error::Api(status.boxed()))), word);
    }
}
