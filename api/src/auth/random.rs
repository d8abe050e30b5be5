//! Ids that nobody can guess.

/// Letters and digits without those that are taken for one another; 32 of them, so that a byte chooses evenly.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Returns a prefix with 26 random letters and digits behind it: 130 bits.
pub(crate) fn random_id(prefix: &str) -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; 26];
    getrandom::fill(&mut bytes)?;
    let letters = bytes
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte & 31)]));
    Ok(prefix.chars().chain(letters).collect())
}
