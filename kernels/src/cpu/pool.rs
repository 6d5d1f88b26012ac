//! Threads that help with long batches. They are started when first needed, sleep while there is nothing to do, and are
//! shared by all devices of the process.
//!
//! The caller works too and takes back what nobody has begun, so a batch never waits for a thread that is busy elsewhere.

#![allow(unsafe_code)] // A caller's borrowed work is lent to threads that outlive it: see `run`.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Computes one part.
type Body<'a> = dyn Fn(usize) + Sync + 'a;

/// Work that may be joined.
struct Job {
    body: &'static Body<'static>,
    parts: usize,
    /// The first part that nobody has begun.
    next: AtomicUsize,
    crew: Mutex<Crew>,
    left: Condvar,
}

#[derive(Default)]
struct Crew {
    /// Threads that may still touch the body.
    helpers: usize,
    /// What the first helper that panicked said.
    panic: Option<Box<dyn Any + Send>>,
}

struct Pool {
    threads: usize,
    /// One entry for each thread that a job wants.
    wanted: VecDeque<Arc<Job>>,
}

static POOL: Mutex<Pool> = Mutex::new(Pool { threads: 0, wanted: VecDeque::new() });
static WANTED: Condvar = Condvar::new();

/// Calls `body` once with each number below `parts`, on this thread and on up to `helpers` others. Panics where a call
/// does, after all that were begun have ended.
pub(super) fn run(parts: usize, helpers: usize, body: &Body<'_>) {
    // SAFETY: only a helper calls the body through this reference, between `join` and `leave`. `Recall` below keeps
    // this function from returning or unwinding before it has taken the job off the queue, after which nobody can join,
    // and every helper has left. So the reference is not used after the borrow that it came from.
    let body = unsafe { std::mem::transmute::<&Body<'_>, &'static Body<'static>>(body) };
    let (next, crew) = (AtomicUsize::new(0), Mutex::default());
    let job = Arc::new(Job { body, parts, next, crew, left: Condvar::new() });
    let recall = Recall(&job);
    call(&job, helpers.min(parts - 1));
    job.work();
    drop(recall);
    if let Some(panic) = lock(&job.crew).panic.take() {
        resume_unwind(panic);
    }
}

/// Queues the job and sees to it that there are threads.
fn call(job: &Arc<Job>, helpers: usize) {
    let mut pool = lock(&POOL);
    while pool.threads < helpers {
        let name = format!("veilgrid-kernels-{}", pool.threads + 1);
        // Where the system has no thread to give, those that are there do all.
        if std::thread::Builder::new().name(name).spawn(help).is_err() {
            break;
        }
        pool.threads += 1;
    }
    pool.wanted.extend(std::iter::repeat_n(job, helpers).cloned());
    drop(pool);
    (0..helpers).for_each(|_| WANTED.notify_one());
}

/// What each thread does for ever.
fn help() {
    loop {
        let mut pool = lock(&POOL);
        let job = loop {
            match pool.wanted.pop_front() {
                Some(job) => break job,
                None => pool = WANTED.wait(pool).unwrap_or_else(PoisonError::into_inner),
            }
        };
        // Still under the pool's lock: see `Recall`.
        job.join();
        drop(pool);
        let outcome = catch_unwind(AssertUnwindSafe(|| job.work()));
        job.leave(outcome.err());
    }
}

impl Job {
    fn work(&self) {
        loop {
            let part = self.next.fetch_add(1, Ordering::Relaxed);
            if part >= self.parts {
                return;
            }
            (self.body)(part);
        }
    }

    fn join(&self) {
        lock(&self.crew).helpers += 1;
    }

    fn leave(&self, panic: Option<Box<dyn Any + Send>>) {
        let mut crew = lock(&self.crew);
        crew.helpers -= 1;
        if crew.panic.is_none() {
            crew.panic = panic;
        }
        self.left.notify_all();
    }
}

/// Ends a job, also where its caller unwinds: nobody joins any more, and all that have joined have left.
struct Recall<'a>(&'a Arc<Job>);

impl Drop for Recall<'_> {
    fn drop(&mut self) {
        lock(&POOL).wanted.retain(|job| !Arc::ptr_eq(job, self.0));
        let mut crew = lock(&self.0.crew);
        while crew.helpers > 0 {
            crew = self.0.left.wait(crew).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// No invariant of ours can be left broken: nothing panics while it holds a lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_done_once_whoever_helps() {
        for (parts, helpers) in [(1, 0), (1, 3), (2, 1), (7, 0), (50, 4), (3, 9)] {
            let done: Vec<AtomicUsize> = (0..parts).map(|_| AtomicUsize::new(0)).collect();
            run(parts, helpers, &|part| {
                done[part].fetch_add(1, Ordering::Relaxed);
            });
            assert!(done.iter().all(|times| times.load(Ordering::Relaxed) == 1), "{parts} {helpers}");
        }
    }

    #[test]
    fn a_part_may_be_a_job_itself_and_callers_do_not_wait_for_each_other() {
        let total = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    run(4, 2, &|outer| {
                        run(5, 2, &|inner| {
                            total.fetch_add(10 * outer + inner, Ordering::Relaxed);
                        });
                    });
                });
            }
        });
        assert_eq!(total.into_inner(), 3 * (10 * 5 * 6 + 4 * 10));
    }

    #[test]
    fn a_panic_reaches_the_caller_after_the_others_have_ended() {
        for culprit in [0, 5, 9] {
            let ended = AtomicUsize::new(0);
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                run(10, 3, &|part| {
                    assert!(part != culprit, "part {part}");
                    ended.fetch_add(1, Ordering::Relaxed);
                });
            }));
            assert!(outcome.is_err());
            let seen = ended.load(Ordering::Relaxed);
            std::thread::yield_now();
            assert_eq!(ended.load(Ordering::Relaxed), seen);
        }
        run(3, 2, &|_| {});
    }
}
