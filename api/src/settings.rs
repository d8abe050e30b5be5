//! What can be set from outside, by option or by variable, and nowhere else.

mod secret;
mod traffic;

pub use secret::{Secret, SecretOrigin};
pub use traffic::{Networks, Rate, TrafficSettings};

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use secret::{made_secret, weakness};
use thiserror::Error;

/// Without an address the database is this file.
const DEFAULT_DATABASE: &str = "sqlite://todo.db";

/// The Todo API.
#[derive(Clone, Debug, Parser)]
#[command(name = "api", version)]
pub struct CommandLine {
    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How.
    #[command(flatten)]
    pub settings: Settings,
}

/// What can be done instead of serving.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Prints a token for development that is good for seven days.
    Token {
        /// The user's id.
        #[arg(long, value_name = "ID")]
        user: String,
        /// The user's e-mail address.
        #[arg(long)]
        email: String,
    },
    /// Fills the database with believable tasks of a demo user and prints a token for them.
    Demo,
    /// Gives somebody another password, or a first one where a downgrade has taken it, and ends their sign-ins. The password is the
    /// first line of the input.
    Password {
        /// The e-mail address that they have an account with.
        #[arg(long)]
        email: String,
    },
    /// Asks the service that runs with these settings whether it is ready; fails when it is not. For health checks.
    Ready,
}

/// What can be set.
#[derive(Args, Clone, Debug)]
pub struct Settings {
    /// The database: a `sqlite:` or `postgres:` address. Without one it is the file todo.db, which is made and brought to
    /// head.
    #[arg(
        long,
        env = "DATABASE_URL",
        hide_env_values = true,
        global = true,
        value_name = "URL"
    )]
    pub database_url: Option<Secret>,
    /// Brings the database to head before serving.
    #[arg(long, env = "MIGRATE", global = true)]
    pub migrate: bool,
    /// The address to listen on.
    #[arg(long, env = "HOST", default_value = "127.0.0.1", global = true)]
    pub host: IpAddr,
    /// Where people reach the service, as `https://todo.example`. With https, browsers are told to come by TLS alone.
    #[arg(long, env = "PUBLIC_URL", global = true, value_name = "URL")]
    pub public_url: Option<String>,
    /// The port to listen on; 0 takes a free one.
    #[arg(long, env = "PORT", default_value_t = 8080, global = true)]
    pub port: u16,
    /// What kind of place this is; production takes no generated, short or well-known secret, and wants the database named.
    #[arg(long, env = "ENVIRONMENT", value_enum, default_value_t = Environment::Development, global = true)]
    pub environment: Environment,
    /// What is logged: error, warn, info, debug, trace, or a filter as `tracing` takes it.
    #[arg(long, env = "LOG_LEVEL", default_value = "info", global = true)]
    pub log_level: String,
    /// How the log is written. Without it: as JSON in production, as text elsewhere.
    #[arg(long, env = "LOG_FORMAT", value_enum, global = true)]
    pub log_format: Option<LogFormat>,
    /// Where to show what is counted, as 127.0.0.1:9090. Without it: at /metrics, beside the API; in production nowhere.
    #[arg(long, env = "METRICS_ADDRESS", global = true, value_name = "ADDRESS")]
    pub metrics_address: Option<SocketAddr>,
    /// The collector that spans are handed to over OTLP (HTTP with JSON), as `http://127.0.0.1:4318`. Without it: none.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", global = true, value_name = "URL")]
    pub otlp_endpoint: Option<String>,
    /// The secret that tokens are signed with (HS256). In development one is made when there is none.
    #[arg(
        long,
        env = "BETTER_AUTH_SECRET",
        hide_env_values = true,
        global = true,
        value_name = "SECRET"
    )]
    pub better_auth_secret: Option<Secret>,
    /// Where the made secret is kept.
    #[arg(
        long,
        env = "TODO_SECRET_FILE",
        default_value = ".todo-secret",
        global = true,
        value_name = "FILE"
    )]
    pub secret_file: PathBuf,
    /// Who must have issued a token (`iss`).
    #[arg(long, env = "TODO_JWT_ISSUER", global = true, value_name = "ISSUER")]
    pub jwt_issuer: Option<String>,
    /// Whom a token must be meant for (`aud`).
    #[arg(long, env = "TODO_JWT_AUDIENCE", global = true, value_name = "AUDIENCE")]
    pub jwt_audience: Option<String>,
    /// Where the issuer publishes its keys (JWKS), for tokens signed with Ed25519, ES256 or RS256; needs an issuer and an
    /// audience.
    #[arg(long, env = "TODO_JWKS_URL", global = true, value_name = "URL")]
    pub jwks_url: Option<String>,
    /// Days that a token of a sign-in is good; it can be renewed while the sign-in lasts.
    #[arg(long, env = "TOKEN_DAYS", default_value_t = 7, global = true, value_name = "DAYS",
          value_parser = clap::value_parser!(u32).range(1..=365))]
    pub token_days: u32,
    /// Days after which a sign-in is over, however often its token was renewed.
    #[arg(long, env = "SESSION_DAYS", default_value_t = 30, global = true, value_name = "DAYS",
          value_parser = clap::value_parser!(u32).range(1..=365))]
    pub session_days: u32,
    /// KiB of memory that hashing a password takes (argon2id).
    #[arg(long, env = "PASSWORD_MEMORY_KIB", default_value_t = 19 * 1024, global = true, value_name = "KIB",
          value_parser = clap::value_parser!(u32).range(19 * 1024..=1024 * 1024))]
    pub password_memory_kib: u32,
    /// Rounds that hashing a password takes (argon2id).
    #[arg(long, env = "PASSWORD_ITERATIONS", default_value_t = 2, global = true, value_name = "COUNT",
          value_parser = clap::value_parser!(u32).range(2..=100))]
    pub password_iterations: u32,
    /// Origins whose pages may call the API, separated by commas.
    #[arg(
        long,
        env = "CORS_ORIGINS",
        value_delimiter = ',',
        global = true,
        value_name = "ORIGINS"
    )]
    pub cors_origins: Vec<String>,
    /// Most database connections at a time.
    #[arg(long, env = "DATABASE_CONNECTIONS", default_value_t = 20, global = true, value_name = "COUNT",
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub database_connections: u32,
    /// Most requests at a time; more are turned away with 503.
    #[arg(long, env = "MAX_CONCURRENCY", default_value_t = 512, global = true, value_name = "COUNT",
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(0..=1_000_000))]
    pub max_concurrency: usize,
    /// Seconds between being told to stop and taking no more connections; `/readyz` fails at once.
    #[arg(
        long,
        env = "DRAIN_SECONDS",
        default_value_t = 1,
        global = true,
        value_name = "SECONDS"
    )]
    pub drain_seconds: u64,
    /// How many requests are taken from whom.
    #[command(flatten)]
    pub traffic: TrafficSettings,
}

