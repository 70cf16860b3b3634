//! What lies in every store so that a restore needs nothing of ours.

/// The files, by name: a script, how to use it, and their hashes.
pub const FILES: &[(&str, &[u8])] = &[
    ("README.md", README),
    ("files.sh", FILES_SH),
    ("SHA256SUMS", include_bytes!("tools/SHA256SUMS")),
    ("restore.sh", RESTORE),
    ("restore.sql", CONDUCT),
];

const README: &[u8] = include_bytes!("tools/README.md");
const CONDUCT: &[u8] = include_bytes!("tools/restore.sql");
const FILES_SH: &[u8] = include_bytes!("tools/files.sh");
const RESTORE: &[u8] = include_bytes!("tools/restore.sh");

#[cfg(test)]
mod tests {
    use crate::hex;

    use super::*;

    /// To bring them up to date: `sha256sum README.md files.sh restore.sh restore.sql > SHA256SUMS`.
    #[test]
    fn the_hashes_are_those_of_the_files() {
        let hashed = [
            ("README.md", README),
            ("files.sh", FILES_SH),
            ("restore.sh", RESTORE),
            ("restore.sql", CONDUCT),
        ];
        let sums = hashed.map(|(name, text)| format!("{}  {name}\n", hex::sha256(text)));
        assert_eq!(include_str!("tools/SHA256SUMS"), sums.concat());
    }
}
