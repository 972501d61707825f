//! The parts of the process: tasks, what their end means, and in which order they stop.

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::Error;

/// What a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The loop; when it has ended, nothing is left to do.
    Pipeline,
    /// Carries out commands.
    Executor,
    /// Watches a kind.
    Watch,
    /// Keeps the Lease.
    Lease,
    /// Serves metrics and health.
    Server,
    /// Archives the log.
    Archive,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Pipeline => "the pipeline",
            Self::Executor => "the executor",
            Self::Watch => "a watch",
            Self::Lease => "the Lease's keeper",
            Self::Server => "the metrics server",
            Self::Archive => "the log's export",
        }
    }
}

/// All tasks, and the tokens that stop them.
pub(crate) struct Parts {
    tasks: JoinSet<(Part, Result<(), Error>)>,
    /// No more watches, no new commands.
    pub(crate) stop: CancellationToken,
    /// The pipeline has ended: the rest may.
    pub(crate) end: CancellationToken,
    /// Drop even what is under way.
    pub(crate) abandon: CancellationToken,
}

impl Parts {
    /// No parts yet. They stop when `stop` is cancelled, or on their own account.
    pub(crate) fn new(stop: &CancellationToken) -> Self {
        Self {
            tasks: JoinSet::new(),
            stop: stop.child_token(),
            end: CancellationToken::new(),
            abandon: CancellationToken::new(),
        }
    }

    /// Starts a part.
    pub(crate) fn spawn(&mut self, part: Part, task: impl Future<Output = Result<(), Error>> + Send + 'static) {
        self.tasks.spawn(async move { (part, task.await) });
    }

    /// Starts a part that may be dropped at any moment once the process stops.
    pub(crate) fn spawn_until_stop(&mut self, part: Part, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.spawn(part, async move {
            stop.run_until_cancelled(task).await;
            Ok(())
        });
    }

    /// Waits for all parts. The first failure stops the others and is what is returned; `failure` is one that happened
    /// before.
    pub(crate) async fn join(mut self, mut failure: Option<Error>) -> Result<(), Error> {
        if failure.is_some() {
            // There may be no pipeline to end everything else.
            self.stop.cancel();
            self.end.cancel();
        }
        while let Some(joined) = self.tasks.join_next().await {
            let (part, ended) =
                joined.unwrap_or_else(|_| (Part::Watch, Err(Error::Ended { part: "a part (it panicked)" })));
            let unasked = if self.stop.is_cancelled() { None } else { Some(Error::Ended { part: part.name() }) };
            if let Some(err) = ended.err().or(unasked) {
                if matches!(err, Error::LostLeadership { .. }) {
                    // Another process may act from now on.
                    self.abandon.cancel();
                }
                failure.get_or_insert(err);
                self.stop.cancel();
            }
            if part == Part::Pipeline {
                self.end.cancel();
            }
        }
        failure.map_or(Ok(()), Err)
    }
}