/// What kind of place the service runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Environment {
    /// Somebody's machine.
    Development,
    /// Where it counts.
    Production,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// A JSON object on each line.
    Json,
}

/// The settings cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// Production without a secret.
    #[error("production needs BETTER_AUTH_SECRET: a generated secret would differ between replicas")]
    NoSecret,
    /// Production with a secret that can be guessed.
    #[error("BETTER_AUTH_SECRET {reason}")]
    WeakSecret {
        /// Why.
        reason: &'static str,
    },
    /// The file of the made secret is in the way.
    #[error("could not keep a secret in {path}")]
    SecretFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Production without a database.
    #[error(
        "production needs DATABASE_URL, as in postgres://todo@db/todo or sqlite:///var/lib/todo/todo.db: \
         a file that is made where the service happens to start would be lost with the next one"
    )]
    NoDatabase,
    /// The address of the service is none.
    #[error(
        "PUBLIC_URL is {url:?}: give the scheme, the host and the port if there is one, as in https://todo.example"
    )]
    PublicUrl {
        /// What was given.
        url: String,
    },
    /// There is no randomness.
    #[error("the system has no random numbers")]
    Random,
}

impl CommandLine {
    /// Reads options, variables and a `.env` file.
    #[must_use]
    pub fn read() -> Self {
        // A missing file is the normal case.
        drop(dotenvy::dotenv());
        Self::parse()
    }
}

impl Settings {
    /// Returns where to listen.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(self.host, self.port)
    }

    /// Returns the address of the database; never show it, it may hold a password.
    #[must_use]
    pub fn database(&self) -> &str {
        self.given_database().unwrap_or(DEFAULT_DATABASE)
    }

    /// Whether the database is brought to head first: when told to, or when it is the file that nobody asked for.
    #[must_use]
    pub fn migrates(&self) -> bool {
        self.migrate || self.given_database().is_none()
    }

    /// Returns where people reach the service, if that is said: without a slash at its end.
    ///
    /// # Errors
    ///
    /// Fails when it is no address of a page.
    pub fn public_url(&self) -> Result<Option<&str>, SettingsError> {
        let url = self.public_url.as_deref().map(str::trim);
        let url = url
            .map(|url| url.trim_end_matches('/'))
            .filter(|url| !url.is_empty());
        match url {
            Some(url) if !is_origin(url) => Err(SettingsError::PublicUrl { url: url.to_owned() }),
            url => Ok(url),
        }
    }

    /// Refuses to make up a database in production.
    ///
    /// # Errors
    ///
    /// Fails in production when no database is named.
    pub fn require_database(&self) -> Result<(), SettingsError> {
        match self.environment == Environment::Production && self.given_database().is_none() {
            true => Err(SettingsError::NoDatabase),
            false => Ok(()),
        }
    }

    /// An empty variable names no database.
    fn given_database(&self) -> Option<&str> {
        self.database_url
            .as_ref()
            .map(|url| url.as_str().trim())
            .filter(|url| !url.is_empty())
    }

    /// Returns how the log is written.
    #[must_use]
    pub fn log_format(&self) -> LogFormat {
        self.log_format.unwrap_or(match self.environment {
            Environment::Production => LogFormat::Json,
            Environment::Development => LogFormat::Text,
        })
    }

    /// Returns the collector of spans; an empty variable names none.
    #[must_use]
    pub fn collector(&self) -> Option<&str> {
        let endpoint = self.otlp_endpoint.as_deref().map(str::trim);
        endpoint.filter(|endpoint| !endpoint.is_empty())
    }

    /// Returns how long to drain.
    #[must_use]
    pub fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_seconds)
    }

    /// Returns the secret and where it came from.
    ///
    /// # Errors
    ///
    /// Fails in production when the secret is missing or weak, and in development when one can neither be read nor kept.
    pub fn secret(&self) -> Result<(Secret, SecretOrigin), SettingsError> {
        let given = self
            .better_auth_secret
            .as_ref()
            .filter(|secret| !secret.bytes().is_empty());
        match (given, self.environment) {
            (Some(secret), Environment::Production) => match weakness(secret.as_str()) {
                Some(reason) => Err(SettingsError::WeakSecret { reason }),
                None => Ok((secret.clone(), SecretOrigin::Given)),
            },
            (Some(secret), Environment::Development) => Ok((secret.clone(), SecretOrigin::Given)),
            (None, Environment::Production) => Err(SettingsError::NoSecret),
            (None, Environment::Development) => made_secret(&self.secret_file),
        }
    }
}

