//! The full list of environment variables. `.env.example` and
//! `docs/configuration.md` are written from it, and a test fails on drift.

use std::fmt::Write;

use crate::{
    messages::channels,
    variables::{Group, Variable, plain, secret},
};

/// The groups that the documentation shows first.
const FIRST: &[Group] = &[
    Group {
        title: "Supabase",
        without: "Required: health is unhealthy and everything else answers 503.",
        variables: &[
            plain(
                "NEXT_PUBLIC_SUPABASE_URL",
                "",
                "The project's URL, `https://<ref>.supabase.co`. `SUPABASE_URL` is read first.",
            ),
            plain(
                "SUPABASE_URL",
                "",
                "The same, under the name that deployments without a front end use.",
            ),
            secret(
                "SUPABASE_SECRET_KEY",
                "The secret key, `sb_secret_…` (Project Settings → API keys).",
            ),
            secret(
                "SUPABASE_SERVICE_ROLE_KEY",
                "The legacy service_role key (a JWT). `SUPABASE_SECRET_KEY` wins if both are set.",
            ),
            plain(
                "SUPABASE_PUBLISHABLE_KEY",
                "",
                "The publishable key, `sb_publishable_…`.",
            ),
            plain(
                "NEXT_PUBLIC_SUPABASE_ANON_KEY",
                "",
                "The legacy anon key. `SUPABASE_PUBLISHABLE_KEY` wins if both are set.",
            ),
            secret(
                "SUPABASE_JWT_SECRET",
                "Only for projects that still sign user tokens with a shared secret (HS256); the others are verified by the project's public keys.",
            ),
            plain(
                "SUPABASE_JWT_ISSUER",
                "<SUPABASE_URL>/auth/v1",
                "What user tokens name as `iss`, where that is not the project's URL as given here: with a custom domain it stays `https://<ref>.supabase.co/auth/v1`.",
            ),
        ],
    },
    Group {
        title: "Direct database sessions",
        without: "Needed by `/api/cron/backup` and by `pourtrait migrate` and `pourtrait backup`; nothing else opens one.",
        variables: &[
            secret(
                "DATABASE_URL",
                "A session connection as role `postgres` (not the transaction pooler on port 6543).",
            ),
            plain(
                "DATABASE_CA",
                "",
                "The root that signed the server's certificate: PEM text or a path (Supabase: Database Settings → SSL). Needed with Supabase, whose root is in no public bundle.",
            ),
        ],
    },
    Group {
        title: "The app and this bundle",
        without: "Without the app's URL only the checks in the settings run.",
        variables: &[
            plain(
                "NEXT_PUBLIC_APP_URL",
                "",
                "Where the app answers; watched unless the setting `app.urls` lists others.",
            ),
            plain(
                "BASE_URL",
                "https://$VERCEL_PROJECT_PRODUCTION_URL",
                "Where this bundle answers; links in messages start with it.",
            ),
        ],
    },
    Group {
        title: "The platforms' own APIs",
        without: "Without a platform's token nothing is asked or changed there. Only the command needs one that may change anything; a function reads, and answers the runs of the deployment check where there is one.",
        variables: &[
            secret(
                "VERCEL_TOKEN",
                "A token of Vercel's for the team, with an end.",
            ),
            plain(
                "VERCEL_TEAM_ID",
                "",
                "The team, `team_…`; without it the token's own account.",
            ),
            plain(
                "VERCEL_PROJECT_ID",
                "",
                "This bundle's project, `prj_…`. Vercel sets it in its functions.",
            ),
            plain(
                "APP_VERCEL_PROJECT_ID",
                "",
                "The watched app's project, `prj_…` or its name.",
            ),
            secret(
                "VERCEL_AUTOMATION_BYPASS_SECRET",
                "Lets `pourtrait verify` through Vercel's protection of deployments. Vercel sets it in its functions.",
            ),
            plain(
                "VERCEL_API_URL",
                "https://api.vercel.com",
                "Where Vercel's API answers.",
            ),
            secret(
                "GITHUB_TOKEN",
                "A fine-grained token of GitHub's for one repository. The functions ask for drills with one that may write actions and nothing else.",
            ),
            plain("GITHUB_REPOSITORY", "", "That repository, `owner/name`."),
            plain(
                "GITHUB_API_URL",
                "https://api.github.com",
                "Where GitHub's API answers.",
            ),
            secret(
                "SUPABASE_ACCESS_TOKEN",
                "A personal access token of Supabase's, with an end.",
            ),
            plain(
                "SUPABASE_PROJECT_REF",
                "",
                "The project's reference; without it, the first label of the project's URL.",
            ),
            secret(
                "SUPABASE_DB_PASSWORD",
                "The password of its role `postgres`: `pourtrait setup` keeps it here before it makes a project, and `deploy` gives it to `supabase db push`, which without it asks the platform for a role of its own.",
            ),
            plain(
                "SUPABASE_API_URL",
                "https://api.supabase.com",
                "Where Supabase's Management API answers.",
            ),
            plain(
                "SUPABASE_METRICS_URL",
                "",
                "Where the database's host serves its metrics to the secret key; on Supabase's platform it is known.",
            ),
        ],
    },
    Group {
        title: "Callers",
        without: "A missing secret closes what it guards with 503, never opens it.",
        variables: &[
            secret(
                "CRON_SECRET",
                "Vercel sends it with every cron call; at least 16 characters (`openssl rand -hex 32`).",
            ),
            secret(
                "MONITORING_API_KEY",
                "For operators and CI: dashboard, health details, raising alerts, manual runs; links in messages, tokens of heartbeats and project keys of the door are signed with keys derived from it, and addresses of subscribers are kept under one, so changing it ends them; at least 16 characters.",
            ),
            secret(
                "METRICS_TOKEN",
                "For a scraper: reads `/api/metrics` and nothing else; at least 16 characters. Without it only `MONITORING_API_KEY` and admins read them.",
            ),
        ],
    },
    Group {
        title: "Services beside the app",
        without: "A service without its key is shown as unconfigured and never changes the status.",
        variables: &[
            secret(
                "OPENAI_API_KEY",
                "The app's key; probed by listing models, which costs nothing.",
            ),
            plain(
                "OPENAI_BASE_URL",
                "https://api.openai.com",
                "Where OpenAI answers.",
            ),
            secret(
                "GOOGLE_VISION_API_KEY",
                "The app's key; probed without annotating anything.",
            ),
            plain(
                "GOOGLE_VISION_BASE_URL",
                "https://vision.googleapis.com",
                "Where Google Vision answers.",
            ),
            secret(
                "RESEND_API_KEY",
                "Sends the alert emails; a sending-only key is enough.",
            ),
            plain(
                "RESEND_BASE_URL",
                "https://api.resend.com",
                "Where Resend answers.",
            ),
        ],
    },
];

