//! Starting and stopping: what comes up in which order, and what its end means.
//!
//! Up: client, metrics and health, leadership, log, then all at once. Down: no more watches and no more commands; those
//! under way may end; their outcomes are appended; a snapshot; the Lease is given up last.

use std::sync::Arc;

use ramen_events::{
    Operator as Side, Origin,
    disk::{Options, Owner, Recovered, SledLog},
    log::{EventLog, History},
};
use ramen_ledger::Ledger;
use ramen_ports::{Operator, Watch};
use ramen_projector::Domain;
use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    Error, Settings,
    archive::Exporter,
    captures::Captures,
    clock::WallClock,
    crds::{self, Served},
    executor::Executor,
    gauges,
    head::{Later, LogHead},
    kube_api::{calls::Calls, client, notices::Notices},
    leadership::Leadership,
    lease::Lease,
    loss,
    metrics::Metrics,
    parts::{Part, Parts},
    pipeline::{self, Pipeline},
    s3::Stores,
    serve,
    vault::Vault,
    watch::Watcher,
};

/// Runs an operator until `stop` is cancelled, with the log in [`Settings::data_dir`].
///
/// # Errors
/// Whatever makes it impossible to go on; see [`Error::remedy`] and [`Error::exit_code`].
pub async fn run<O: Operator>(operator: O, settings: Settings, stop: CancellationToken) -> Result<(), Error> {
    let dir = settings.data_dir.clone();
    let owner = Owner { operator: O::Domain::OPERATOR, cluster: settings.cluster.clone() };
    let options = Options { refuse_lost: settings.refuse_damaged_log, ..Options::new(owner) };
    let open = move || match SledLog::open(&dir, &options) {
        Ok(log) => {
            tell_found(log.recovered());
            Ok(Opened { lost: log.recovered().lost, log: Arc::new(log) })
        }
        Err(err) => Err(Error::OpenLog { dir, err }),
    };
    run_with_log(operator, settings, open, stop).await
}

/// A log, and what was found when it was opened.
pub struct Opened {
    /// The log.
    pub log: Arc<dyn EventLog>,
    /// How many records it lacks although it had acknowledged them.
    pub lost: u64,
}

/// As [`run`], with another log. `open` is called, where it may block, once this process leads.
///
/// # Errors
/// As [`run`].
pub async fn run_with_log<O: Operator>(
    operator: O,
    settings: Settings,
    open: impl FnOnce() -> Result<Opened, Error> + Send + 'static,
    stop: CancellationToken,
) -> Result<(), Error> {
    let operator = Arc::new(operator);
    let manager = manager(O::Domain::OPERATOR);
    let metrics = Metrics::new();
    let config = client::configure(&settings.connect).await?;
    let server = config.cluster_url.to_string();
    let agent = format!("{manager}/{}", env!("CARGO_PKG_VERSION"));
    let client = client::client(config, &agent, &metrics)?;
    let calls = Calls::new(client.clone(), manager, settings.limits.call);
    tell_settings(manager, &settings, &server);

    let mut parts = Parts::new(&stop);
    let (asking, questions) = gauges::channel();
    if let Some(addr) = settings.listen {
        let listener = serve::listen(addr).await?;
        let (metrics, end) = (metrics.clone(), parts.end.clone());
        parts.spawn(Part::Server, async move {
            serve::serve(listener, metrics, asking, end).await;
            Ok(())
        });
    }
    let noted = Later::default();
    let mut leadership = Leadership::default();
    if let Some(lease) = &settings.lease {
        let mut lease = Lease::new(calls.clone(), lease.clone(), &settings.namespace, &settings.identity);
        lease.note(Arc::clone(&noted));
        leadership = lease.leadership();
        if !lease.acquire(&stop).await {
            return Ok(());
        }
        tracing::info!(identity = %settings.identity, "leading");
        let end = parts.end.clone();
        parts.spawn(Part::Lease, async move {
            lease.keep(&end).await?;
            lease.release().await;
            Ok(())
        });
    }
    metrics.leading.set(1);

    let ends = Ends { client, calls, leadership, questions, noted, metrics: metrics.clone() };
    let started = start(&mut parts, operator, &settings, open, ends).await;
    let ended = parts.join(started.err()).await;
    metrics.leading.set(0);
    tracing::info!("stopped");
    ended
}

/// What connects the parts with the outside.
struct Ends {
    client: kube::Client,
    calls: Calls,
    leadership: Leadership,
    questions: mpsc::Receiver<gauges::Question>,
    /// Where the end of the log is noted.
    noted: Later,
    metrics: Metrics,
}

