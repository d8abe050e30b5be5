//! Signals that ask to stop: the first one cancels what runs, the second one ends the process.

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use seaworthy::command::{Category, CommandError};
use tokio::runtime::Builder;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::exit::Failure;

/// Listens until it is dropped.
pub(crate) struct Signals {
    state: Arc<State>,
    _ended: DropGuard,
}

#[derive(Default)]
struct State {
    /// The exit code that tells which signal came, or zero.
    code: AtomicI32,
    /// Whether a person is asked at this moment.
    is_asking: AtomicBool,
}

impl Signals {
    /// Cancels `stop` at the first signal that comes after this has returned.
    ///
    /// On a thread of its own: the command's own one does not come round to it while it waits for a person's answer.
    pub(crate) fn listen(stop: &CancellationToken) -> Self {
        let ended = CancellationToken::new();
        let state = Arc::new(State::default());
        // Nothing is sent: the sender is dropped when the thread listens, and also when it cannot.
        let (starting, started) = mpsc::channel::<()>();
        let heard = (stop.clone(), Arc::clone(&state), ended.clone());
        // Where no thread can be had a signal ends the process, as it does in a program that listens to none.
        let thread = thread::Builder::new().name("signals".to_owned()).spawn(move || {
            let (stop, state, ended) = heard;
            if let Ok(runtime) = Builder::new_current_thread().enable_io().build() {
                runtime.block_on(async {
                    let Ok(source) = Source::open() else { return };
                    drop(starting);
                    tokio::select! {
                        () = heed(source, stop, state) => {}
                        () = ended.cancelled() => {}
                    }
                });
            }
        });
        drop(thread);
        started.recv().unwrap_or_default();
        Self {
            state,
            _ended: ended.drop_guard(),
        }
    }

    /// Returns the exit code for the signal that came, if one did: 128 plus its number.
    pub(crate) fn code(&self) -> Option<i32> {
        match self.state.code.load(Ordering::Relaxed) {
            0 => None,
            code => Some(code),
        }
    }

    /// Returns an answer; that a signal ended the command is said with its exit code.
    pub(crate) fn told<T>(&self, answer: Result<T, CommandError>) -> Result<T, Failure> {
        answer.map_err(|source| match self.code() {
            Some(code) if source.category() == Category::Stopped => Failure::Stopped { code, source },
            _ => source.into(),
        })
    }

    /// Asks a person, who may answer with Ctrl-C: nothing has begun then, and the process ends.
    pub(crate) fn while_asking<T>(&self, ask: impl FnOnce() -> T) -> T {
        self.state.is_asking.store(true, Ordering::Relaxed);
        let answer = ask();
        self.state.is_asking.store(false, Ordering::Relaxed);
        answer
    }
}

async fn heed(mut source: Source, stop: CancellationToken, state: Arc<State>) {
    let mut code = source.next().await;
    state.code.store(code, Ordering::Relaxed);
    stop.cancel();
    if !state.is_asking.load(Ordering::Relaxed) {
        code = source.next().await;
    }
    crate::exit::at_once(code);
}

/// The signals that ask to stop: from when it is open on they do not end the process by themselves.
#[cfg(unix)]
struct Source {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Source {
    fn open() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next one, and returns its exit code.
    async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.terminate.recv() => 143,
            _ = self.interrupt.recv() => 130,
        }
    }
}

/// Ctrl-C.
#[cfg(windows)]
struct Source(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Source {
    fn open() -> std::io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) -> i32 {
        self.0.recv().await;
        130
    }
}
