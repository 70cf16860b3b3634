//! How the platforms are set up: which documents are read, and which fields of each are kept.
//! Operators restore from them by hand, so they are what the platforms' own pages show.

use std::{collections::BTreeMap, sync::Arc};

use outside::{clock::Deadline, outbound::Outbound};
use serde_json::Value;
use tokio::time::timeout;

use super::allowed;
use crate::{
    config::Platforms,
    platforms::api::{Api, ApiError, Call},
};

/// A document of a platform.
struct Source {
    /// What it is called in the archive.
    name: &'static str,
    /// Where it is read, with `{}` for the project.
    path: &'static str,
    /// What of it is kept.
    fields: &'static [&'static str],
}

const PROJECT: &[&str] = &[
    "id",
    "name",
    "framework",
    "rootDirectory",
    "buildCommand",
    "installCommand",
    "devCommand",
    "outputDirectory",
    "nodeVersion",
    "publicSource",
    "autoExposeSystemEnvs",
    "autoAssignCustomDomains",
    "gitForkProtection",
    "skewProtectionMaxAge",
    "resourceConfig.*",
    "ssoProtection.deploymentType",
    "link.type",
    "link.org",
    "link.repo",
    "link.productionBranch",
    "crons.definitions.path",
    "crons.definitions.schedule",
];

/// Of Vercel, for each of our projects there. Values of variables are never read.
const VERCEL: [Source; 3] = [
    Source {
        name: "project",
        path: "v9/projects/{}",
        fields: PROJECT,
    },
    Source {
        name: "variables",
        path: "v10/projects/{}/env",
        fields: &[
            "envs.key",
            "envs.type",
            "envs.target",
            "envs.gitBranch",
            "envs.comment",
            "envs.updatedAt",
        ],
    },
    Source {
        name: "domains",
        path: "v9/projects/{}/domains",
        fields: &[
            "domains.name",
            "domains.redirect",
            "domains.redirectStatusCode",
            "domains.gitBranch",
            "domains.verified",
        ],
    },
];

/// Of Supabase's management. Secrets are names alone.
const SUPABASE: [Source; 8] = [
    Source {
        name: "project",
        path: "v1/projects/{}",
        fields: &[
            "id",
            "name",
            "region",
            "organization_id",
            "database.version",
        ],
    },
    Source {
        name: "auth",
        path: "v1/projects/{}/config/auth",
        fields: &[
            "site_url",
            "uri_allow_list",
            "disable_signup",
            "jwt_exp",
            "external_*_enabled",
            "mailer_autoconfirm",
            "mailer_subjects_*",
            "mailer_templates_*_content",
            "mailer_otp_exp",
            "mfa_*_enabled",
            "password_min_length",
            "password_required_characters",
            "rate_limit_*",
            "refresh_token_rotation_enabled",
            "security_captcha_enabled",
            "security_refresh_token_reuse_interval",
            "sessions_timebox",
            "sessions_inactivity_timeout",
            "smtp_host",
            "smtp_port",
            "smtp_sender_name",
            "smtp_admin_email",
        ],
    },
    Source {
        name: "postgrest",
        path: "v1/projects/{}/postgrest",
        fields: &["db_schema", "db_extra_search_path", "max_rows", "db_pool"],
    },
    Source {
        name: "postgres",
        path: "v1/projects/{}/config/database/postgres",
        fields: &[
            "*_timeout",
            "*_mem",
            "*_size",
            "max_*",
            "session_replication_role",
        ],
    },
    Source {
        name: "storage",
        path: "v1/projects/{}/config/storage",
        fields: &["fileSizeLimit", "features.*.enabled"],
    },
    Source {
        name: "network",
        path: "v1/projects/{}/network-restrictions",
        fields: &["config.dbAllowedCidrs", "config.dbAllowedCidrsV6"],
    },
    Source {
        name: "secrets",
        path: "v1/projects/{}/secrets",
        fields: &["name"],
    },
    Source {
        name: "functions",
        path: "v1/projects/{}/functions",
        fields: &[
            "slug",
            "name",
            "version",
            "status",
            "verify_jwt",
            "entrypoint_path",
            "import_map",
        ],
    },
];

/// The largest number of Edge Functions whose code is kept.
const FUNCTIONS: usize = 100;

