//! Room: a descriptor that others own and the loop watches: an eventfd, a pipe.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, RawFd},
};

use mio::{Interest, Registry, Token, event::Source, unix::SourceFd};

/// Lets a foreign descriptor be added to the loop. Whoever owns it keeps it open for as
/// long as the loop watches it.
#[derive(Debug)]
pub struct Waker(RawFd);

impl Waker {
    /// Names the descriptor.
    pub fn new(descriptor: &impl AsFd) -> Self {
        Self(descriptor.as_fd().as_raw_fd())
    }
}

impl Source for Waker {
    fn register(
        &mut self,
        registry: &Registry,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        SourceFd(&self.0).register(registry, token, interest)
    }

    fn reregister(
        &mut self,
        registry: &Registry,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        SourceFd(&self.0).reregister(registry, token, interest)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        SourceFd(&self.0).deregister(registry)
    }
}
