//! Gathers what concurrent callers want done into one transaction: a durable commit, or a question,
//! costs about the same for one row and for hundreds.

use domain::Fault;
use tokio::sync::{mpsc, oneshot};

/// The most jobs that wait; a caller past it waits for a place.
const QUEUE: usize = 4_096;
/// The most jobs of one transaction.
const BATCH: usize = 1_024;

/// What does the work: all jobs of a batch in one transaction, an answer for each, in order.
pub(crate) trait Work: Send + 'static {
    type Job: Send + 'static;
    type Done: Send + 'static;

    fn run(
        &mut self,
        jobs: &[Self::Job],
    ) -> impl Future<Output = Result<Vec<Self::Done>, Fault>> + Send;
}

/// The way to a task that does one batch at a time. The task ends when the last way to it is gone.
pub(crate) struct Batcher<W: Work> {
    jobs: mpsc::Sender<(W::Job, Reply<W::Done>)>,
    doing: &'static str,
}

type Reply<D> = oneshot::Sender<Result<D, Fault>>;

impl<W: Work> Batcher<W> {
    /// `doing` is what a caller is told when it fails.
    pub fn start(mut work: W, doing: &'static str) -> Self {
        let (jobs, mut waiting) = mpsc::channel(QUEUE);
        tokio::spawn(async move {
            let mut batch: Vec<(W::Job, Reply<W::Done>)> = Vec::new();
            // What comes in during a commit is the next batch; nobody waits for company.
            while waiting.recv_many(&mut batch, BATCH).await > 0 {
                let (jobs, replies): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
                let done = work.run(&jobs).await;
                answer(done, replies, doing);
            }
        });
        Self { jobs, doing }
    }

    /// Has the job done without waiting for it; not at all where too many wait already.
    pub fn begin(&self, job: W::Job) {
        let (reply, _) = oneshot::channel();
        let _ = self.jobs.try_send((job, reply));
    }

    /// Returns when the job is done.
    pub async fn run(&self, job: W::Job) -> Result<W::Done, Fault> {
        let (reply, answer) = oneshot::channel();
        let gone = || Fault::unavailable(self.doing, "shutting down");
        self.jobs.send((job, reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

fn answer<D>(done: Result<Vec<D>, Fault>, replies: Vec<Reply<D>>, doing: &'static str) {
    // A caller that is gone wants no answer.
    match done {
        Ok(done) => {
            for (reply, done) in replies.into_iter().zip(done) {
                let _ = reply.send(Ok(done));
            }
        }
        Err(fault) => {
            let detail = fault.detail();
            for reply in replies {
                let _ = reply.send(Err(Fault::unavailable(doing, detail.clone())));
            }
        }
    }
}
