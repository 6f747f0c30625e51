//! Room: the thread that frees big values, so that nobody waits for it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc,
    },
    thread,
};

use sys::crash;

/// Anything that takes long to free.
type Garbage = Box<dyn Send>;

/// The sending end; the thread ends with the last of its copies.
#[derive(Clone, Debug)]
pub struct Bio {
    garbage: mpsc::Sender<(Garbage, u64)>,
    pending: Arc<AtomicU64>,
    freed: Arc<AtomicU64>,
}

impl Bio {
    /// Starts the thread.
    pub fn start() -> Self {
        let (garbage, received) = mpsc::channel::<(Garbage, u64)>();
        let (pending, freed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let (their_pending, their_freed) = (pending.clone(), freed.clone());
        let work = move || {
            // Without it a crash in here leaves a shorter report.
            let _ = crash::protect_thread();
            for (garbage, count) in received {
                drop(garbage);
                their_pending.fetch_sub(count, Relaxed);
                their_freed.fetch_add(count, Relaxed);
            }
        };
        let builder = thread::Builder::new().name("bio_lazy_free".into());
        // Without the thread everything is freed where it is given up.
        drop(builder.spawn(work));
        Self { garbage, pending, freed }
    }

    /// Frees `garbage`, which stands for `count` objects, on the thread.
    pub fn free(&self, garbage: impl Send + 'static, count: u64) {
        self.pending.fetch_add(count, Relaxed);
        // Fails only if the thread has died; then it is freed here.
        if self.garbage.send((Box::new(garbage), count)).is_err() {
            self.pending.fetch_sub(count, Relaxed);
        }
    }

    /// Counts the objects that wait to be freed.
    pub fn pending_count(&self) -> u64 {
        self.pending.load(Relaxed)
    }

    /// Counts the objects that were freed.
    pub fn freed_count(&self) -> u64 {
        self.freed.load(Relaxed)
    }

    /// Starts to count anew.
    pub fn reset_freed(&self) {
        self.freed.store(0, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread};

    use super::Bio;

    struct Telltale(mpsc::Sender<Option<String>>);

    impl Drop for Telltale {
        fn drop(&mut self) {
            let name = thread::current().name().map(str::to_string);
            self.0.send(name).unwrap();
        }
    }

    #[test]
    fn garbage_is_freed_on_the_thread() {
        let bio = Bio::start();
        let (tell, told) = mpsc::channel();
        bio.free(Telltale(tell), 3);
        assert_eq!(told.recv().unwrap().as_deref(), Some("bio_lazy_free"));
    }
}
