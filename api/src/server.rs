//! Starts the service and stops it without dropping what is under way.

mod admission;
mod connections;

use std::net::SocketAddr;
use std::time::Duration;

use axum::http::HeaderValue;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use thiserror::Error;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::auth::{Hasher, Issuer, Strength, Tokens};
use crate::domain::{Clock, Email, Password, UserId};
use crate::http::{self, Document};
use crate::limits::Limits;
use crate::phases;
use crate::service::{Authority, Failure, Refusal, Services};
use crate::settings::{Environment, SecretOrigin, Settings, SettingsError, is_origin};
use crate::state::App;
use crate::store::{Address, Limits as DatabaseLimits, Store};
use crate::trace::Traces;
use admission::Admission;
use connections::{Patience, serve};

/// Longest time for taking the last sign of life back; a process that does not counts as gone a little later.
const FAREWELL: Duration = Duration::from_secs(2);
/// How often clients that have not asked for a while are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(15);
/// How long a token for development is good: seven days.
const TOKEN_SECONDS: i64 = 7 * 24 * 60 * 60;

/// A running service.
pub struct Server {
    address: SocketAddr,
    app: App,
    secret: SecretOrigin,
    stop: CancellationToken,
    serving: JoinHandle<()>,
    watching: JoinHandle<()>,
    metrics: Option<(SocketAddr, JoinHandle<()>)>,
    living: JoinHandle<()>,
    life: CancellationToken,
    sweeping: JoinHandle<()>,
    forgetting: JoinHandle<()>,
}

