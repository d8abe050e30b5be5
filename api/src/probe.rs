//! Asks a running service whether it is ready: for health checks where there is no curl.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::net::TcpStream;

use crate::settings::Settings;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// Longest answer that is read, in bytes.
const MOST_BYTES: usize = 4096;

/// The service is not ready, or nobody answers.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// It says so itself.
    #[error("not ready: {answer}")]
    NotReady {
        /// What it says.
        answer: String,
    },
    /// There is no answer in time.
    #[error("{address} does not answer within two seconds")]
    Slow {
        /// Who was asked.
        address: SocketAddr,
    },
    /// There is no service, or it does not speak HTTP.
    #[error("nobody answers on {address}")]
    Unreachable {
        /// Who was asked.
        address: SocketAddr,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Asks the service that runs with these settings on this machine, and returns what it says.
///
/// # Errors
///
/// Fails unless it answers in time that it is ready.
pub async fn ready(settings: &Settings) -> Result<String, ProbeError> {
    let address = SocketAddr::new(reachable(settings.host), settings.port);
    let (is_success, answer) = tokio::time::timeout(PATIENCE, ask(address))
        .await
        .map_err(|_| ProbeError::Slow { address })?
        .map_err(|source| ProbeError::Unreachable { address, source })?;
    match is_success {
        true => Ok(answer),
        false => Err(ProbeError::NotReady { answer }),
    }
}

/// Who listens everywhere is asked at home.
fn reachable(host: IpAddr) -> IpAddr {
    match host {
        IpAddr::V4(host) if host.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(host) if host.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        host => host,
    }
}

async fn ask(address: SocketAddr) -> Result<(bool, String), Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = Request::get("/readyz")
        .header("host", address.to_string())
        .body(Empty::<Bytes>::new())?;
    let response = sender.send_request(request).await?;
    let is_success = response.status().is_success();
    let body = Limited::new(response.into_body(), MOST_BYTES).collect().await?;
    Ok((is_success, String::from_utf8_lossy(&body.to_bytes()).into_owned()))
}
