//! Stdout for our own answers alone: what a revision prints while it runs goes to stderr, and while it is only recorded to nowhere.
//!
//! On Unix the process's stdout is pointed at stderr, and the real one is kept aside. Elsewhere nothing is done: the answers of
//! a command whose revisions print are mixed with what they print there.

use std::io::{self, Write};

#[cfg(unix)]
use std::fs::File;
#[cfg(unix)]
use std::os::fd::AsFd;

/// The real stdout, while the process's own leads to stderr; put back when it is dropped.
#[derive(Debug)]
pub(crate) struct KeptStdout {
    #[cfg(unix)]
    real: Option<File>,
}

impl KeptStdout {
    /// Keeps the real stdout; a process without one, or without stderr, goes on as it is.
    #[cfg(unix)]
    pub(crate) fn keep() -> Self {
        Self {
            real: exchange().ok(),
        }
    }

    #[cfg(not(unix))]
    pub(crate) fn keep() -> Self {
        Self {}
    }

    /// Writes to the real stdout; `anstream` takes the colours out again where there is no terminal.
    #[cfg(unix)]
    pub(crate) fn write(&self, text: &str) -> io::Result<()> {
        match &self.real {
            Some(real) => anstream::AutoStream::auto(real.try_clone()?).write_all(text.as_bytes()),
            None => anstream::stdout().write_all(text.as_bytes()),
        }
    }

    /// Shows nothing of what revisions print while they are only recorded.
    #[cfg(unix)]
    pub(crate) fn mute_recordings(&self) {
        if self.real.is_some() {
            seaworthy::script::set_recording_hook(mute);
        }
    }

    #[cfg(not(unix))]
    pub(crate) fn mute_recordings(&self) {}

    #[cfg(not(unix))]
    pub(crate) fn write(&self, text: &str) -> io::Result<()> {
        anstream::stdout().write_all(text.as_bytes())
    }
}

#[cfg(unix)]
impl Drop for KeptStdout {
    fn drop(&mut self) {
        if let Some(real) = &self.real {
            // The answer is complete, and nobody is left who could be told.
            drop(put_back(real));
        }
    }
}

/// Sends what is printed on stdout from now on to nowhere, or to stderr again.
#[cfg(unix)]
fn mute(is_muted: bool) {
    let redirect = || -> io::Result<()> {
        io::stdout().flush()?;
        match is_muted {
            true => rustix::stdio::dup2_stdout(File::options().write(true).open("/dev/null")?)?,
            false => rustix::stdio::dup2_stdout(io::stderr())?,
        }
        Ok(())
    };
    // Where it cannot be done, what is printed goes where it went before.
    drop(redirect());
}

#[cfg(unix)]
fn put_back(real: &File) -> io::Result<()> {
    // What was printed without a line's end is still kept by the standard library.
    io::stdout().flush()?;
    Ok(rustix::stdio::dup2_stdout(real)?)
}

#[cfg(unix)]
fn exchange() -> io::Result<File> {
    // What the program has printed before belongs to where stdout leads now.
    io::stdout().flush()?;
    let real = io::stdout().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdout(io::stderr())?;
    Ok(real.into())
}
