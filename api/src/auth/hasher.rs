//! Passwords, hashed with argon2id on threads of their own, a few at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, available_parallelism};
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::domain::Password;

/// Hashes passwords.
#[derive(Debug)]
pub(crate) struct Hasher {
    argon2: Argon2<'static>,
    /// What the password of nobody is compared with.
    decoy: Arc<str>,
    permits: Arc<Semaphore>,
    count: AtomicU64,
}

/// How much work a hash is; the floor is what OWASP recommends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Strength {
    pub(crate) memory_kib: u32,
    pub(crate) iterations: u32,
}

/// What a comparison found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Compared {
    pub(crate) is_right: bool,
    /// The hash was made with less or other work than one is made with now.
    pub(crate) is_outdated: bool,
}

/// Too many passwords at a time, or no randomness for a salt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("too many passwords are looked at")]
pub(crate) struct Overloaded;

/// Longest wait for a turn.
const PATIENCE: Duration = Duration::from_secs(5);

impl Hasher {
    /// Nothing when the strength is out of range or there is no randomness.
    pub(crate) fn new(strength: Strength) -> Option<Self> {
        let params = Params::new(strength.memory_kib, strength.iterations, 1, None).ok()?;
        let mut random = [0_u8; 48];
        getrandom::fill(&mut random).ok()?;
        let text = |bytes: &[u8]| STANDARD_NO_PAD.encode(bytes);
        let decoy = format!(
            "$argon2id$v=19$m={},t={},p=1${}${}",
            strength.memory_kib,
            strength.iterations,
            text(&random[..16]),
            text(&random[16..])
        );
        Some(Self {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            decoy: decoy.into(),
            permits: Arc::new(Semaphore::new(available_parallelism().map_or(1, usize::from))),
            count: AtomicU64::new(0),
        })
    }

    /// Returns the hash of a password, in the PHC string format.
    pub(crate) async fn hash(&self, password: &Password) -> Result<String, Overloaded> {
        let turn = self.turn().await?;
        let (argon2, password) = (self.argon2.clone(), password.clone());
        beside(move || {
            let _until_done = turn;
            let hash = argon2.hash_password(password.bytes()).map_err(|_| Overloaded)?;
            Ok(hash.to_string())
        })
        .await?
    }

    /// Compares a password with a hash; without a hash it does the same work and is wrong.
    pub(crate) async fn compare(
        &self,
        password: &Password,
        hash: Option<&str>,
    ) -> Result<Compared, Overloaded> {
        let turn = self.turn().await?;
        let is_known = hash.is_some();
        let hash = hash.map_or_else(|| Arc::clone(&self.decoy), Arc::from);
        let (argon2, password) = (self.argon2.clone(), password.clone());
        beside(move || {
            let _until_done = turn;
            let Ok(hash) = PasswordHash::new(&hash) else {
                return Compared {
                    is_right: false,
                    is_outdated: false,
                };
            };
            Compared {
                is_right: argon2.verify_password(password.bytes(), &hash).is_ok() && is_known,
                is_outdated: !is_current(&hash, argon2.params()),
            }
        })
        .await
    }

    /// Returns how many passwords were hashed or compared since the start.
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Waits for a turn; it goes along to the thread, where the work goes on when the client has hung up.
    async fn turn(&self) -> Result<OwnedSemaphorePermit, Overloaded> {
        let permit = tokio::time::timeout(PATIENCE, Arc::clone(&self.permits).acquire_owned())
            .await
            .map_err(|_| Overloaded)?
            .map_err(|_| Overloaded)?;
        self.count.fetch_add(1, Ordering::Relaxed);
        Ok(permit)
    }
}

/// Works on a thread that ends with the work.
///
/// glibc keeps the memory of a hash for the next one, once for each thread that has hashed: on the runtime's pool of threads
/// nine sign-ins one after another took a process from 35 to 170 MB, here to 56. What an ended thread leaves is used again.
async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Overloaded> {
    let (done, result) = oneshot::channel();
    thread::Builder::new()
        .name("password".to_owned())
        // Whoever has hung up wants no result.
        .spawn(move || drop(done.send(work())))
        .map_err(|_| Overloaded)?;
    result.await.map_err(|_| Overloaded)
}

fn is_current(hash: &PasswordHash, wanted: &Params) -> bool {
    let work = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
    hash.algorithm == Algorithm::Argon2id.ident()
        && hash.version == Some(Version::V0x13.into())
        && Params::try_from(hash).is_ok_and(|params| work(&params) == work(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hasher(iterations: u32) -> Hasher {
        let memory_kib = 19 * 1024;
        Hasher::new(Strength {
            memory_kib,
            iterations,
        })
        .unwrap()
    }

    #[tokio::test]
    async fn the_right_password_is_right_and_an_unknown_one_is_the_same_work() {
        let hasher = hasher(2);
        let password = Password::claim("Sturdy7hull").unwrap();
        let hash = hasher.hash(&password).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(hash.len() <= 255);
        assert_ne!(hash, hasher.hash(&password).await.unwrap());
        let compared = hasher.compare(&password, Some(&hash)).await.unwrap();
        assert!(compared.is_right && !compared.is_outdated);
        let other = Password::claim("Sturdy7hulk").unwrap();
        assert!(!hasher.compare(&other, Some(&hash)).await.unwrap().is_right);
        let unknown = hasher.compare(&password, None).await.unwrap();
        assert!(!unknown.is_right && !unknown.is_outdated, "{}", hasher.decoy);
        assert_eq!(hasher.count(), 5);
    }

    #[tokio::test]
    async fn a_hash_of_other_parameters_is_outdated() {
        let password = Password::claim("Sturdy7hull").unwrap();
        let old = hasher(2).hash(&password).await.unwrap();
        let compared = hasher(3).compare(&password, Some(&old)).await.unwrap();
        assert!(compared.is_right && compared.is_outdated);
    }

    #[tokio::test]
    async fn what_is_no_hash_is_never_right() {
        let password = Password::claim("Sturdy7hull").unwrap();
        let compared = hasher(2).compare(&password, Some("Sturdy7hull")).await.unwrap();
        assert!(!compared.is_right);
    }
}
