//! Which variables the functions are given, and which the workflows on GitHub. What is in
//! neither list stays with the operator.

use ops::config::{CHECK_PREFIX, variables};

/// The group whose tokens change platforms: a function that reads one is given its own.
const PLATFORMS: &str = "The platforms' own APIs";

/// The private backup key and where it lies, which no platform may have.
const PRIVATE: [&str; 2] = ["BACKUP_IDENTITY", "BACKUP_IDENTITY_FILE"];

/// What workflows read as secrets, each with the names that it may have here.
pub(crate) const GITHUB_SECRETS: [(&str, &[&str]); 5] = [
    ("VERCEL_TOKEN", &["VERCEL_TOKEN"]),
    ("DATABASE_URL", &["DATABASE_URL"]),
    (
        "SUPABASE_SECRET_KEY",
        &["SUPABASE_SECRET_KEY", "SUPABASE_SERVICE_ROLE_KEY"],
    ),
    ("MONITORING_API_KEY", &["MONITORING_API_KEY"]),
    ("BACKUP_SECRET_ACCESS_KEY", &["BACKUP_SECRET_ACCESS_KEY"]),
];

/// What workflows read as variables.
pub(crate) const GITHUB_VARIABLES: [(&str, &[&str]); 7] = [
    ("VERCEL_TEAM_ID", &["VERCEL_TEAM_ID"]),
    ("VERCEL_PROJECT_ID", &["VERCEL_PROJECT_ID"]),
    (
        "SUPABASE_URL",
        &["SUPABASE_URL", "NEXT_PUBLIC_SUPABASE_URL"],
    ),
    ("DATABASE_CA", &["DATABASE_CA"]),
    ("BASE_URL", &["BASE_URL"]),
    ("BACKUP_URL", &["BACKUP_URL"]),
    ("BACKUP_ACCESS_KEY_ID", &["BACKUP_ACCESS_KEY_ID"]),
];

/// Whether the functions are given a variable of that name.
pub(crate) fn is_for_functions(name: &str) -> bool {
    if PRIVATE.contains(&name) {
        return false;
    }
    let own = || {
        variables::groups_set_by_hand()
            .filter(|group| group.title != PLATFORMS)
            .flat_map(|group| group.variables)
            .any(|variable| variable.name == name)
    };
    name.starts_with(CHECK_PREFIX) || own()
}

/// Whether a value is never shown again where it is kept.
pub(crate) fn is_secret(name: &str) -> bool {
    let known = variables::all().find(|variable| variable.name == name);
    known.is_none_or(|variable| variable.secret)
}

/// Whether the platform sets a variable of that name itself.
pub(crate) fn is_set_by_the_platform(name: &str) -> bool {
    let set_by_hand = || variables::set_by_hand().any(|variable| variable.name == name);
    variables::all().any(|variable| variable.name == name) && !set_by_hand()
}

/// A value as it is given away: where it names a file of this machine, what the file holds.
pub(crate) fn portable(name: &str, value: &str) -> Result<String, String> {
    if name != "DATABASE_CA" || value.contains("-----BEGIN") {
        return Ok(value.trim().to_owned());
    }
    std::fs::read_to_string(value.trim())
        .map(|text| text.trim().to_owned())
        .map_err(|error| {
            format!(
                "{name} names {}, which cannot be read: {error}",
                value.trim()
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_get_what_they_read_and_nothing_that_changes_a_platform_or_opens_a_backup() {
        for name in [
            "CRON_SECRET",
            "DATABASE_URL",
            "SLACK_WEBHOOK_URL",
            "CHECK_SHOP",
        ] {
            assert!(is_for_functions(name), "{name}");
        }
        for name in [
            "VERCEL_TOKEN",
            "BACKUP_IDENTITY",
            "BACKUP_IDENTITY_FILE",
            "VERCEL_ENV",
            "PATH",
        ] {
            assert!(!is_for_functions(name), "{name}");
        }
        assert!(is_set_by_the_platform("VERCEL_ENV") && !is_set_by_the_platform("BASE_URL"));
    }

    #[test]
    fn every_name_that_workflows_read_is_documented_and_its_secrecy_agrees() {
        for name in GITHUB_SECRETS.iter().flat_map(|(_, names)| *names) {
            assert!(is_secret(name), "{name}");
        }
        for name in GITHUB_VARIABLES.iter().flat_map(|(_, names)| *names) {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn a_certificate_travels_as_its_text() {
        let text = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----";
        assert_eq!(portable("DATABASE_CA", text).as_deref(), Ok(text));
        assert!(portable("DATABASE_CA", "/nowhere/ca.pem").is_err());
        assert_eq!(portable("BACKUP_URL", " s3://b ").as_deref(), Ok("s3://b"));
    }
}
