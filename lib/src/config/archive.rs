//! Where rows are archived before they are deleted by age.

use super::store_place::{Named, StorePlace};
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
    /// The store.
    pub place: StorePlace,
    /// The age public keys of the backup; without them nothing personal is archived.
    pub recipients: Option<String>,
}

const NAMED: Named = Named {
    url: "ARCHIVE_URL",
    key_id: "ARCHIVE_ACCESS_KEY_ID",
    secret: "ARCHIVE_SECRET_ACCESS_KEY",
    with_key: "must not hold a key: use ARCHIVE_ACCESS_KEY_ID and ARCHIVE_SECRET_ACCESS_KEY",
};

/// The archive; what is missing or of no use is a fault each.
pub(super) fn archive(read: &mut Reader) -> Archive {
    if !NAMED.is_wanted(read) {
        return Archive::Absent;
    }
    NAMED.read(read).map_or(Archive::Unusable, |place| {
        Archive::At(ArchivePlace {
            place,
            recipients: read.text("BACKUP_RECIPIENTS"),
        })
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
