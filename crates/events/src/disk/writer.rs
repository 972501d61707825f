//! Group commit: one thread writes and syncs for all who append.
//!
//! While a sync runs, batches queue up; then all of them go into one atomic write and share the next sync. A caller
//! sleeps until its batch is durable.

use std::{
    fs::File,
    io, mem,
    ops::Range,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
};

use sled::{Batch, Db};

use crate::{
    Epoch, Seq,
    disk::{
        blobs,
        group::{Failure, Group, Waiting},
        marker::Marker,
    },
    log::{Entry, Error, Head},
};

/// Locks, also after a panic elsewhere: what these mutexes guard is replaced whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where a caller waits for its answer.
#[derive(Debug)]
pub(super) struct Reply<T> {
    answer: Mutex<Option<Result<T, Error>>>,
    ready: Condvar,
}

impl<T> Reply<T> {
    fn new() -> Arc<Self> {
        Arc::new(Self { answer: Mutex::new(None), ready: Condvar::new() })
    }

    pub fn give(&self, answer: Result<T, Error>) {
        *lock(&self.answer) = Some(answer);
        self.ready.notify_one();
    }

    fn wait(&self) -> Result<T, Error> {
        let mut answer = lock(&self.answer);
        loop {
            match answer.take() {
                Some(answer) => return answer,
                None => answer = self.ready.wait(answer).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

/// What the writer is asked for.
#[derive(Debug)]
pub(super) enum Job {
    Append {
        expected_first: Option<Seq>,
        entries: Vec<Entry>,
        blobs: Vec<blobs::Packed>,
        reply: Arc<Reply<Range<Seq>>>,
    },
    Snapshot {
        batch: Batch,
        reply: Arc<Reply<()>>,
    },
}

#[derive(Debug, Default)]
struct Queue {
    jobs: Vec<Job>,
    closed: bool,
    /// Why nothing is written any more.
    poisoned: Option<String>,
}

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
}

/// What makes the store's file durable. A function, so that tests can let it fail.
pub(super) type Sync = Box<dyn Fn() -> io::Result<()> + Send>;

/// Syncs through a descriptor of our own: a failed write-back is reported once to each open file, and sled's own
/// background sync must not take that report away from us.
pub(super) fn sync_of(file: File) -> Sync {
    Box::new(move || file.sync_data())
}

/// What the writer's thread works on.
pub(super) struct Target {
    pub db: Db,
    pub sync: Sync,
    pub marker: Marker,
    pub epoch: Epoch,
    pub head: Arc<Mutex<Head>>,
}

/// Handle of the writing thread; the thread ends when it is dropped, after what is queued.
#[derive(Debug)]
pub(super) struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub fn start(target: Target) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("log-writer".to_owned()).spawn(move || run(&theirs, &target))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    pub fn append(
        &self,
        expected_first: Option<Seq>,
        entries: Vec<Entry>,
        blobs: Vec<blobs::Packed>,
    ) -> Result<Range<Seq>, Error> {
        let reply = Reply::new();
        self.submit(Job::Append { expected_first, entries, blobs, reply: Arc::clone(&reply) })?;
        reply.wait()
    }

    pub fn save_snapshot(&self, batch: Batch) -> Result<(), Error> {
        let reply = Reply::new();
        self.submit(Job::Snapshot { batch, reply: Arc::clone(&reply) })?;
        reply.wait()
    }

    /// How many batches wait for the running sync to end.
    #[cfg(test)]
    pub fn queued(&self) -> usize {
        lock(&self.shared.queue).jobs.len()
    }

    fn submit(&self, job: Job) -> Result<(), Error> {
        let mut queue = lock(&self.shared.queue);
        if let Some(reason) = &queue.poisoned {
            return Err(Error::Poisoned { reason: reason.clone() });
        }
        let sleeping = queue.jobs.is_empty();
        queue.jobs.push(job);
        drop(queue);
        if sleeping {
            self.shared.wake.notify_one();
        }
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        lock(&self.shared.queue).closed = true;
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been printed; nothing is left to be told here.
            drop(thread.join());
        }
    }
}

fn run(shared: &Shared, target: &Target) {
    while let Some(jobs) = next_jobs(shared) {
        let mut jobs = jobs.into_iter();
        while jobs.len() > 0 {
            let mut group = Group::gather(*lock(&target.head), &mut jobs);
            let written = group.write(target);
            let waiting = group.waiting;
            match written {
                Ok(head) => {
                    *lock(&target.head) = head;
                    waiting.into_iter().for_each(Waiting::confirm);
                }
                Err(failure) => poison(shared, failure, waiting, jobs.by_ref()),
            }
        }
    }
}

/// After a failure nothing is known of what reached the disk: nobody may append any more.
fn poison(shared: &Shared, failure: Failure, waiting: Vec<Waiting>, jobs: impl Iterator<Item = Job>) {
    let reason = failure.to_string();
    let mut queue = lock(&shared.queue);
    queue.poisoned = Some(reason.clone());
    let queued = mem::take(&mut queue.jobs);
    drop(queue);
    for one in waiting {
        one.fail(failure.error());
    }
    for job in jobs.chain(queued) {
        job.refuse(Error::Poisoned { reason: reason.clone() });
    }
}

/// Sleeps until there is something to do; `None` when the log is closed.
fn next_jobs(shared: &Shared) -> Option<Vec<Job>> {
    let mut queue = lock(&shared.queue);
    loop {
        if !queue.jobs.is_empty() {
            return Some(mem::take(&mut queue.jobs));
        }
        if queue.closed {
            return None;
        }
        queue = shared.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
    }
}

impl Job {
    fn refuse(self, err: Error) {
        match self {
            Self::Append { reply, .. } => reply.give(Err(err)),
            Self::Snapshot { reply, .. } => reply.give(Err(err)),
        }
    }
}