/// The groups that the documentation shows after the channels.
const OTHERS: &[Group] = &[
    Group {
        title: "Dead man's switch",
        without: "Without it nobody outside notices when the monitor stops, unless the scheduler in the database does.",
        variables: &[secret(
            "HEARTBEAT_URL",
            "Called with GET after every tick that was committed and delivered and whose self-audit is clean; the address of a check of Healthchecks, Better Stack or the like that expects it every few minutes.",
        )],
    },
    Group {
        title: "The door",
        without: "A project key (`pourtrait door add`) is all that is needed to send things to `/api/ingest`.",
        variables: &[
            plain(
                "VERCEL_DRAIN_VERIFY",
                "",
                "What Vercel shows where a drain is made: the door answers it, so that Vercel knows whose it is.",
            ),
            secret(
                "VERCEL_DRAIN_SECRET",
                "What Vercel's drains are signed with. With it, a drain without the right signature is refused; without it, the project key in the drain's URL is the only proof.",
            ),
            secret(
                "VERCEL_WEBHOOK_SECRET",
                "What Vercel's webhooks are signed with; the same holds.",
            ),
        ],
    },
    Group {
        title: "Checks",
        without: "A check whose headers name a variable that is not set is down.",
        variables: &[secret(
            "CHECK_TOKEN",
            "An example of any number of variables whose names begin with `CHECK_`: a check's header names one as `${CHECK_TOKEN}`. It can name no other.",
        )],
    },
    Group {
        title: "Error reports",
        without: "Without a DSN nothing is reported and nothing of Sentry is started.",
        variables: &[secret(
            "SENTRY_DSN",
            "The Sentry project that gets errors and cron check-ins.",
        )],
    },
    Group {
        title: "Backups",
        without: "Without any of these nothing is backed up: `/api/cron/backup` answers 503 and the dashboard has no backups. With some of them, `pourtrait check` names what is missing. `DATABASE_URL` is needed too.",
        variables: &[
            plain(
                "BACKUP_URL",
                "",
                "Where backups go: `s3://bucket/prefix?endpoint=https://…&region=auto`, or a folder, `file:///path`, which a function refuses. Not in the watched Supabase project, with which it would end.",
            ),
            plain(
                "BACKUP_ACCESS_KEY_ID",
                "",
                "The bucket's access key; it needs to list, read and write. (Names that start with `AWS_` are reserved on Vercel.)",
            ),
            secret("BACKUP_SECRET_ACCESS_KEY", "The access key's secret."),
            plain(
                "BACKUP_RECIPIENTS",
                "",
                "Who can read backups: age public keys, `age1…`, with commas between (`pourtrait backup keygen` makes a pair).",
            ),
            secret(
                "BACKUP_SECRET",
                "64 hexadecimal digits (`openssl rand -hex 32`) that name what is stored; not needed to restore. Another one means that everything is stored anew.",
            ),
            plain(
                "BACKUP_IDENTITY_FILE",
                "",
                "The file with the private key, for `pourtrait backup restore` and the like on an operator's machine. Never part of a deployment.",
            ),
            secret(
                "BACKUP_IDENTITY",
                "The private key itself, where a drill runs and a file is not at hand, such as a CI job. Never part of a deployment.",
            ),
            secret(
                "BACKUP_DRILL_IDENTITY",
                "A private key of a recipient of its own, with which the function itself tries the newest backup when a drill is due. Whoever breaks into the functions can read the backups then; a drill elsewhere needs no such key.",
            ),
            secret(
                "BACKUP_DRILL_DATABASE_URL",
                "The server that lends that drill a database, as a session connection of a role that may make one; without it the server that is backed up. `DATABASE_CA` is for it too.",
            ),
        ],
    },
    Group {
        title: "The copy of the backups",
        without: "Without these, backups lie in one place alone.",
        variables: &[
            plain(
                "BACKUP_REPLICA_URL",
                "",
                "Where a copy of them is kept, with another provider or in another region, as `BACKUP_URL` is written.",
            ),
            plain(
                "BACKUP_REPLICA_ACCESS_KEY_ID",
                "",
                "The access key of that bucket; it needs to read and write there, and nowhere else.",
            ),
            secret(
                "BACKUP_REPLICA_SECRET_ACCESS_KEY",
                "The access key's secret.",
            ),
        ],
    },
    Group {
        title: "The archive",
        without: "Without these, rows that are older than they are kept are deleted for good.",
        variables: &[
            plain(
                "ARCHIVE_URL",
                "",
                "Where they are written as Parquet first: `file:///folder`, or `s3://bucket/prefix?endpoint=https://…&region=…`.",
            ),
            plain(
                "ARCHIVE_ACCESS_KEY_ID",
                "",
                "The access key of that bucket; it needs to read and write there, and nowhere else.",
            ),
            secret("ARCHIVE_SECRET_ACCESS_KEY", "The access key's secret."),
        ],
    },
    Group {
        title: "The status page's copy",
        without: "Without these the page lies at `/status` alone, and ends with this deployment. With some of them, `pourtrait check` names what is missing.",
        variables: &[
            plain(
                "STATUS_URL",
                "",
                "A public bucket of its own in which a copy of the status page is kept: `s3://bucket/prefix?endpoint=https://…&region=auto`, or a folder, `file:///path`, which a function refuses. With another provider, so that it outlives this one.",
            ),
            plain(
                "STATUS_ACCESS_KEY_ID",
                "",
                "The access key of that bucket; it needs to read and write there, and nowhere else.",
            ),
            secret("STATUS_SECRET_ACCESS_KEY", "The access key's secret."),
            plain(
                "STATUS_COPY_URL",
                "",
                "Where everybody reads that copy, such as `https://status.example.com`: a name that does not hang on this deployment.",
            ),
        ],
    },
    Group {
        title: "Set by the platform",
        without: "Never set these by hand.",
        variables: &[
            plain(
                "VERCEL_ENV",
                "development",
                "`production`, `preview` or `development`.",
            ),
            plain(
                "VERCEL_DEPLOYMENT_ID",
                "",
                "Named on every sample, so that incidents know their deployment.",
            ),
            plain("VERCEL_GIT_COMMIT_SHA", "", "The deployment's commit."),
            plain("VERCEL_REGION", "", "Where the function runs."),
            plain(
                "VERCEL_PROJECT_PRODUCTION_URL",
                "",
                "The production domain, without a scheme.",
            ),
            plain(
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
                "",
                "The instance's memory in MB.",
            ),
        ],
    },
];

