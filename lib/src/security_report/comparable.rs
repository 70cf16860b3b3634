//! What of a report is compared with another month, area by area.

use std::collections::BTreeMap;

use super::{
    Collected,
    answer::Answer,
    dependencies::Dependencies,
    facts::{Area, Facts},
    looked::Looked,
};
use crate::config::{Config, variables};

/// The facts of a report.
pub(super) fn of(collected: &Collected<'_>) -> Facts {
    let Collected {
        answer,
        looked,
        dependencies,
        config,
    } = collected;
    let areas = [
        ("people", people(answer)),
        ("permissions", Area::Known(permissions(answer))),
        ("keys", Area::Known(keys(answer))),
        ("secrets", secrets(config)),
        ("retention", Area::Known(retention(answer))),
        ("grants", Area::Known(grants(answer))),
        ("policies", Area::Known(policies(answer))),
        ("definers", Area::Known(definers(answer))),
        ("server", Area::Known(server(answer))),
        ("places", Area::Known(places(looked))),
        ("transport", transport(looked)),
        ("advisors", advisors(looked)),
        ("dependencies", advisories(dependencies)),
    ];
    Facts::new(areas)
}

fn people(answer: &Answer) -> Area {
    if answer.people.is_none() {
        return Area::Unknown("the users of the project cannot be read".to_owned());
    }
    let people = answer.pseudonyms.iter();
    Area::Known(
        people
            .map(|(person, role)| (format!("person {person}"), role.clone()))
            .collect(),
    )
}

fn permissions(answer: &Answer) -> BTreeMap<String, String> {
    let roles = answer.permissions.iter();
    roles
        .map(|(role, permissions)| (role.clone(), permissions.join(", ")))
        .collect()
}

fn keys(answer: &Answer) -> BTreeMap<String, String> {
    let open = answer.keys.iter().filter(|key| key.revoked_at.is_none());
    let keys = open.map(|key| {
        (
            format!("project key {} ({})", key.id, key.name),
            format!("of {:.0}", key.created_at),
        )
    });
    let tokens = answer.heartbeats.iter().map(|token| {
        let of = token.issued_at;
        let of = of.map_or_else(
            || "of an unknown time".to_owned(),
            |at| format!("of {at:.0}"),
        );
        (format!("token of heartbeat {}", token.name), of)
    });
    keys.chain(tokens).collect()
}

/// Which value each secret has, without it: by a hash under the operators' key.
fn secrets(config: &Config) -> Area {
    if config.monitoring_api_key.is_none() {
        let reason = "MONITORING_API_KEY is not set here, by which they are told apart";
        return Area::Unknown(reason.to_owned());
    }
    let secret = variables::all().filter(|variable| variable.secret);
    Area::Known(
        secret
            .filter_map(|variable| {
                let mark = config.fingerprints.get(variable.name)?;
                Some((variable.name.to_owned(), mark.clone()))
            })
            .collect(),
    )
}

fn retention(answer: &Answer) -> BTreeMap<String, String> {
    let kept = answer.kept.iter();
    kept.map(|kept| {
        let unit = kept.unit.as_deref().unwrap_or_default();
        (
            kept.key.clone(),
            format!("{} {unit}", kept.value).trim().to_owned(),
        )
    })
    .collect()
}

fn grants(answer: &Answer) -> BTreeMap<String, String> {
    let grants = answer.grants.iter();
    grants
        .map(|granted| {
            let narrowed = if granted.guarded {
                ""
            } else {
                ", and no row-level security"
            };
            (
                format!("{} to {}", granted.table, granted.role),
                format!("{}{narrowed}", granted.may.join(", ")),
            )
        })
        .collect()
}

fn policies(answer: &Answer) -> BTreeMap<String, String> {
    let policies = answer.policies.iter();
    policies
        .map(|policy| {
            let using = policy.using.as_deref().unwrap_or("every row");
            let check = policy.check.as_deref();
            let check = check.map_or_else(String::new, |check| format!(", writes {check}"));
            (
                format!("{} of {}", policy.policy, policy.table),
                format!(
                    "{} for {}: {using}{check}",
                    policy.command,
                    policy.roles.join(", ")
                ),
            )
        })
        .collect()
}

fn definers(answer: &Answer) -> BTreeMap<String, String> {
    let definers = answer.definers.iter();
    definers
        .map(|one| (one.function.clone(), one.roles.join(", ")))
        .collect()
}

fn server(answer: &Answer) -> BTreeMap<String, String> {
    let extensions = answer.server.extensions.iter();
    extensions
        .map(|(name, version)| (format!("extension {name}"), version.clone()))
        .chain([("PostgreSQL".to_owned(), answer.server.version.clone())])
        .collect()
}

fn places(looked: &Looked) -> BTreeMap<String, String> {
    let places = looked.places.iter();
    places
        .map(|place| {
            (
                place.name.clone(),
                format!("{}, {}", place.by, place.verified.word()),
            )
        })
        .collect()
}

fn transport(looked: &Looked) -> Area {
    let seen = match &looked.transport {
        Ok(seen) => seen,
        Err(reason) => return Area::Unknown(reason.clone()),
    };
    let protocol = seen.protocol.clone().unwrap_or_else(|objection| objection);
    let mut known = BTreeMap::from([("protocol".to_owned(), protocol)]);
    if let Some(certificate) = &seen.certificate {
        known.insert(
            "issuer of the certificate".to_owned(),
            certificate.issuer.clone(),
        );
    }
    for header in seen.headers.iter().filter(|header| !header.is_kept) {
        let found = header.found.clone().unwrap_or_else(|| "missing".to_owned());
        known.insert(format!("{} of {}", header.name, header.path), found);
    }
    Area::Known(known)
}

fn advisors(looked: &Looked) -> Area {
    match &looked.advice {
        Err(reason) => Area::Unknown(reason.clone()),
        Ok(advice) => Area::Known(
            advice
                .iter()
                .map(|one| {
                    let name = format!("{}: {}", one.advisor.as_str(), one.subject);
                    (name, one.level.clone())
                })
                .collect(),
        ),
    }
}

fn advisories(dependencies: &Result<Dependencies, String>) -> Area {
    match dependencies {
        Err(reason) => Area::Unknown(reason.clone()),
        Ok(known) => Area::Known(
            known
                .advisories
                .iter()
                .map(|one| {
                    (
                        format!("{} of {}", one.id, one.package),
                        one.severity.clone(),
                    )
                })
                .collect(),
        ),
    }
}
