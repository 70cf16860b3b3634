//! The sections of reports, each from what was gathered. What nobody could look at is said with
//! its reason.

use jiff::Timestamp;
use ops::{
    config::variables,
    security_report::{answer::Answer, days_between},
};

use super::{
    Gathered,
    markdown::{list, table},
};
use crate::{audit::rows, times::to_the_minute};

/// A key that is older is to be rotated.
const OLD_DAYS: i64 = 365;

/// How many days before its end a certificate should have been renewed.
const RENEWED_DAYS: i64 = 10;

/// What differs from the last month that was kept.
pub(crate) fn differences(gathered: &Gathered) -> String {
    let Some(former) = &gathered.answer.former else {
        return "No month was kept yet; `/api/cron/maintenance` keeps one at the beginning of each."
            .to_owned();
    };
    let differences = gathered.differences.iter().flatten();
    let told = list(differences.map(ToString::to_string));
    format!(
        "From the report of {}, which was made on {}:\n\n{told}",
        former.from.strftime("%B %Y"),
        former.made_at.strftime("%Y-%m-%d"),
    )
}

/// How often what was done.
pub(crate) fn changes(answer: &Answer) -> String {
    let counted = answer.changes.iter().map(|changed| {
        [
            changed.action.clone(),
            changed.now.to_string(),
            changed.before.to_string(),
        ]
    });
    table(["what", "in this time", "in the one before"], counted)
}

/// Rows of the audit log, those that are asked for.
pub(crate) fn told(answer: &Answer, wanted: impl Fn(&str) -> bool) -> String {
    let rows = answer.rows.iter().filter(|row| wanted(&row.action));
    table(rows::HEADING, rows.map(rows::cells))
}

/// Who has a role, and what that allows.
pub(crate) fn people(answer: &Answer) -> String {
    let permissions = answer.permissions.iter();
    let permissions = table(
        ["role", "may"],
        permissions.map(|(role, may)| [role.clone(), may.join(", ")]),
    );
    let people = match &answer.people {
        None => "The users of the project cannot be read.".to_owned(),
        Some(people) => table(
            ["user", "role"],
            people
                .iter()
                .map(|(user, role)| [user.clone(), role.clone()]),
        ),
    };
    format!("{people}\n{permissions}")
}

/// Who with a role signed in.
pub(crate) fn sign_ins(answer: &Answer) -> String {
    let Some(sign_ins) = &answer.sign_ins else {
        return "Sign-ins of people with a role are not known: Auth writes no audit into the database, \
                or it cannot be read."
            .to_owned();
    };
    let rows = sign_ins.iter().map(|one| {
        [
            one.user.clone(),
            one.times.to_string(),
            to_the_minute(one.last_at),
        ]
    });
    table(["user", "signed in", "last"], rows)
}

/// What somebody proves themselves with, and how old that is.
pub(crate) fn keys(gathered: &Gathered) -> String {
    let answer = &gathered.answer;
    let open = answer.keys.iter().filter(|key| key.revoked_at.is_none());
    let keys = open.map(|key| {
        let name = format!(
            "project key {} ({}), made by {}",
            key.id, key.name, key.created_by
        );
        [name, age(Some(key.created_at), answer.to)]
    });
    let tokens = answer.heartbeats.iter().map(|token| {
        let name = format!("token of the heartbeat {}", token.name);
        [name, age(token.issued_at, answer.to)]
    });
    let devices = &answer.devices;
    let devices = [[
        format!("devices of contacts: {}, the oldest", devices.count),
        age(devices.oldest_at, answer.to),
    ]];
    let devices = devices.into_iter().filter(|_| answer.devices.count > 0);
    let proofs = table(["what", "age"], keys.chain(tokens).chain(devices));
    format!("{proofs}\n{}", secrets(gathered))
}

