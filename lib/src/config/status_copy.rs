//! Where the copy of the status page lies that outlives this deployment.

use backup::store::Credentials;
use url::Url;

use super::backups::{FLEETING, store};
use crate::variables::Reader;

/// Where the copy lies.
#[derive(Debug, Clone)]
pub struct StatusCopy {
    /// A folder (`file:`) or a bucket (`s3:`), without a password.
    pub url: Url,
    /// Proof for the bucket; a folder needs none.
    pub credentials: Option<Credentials>,
}

/// The copy, if one is wanted; what is missing or of no use is a fault each.
pub(super) fn status_copy(read: &mut Reader) -> Option<StatusCopy> {
    const WANTED_BY: [&str; 3] = [
        "STATUS_URL",
        "STATUS_ACCESS_KEY_ID",
        "STATUS_SECRET_ACCESS_KEY",
    ];
    read.first(&WANTED_BY)?;
    read.require("STATUS_URL");
    let fleeting = read.first(&FLEETING).is_some();
    let text = read.text("STATUS_URL")?;
    let url = store(
        &text,
        fleeting,
        "must not hold a key: use STATUS_ACCESS_KEY_ID and STATUS_SECRET_ACCESS_KEY",
    );
    let url = read.keep("STATUS_URL", url)?;
    if url.scheme() == "s3" {
        read.require("STATUS_ACCESS_KEY_ID");
        read.require("STATUS_SECRET_ACCESS_KEY");
    }
    let id = read.text("STATUS_ACCESS_KEY_ID");
    let secret = read.key("STATUS_SECRET_ACCESS_KEY");
    let credentials = id.zip(secret).map(|(id, secret)| Credentials {
        key_id: id.into(),
        secret,
    });
    if url.scheme() == "s3" {
        credentials.as_ref()?;
    }
    Some(StatusCopy { url, credentials })
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, FaultKind};

    fn config(variables: &[(&str, &str)]) -> (Config, Vec<(&'static str, FaultKind)>) {
        let config = Config::from_lookup(&|name| {
            let known = variables.iter().find(|(known, _)| *known == name);
            known.map(|(_, value)| (*value).to_owned())
        });
        let faults = config.faults.iter();
        let faults = faults
            .filter(|fault| fault.variable.starts_with("STATUS_"))
            .map(|fault| (fault.variable, fault.kind.clone()))
            .collect();
        (config, faults)
    }

    #[test]
    fn a_bucket_needs_both_halves_of_its_key_and_a_folder_none() {
        const BUCKET: (&str, &str) = ("STATUS_URL", "s3://bucket?region=auto");
        const ID: (&str, &str) = ("STATUS_ACCESS_KEY_ID", "id");
        const KEY: (&str, &str) = ("STATUS_SECRET_ACCESS_KEY", "key");
        const FOLDER: (&str, &str) = ("STATUS_URL", "file:///tmp");
        let missing = |name| vec![(name, FaultKind::Missing)];
        let ends = FaultKind::Invalid("a folder ends with the function's instance: use a bucket");
        for (given, is_there, expected) in [
            (&[][..], false, vec![]),
            (&[BUCKET, ID, KEY], true, vec![]),
            (&[FOLDER], true, vec![]),
            (&[BUCKET, ID], false, missing(KEY.0)),
            (&[BUCKET, KEY], false, missing(ID.0)),
            (&[ID, KEY], false, missing("STATUS_URL")),
            (
                &[FOLDER, ("VERCEL", "1")],
                false,
                vec![("STATUS_URL", ends)],
            ),
        ] {
            let (config, faults) = config(given);
            assert_eq!(config.status_copy.is_some(), is_there, "{given:?}");
            assert_eq!(faults, expected, "{given:?}");
        }
    }
}