/// The service cannot start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The settings cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The database cannot be brought to head.
    #[error("could not bring the database to head")]
    Migrate {
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The database cannot be opened.
    #[error("could not open the database")]
    Database {
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Nothing can be listened to there.
    #[error("could not listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// An allowed origin is no origin.
    #[error("{origin:?} is no origin: scheme, host and port, as in https://todo.example")]
    Origin {
        /// What was given.
        origin: String,
    },
    /// The collector of spans cannot be used.
    #[error("OTEL_EXPORTER_OTLP_ENDPOINT cannot be used: {reason}")]
    Collector {
        /// Why not.
        reason: String,
    },
    /// Keys of an issuer without saying which issuer and for whom.
    #[error("TODO_JWKS_URL needs TODO_JWT_ISSUER and TODO_JWT_AUDIENCE as well")]
    IncompleteIssuer,
    /// The keys of an issuer cannot be fetched from there.
    #[error("the issuer cannot be used")]
    Issuer {
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Nobody can have a token like this.
    #[error("no token can be made: {reason}")]
    Token {
        /// Why not.
        reason: &'static str,
    },
    /// Nobody has the address, or nobody may choose the password.
    #[error("the password was not changed: {reason}")]
    PasswordRefused {
        /// Why not.
        reason: String,
    },
    /// The password cannot be changed.
    #[error("could not change the password")]
    PasswordNotChanged {
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The demo's tasks cannot be made.
    #[error("could not make the demo's tasks")]
    Demo {
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Server {
    /// Brings the database to head if that is wanted, and begins to serve.
    ///
    /// # Errors
    ///
    /// Fails when the settings, the database or the address cannot be used.
    pub async fn start(settings: &Settings, clock: Clock) -> Result<Self, StartError> {
        let origins = origins(&settings.cors_origins)?;
        let checked = Checked::new(settings)?;
        let secret = checked.secret;
        let front = Bound::new(settings.address())?;
        let counters = settings.metrics_address.map(Bound::new).transpose()?;
        let app = checked.open(settings, clock).await?;
        let address = front.address;
        let base = match settings.public_url()? {
            Some(url) => url.to_owned(),
            None => format!("http://{address}"),
        };
        let (router, _) = http::router(&app, &origins, &base);
        let stop = CancellationToken::new();
        let patience = Patience {
            head: settings.traffic.header_time(),
            idle: settings.traffic.idle_time(),
        };
        let most = admission::within_descriptor_limit(settings.traffic.max_connections);
        let admission = |most_of_network| {
            let proxies = settings.traffic.trusted_proxies.0.clone();
            Admission::new(most_of_network, most, proxies)
        };
        let metrics = match counters {
            Some(bound) => {
                let address = bound.address;
                let router = http::metrics_router(&app);
                let serving = serve(bound.listen()?, router, patience, admission(0), stop.clone());
                Some((address, tokio::spawn(serving)))
            }
            None => None,
        };
        let admission = admission(settings.traffic.max_connections_per_address);
        let serving = tokio::spawn(serve(front.listen()?, router, patience, admission, stop.clone()));
        let watching = tokio::spawn(app.services().clone().watch_schema());
        let life = CancellationToken::new();
        let place = whoami::hostname().unwrap_or_else(|_| "somewhere".to_owned());
        let living = tokio::spawn(app.services().clone().live(place, life.clone()));
        let sweeping = tokio::spawn(app.services().clone().sweep_always());
        let forgetting = tokio::spawn(forget_idle(app.clone()));
        Ok(Self {
            address,
            app,
            secret,
            stop,
            serving,
            watching,
            metrics,
            living,
            life,
            sweeping,
            forgetting,
        })
    }

    /// Returns where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns where what is counted is shown, when that is an address of its own.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(|(address, _)| *address)
    }

    /// Returns where the secret came from.
    #[must_use]
    pub fn secret(&self) -> SecretOrigin {
        self.secret
    }

    /// Returns how many statements were sent to the database since the start.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.app.services().effort().0
    }

    /// Returns how many units of work were done once more because the schema moved or a lock was not granted.
    #[must_use]
    pub fn retries(&self) -> u64 {
        self.app.services().effort().1
    }

    /// Returns how often the database said that the schema may have moved, so that it was looked at before its time.
    #[must_use]
    pub fn hints(&self) -> u64 {
        self.app.services().hints()
    }

    /// Returns how many passwords were hashed or compared since the start.
    #[must_use]
    pub fn password_hashes(&self) -> u64 {
        self.app.services().password_hashes()
    }

    /// Removes idempotency keys and events whose time is over, which otherwise happens about once a minute.
    ///
    /// # Errors
    ///
    /// Fails when the database does.
    pub async fn sweep(&self) -> Result<(), StartError> {
        let swept = self.app.services().sweep().await;
        swept.map_err(|error| StartError::Database { source: error.into() })
    }

    /// Says on `/readyz` that no more requests should be sent here; everything else goes on.
    pub fn drain(&self) {
        self.app.drain();
    }

    /// Takes no more connections, finishes what is under way, and closes the database.
    ///
    /// # Errors
    ///
    /// Fails when serving had.
    pub async fn stop(self) -> std::io::Result<()> {
        self.app.drain();
        self.stop.cancel();
        let served = self.serving.await.map_err(std::io::Error::other);
        ended(self.watching).await;
        if let Some((_, metrics)) = self.metrics {
            // A scraper that holds its connection open must not hold the process.
            ended(metrics).await;
        }
        ended(self.sweeping).await;
        ended(self.forgetting).await;
        // Until here the schema was in use.
        self.life.cancel();
        let mut living = self.living;
        if tokio::time::timeout(FAREWELL, &mut living).await.is_err() {
            ended(living).await;
        }
        self.app.traces().close().await;
        self.app.services().close().await;
        served
    }
}

/// Ends a task and waits until it is gone: nothing may use the database after it was closed.
async fn ended(task: JoinHandle<()>) {
    task.abort();
    drop(task.await);
}

/// Forgets clients that have not asked for a while; ends only with the task that runs it.
async fn forget_idle(app: App) {
    loop {
        tokio::time::sleep(FORGET_EVERY).await;
        app.limits().forget_idle();
    }
}

/// An address that is ours before the database is touched, and at which nobody is answered yet.
///
/// Of two processes that take the same one at the same moment, the second fails when it is about to listen.
struct Bound {
    socket: TcpSocket,
    address: SocketAddr,
}

impl Bound {
    fn new(address: SocketAddr) -> Result<Self, StartError> {
        let failure = |source| StartError::Listen { address, source };
        let socket = connections::bind(address).map_err(failure)?;
        let address = socket.local_addr().map_err(failure)?;
        Ok(Self { socket, address })
    }

    fn listen(self) -> Result<TcpListener, StartError> {
        let address = self.address;
        connections::listen(self.socket).map_err(|source| StartError::Listen { address, source })
    }
}

/// Only plain HTTP: a collector is a neighbour, and TLS to one further away is its own business.
fn traces(settings: &Settings) -> Result<Traces, StartError> {
    let Some(endpoint) = settings.collector() else {
        return Ok(Traces::default());
    };
    let failure = |reason| StartError::Collector { reason };
    if !endpoint.starts_with("http://") {
        return Err(failure(
            "it begins with http://, as in http://127.0.0.1:4318".to_owned(),
        ));
    }
    Traces::exported_to(endpoint).map_err(|error| failure(error.to_string()))
}

/// Returns a token for development.
///
/// # Errors
///
/// Fails in production, and when nobody can have such an id.
pub fn development_token(
    settings: &Settings,
    clock: &Clock,
    user: &str,
    email: &str,
) -> Result<String, StartError> {
    if settings.environment == Environment::Production {
        return Err(StartError::Token {
            reason: "production takes tokens from its issuer only",
        });
    }
    let id = UserId::parse(user).ok_or(StartError::Token {
        reason: "the id is reserved or malformed",
    })?;
    let no_token = |_| StartError::Token {
        reason: "the e-mail address is malformed",
    };
    let (tokens, ..) = tokens(settings)?;
    let now = clock.now();
    let until = now.plus_seconds(TOKEN_SECONDS);
    let token = tokens.mint(&id, email, None, now, until).map_err(no_token)?;
    // A token that would not be taken is worse than none.
    tokens.verify_own(&token, now).map_err(no_token)?;
    Ok(token)
}

/// Fills the database with the tasks of a demo user and returns a token for them.
///
/// # Errors
///
/// Fails in production, and when the database cannot be used.
pub async fn demo(settings: &Settings, clock: Clock) -> Result<String, StartError> {
    let token = development_token(settings, &clock, crate::demo::USER, crate::demo::EMAIL)?;
    let app = Checked::new(settings)?.open(settings, clock).await?;
    crate::demo::fill(app.services())
        .await
        .map_err(|source| StartError::Demo {
            source: source.into(),
        })?;
    app.services().close().await;
    Ok(token)
}

/// Gives whoever has an e-mail address another password, or a first one, and ends all their sign-ins.
///
/// # Errors
///
/// Fails when nobody has the address, nobody may choose the password, or the database cannot be used.
pub async fn reset_password(
    settings: &Settings,
    clock: Clock,
    email: &str,
    password: &str,
) -> Result<(), StartError> {
    let refused = |reason: String| StartError::PasswordRefused { reason };
    let address = Email::parse(email).map_err(|violation| refused(violation.detail))?;
    let chosen = Password::choose(password).map_err(|violation| refused(violation.detail))?;
    let app = Checked::new(settings)?.open(settings, clock).await?;
    let reset = app.services().reset_password(&address, &chosen).await;
    app.services().close().await;
    reset.map_err(|refusal| match refusal {
        Refusal::Store(Failure::NotFound) => refused(format!("nobody has the e-mail address {email}")),
        refusal => StartError::PasswordNotChanged {
            source: refusal.into(),
        },
    })
}

/// Returns the document that describes the API.
#[must_use]
pub fn document() -> Document {
    Document::from(&http::document())
}

/// Returns the document that describes the original's routes.
#[must_use]
pub fn compat_document() -> Document {
    Document::from(&http::compat_document())
}

/// What came of the settings: all that they can be wrong in is looked at before anything is done to the database.
struct Checked {
    tokens: Tokens,
    cursor_key: Vec<u8>,
    secret: SecretOrigin,
    traces: Traces,
    hasher: Hasher,
}

impl Checked {
    fn new(settings: &Settings) -> Result<Self, StartError> {
        settings.require_database()?;
        settings.public_url()?;
        let (tokens, cursor_key, secret) = tokens(settings)?;
        let strength = Strength {
            memory_kib: settings.password_memory_kib,
            iterations: settings.password_iterations,
        };
        Ok(Self {
            tokens,
            cursor_key,
            secret,
            traces: traces(settings)?,
            hasher: Hasher::new(strength).ok_or(SettingsError::Random)?,
        })
    }

    /// Opens the database, brought to head before if that is wanted.
    async fn open(self, settings: &Settings, clock: Clock) -> Result<App, StartError> {
        if settings.migrates() {
            migrate(settings).await?;
        }
        let limits = DatabaseLimits {
            connections: settings.database_connections,
            ..DatabaseLimits::default()
        };
        let address = Address::from(settings.database().to_owned());
        let store = Store::open(&address, &limits, phases::known_revisions())
            .await
            .map_err(|error| StartError::Database { source: error.into() })?;
        let authority = Authority::new(
            self.tokens,
            self.hasher,
            settings.token_days,
            settings.session_days,
        );
        let services = Services::new(store, clock, authority);
        let limits = Limits::new(&settings.traffic);
        Ok(App::new(services, self.cursor_key, limits, self.traces, settings))
    }
}

async fn migrate(settings: &Settings) -> Result<(), StartError> {
    let failure = |source| StartError::Migrate { source };
    let database = settings
        .database()
        .parse()
        .map_err(|error| failure(Box::from(error)))?;
    phases::upgrade(database)
        .await
        .map_err(|error| failure(Box::from(error)))
}

/// Cursors are signed with a key of their own, so that neither signature can stand for the other.
fn tokens(settings: &Settings) -> Result<(Tokens, Vec<u8>, SecretOrigin), StartError> {
    let (secret, origin) = settings.secret()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.bytes()).expect("HMAC takes a key of any length");
    mac.update(b"todo cursors");
    let cursor_key = mac.finalize().into_bytes().to_vec();
    let tokens = Tokens::new(
        secret.bytes(),
        given(&settings.jwt_issuer),
        given(&settings.jwt_audience),
        external_issuer(settings)?,
    );
    Ok((tokens, cursor_key, origin))
}

/// Whose public keys are taken: without knowing whom a token is from and for, any customer of the issuer could sign in.
fn external_issuer(settings: &Settings) -> Result<Option<Issuer>, StartError> {
    let Some(url) = given(&settings.jwks_url) else {
        return Ok(None);
    };
    if given(&settings.jwt_issuer).is_none() || given(&settings.jwt_audience).is_none() {
        return Err(StartError::IncompleteIssuer);
    }
    Issuer::new(url).map(Some).map_err(|source| StartError::Issuer {
        source: source.into(),
    })
}

/// An empty variable says nothing.
fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}

fn origins(texts: &[String]) -> Result<Vec<HeaderValue>, StartError> {
    texts
        .iter()
        .map(|text| text.trim())
        .filter(|text| !text.is_empty())
        .map(|text| {
            HeaderValue::from_str(text)
                .ok()
                .filter(|_| is_origin(text))
                .ok_or_else(|| StartError::Origin {
                    origin: text.to_owned(),
                })
        })
        .collect()
}
