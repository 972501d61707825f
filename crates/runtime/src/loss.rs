//! What people are told when the log lost records that it had acknowledged.
//!
//! The loss itself is a record. Here it becomes a Kubernetes Event, since nobody reads the log of a process that works.

use ramen_api::kinds::{LEASE, NAMESPACE};
use ramen_ports::Target;

use crate::{
    Settings,
    clock::machine_time,
    kube_api::{
        calls::Calls,
        notices::{Notice, Notices},
    },
};

/// Reason of the Event.
const REASON: &str = "EventLogLostRecords";

/// Reports the loss on the Lease, or on the operator's namespace if it has none. Failing to is no reason not to start.
pub(crate) async fn report(lost: u64, settings: &Settings, notices: &Notices, calls: &Calls) {
    let regarding = match &settings.lease {
        Some(lease) => Target { resource: &LEASE, namespace: settings.namespace.clone(), name: lease.name.clone() },
        None => Target { resource: &NAMESPACE, namespace: String::new(), name: settings.namespace.clone() },
    };
    let message = format!(
        "the event log of the operator on {cluster} lacks the last {lost} records that it had acknowledged as durable; \
         the operator goes on from what the clusters show. Find out why the volume lost what it had promised to keep",
        cluster = settings.cluster
    );
    let notice = Notice { regarding: &regarding, uid: "", warning: true, reason: REASON, message: &message };
    if let Some((target, body)) = notices.event(notice, machine_time())
        && let Err(outcome) = calls.post(&target, &body).await
    {
        tracing::warn!(error = outcome.message(), reason = REASON, "could not report an event");
    }
}
