//! Source maps as they are kept: compressed, in parts, and named by their content.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

/// The largest source map that is taken, in bytes of text.
pub(super) const LARGEST: u64 = 64 * 1024 * 1024;

/// How large a part is, in bytes.
const PART: usize = 512 * 1024;

/// How many parts a map has at most.
const PARTS: usize = 32;

/// How hard it is compressed: half of what the smallest would need in time is not worth more.
const LEVEL: i32 = 9;

/// What every gzip file begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A map that is ready to be kept.
#[derive(Debug)]
pub(super) struct Packed {
    /// The SHA-256 of its parts together.
    pub(super) content: String,
    pub(super) parts: Vec<Vec<u8>>,
    /// How large the text is.
    pub(super) size: usize,
}

/// Reads a file, of which gzip is taken off.
///
/// # Errors
/// Why it cannot be taken.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
    // Opening what is none may wait for whoever writes into it, for good.
    if !fs::metadata(path).is_ok_and(|data| data.is_file()) {
        return Err("it is no file".to_owned());
    }
    let file = File::open(path).map_err(|error| error.to_string())?;
    let text = bounded(file)?;
    if text.starts_with(&GZIP) {
        return bounded(MultiGzDecoder::new(text.as_slice()));
    }
    Ok(text)
}

/// Makes a text ready to be kept.
///
/// # Errors
/// Why it cannot be.
pub(super) fn pack(text: &[u8]) -> Result<Packed, String> {
    let bytes = zstd::encode_all(text, LEVEL).map_err(|error| error.to_string())?;
    let parts: Vec<_> = bytes.chunks(PART).map(<[u8]>::to_vec).collect();
    if parts.len() > PARTS {
        return Err(format!(
            "it is larger than {} MiB even when compressed",
            PART * PARTS / 1024 / 1024
        ));
    }
    let digest = Sha256::digest(&bytes);
    Ok(Packed {
        content: hexadecimal(&digest),
        parts,
        size: text.len(),
    })
}

/// The text of what was kept.
///
/// # Errors
/// Why it cannot be read.
pub(super) fn unpack(bytes: &[u8]) -> Result<Vec<u8>, String> {
    bounded(zstd::Decoder::new(bytes).map_err(|error| error.to_string())?)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        text.extend(
            [byte >> 4, byte & 15].map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])),
        );
        text
    })
}

fn bounded(source: impl Read) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    let read = source.take(LARGEST + 1).read_to_end(&mut text);
    read.map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => "it was cut off".to_owned(),
        _ => error.to_string(),
    })?;
    if text.len() as u64 > LARGEST {
        return Err(format!("it is larger than {} MiB", LARGEST / 1024 / 1024));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn gzipped(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn file(bytes: &[u8]) -> Result<Vec<u8>, String> {
        let path = std::env::temp_dir().join(format!("pourtrait-map-{}", uuid::Uuid::new_v4()));
        std::fs::write(&path, bytes).unwrap();
        let text = read(&path);
        std::fs::remove_file(&path).unwrap();
        text
    }

    #[test]
    fn what_is_packed_is_unpacked_and_named_by_what_it_is() {
        let text = b"{\"version\":3}".repeat(1_000);
        let packed = pack(&text).unwrap();
        assert_eq!((packed.parts.len(), packed.size), (1, text.len()));
        assert_eq!(packed.content, pack(&text).unwrap().content);
        assert_ne!(packed.content, pack(b"x").unwrap().content);
        assert_eq!(unpack(&packed.parts.concat()).unwrap(), text);
    }

    #[test]
    fn gzip_is_taken_off_and_what_is_cut_off_or_a_bomb_is_told() {
        let whole = gzipped(&b"map".repeat(10_000));
        assert_eq!(file(&whole).unwrap(), b"map".repeat(10_000));
        assert_eq!(
            file(&whole[..whole.len() - 9]).unwrap_err(),
            "it was cut off"
        );
        let nothing = usize::try_from(LARGEST).unwrap() + 1;
        let bomb = gzipped(&vec![0; nothing]);
        assert!(bomb.len() < 1024 * 1024);
        assert_eq!(file(&bomb).unwrap_err(), "it is larger than 64 MiB");
        let bomb = zstd::encode_all(vec![0; nothing].as_slice(), 1).unwrap();
        assert_eq!(unpack(&bomb).unwrap_err(), "it is larger than 64 MiB");
        assert!(unpack(b"nothing of the kind").is_err());
        assert_eq!(read(&std::env::temp_dir()).unwrap_err(), "it is no file");
    }
}