impl Environment {
    /// Returns `development` or `production`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Production => "production",
        }
    }
}

/// Whether a text is scheme, host and port (RFC 6454).
pub(crate) fn is_origin(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, host)| {
        matches!(scheme, "http" | "https") && !host.is_empty() && !host.contains('/')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(arguments: &[&str]) -> Settings {
        let arguments = std::iter::once(&"api").chain(arguments);
        CommandLine::try_parse_from(arguments).unwrap().settings
    }

    #[test]
    fn production_takes_no_missing_short_or_well_known_secret() {
        for secret in [
            "",
            "short",
            "your-secret-key-here-at-least-32-characters",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        ] {
            let settings = settings(&["--environment", "production", "--better-auth-secret", secret]);
            assert!(settings.secret().is_err(), "{secret}");
        }
        let good = "Vq0k3ZpW7sYtR1mC9xLbN5hJ8uGfD2aE";
        assert!(
            settings(&["--environment", "production", "--better-auth-secret", good])
                .secret()
                .is_ok()
        );
    }

    #[test]
    fn production_names_its_database() {
        let production = ["--environment", "production"];
        assert!(settings(&production).require_database().is_err());
        let empty = [production.as_slice(), &["--database-url", " "]].concat();
        assert!(settings(&empty).require_database().is_err());
        let file = [
            production.as_slice(),
            &["--database-url", "sqlite:///srv/todo.db"],
        ]
        .concat();
        assert!(settings(&file).require_database().is_ok());
        assert!(settings(&[]).require_database().is_ok());
    }

    #[test]
    fn the_public_address_is_an_origin() {
        let url = |text| settings(&["--public-url", text]);
        assert_eq!(
            url("https://todo.example/").public_url().unwrap(),
            Some("https://todo.example")
        );
        assert_eq!(url("").public_url().unwrap(), None);
        for text in ["todo.example", "ftp://todo.example", "https://", "https://a/b"] {
            assert!(url(text).public_url().is_err(), "{text}");
        }
    }

    #[test]
    fn the_sample_names_every_variable_and_no_other() {
        use clap::CommandFactory;
        let sample =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../.env.example")).unwrap();
        let mut named: Vec<&str> = sample
            .lines()
            .filter_map(|line| line.trim_start_matches(['#', ' ']).split_once('='))
            .map(|(name, _)| name)
            .filter(|name| name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'))
            .collect();
        let command = CommandLine::command();
        let mut known: Vec<&str> = command
            .get_arguments()
            .filter_map(|argument| argument.get_env()?.to_str())
            // What the stack of containers asks for besides.
            .chain(["POSTGRES_PASSWORD", "TODO_API_PASSWORD"])
            .collect();
        named.sort_unstable();
        known.sort_unstable();
        assert_eq!(named, known);
    }

    #[test]
    fn a_secret_is_never_shown() {
        let arguments = [
            "--better-auth-secret",
            "hush",
            "--database-url",
            "postgres://u:hush@h/d",
        ];
        let shown = format!("{:?}", settings(&arguments));
        assert!(!shown.contains("hush"), "{shown}");
    }

    #[test]
    fn a_named_database_is_not_migrated_unless_told_to() {
        assert!(settings(&["--port", "1"]).migrates());
        assert!(!settings(&["--database-url", "postgres://h/d"]).migrates());
        assert!(settings(&["--database-url", "postgres://h/d", "--migrate"]).migrates());
    }
}
