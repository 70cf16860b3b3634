//! Where backups go and how they are sealed. Every function links this, so the
//! checks are cheap ones: whoever opens the store or a key has the last word.

use backup::store::Credentials;
use secrecy::SecretString;
use url::Url;

use super::{Fault, FaultKind};
use crate::variables::Reader;

/// A direct session of the database.
#[derive(Debug, Clone)]
pub struct Database {
    /// The session's URL, password included.
    pub url: SecretString,
    /// The root that signed the server's certificate: PEM text or a path.
    pub ca: Option<String>,
}

/// Where backups go and how they are sealed.
#[derive(Debug, Clone)]
pub struct Backup {
    /// A folder (`file:`) or a bucket (`s3:`), without a password.
    pub url: Url,
    /// Proof for the bucket; a folder needs none.
    pub credentials: Option<Credentials>,
    /// The age public keys that can read backups, with commas or blanks between.
    pub recipients: String,
    /// 32 bytes in hexadecimal that name objects; they cannot read anything.
    pub secret: SecretString,
    /// What the function tries backups with, where it does.
    pub drill: Option<Drill>,
}

/// What a drill in the function needs.
#[derive(Debug, Clone)]
pub struct Drill {
    /// An age secret key, of a recipient of its own.
    pub identity: SecretString,
    /// The server that lends a database, as the URL of one that it has; without it the
    /// one that is backed up.
    pub server: Option<SecretString>,
}

/// Any of these set means that backups are wanted.
const WANTED_BY: [&str; 5] = [
    "BACKUP_URL",
    "BACKUP_RECIPIENTS",
    "BACKUP_SECRET",
    "BACKUP_ACCESS_KEY_ID",
    "BACKUP_SECRET_ACCESS_KEY",
];

/// What they always need.
const NEEDED: [&str; 4] = [
    "DATABASE_URL",
    "BACKUP_URL",
    "BACKUP_RECIPIENTS",
    "BACKUP_SECRET",
];

/// What a bucket needs beside that.
const NEEDED_BY_A_BUCKET: [&str; 2] = ["BACKUP_ACCESS_KEY_ID", "BACKUP_SECRET_ACCESS_KEY"];

impl Fault {
    /// Whether backups are wanted and cannot be made because of this.
    #[must_use]
    pub fn is_about_backups(&self) -> bool {
        let about = WANTED_BY.contains(&self.variable) || NEEDED.contains(&self.variable);
        match self.kind {
            FaultKind::Missing | FaultKind::Invalid(_) => about,
            FaultKind::Warning(_) => false,
        }
    }
}

/// Marks of a platform whose disks end with the instance.
pub(super) const FLEETING: [&str; 3] = ["VERCEL", "VERCEL_IPC_PATH", "AWS_LAMBDA_RUNTIME_API"];

/// The direct session, if one is named. Its text is judged when it is opened.
pub(super) fn database(read: &Reader) -> Option<Database> {
    Some(Database {
        url: read.text("DATABASE_URL")?.into(),
        ca: read.text("DATABASE_CA"),
    })
}

/// Everything that a backup needs; `None` where nothing is set, and where
/// something is and the rest is missing or of no use, which is a fault each.
pub(super) fn backup(read: &mut Reader) -> Option<Backup> {
    read.first(&WANTED_BY)?;
    for name in NEEDED {
        read.require(name);
    }
    let fleeting = read.first(&FLEETING).is_some();
    let url = read.text("BACKUP_URL");
    let url = url.and_then(|text| {
        read.keep(
            "BACKUP_URL",
            store(
                &text,
                fleeting,
                "must not hold a key: use BACKUP_ACCESS_KEY_ID and BACKUP_SECRET_ACCESS_KEY",
            ),
        )
    });
    let recipients = read.text("BACKUP_RECIPIENTS");
    let recipients = recipients.and_then(|text| read.keep("BACKUP_RECIPIENTS", public_keys(text)));
    let secret = read.text("BACKUP_SECRET");
    let secret = secret.and_then(|text| read.keep("BACKUP_SECRET", dedupe_secret(text)));
    let drill = drill(read);
    let url = url?;
    let credentials = credentials(read);
    if url.scheme() == "s3" {
        for name in NEEDED_BY_A_BUCKET {
            read.require(name);
        }
        credentials.as_ref()?;
    }
    read.text("DATABASE_URL")?;
    Some(Backup {
        url,
        credentials,
        recipients: recipients?,
        secret: secret?,
        drill,
    })
}