/// Why something was not read that was there.
pub(super) const NO_TIME: &str = "there was no time left to read it";

/// What was read, and why something was not.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) documents: BTreeMap<String, Value>,
    pub(super) absent: BTreeMap<String, String>,
}

impl Read {
    /// Keeps what comes of a reading in time, or why nothing did.
    async fn keep(
        &mut self,
        name: String,
        deadline: Deadline,
        reading: impl Future<Output = Result<Value, ApiError>>,
    ) {
        match timeout(deadline.remaining(), reading).await {
            Ok(Ok(document)) => drop(self.documents.insert(name, document)),
            Ok(Err(error)) => self.lack(name, error.to_string()),
            Err(_) => self.lack(name, NO_TIME),
        }
    }

    pub(super) fn lack(&mut self, name: impl Into<String>, why: impl Into<String>) {
        self.absent.insert(name.into(), why.into());
    }
}

/// Reads all that tokens are there for. What cannot be read is told, and takes nothing along.
pub(super) async fn read(
    platforms: &Platforms,
    outbound: &Arc<Outbound>,
    deadline: Deadline,
) -> Read {
    let mut read = Read::default();
    read_vercel(platforms, outbound, deadline, &mut read).await;
    read_supabase(platforms, outbound, deadline, &mut read).await;
    read
}

async fn read_vercel(
    platforms: &Platforms,
    outbound: &Arc<Outbound>,
    deadline: Deadline,
    read: &mut Read,
) {
    let Some(vercel) = platforms.vercel(outbound) else {
        return read.lack("vercel", "VERCEL_TOKEN is not set");
    };
    let projects = [
        ("vercel.app", &platforms.app_project),
        ("vercel.ops", &platforms.own_project),
    ];
    for (prefix, project) in projects {
        let Some(project) = project else {
            read.lack(prefix, "its project is not named");
            continue;
        };
        for source in &VERCEL {
            let call = vercel.of_team(call(source, project));
            let name = format!("{prefix}.{}", source.name);
            let reading = document(vercel.api(), &call, source);
            read.keep(name, deadline, reading).await;
        }
    }
}

async fn read_supabase(
    platforms: &Platforms,
    outbound: &Arc<Outbound>,
    deadline: Deadline,
    read: &mut Read,
) {
    let Some(management) = platforms.management(outbound) else {
        return read.lack("supabase", "SUPABASE_ACCESS_TOKEN is not set");
    };
    let Some(project) = &platforms.supabase_project else {
        return read.lack("supabase", "SUPABASE_PROJECT_REF is not set");
    };
    for source in &SUPABASE {
        let call = call(source, project);
        let name = format!("supabase.{}", source.name);
        let reading = document(management.api(), &call, source);
        read.keep(name, deadline, reading).await;
    }
    code(management.api(), project, deadline, read).await;
}

/// What of a document is kept.
async fn document(api: &Api, call: &Call<'_>, source: &Source) -> Result<Value, ApiError> {
    let whole: Value = api.read(call).await?;
    Ok(allowed::select(&whole, source.fields))
}

/// The code of the Edge Functions, as base64.
async fn code(api: &Api, project: &str, deadline: Deadline, read: &mut Read) {
    let Some(Value::Array(functions)) = read.documents.get("supabase.functions") else {
        return;
    };
    let slugs: Vec<String> = functions
        .iter()
        .filter_map(|function| Some(function.get("slug")?.as_str()?.to_owned()))
        .collect();
    for slug in slugs.iter().take(FUNCTIONS) {
        let call = Call::get(["v1", "projects", project, "functions", slug, "body"]);
        let name = format!("supabase.functions.{slug}.code");
        let reading = async { api.read_base64(&call).await.map(Value::String) };
        read.keep(name, deadline, reading).await;
    }
    if slugs.len() > FUNCTIONS {
        let more = slugs.len() - FUNCTIONS;
        read.lack(
            "supabase.functions",
            format!("the code of {more} more is not kept"),
        );
    }
}

fn call<'a>(source: &Source, project: &'a str) -> Call<'a> {
    Call::get(
        source
            .path
            .split('/')
            .map(|segment| if segment == "{}" { project } else { segment }),
    )
}
