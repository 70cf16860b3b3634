//! Unguessable values, from the operating system's generator.

use anyhow::anyhow;
use ring::rand::{SecureRandom, SystemRandom};

/// Random bytes.
pub(crate) fn bytes<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| anyhow!("the operating system gives no random bytes"))?;
    Ok(bytes)
}

/// `N` random bytes in lower-case hexadecimal: safe in a URL, in SQL and in a
/// file name.
pub(crate) fn hex<const N: usize>() -> anyhow::Result<String> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = |byte| [byte >> 4, byte & 15].map(|half| char::from(DIGITS[usize::from(half)]));
    Ok(bytes::<N>()?.into_iter().flat_map(digits).collect())
}