/// Opens the log and starts everything that works on it.
async fn start<O: Operator>(
    parts: &mut Parts,
    operator: Arc<O>,
    settings: &Settings,
    open: impl FnOnce() -> Result<Opened, Error> + Send + 'static,
    ends: Ends,
) -> Result<(), Error> {
    let Ends { client, calls, leadership, questions, noted, metrics } = ends;
    let opened = tokio::task::spawn_blocking(move || {
        let opened = open()?;
        let world = pipeline::recover::<O::Domain>(&*opened.log)?;
        Ok((opened, world))
    });
    let (Opened { log, lost }, world) = opened.await.map_err(|_| Error::Ended { part: "the log's reader" })??;
    let limits = settings.limits.clone();
    let head = log.head();
    let origin = Origin { operator: O::Domain::OPERATOR, cluster: settings.cluster.clone(), epoch: log.epoch() };
    let (inputs, received) = mpsc::channel(limits.queue);
    let (work, to_do) = mpsc::unbounded_channel();
    let vault = Arc::new(Vault::default());
    let owner = Owner { operator: O::Domain::OPERATOR, cluster: settings.cluster.clone() };
    let log_head = Arc::new(LogHead::new(Arc::clone(&log) as Arc<dyn History>, owner));
    // It is empty: this process opens one log.
    let _ = noted.set(Arc::clone(&log_head));
    let notices = Notices::new(manager(O::Domain::OPERATOR), settings.identity.clone());
    metrics.lost.set(i64::try_from(lost).unwrap_or(i64::MAX));
    if lost > 0 {
        loss::report(lost, settings, &notices, &calls).await;
    }

    if let Some(addr) = settings.captures {
        let listener = serve::listen(addr).await?;
        let (history, end) = (Arc::clone(&log) as Arc<dyn History>, parts.end.clone());
        let captures = Captures::new(history, calls.clone(), settings.cluster.to_string());
        parts.spawn(Part::Server, async move {
            serve::serve_captures(listener, captures, end).await;
            Ok(())
        });
    }

    if let Some(archive) = &settings.archive {
        let (history, vault) = (Arc::clone(&log) as Arc<dyn History>, Arc::clone(&vault));
        let exporter = Exporter::new(history, log_head, archive.clone(), vault, metrics.clone(), limits.stop);
        let (end, abandon) = (parts.end.clone(), parts.abandon.clone());
        parts.spawn(Part::Archive, async move {
            exporter.run(end, abandon).await;
            Ok(())
        });
    }

    let executor = Executor {
        operator: Arc::clone(&operator),
        calls,
        leadership,
        stores: Stores::new(Arc::clone(&vault), &limits, metrics.clone()),
        notices,
        history: Arc::clone(&log) as Arc<dyn History>,
        permits: Semaphore::new(limits.calls),
        metrics: metrics.clone(),
        stop_limit: limits.stop,
    };
    let (to_pipeline, abandon) = (inputs.clone(), parts.abandon.clone());
    parts.spawn(Part::Executor, async move {
        Arc::new(executor).run(to_do, to_pipeline, abandon).await;
        Ok(())
    });

    let pipeline = Pipeline {
        saved: world.head,
        questions,
        lost,
        ledger: Ledger::new(Arc::clone(&operator), origin, world, head.stamp),
        log,
        clock: WallClock::after(head.stamp.time),
        inputs: received,
        work: Some(work),
        metrics: metrics.clone(),
        limits,
    };
    let stop = parts.stop.clone();
    parts.spawn(Part::Pipeline, pipeline.run(stop));

    let (served, knows_served) = watch::channel(Served::default());
    let missing = Arc::new(Notify::new());
    let seen = watch::Sender::default();
    let watches = operator.watches();
    for (index, watch) in watches.iter().cloned().enumerate() {
        let of_this = |(other, row): (usize, &Watch)| {
            row.once.filter(|once| once.kind == watch.kind).map(|once| (other, once.when))
        };
        let waiting = watches.iter().enumerate().filter_map(of_this).collect();
        let watcher = Watcher {
            index,
            watch,
            client: client.clone(),
            inputs: inputs.clone(),
            vault: Arc::clone(&vault),
            served: knows_served.clone(),
            missing: Arc::clone(&missing),
            waiting,
            seen: seen.clone(),
            metrics: metrics.clone(),
        };
        parts.spawn_until_stop(Part::Watch, watcher.run());
    }
    if watches.iter().any(|watch| watch.optional) {
        parts.spawn_until_stop(Part::Watch, crds::follow(client, served, missing));
    }
    Ok(())
}

/// The field manager of all writes, which is also the name under which the operator reports Events.
fn manager(side: Side) -> &'static str {
    match side {
        Side::Hub => "ramen-hub",
        Side::Spoke => "ramen-spoke",
    }
}

/// What the log was found to hold.
fn tell_found(found: &Recovered) {
    // What was lost becomes a record, and is told with it.
    let Recovered { head, epoch, checked, cut, .. } = *found;
    tracing::info!(seq = head.seq.0, %epoch, checked, "the log is open");
    if cut > 0 {
        tracing::warn!(cut, seq = head.seq.0, "the log had a torn tail, as a crash leaves it; it was cut off");
    }
}

/// One line with what is in force.
fn tell_settings(manager: &str, settings: &Settings, server: &str) {
    let Settings { cluster, data_dir, namespace, identity, lease, listen, archive, .. } = settings;
    tracing::info!(
        operator = manager,
        version = env!("CARGO_PKG_VERSION"),
        decider = ramen_projector::DECIDER_VERSION,
        %cluster,
        server,
        data_dir = %data_dir.display(),
        namespace,
        identity,
        lease = lease.as_ref().map(|lease| lease.name.as_str()),
        listen = listen.map(tracing::field::display),
        archive = archive.as_ref().map(|archive| format!("s3://{}/{}", archive.profile.bucket, archive.prefix)),
        "starting"
    );
}
