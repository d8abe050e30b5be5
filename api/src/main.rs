//! The `api` binary: reads the settings, starts the service, waits for the signal to stop.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use api::settings::{Command, CommandLine, Environment, LogFormat, SecretOrigin, Settings};
use api::{Clock, Server};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let line = CommandLine::read();
    match run(line).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to do when not even this can be written.
            drop(writeln!(std::io::stderr(), "api: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(line: CommandLine) -> Result<()> {
    let settings = line.settings;
    log(&settings)?;
    match line.command {
        None => serve(&settings).await,
        Some(Command::Token { user, email }) => say(&api::development_token(
            &settings,
            &Clock::system(),
            &user,
            &email,
        )?),
        Some(Command::Password { email }) => {
            let password = read_password(&email).await?;
            api::reset_password(&settings, Clock::system(), &email, &password).await?;
            say("The password is changed and every sign-in ended.")
        }
        Some(Command::Ready) => say(&api::ready(&settings).await?),
        Some(Command::Demo) => say(&api::demo(&settings, Clock::system()).await?),
    }
}

async fn serve(settings: &Settings) -> Result<()> {
    // Before anything else: a signal during the start must not be lost.
    let mut terminated = signal(SignalKind::terminate()).context("could not listen for signals")?;
    let mut interrupted = signal(SignalKind::interrupt()).context("could not listen for signals")?;
    raise_descriptor_limit();
    let server = Server::start(settings, Clock::system()).await?;
    let file = settings.secret_file.display();
    match server.secret() {
        SecretOrigin::Given => {}
        SecretOrigin::Kept => say(&format!("Tokens are signed with the secret in {file}."))?,
        SecretOrigin::Made => say(&format!(
            "A random secret for development was put in {file}; only you can read it."
        ))?,
    }
    let token = match settings.environment {
        // There, tokens come from a sign-in or an issuer alone.
        Environment::Production => "",
        Environment::Development => ", a token: api token --user ID --email E",
    };
    say(&format!(
        "Todo API on http://{} (reference: /docs, document: /openapi.json{token})",
        server.address()
    ))?;
    tokio::select! {
        _ = terminated.recv() => {}
        _ = interrupted.recv() => {}
    }
    tracing::info!("stopping: readiness fails now, what is under way is finished");
    server.drain();
    tokio::time::sleep(settings.drain()).await;
    server.stop().await.context("could not stop in good order")
}

/// Takes as many file descriptors as are allowed, since each connection needs one: the usual soft limit of 1024 is for programs that
/// use `select`, which knows no others (select(2)).
fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    let all = Rlimit {
        current: limit.maximum,
        ..limit
    };
    if let Err(error) = setrlimit(Resource::Nofile, all) {
        tracing::warn!(%error, current = limit.current, "the limit of open files could not be raised");
    }
}

fn log(settings: &Settings) -> Result<()> {
    let filter = EnvFilter::try_new(&settings.log_level).context("LOG_LEVEL cannot be understood")?;
    let output = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match settings.log_format() {
        LogFormat::Json => output.json().flatten_event(true).init(),
        LogFormat::Text => output.compact().init(),
    }
    Ok(())
}

/// Reads the first line of the input; on a terminal it is not shown while it is typed.
async fn read_password(email: &str) -> Result<String> {
    let mut interrupted = signal(SignalKind::interrupt()).context("could not listen for signals")?;
    let hidden = match std::io::stdin().is_terminal() {
        true => {
            write!(std::io::stderr(), "New password of {email}: ")
                .context("could not write to the terminal")?;
            Some(Hidden::begin().context("could not hide what is typed")?)
        }
        false => None,
    };
    let (send, line) = tokio::sync::oneshot::channel();
    // Not one of the runtime's threads, which it would wait for.
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = std::io::stdin().read_line(&mut line);
        // Nobody waits for it any more after a signal.
        drop(send.send(read.map(|_| line)));
    });
    let line = tokio::select! {
        line = line => line.context("nothing could be read")?.context("could not read the password")?,
        _ = interrupted.recv() => anyhow::bail!("interrupted: nothing was changed"),
    };
    drop(hidden);
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// What is typed is not shown until this is dropped.
struct Hidden(Termios);

impl Hidden {
    fn begin() -> std::io::Result<Self> {
        let shown = tcgetattr(std::io::stdin())?;
        let mut hidden = shown.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(std::io::stdin(), OptionalActions::Flush, &hidden)?;
        Ok(Self(shown))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        if let Err(error) = tcsetattr(std::io::stdin(), OptionalActions::Flush, &self.0) {
            tracing::warn!(%error, "the terminal goes on hiding what is typed: `stty echo` shows it again");
        }
        // Nothing is left to do when not even this can be written.
        drop(writeln!(std::io::stderr()));
    }
}

fn say(line: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{line}").context("could not write to the terminal")
}
