//! Signals that ask to stop: the first one cancels what runs, the second one ends the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
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
    /// Cancels `stop` at the first signal.
    ///
    /// On a thread of its own: the command's own one does not come round to it while it waits for a person's answer.
    pub(crate) fn listen(stop: &CancellationToken) -> Self {
        let ended = CancellationToken::new();
        let state = Arc::new(State::default());
        let listening = listen(stop.clone(), Arc::clone(&state));
        let until_ended = ended.clone();
        // Where no thread can be had a signal ends the process, as it does in a program that listens to none.
        let thread = thread::Builder::new().name("signals".to_owned()).spawn(move || {
            if let Ok(runtime) = Builder::new_current_thread().enable_io().build() {
                runtime.block_on(async {
                    tokio::select! {
                        () = listening => {}
                        () = until_ended.cancelled() => {}
                    }
                });
            }
        });
        drop(thread);
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

async fn listen(stop: CancellationToken, state: Arc<State>) {
    let mut code = next_signal().await;
    state.code.store(code, Ordering::Relaxed);
    stop.cancel();
    if !state.is_asking.load(Ordering::Relaxed) {
        code = next_signal().await;
    }
    crate::exit::at_once(code);
}

/// Waits for a signal that asks to stop, and returns its exit code.
#[cfg(unix)]
async fn next_signal() -> i32 {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => 143,
        _ = interrupt.recv() => 130,
    }
}

/// Waits for Ctrl-C.
#[cfg(not(unix))]
async fn next_signal() -> i32 {
    drop(tokio::signal::ctrl_c().await);
    130
}
