//! Where a copy of the backups is kept.

use url::Url;

use super::{
    Fault, FaultKind,
    store_place::{Named, StorePlace},
};
use crate::variables::Reader;

const NAMED: Named = Named {
    url: "BACKUP_REPLICA_URL",
    key_id: "BACKUP_REPLICA_ACCESS_KEY_ID",
    secret: "BACKUP_REPLICA_SECRET_ACCESS_KEY",
    with_key: "must not hold a key: use BACKUP_REPLICA_ACCESS_KEY_ID and BACKUP_REPLICA_SECRET_ACCESS_KEY",
};

/// The copy's place, where one is wanted. What is missing or of no use is a fault each, and so is
/// a copy in the place of what it copies.
pub(super) fn replica(read: &mut Reader, backups: Option<&Url>) -> Option<StorePlace> {
    if !NAMED.is_wanted(read) {
        return None;
    }
    let place = NAMED.read(read)?;
    if backups.is_some_and(|url| same_place(url, &place.url)) {
        read.faults.push(Fault {
            variable: NAMED.url,
            kind: FaultKind::Invalid("names the place of the backups themselves"),
        });
        return None;
    }
    Some(place)
}

/// Whether both name one folder, or one prefix of one bucket at one endpoint.
fn same_place(one: &Url, other: &Url) -> bool {
    let endpoint = |url: &Url| {
        let mut pairs = url.query_pairs();
        pairs.find_map(|(name, value)| {
            (name == "endpoint").then(|| value.trim_end_matches('/').to_owned())
        })
    };
    let path = |url: &Url| url.path().trim_end_matches('/').to_owned();
    (one.scheme(), one.host_str(), path(one), endpoint(one))
        == (
            other.scheme(),
            other.host_str(),
            path(other),
            endpoint(other),
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn a_copy_has_a_place_of_its_own_and_a_key_of_its_own() {
        let bucket = ("BACKUP_REPLICA_URL", "s3://copies/wine?region=auto");
        let id = ("BACKUP_REPLICA_ACCESS_KEY_ID", "id");
        let secret = ("BACKUP_REPLICA_SECRET_ACCESS_KEY", "secret");
        let backups = ("BACKUP_URL", "s3://copies/wine/?region=eu&endpoint=");
        for (variables, is_there, faulty) in [
            (vec![], false, vec![]),
            (vec![bucket, id, secret], true, vec![]),
            (vec![bucket, id], false, vec![secret.0]),
            (vec![id, secret], false, vec![bucket.0]),
            (
                vec![("BACKUP_REPLICA_URL", "ftp://x")],
                false,
                vec![bucket.0],
            ),
            (
                vec![("BACKUP_REPLICA_URL", "file:///copies"), ("VERCEL", "1")],
                false,
                vec![bucket.0],
            ),
            (
                vec![("BACKUP_REPLICA_URL", "s3://me:pw@copies/wine")],
                false,
                vec![bucket.0],
            ),
        ] {
            let config = Config::from_lookup(&|name| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            });
            let faults: Vec<_> = config
                .faults
                .iter()
                .map(|fault| fault.variable)
                .filter(|name| name.starts_with("BACKUP_REPLICA"))
                .collect();
            assert_eq!(
                (config.replica.is_some(), faults),
                (is_there, faulty),
                "{variables:?}"
            );
        }
        let url = |text: &str| Url::parse(text).unwrap();
        assert!(!same_place(&url(bucket.1), &url(backups.1)));
        for (one, other, expected) in [
            ("s3://a/p?region=x", "s3://a/p/?region=y", true),
            ("s3://a/p", "s3://a/q", false),
            (
                "s3://a/p?endpoint=https://x/",
                "s3://a/p?endpoint=https://x",
                true,
            ),
            (
                "s3://a/p?endpoint=https://x",
                "s3://a/p?endpoint=https://y",
                false,
            ),
            ("file:///a", "file:///a/", true),
            ("file:///a", "file:///b", false),
        ] {
            assert_eq!(
                same_place(&url(one), &url(other)),
                expected,
                "{one} {other}"
            );
        }
    }
}