/// Variables that are secret, and how old their values are as far as that is known.
fn secrets(gathered: &Gathered) -> String {
    let config = &gathered.config;
    let now = gathered.answer.to;
    let former = gathered.answer.former.as_ref();
    let set = variables::all()
        .filter(|variable| variable.secret && config.fingerprints.contains_key(variable.name));
    let rows: Vec<_> = set
        .map(|variable| {
            let changed = gathered.looked.variables.as_ref().ok();
            let changed = changed.and_then(|known| known.get(variable.name));
            let seen = former.and_then(|former| former.since.get(variable.name));
            let said = match (changed, seen) {
                (Some(at), _) => format!("{}, as Vercel says", age(Some(*at), now)),
                (None, Some(at)) => {
                    format!("at least {}, as reports have seen it", age(Some(*at), now))
                }
                (None, None) => "unknown".to_owned(),
            };
            [variable.name.to_owned(), said]
        })
        .collect();
    let why = match &gathered.looked.variables {
        Ok(_) => String::new(),
        Err(reason) => {
            format!("\nWhen variables of the deployment were changed is not known: {reason}.\n")
        }
    };
    if config.monitoring_api_key.is_none() {
        return format!(
            "The age of secrets in variables is not known: MONITORING_API_KEY is not set here.\n{why}"
        );
    }
    format!("{}{why}", table(["secret variable", "age"], rows))
}

fn age(since: Option<Timestamp>, now: Timestamp) -> String {
    match since.map(|since| days_between(since, now)) {
        None => "unknown".to_owned(),
        Some(days) if days > OLD_DAYS => format!("{days} days, to be rotated"),
        Some(days) => format!("{days} days"),
    }
}

/// What is kept, how long, and how old it is in truth.
pub(crate) fn kept(answer: &Answer) -> String {
    let ages = answer.ages.iter().map(|age| {
        let oldest = age.oldest_at.map_or_else(
            || "no row".to_owned(),
            |at| format!("{} days", days_between(at, answer.to)),
        );
        let limit = match (&age.setting, age.days) {
            (Some(setting), Some(days)) => format!("{days} days ({setting})"),
            _ => "until it is removed".to_owned(),
        };
        let rows = age
            .rows
            .map_or_else(|| "unknown".to_owned(), |rows| rows.to_string());
        [age.table.clone(), limit, oldest, rows]
    });
    let ages = table(
        ["table", "kept", "its oldest row is", "about so many rows"],
        ages,
    );
    let settings = answer.kept.iter().map(|kept| {
        let unit = kept.unit.as_deref().unwrap_or_default();
        [
            kept.what.clone(),
            format!("{} {unit}", kept.value).trim().to_owned(),
            kept.key.clone(),
        ]
    });
    let settings = table(["what", "how long", "setting"], settings);
    format!(
        "{ages}\nAn incident keeps what was recorded during it longer (docs/privacy.md). Backups hold everything \
         for as long as they are kept.\n\n{settings}"
    )
}

/// Who may read which table, by grant and policy, as they are in the database.
pub(crate) fn readers(answer: &Answer) -> String {
    let ours = &answer.tables;
    let grants = answer.grants.iter().map(|granted| {
        let guarded = if granted.guarded { "yes" } else { "NO" };
        [
            granted.table.clone(),
            granted.role.clone(),
            granted.may.join(", "),
            guarded.to_owned(),
        ]
    });
    let grants = table(["table", "role", "may", "row-level security"], grants);
    let policies = answer.policies.iter().map(|policy| {
        let conditions = [("using", &policy.using), ("with check", &policy.check)];
        let conditions = conditions
            .iter()
            .filter_map(|(word, condition)| Some(format!("{word} {}", condition.as_ref()?)));
        [
            policy.table.clone(),
            policy.policy.clone(),
            policy.roles.join(", "),
            policy.command.clone(),
            conditions.collect::<Vec<_>>().join(" "),
        ]
    });
    let policies = table(
        ["table", "policy", "roles", "command", "condition"],
        policies,
    );
    let definers = answer.definers.iter();
    let definers = table(
        ["function with the rights of its owner", "may be called by"],
        definers.map(|one| [one.function.clone(), one.roles.join(", ")]),
    );
    format!(
        "Of {} tables of the bundle, {} have row-level security. What strangers (`anon`) and people who are signed \
         in (`authenticated`) have a privilege to do, narrowed by the policies below it; who comes in by which door \
         is in docs/access.md.\n\n{grants}\n{policies}\n{definers}",
        ours.ours, ours.guarded
    )
}

/// Where things lie, and how each place is encrypted at rest.
pub(crate) fn places(gathered: &Gathered) -> String {
    let places = gathered.looked.places.iter().map(|place| {
        [
            place.name.clone(),
            place.holds.to_owned(),
            place.by.to_owned(),
            place.key.to_owned(),
            place.verified.text(),
        ]
    });
    let server = &gathered.answer.server;
    let last = |at: Option<Timestamp>| at.map_or_else(|| "never".to_owned(), to_the_minute);
    format!(
        "{}\nA backup was verified last: {}. One was restored last, to see that it can be: {}.",
        table(
            [
                "place",
                "what lies there",
                "encrypted by",
                "key",
                "verified"
            ],
            places
        ),
        last(server.verified_at),
        last(server.drilled_at),
    )
}

