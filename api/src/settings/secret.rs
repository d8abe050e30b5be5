//! What tokens are signed with: given, or made and kept for development.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::SettingsError;

/// Shortest secret that production takes, in bytes.
const SHORTEST_SECRET: usize = 32;
/// Words that secrets in samples are made of.
const SAMPLE_WORDS: [&str; 9] = [
    "secret", "change", "example", "sample", "password", "your-", "your_", "default", "123456",
];

/// A secret: never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// Where the secret came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretOrigin {
    /// It was given.
    Given,
    /// It was in the file already.
    Kept,
    /// It was made just now.
    Made,
}

impl Secret {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the bytes: for signing alone.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

/// Returns why a secret can be guessed, if so.
pub(super) fn weakness(secret: &str) -> Option<&'static str> {
    if secret.len() < SHORTEST_SECRET {
        return Some("has fewer than 32 bytes");
    }
    let lower = secret.to_ascii_lowercase();
    if SAMPLE_WORDS.iter().any(|word| lower.contains(word)) {
        return Some("looks like one from a sample");
    }
    let mut letters: Vec<char> = secret.chars().collect();
    letters.sort_unstable();
    letters.dedup();
    (letters.len() < 10).then_some("repeats too few characters")
}

/// Returns the secret of the file, which is made when it is not there; only its owner may read it.
pub(super) fn made_secret(path: &Path) -> Result<(Secret, SecretOrigin), SettingsError> {
    let failure = |source| SettingsError::SecretFile {
        path: path.to_owned(),
        source,
    };
    match fs::read_to_string(path) {
        Ok(text) if text.trim().len() >= SHORTEST_SECRET => {
            return Ok((Secret(text.trim().to_owned()), SecretOrigin::Kept));
        }
        Ok(_) => return Err(failure(io::Error::other("the file holds no secret; remove it"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failure(error)),
    }
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|_| SettingsError::Random)?;
    let secret: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(failure)?;
    writeln!(file, "{secret}").map_err(failure)?;
    Ok((Secret(secret), SecretOrigin::Made))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_secret_is_private_and_kept() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let (made, origin) = made_secret(&path).unwrap();
        assert_eq!(origin, SecretOrigin::Made);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(made_secret(&path).unwrap(), (made, SecretOrigin::Kept));
    }
}
