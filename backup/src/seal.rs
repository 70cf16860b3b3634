//! One object sealed and opened: a zstd frame inside an age file.
//!
//! `age -d -i key.txt < object | zstd -d` gives the plaintext without a line of
//! ours. The frame carries the content's size and a checksum; age marks its last
//! chunk, so that nothing can be cut off unnoticed.

use std::io::{self, Read, Write};

use zstd::{bulk::Compressor, stream::read::Decoder, zstd_safe::CParameter};

use super::keys::{Identities, Recipients};

/// Rows compress about as well as on the next levels, those with random keys even better,
/// several times as fast.
const LEVEL: i32 = 1;

/// Why an object cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// None of the identities is one of the object's recipients.
    #[error("it is encrypted to none of the given identities")]
    WrongKey,
    /// Cut off, altered, or never an age file.
    #[error("it cannot be decrypted: {0}")]
    Undecryptable(&'static str),
    /// Decrypted or plain, but not one whole zstd frame.
    #[error("it cannot be decompressed")]
    Uncompressed,
    /// More than the caller expects, and so perhaps without end.
    #[error("it is larger than {0} bytes")]
    TooLarge(u64),
    /// Sealing failed, for want of memory or randomness.
    #[error("it cannot be sealed: {0}")]
    Unsealed(io::Error),
}

/// Compresses and encrypts. Heavy: not for an async thread.
pub fn seal(plaintext: &[u8], recipients: &Recipients) -> Result<Vec<u8>, SealError> {
    let compressed = compress(plaintext)?;
    let encryptor = age::Encryptor::with_recipients(recipients.each())
        .map_err(|error| SealError::Unsealed(io::Error::other(error)))?;
    let sealed = Vec::with_capacity(compressed.len() + compressed.len() / 1024 + 1024);
    let mut writer = encryptor.wrap_output(sealed).map_err(SealError::Unsealed)?;
    writer.write_all(&compressed).map_err(SealError::Unsealed)?;
    writer.finish().map_err(SealError::Unsealed)
}

/// Decrypts and decompresses, up to `limit` bytes of plaintext. Heavy: not for
/// an async thread.
pub fn open(sealed: &[u8], identities: &Identities, limit: u64) -> Result<Vec<u8>, SealError> {
    let decryptor = age::Decryptor::new_buffered(sealed).map_err(|error| undecryptable(&error))?;
    let mut reader = decryptor
        .decrypt(identities.each())
        .map_err(|error| undecryptable(&error))?;
    // Incompressible text grows by less than one part in 128.
    let most = limit.saturating_add(limit / 128).saturating_add(1024);
    let mut compressed = Vec::new();
    reader
        .by_ref()
        .take(most.saturating_add(1))
        .read_to_end(&mut compressed)
        .map_err(|_| SealError::Undecryptable("it is truncated or altered"))?;
    if compressed.len() as u64 > most {
        return Err(SealError::TooLarge(limit));
    }
    decompress(&compressed, limit)
}

/// Compresses what needs no secrecy into one frame.
pub fn compress(plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
    let mut compressor = Compressor::new(LEVEL).map_err(SealError::Unsealed)?;
    for parameter in [
        CParameter::ContentSizeFlag(true),
        CParameter::ChecksumFlag(true),
    ] {
        compressor
            .set_parameter(parameter)
            .map_err(SealError::Unsealed)?;
    }
    compressor.compress(plaintext).map_err(SealError::Unsealed)
}

/// Decompresses exactly one frame, up to `limit` bytes of plaintext.
pub fn decompress(compressed: &[u8], limit: u64) -> Result<Vec<u8>, SealError> {
    let mut decoder = Decoder::with_buffer(compressed)
        .map_err(|_| SealError::Uncompressed)?
        .single_frame();
    let mut plaintext = Vec::new();
    decoder
        .by_ref()
        .take(limit.saturating_add(1))
        .read_to_end(&mut plaintext)
        .map_err(|_| SealError::Uncompressed)?;
    if plaintext.len() as u64 > limit {
        return Err(SealError::TooLarge(limit));
    }
    if !decoder.finish().is_empty() {
        return Err(SealError::Uncompressed);
    }
    Ok(plaintext)
}

fn undecryptable(error: &age::DecryptError) -> SealError {
    match error {
        age::DecryptError::NoMatchingKeys => SealError::WrongKey,
        age::DecryptError::UnknownFormat => SealError::Undecryptable("its format is unknown"),
        // Everything else comes from a header or a chunk that is not as written;
        // the error is another crate's and may grow variants.
        _ => SealError::Undecryptable("it is truncated or altered"),
    }
}

#[cfg(test)]
mod tests;
