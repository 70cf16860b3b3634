//! What belongs to the platform rather than to the app.
//!
//! The platform makes these things itself in every project, changes them with
//! its own migrations, and mostly owns them by roles that nobody else has. A
//! backup leaves them out and says so.

/// Schemas whose definition a backup holds for servers that lack them: the
/// app's foreign keys and policies point into them.
pub(super) const MANAGED_SCHEMAS: [&str; 2] = ["auth", "storage"];

/// The roles by which requests come in. Objects of the role `postgres` in
/// `public` are theirs to use unless row-level security says otherwise.
pub(super) const API_ROLES: [&str; 3] = ["anon", "authenticated", "service_role"];

/// Managed tables whose rows are the app's: who its users are and what they
/// uploaded. A table stands after those it refers to.
pub(super) const MANAGED_ROWS: [(&str, &str); 8] = [
    ("auth", "users"),
    ("auth", "identities"),
    ("auth", "mfa_factors"),
    ("auth", "sso_providers"),
    ("auth", "sso_domains"),
    ("auth", "saml_providers"),
    ("storage", "buckets"),
    ("storage", "objects"),
];

/// What the platform's own roles made in these is the platform's. What the team
/// owns there is the app's all the same.
const PLATFORM_SCHEMAS: [&str; 20] = [
    "_analytics",
    "_realtime",
    "_supavisor",
    "cron",
    "etl",
    "extensions",
    "graphql",
    "graphql_public",
    "net",
    "pgbouncer",
    "pgmq_public",
    "pgsodium",
    "pgsodium_masks",
    "pgtle",
    "realtime",
    "supabase_functions",
    "supabase_migrations",
    "supautils",
    "tiger_data",
    "vault",
];

/// Schemas of the platform that it gives to the team's role. They are there in every
/// project, so one in which the team made nothing is none of the app's.
const GIVEN_SCHEMAS: [&str; 4] = ["_analytics", "_realtime", "_supavisor", "extensions"];

/// Roles that own things on the platform's behalf. A team may give its own roles
/// names that begin like these.
const PLATFORM_OWNERS: [&str; 20] = [
    "authenticator",
    "cli_login_postgres",
    "dashboard_user",
    "pgbouncer",
    "pgsodium_keyholder",
    "pgsodium_keyiduser",
    "pgsodium_keymaker",
    "pgtle_admin",
    "supabase_admin",
    "supabase_analytics_admin",
    "supabase_auth_admin",
    "supabase_etl_admin",
    "supabase_functions_admin",
    "supabase_privileged_role",
    "supabase_read_only_user",
    "supabase_realtime_admin",
    "supabase_replication_admin",
    "supabase_storage_admin",
    "supabase_superuser",
    "supabase_vault_admin",
];

/// Services and instruments of the platform. Another server may lack them, and
/// the app's tables are not made of them.
const PLATFORM_EXTENSIONS: [&str; 12] = [
    "hypopg",
    "index_advisor",
    "pg_cron",
    "pg_graphql",
    "pg_net",
    "pg_stat_monitor",
    "pg_stat_statements",
    "pg_tle",
    "pgaudit",
    "pgsodium",
    "plpgsql_check",
    "supabase_vault",
];

const PLATFORM_PUBLICATIONS: [&str; 3] = [
    "supabase_realtime",
    "supabase_realtime_messages_publication",
    "logflare_pub",
];

/// The role that the team acts as; it owns nothing of the platform's.
pub(super) const TEAM_ROLE: &str = "postgres";

/// Whether the schema is called like one that the platform or one of its extensions
/// fills.
pub(super) fn is_platform_schema(schema: &str) -> bool {
    PLATFORM_SCHEMAS.contains(&schema)
}

/// Whether the platform gives the schema to the team's role in every project.
pub(super) fn is_given_schema(schema: &str) -> bool {
    GIVEN_SCHEMAS.contains(&schema)
}

/// Whether the schema is the platform's but the app builds on it.
pub(super) fn is_managed_schema(schema: &str) -> bool {
    MANAGED_SCHEMAS.contains(&schema)
}

/// The roles that own things in every project: the team's own and the platform's.
pub(super) fn owners() -> impl Iterator<Item = &'static str> {
    PLATFORM_OWNERS.into_iter().chain([TEAM_ROLE])
}

/// Whether the role owns things on the platform's behalf.
pub(super) fn is_platform_owner(role: &str) -> bool {
    PLATFORM_OWNERS.contains(&role)
}

/// Whether the role is in every project, or in every PostgreSQL.
pub(super) fn is_platform_role(role: &str) -> bool {
    is_platform_owner(role)
        || API_ROLES.contains(&role)
        || role == TEAM_ROLE
        || role.starts_with("pg_")
}

/// Whether the role is in every project and the team gives it settings of its own.
pub(super) fn takes_settings(role: &str) -> bool {
    role == TEAM_ROLE || role == "authenticator" || API_ROLES.contains(&role)
}

/// Whether the extension is the platform's instrument rather than something
/// that tables are made of.
pub(super) fn is_platform_extension(name: &str) -> bool {
    PLATFORM_EXTENSIONS.contains(&name)
}

/// Whether the platform makes the publication and reads it.
pub(super) fn is_platform_publication(name: &str) -> bool {
    PLATFORM_PUBLICATIONS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_the_platforms_by_its_whole_name() {
        for (schema, platform, managed) in [
            ("public", false, false),
            ("ops", false, false),
            ("auth", false, true),
            ("storage", false, true),
            ("extensions", true, false),
            ("realtime", true, false),
            ("vault", true, false),
            ("_realtime", true, false),
            ("_private", false, false),
            ("authors", false, false),
        ] {
            assert_eq!(is_platform_schema(schema), platform, "{schema}");
            assert_eq!(is_managed_schema(schema), managed, "{schema}");
        }
    }

    #[test]
    fn the_teams_own_role_owns_for_the_app_and_is_in_every_project() {
        for (role, owner, known) in [
            ("postgres", false, true),
            ("anon", false, true),
            ("pg_database_owner", false, true),
            ("supabase_admin", true, true),
            ("supabase_auth_admin", true, true),
            ("pgsodium_keymaker", true, true),
            ("wine_importer", false, false),
            ("supabase_reports", false, false),
            ("pgsodium_of_ours", false, false),
        ] {
            assert_eq!(is_platform_owner(role), owner, "{role}");
            assert_eq!(is_platform_role(role), known, "{role}");
        }
    }

    #[test]
    fn rows_are_kept_of_managed_tables_alone() {
        for (schema, _) in MANAGED_ROWS {
            assert!(is_managed_schema(schema));
        }
    }
}