/// Whoever breaks into the function has this key, and with it every backup of its
/// recipient: that is for a team to accept, and to be reminded of.
fn drill(read: &mut Reader) -> Option<Drill> {
    const IDENTITY: &str = "BACKUP_DRILL_IDENTITY";
    let text = read.text(IDENTITY)?;
    let is_key = text.starts_with("AGE-SECRET-KEY-1");
    let identity = is_key
        .then_some(text)
        .ok_or("not an age secret key (AGE-SECRET-KEY-1…)");
    let identity = read.keep(IDENTITY, identity)?;
    read.faults.push(Fault {
        variable: IDENTITY,
        kind: FaultKind::Warning(
            "a private key lies in a function: whoever breaks into it can read the backups",
        ),
    });
    Some(Drill {
        identity: identity.into(),
        server: read
            .text("BACKUP_DRILL_DATABASE_URL")
            .map(SecretString::from),
    })
}

/// Whoever holds the identity can read every backup, so it has no place where
/// functions run; they only ever encrypt.
pub(super) fn warn_of_identity(read: &mut Reader) {
    for variable in ["BACKUP_IDENTITY", "BACKUP_IDENTITY_FILE"] {
        let private = read
            .text(variable)
            .is_some_and(|value| value.contains("AGE-SECRET-KEY-"));
        if private {
            let kind = FaultKind::Warning(
                "a private backup identity does not belong in a function's environment",
            );
            read.faults.push(Fault { variable, kind });
        }
    }
}

fn credentials(read: &mut Reader) -> Option<Credentials> {
    Some(Credentials {
        key_id: read.text("BACKUP_ACCESS_KEY_ID")?.into(),
        secret: read.key("BACKUP_SECRET_ACCESS_KEY")?,
    })
}

/// A URL of a store. What is stored on a function's own disk is gone with the
/// instance, and would count as a backup until then.
pub(super) fn store(
    text: &str,
    fleeting: bool,
    with_key: &'static str,
) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "not a URL")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(with_key);
    }
    match url.scheme() {
        "file" if fleeting => Err("a folder ends with the function's instance: use a bucket"),
        "file" if url.has_host() => Err("a folder is written as file:///path"),
        "file" => Ok(url),
        "s3" if url.has_host() => Ok(url),
        "s3" => Err("names no bucket"),
        _ => Err("neither file: nor s3:"),
    }
}

/// age public keys, with commas or blanks between. Their checksum is verified
/// where they are used.
fn public_keys(text: String) -> Result<String, &'static str> {
    let plausible = |key: &str| {
        key.strip_prefix("age1").is_some_and(|rest| {
            !rest.is_empty()
                && rest
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        })
    };
    let mut keys = text
        .split(|between: char| between == ',' || between.is_whitespace())
        .filter(|key| !key.is_empty())
        .peekable();
    if keys.peek().is_some() && keys.all(plausible) {
        Ok(text)
    } else {
        Err("not age public keys (age1…) with commas between")
    }
}