/// Every variable, in the order in which the documentation shows them: each channel
/// has a group of its own.
pub fn groups() -> impl Iterator<Item = &'static Group> {
    let channels = channels::ALL.iter().map(|channel| channel.variables());
    FIRST.iter().chain(channels).chain(OTHERS)
}

/// Every variable, without its group.
pub fn all() -> impl Iterator<Item = &'static Variable> {
    groups().flat_map(|group| group.variables)
}

/// The groups of variables that somebody sets: the last is the platform's.
pub fn groups_set_by_hand() -> impl Iterator<Item = &'static Group> {
    groups().take(groups().count() - 1)
}

/// Every variable that somebody sets.
pub fn set_by_hand() -> impl Iterator<Item = &'static Variable> {
    groups_set_by_hand().flat_map(|group| group.variables)
}

/// The text of `.env.example`.
#[must_use]
pub fn env_example() -> String {
    let mut text = String::from(
        "# Copy to .env and fill in. Every variable is explained in docs/configuration.md.\n",
    );
    for group in groups_set_by_hand() {
        let _ = writeln!(
            text,
            "\n# {}. {}",
            group.title,
            group.without.replace('`', "")
        );
        for variable in group.variables {
            let _ = writeln!(
                text,
                "# {}\n{}=",
                variable.meaning.replace('`', ""),
                variable.name
            );
        }
    }
    text
}

/// The text of `docs/configuration.md`.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::from(
        "# Configuration\n\n\
         Everything is configured by environment variables; thresholds and checked URLs are\n\
         settings in the database (`pourtrait settings list`), contacts are rows beside them\n\
         (`pourtrait contacts list`). Variables are read once per instance, all problems are\n\
         reported together: by `/api/health` to operators, and by `pourtrait check`. Plain http\n\
         is accepted for loopback hosts only.\n\n\
         This page is written by `pourtrait docs`; edit `lib/src/config/variables.rs` instead.\n",
    );
    for group in groups() {
        let _ = writeln!(text, "\n## {}\n\n{}\n", group.title, group.without);
        text.push_str("| variable | meaning | default | secret |\n| --- | --- | --- | --- |\n");
        for Variable {
            name,
            meaning,
            default,
            secret,
        } in group.variables
        {
            let default = if default.is_empty() {
                String::new()
            } else {
                format!("`{default}`")
            };
            let secret = if *secret { "yes" } else { "" };
            let _ = writeln!(text, "| `{name}` | {meaning} | {default} | {secret} |");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = all().map(|variable| variable.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