/// TLS and headers, as seen from outside.
pub(crate) fn transport(gathered: &Gathered) -> String {
    let seen = match &gathered.looked.transport {
        Ok(seen) => seen,
        Err(reason) => return format!("Not looked at: {reason}."),
    };
    let protocol = match &seen.protocol {
        Ok(protocol) => format!("{protocol} was agreed on"),
        Err(objection) => format!("NO TLS: {objection}"),
    };
    let certificate = seen.certificate.as_ref().map(|certificate| {
        let days = days_between(gathered.looked.at, certificate.ends_at);
        let late = if days < RENEWED_DAYS {
            ", NOT RENEWED IN TIME"
        } else {
            ""
        };
        format!(
            "{}, issued by {}, ends in {days} days{late}",
            certificate.subject, certificate.issuer
        )
    });
    let kept = seen.headers.iter().filter(|header| header.is_kept).count();
    let otherwise = seen
        .headers
        .iter()
        .filter(|header| !header.is_kept)
        .map(|header| {
            let found = header.found.as_deref().unwrap_or("nothing");
            format!(
                "{} of {} is to be `{}` and is `{found}`",
                header.name, header.path, header.promised
            )
        });
    let mut lines = vec![format!("{}: {protocol}", seen.url)];
    lines.extend(certificate);
    lines.push(format!(
        "{kept} of {} headers are as vercel.json has them",
        seen.headers.len()
    ));
    lines.extend(otherwise);
    lines.extend(
        seen.unreached
            .iter()
            .map(|reason| format!("not reached: {reason}")),
    );
    list(lines)
}

/// What the provider's advisors say.
pub(crate) fn advice(gathered: &Gathered) -> String {
    match &gathered.looked.advice {
        Err(reason) => format!("Not asked: {reason}."),
        Ok(advice) => table(
            ["advisor", "level", "about"],
            advice.iter().map(|one| {
                [
                    one.advisor.as_str().to_owned(),
                    one.level.clone(),
                    one.subject.clone(),
                ]
            }),
        ),
    }
}

/// Advisories of the dependencies.
pub(crate) fn dependencies(gathered: &Gathered) -> String {
    match &gathered.dependencies {
        Err(reason) => format!("Not known: {reason}."),
        Ok(known) => table(
            ["advisory", "package", "severity", "title"],
            known.advisories.iter().map(|one| {
                [
                    one.id.clone(),
                    one.package.clone(),
                    one.severity.clone(),
                    one.title.clone(),
                ]
            }),
        ),
    }
}

/// The server and its extensions.
pub(crate) fn server(answer: &Answer) -> String {
    let extensions = answer.server.extensions.iter();
    let extensions = extensions.map(|(name, version)| [name.clone(), version.clone()]);
    let server = [["PostgreSQL".to_owned(), answer.server.version.clone()]];
    table(["what", "version"], server.into_iter().chain(extensions))
}

/// What people asked for, and what they agree to.
pub(crate) fn requests(answer: &Answer) -> String {
    let asked = &answer.privacy.requests;
    let oldest = asked.oldest_open_at.map_or_else(String::new, |at| {
        format!(", the oldest for {} days", days_between(at, answer.to))
    });
    let consents = answer.privacy.consents.iter().map(|one| {
        [
            one.purpose.clone(),
            one.agreed.to_string(),
            one.refused.to_string(),
        ]
    });
    format!(
        "Asked {}, done {}, refused {}; {} wait for an answer{oldest}. People erased: {}.\n\n{}",
        asked.asked,
        asked.done,
        asked.refused,
        asked.open,
        answer.privacy.erasures,
        table(["purpose", "agree", "refuse"], consents),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_than_a_year_is_to_be_rotated_and_unknown_is_said() {
        let now: Timestamp = "2026-11-30T00:00:00Z".parse().unwrap();
        let of = |since: &str| age(Some(since.parse().unwrap()), now);
        assert_eq!(of("2025-11-29T00:00:00Z"), "366 days, to be rotated");
        assert_eq!(of("2026-11-20T00:00:00Z"), "10 days");
        assert_eq!(age(None, now), "unknown");
    }
}
