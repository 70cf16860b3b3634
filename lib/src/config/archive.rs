//! Where rows are archived before they are deleted by age.

use backup::store::Credentials;
use url::Url;

use super::backups::{FLEETING, store};
use crate::variables::Reader;

/// Whether rows are archived before they go.
#[derive(Debug, Clone, Default)]
pub enum Archive {
    /// They are not.
    #[default]
    Absent,
    /// They are to be, and the variables are of no use: nothing may go.
    Unusable,
    /// They are.
    At(ArchivePlace),
}

/// Where the archive lies, and who can read what is personal in it.
#[derive(Debug, Clone)]
pub struct ArchivePlace {
    /// A folder (`file:`) or a bucket (`s3:`), without a password.
    pub url: Url,
    /// Proof for the bucket; a folder needs none.
    pub credentials: Option<Credentials>,
    /// The age public keys of the backup; without them nothing personal is archived.
    pub recipients: Option<String>,
}

/// The archive; what is missing or of no use is a fault each.
pub(super) fn archive(read: &mut Reader) -> Archive {
    const WANTED_BY: [&str; 3] = [
        "ARCHIVE_URL",
        "ARCHIVE_ACCESS_KEY_ID",
        "ARCHIVE_SECRET_ACCESS_KEY",
    ];
    if read.first(&WANTED_BY).is_none() {
        return Archive::Absent;
    }
    place(read).map_or(Archive::Unusable, Archive::At)
}

fn place(read: &mut Reader) -> Option<ArchivePlace> {
    read.require("ARCHIVE_URL");
    let fleeting = read.first(&FLEETING).is_some();
    let text = read.text("ARCHIVE_URL")?;
    let url = store(
        &text,
        fleeting,
        "must not hold a key: use ARCHIVE_ACCESS_KEY_ID and ARCHIVE_SECRET_ACCESS_KEY",
    );
    let url = read.keep("ARCHIVE_URL", url)?;
    let is_bucket = url.scheme() == "s3";
    if is_bucket {
        read.require("ARCHIVE_ACCESS_KEY_ID");
        read.require("ARCHIVE_SECRET_ACCESS_KEY");
    }
    let id = read.text("ARCHIVE_ACCESS_KEY_ID");
    let secret = read.key("ARCHIVE_SECRET_ACCESS_KEY");
    let credentials = id.zip(secret).map(|(id, secret)| Credentials {
        key_id: id.into(),
        secret,
    });
    if is_bucket {
        credentials.as_ref()?;
    }
    Some(ArchivePlace {
        url,
        credentials,
        recipients: read.text("BACKUP_RECIPIENTS"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn an_archive_that_is_wanted_and_unusable_is_not_the_same_as_none() {
        const BUCKET: (&str, &str) = ("ARCHIVE_URL", "s3://bucket?region=auto");
        const ID: (&str, &str) = ("ARCHIVE_ACCESS_KEY_ID", "id");
        const KEY: (&str, &str) = ("ARCHIVE_SECRET_ACCESS_KEY", "key");
        for (given, expected) in [
            (&[][..], "absent"),
            (&[BUCKET, ID, KEY], "there"),
            (&[("ARCHIVE_URL", "file:///tmp")], "there"),
            (&[BUCKET, ID], "unusable"),
            (&[ID], "unusable"),
            (
                &[("ARCHIVE_URL", "file:///tmp"), ("VERCEL", "1")],
                "unusable",
            ),
            (&[("ARCHIVE_URL", "ftp://x")], "unusable"),
        ] {
            let config = Config::from_lookup(&|name| {
                let known = given.iter().find(|(known, _)| *known == name);
                known.map(|(_, value)| (*value).to_owned())
            });
            let found = match config.archive {
                Archive::Absent => "absent",
                Archive::Unusable => "unusable",
                Archive::At(_) => "there",
            };
            assert_eq!(found, expected, "{given:?}");
        }
    }
}