fn dedupe_secret(text: String) -> Result<SecretString, &'static str> {
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(text.into())
    } else {
        Err("not 64 hexadecimal digits (`openssl rand -hex 32`)")
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use crate::config::{Config, FaultKind};

    const KEY: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
    const SECRET: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    const FOLDER: [(&str, &str); 4] = [
        ("DATABASE_URL", "postgresql://postgres@db.example/postgres"),
        ("BACKUP_URL", "file:///var/backups"),
        ("BACKUP_RECIPIENTS", KEY),
        ("BACKUP_SECRET", SECRET),
    ];
    const BUCKET: (&str, &str) = ("BACKUP_URL", "s3://bucket/prefix?region=auto");
    const ID: (&str, &str) = ("BACKUP_ACCESS_KEY_ID", "key-id");
    const ACCESS: (&str, &str) = ("BACKUP_SECRET_ACCESS_KEY", "key-secret");

    /// The folder's configuration, with other variables in their place.
    fn config(changed: &[(&str, &str)]) -> Config {
        Config::from_lookup(&|name| {
            let of = |variables: &[(&str, &str)]| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            of(changed).or_else(|| of(&FOLDER))
        })
    }

    /// What is wrong about backups, without what is wrong about everything.
    fn faults(config: &Config) -> Vec<(&'static str, &FaultKind)> {
        let all = config.faults.iter();
        all.filter(|fault| !fault.variable.contains("SUPABASE"))
            .map(|fault| (fault.variable, &fault.kind))
            .collect()
    }

    #[test]
    fn nothing_set_is_not_set_up_and_no_fault() {
        let config = Config::from_lookup(&|_| None);
        assert!(config.backup.is_none() && config.database.is_none());
        assert_eq!(faults(&config), []);
        let session_alone =
            Config::from_lookup(&|name| (name == "DATABASE_URL").then(|| "x".into()));
        assert!(session_alone.backup.is_none() && session_alone.database.is_some());
        assert_eq!(faults(&session_alone), []);
    }

    #[test]
    fn a_folder_needs_no_key_and_a_bucket_does() {
        let folder = config(&[]).backup.unwrap();
        assert!(folder.credentials.is_none());
        assert_eq!(folder.secret.expose_secret(), SECRET);
        let bucket = config(&[BUCKET, ID, ACCESS]);
        assert_eq!(faults(&bucket), []);
        let credentials = bucket.backup.unwrap().credentials.unwrap();
        assert_eq!(credentials.key_id.expose_secret(), "key-id");
        for (given, missing) in [(ID, ACCESS.0), (ACCESS, ID.0)] {
            let config = config(&[BUCKET, given]);
            assert!(config.backup.is_none());
            assert_eq!(faults(&config), [(missing, &FaultKind::Missing)]);
        }
    }

    #[test]
    fn a_part_that_is_missing_is_named_and_nothing_else_suffers() {
        for (name, _) in FOLDER {
            let config = config(&[(name, " ")]);
            assert!(config.backup.is_none(), "{name}");
            assert_eq!(faults(&config), [(name, &FaultKind::Missing)], "{name}");
        }
        let whole = Config::from_lookup(&|name| match name {
            "SUPABASE_URL" => Some("https://p.supabase.co".into()),
            "SUPABASE_SECRET_KEY" => Some("sb_secret_x".into()),
            "BACKUP_SECRET" => Some("short".into()),
            _ => None,
        });
        assert!(whole.is_valid(), "backups never change the status");
    }

    #[test]
    fn what_is_of_no_use_is_told_without_the_value() {
        let malformed = "not age public keys (age1…) with commas between";
        let with_key = "must not hold a key: use BACKUP_ACCESS_KEY_ID and BACKUP_SECRET_ACCESS_KEY";
        let hexadecimal = "not 64 hexadecimal digits (`openssl rand -hex 32`)";
        let private = format!("AGE-SECRET-KEY-{}", "1XYZ");
        for (name, value, reason) in [
            ("BACKUP_URL", "backups", "not a URL"),
            (
                "BACKUP_URL",
                "https://bucket.example",
                "neither file: nor s3:",
            ),
            ("BACKUP_URL", "s3:///prefix", "names no bucket"),
            (
                "BACKUP_URL",
                "file://host/folder",
                "a folder is written as file:///path",
            ),
            ("BACKUP_URL", "s3://id:key@bucket", with_key),
            ("BACKUP_RECIPIENTS", ",", malformed),
            ("BACKUP_RECIPIENTS", "age1", malformed),
            ("BACKUP_RECIPIENTS", "ssh-ed25519 AAAA", malformed),
            ("BACKUP_RECIPIENTS", &private, malformed),
            ("BACKUP_SECRET", "0011", hexadecimal),
            ("BACKUP_SECRET", &SECRET.replace('0', "x"), hexadecimal),
        ] {
            let config = config(&[(name, value)]);
            assert!(config.backup.is_none(), "{name}={value}");
            assert_eq!(
                faults(&config),
                [(name, &FaultKind::Invalid(reason))],
                "{value}"
            );
        }
    }

    #[test]
    fn several_recipients_stand_in_one_variable() {
        let recipients = format!("{KEY}, {KEY}\n{KEY}");
        let backup = config(&[("BACKUP_RECIPIENTS", &recipients)]).backup;
        assert_eq!(backup.unwrap().recipients, recipients);
    }

    #[test]
    fn a_function_refuses_a_folder_that_ends_with_it() {
        for mark in super::FLEETING {
            let config = config(&[(mark, "1")]);
            assert!(config.backup.is_none(), "{mark}");
            let reason = "a folder ends with the function's instance: use a bucket";
            assert_eq!(
                faults(&config),
                [("BACKUP_URL", &FaultKind::Invalid(reason))]
            );
        }
    }

    #[test]
    fn no_secret_shows_in_debug_output() {
        let url = (
            "DATABASE_URL",
            "postgresql://postgres:hidden-word@db.example/x",
        );
        let access = ("BACKUP_SECRET_ACCESS_KEY", "hidden-word");
        let text = format!("{:?}", config(&[url, BUCKET, ID, access]));
        assert!(
            !text.contains("hidden-word") && !text.contains(SECRET),
            "{text}"
        );
    }
}
