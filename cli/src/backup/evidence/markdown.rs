//! The report as an auditor reads it: a summary and what is not evidenced on the first page, then a
//! section for each control.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ops::backups::evidence::{
    ActFacts, Ages, CollectionFacts, DrillFacts, Evidence, FactRow, RecoveryFacts,
    ReplicationFacts, RunFacts, VerificationFacts,
};

use super::{
    super::quantities::{bytes, count},
    document::Report,
    in_store::Chain,
};
use crate::{
    audit::report::markdown::{Document, list, table},
    times::{for_seconds, to_the_minute},
};

/// What a figure is where there is none.
const UNKNOWN: &str = "–";

pub(super) fn render(report: &Report) -> String {
    let Report {
        host,
        summary,
        chain,
        evidence,
    } = report;
    let about = format!(
        "Of {host}, from {} to {}, made {}.",
        to_the_minute(evidence.from),
        to_the_minute(evidence.to),
        to_the_minute(evidence.made_at)
    );
    let mut text = Document::new("Evidence of backups", &about);
    for (title, body) in [
        ("Summary", first_page(report)),
        (
            "What is not evidenced",
            list(summary.not_evidenced.iter().cloned()),
        ),
        ("Reviews", reviews(evidence)),
        (
            "Backups: every run and every missed slot (SOC 2 A1.2; ISO/IEC 27001:2022 A.8.13)",
            runs(evidence),
        ),
        (
            "Coverage (SOC 2 A1.2; ISO/IEC 27001:2022 A.8.13)",
            coverage(report),
        ),
        (
            "How much would have been lost, by day (SOC 2 A1.2; ISO/IEC 27001:2022 A.5.30)",
            days(evidence),
        ),
        (
            "Retention (SOC 2 A1.2; ISO/IEC 27001:2022 A.8.13)",
            retention(evidence),
        ),
        (
            "The copy in another place (SOC 2 A1.2; ISO/IEC 27001:2022 A.8.14)",
            copies(evidence),
        ),
        (
            "Verifications (SOC 2 A1.3; ISO/IEC 27001:2022 A.8.13)",
            verifications(evidence),
        ),
        (
            "Drills and restores (SOC 2 A1.3, CC7.5; ISO/IEC 27001:2022 A.5.30)",
            drills(evidence),
        ),
        (
            "Receipts (SOC 2 A1.2; ISO/IEC 27001:2022 A.8.13)",
            receipts(chain),
        ),
    ] {
        text.section(title, &body);
    }
    text.text()
}

fn first_page(report: &Report) -> String {
    let (summary, evidence) = (&report.summary, &report.evidence);
    let Ages {
        largest_seconds,
        largest_at,
        median_seconds,
        beyond_seconds,
        ..
    } = &evidence.rpo.ages;
    let largest_at = largest_at.map_or_else(String::new, |at| format!(", {}", to_the_minute(at)));
    let row =
        |what: &str, measured: String, objective: String| [what.to_owned(), measured, objective];
    table(
        ["what", "measured", "objective"],
        [
            row(
                "Backups",
                format!(
                    "{} sealed, of which {} suspect; {} failed; {} slots missed",
                    summary.sealed, summary.suspect, summary.failed, summary.missed
                ),
                format!("one every {}", for_seconds(whole(evidence.every_seconds))),
            ),
            row(
                "Age of the newest backup (RPO), at most",
                format!("{}{largest_at}", length(*largest_seconds)),
                for_seconds(evidence.rpo.objective_seconds),
            ),
            row(
                "The same, in the median over all instants",
                length(*median_seconds),
                UNKNOWN.to_owned(),
            ),
            row(
                "Time beyond the objective",
                for_seconds(*beyond_seconds),
                "none".to_owned(),
            ),
            row(
                "Verifications",
                format!(
                    "{}, of which {} found damage",
                    summary.verifications, summary.damaged
                ),
                UNKNOWN.to_owned(),
            ),
            row(
                "Drills",
                format!("{}, of which {} bad", summary.drills, summary.bad_drills),
                format!("one every {} days", evidence.drill_days),
            ),
            row(
                "Longest measured restore (RTO)",
                length(summary.longest_restore_seconds),
                for_seconds(evidence.rto_seconds),
            ),
            row(
                "The copy was behind by at most",
                length(summary.largest_lag_seconds),
                for_seconds(evidence.replica_lag_seconds),
            ),
            row("Receipts", verdict(&report.chain), "whole".to_owned()),
            row(
                "Reviewed",
                evidence.reviews.last().map_or_else(
                    || "by nobody".to_owned(),
                    |review| format!("by {}, {}", review.by, to_the_minute(review.at)),
                ),
                UNKNOWN.to_owned(),
            ),
        ],
    )
}

fn verdict(chain: &Chain) -> String {
    match chain {
        Chain::Whole {
            faults, in_period, ..
        } if faults.is_empty() => {
            format!("{in_period} of the period; none of all is missing or altered")
        }
        Chain::Whole { faults, .. } => format!("BROKEN: {} faults", faults.len()),
        Chain::Unread { .. } => "not read".to_owned(),
    }
}

fn reviews(evidence: &Evidence) -> String {
    let rows = evidence.reviews.iter().map(|review| {
        [
            review.by.clone(),
            to_the_minute(review.at),
            format!(
                "{} to {}",
                to_the_minute(review.from),
                to_the_minute(review.to)
            ),
            format!("{} receipts, root {}", review.receipts, short(&review.root)),
            review.note.clone().unwrap_or_default(),
        ]
    });
    table(["who", "signed", "period", "of what", "note"], rows)
}

/// Runs and missed slots, one behind the other.
fn runs(evidence: &Evidence) -> String {
    let mut rows: BTreeMap<(Timestamp, &str), [String; 7]> = BTreeMap::new();
    for slot in &evidence.missed {
        let row = [
            to_the_minute(*slot),
            "MISSED".to_owned(),
            String::new(),
            String::new(),
            String::new(),
            String::new(),
            "nobody called this slot".to_owned(),
        ];
        rows.insert((*slot, ""), row);
    }
    for fact in of_kinds(evidence, &["backup", "failure"]) {
        let Some(run) = fact.read::<RunFacts>() else {
            continue;
        };
        let outcome = match run.outcome.as_str() {
            "done" => "sealed",
            other => other,
        };
        let remarks = [run.suspect.as_deref(), fact.detail("reason")];
        let remarks: Vec<_> = remarks.into_iter().flatten().collect();
        let row = [
            to_the_minute(run.slot.unwrap_or(run.started_at)),
            outcome.to_owned(),
            fact.backup.clone().unwrap_or_default(),
            number(run.figures.tables),
            number(run.figures.rows),
            run.figures
                .bytes_stored
                .map_or_else(|| UNKNOWN.to_owned(), bytes),
            with_receipt(&remarks.join("; "), fact),
        ];
        rows.insert((run.slot.unwrap_or(run.started_at), fact.id.as_str()), row);
    }
    table(
        [
            "slot or time",
            "outcome",
            "backup",
            "tables",
            "rows",
            "stored",
            "remarks, receipt",
        ],
        rows.into_values(),
    )
}

fn coverage(report: &Report) -> String {
    let rows = report.summary.coverage.iter().map(|one| {
        [
            one.named.what.clone(),
            if one.is_gap {
                "gap: of the app's"
            } else {
                "comes from elsewhere"
            }
            .to_owned(),
            one.named.why.clone(),
            format!("{} of {}", one.backups, report.summary.sealed),
            format!(
                "{} to {}",
                to_the_minute(one.first_at),
                to_the_minute(one.last_at)
            ),
        ]
    });
    let told = table(
        ["left out", "what it is", "why", "backups", "from, to"],
        rows,
    );
    format!(
        "Each backup holds every table of the database in one snapshot, with the rows that the table above counts, \
         but for what is named here.\n\n{told}"
    )
}

fn days(evidence: &Evidence) -> String {
    let rows = evidence.rpo_days.iter().map(|day| {
        [
            day.from.strftime("%Y-%m-%d").to_string(),
            length(day.ages.largest_seconds),
            length(day.ages.median_seconds),
            for_seconds(day.ages.beyond_seconds),
            for_seconds(day.ages.without_seconds),
        ]
    });
    let told = table(
        [
            "day (UTC)",
            "oldest",
            "median",
            "beyond the objective",
            "without any backup",
        ],
        rows,
    );
    format!(
        "The age of the newest sealed backup, from the time of its snapshot, at every instant.\n\n{told}"
    )
}

fn retention(evidence: &Evidence) -> String {
    let collections = of_kinds(evidence, &["collection"]);
    let rows = collections.clone().filter_map(|fact| {
        let told = fact.read::<CollectionFacts>()?;
        let kept = told
            .decisions
            .iter()
            .filter(|one| one.fate.starts_with("keep"));
        let kept = kept.count();
        Some([
            to_the_minute(fact.at),
            told.outcome.clone(),
            if told.by_hand {
                "somebody"
            } else {
                "the schedule"
            }
            .to_owned(),
            kept.to_string(),
            (told.decisions.len() - kept).to_string(),
            with_receipt(fact.detail("reason").unwrap_or_default(), fact),
        ])
    });
    let made = table(
        [
            "time",
            "outcome",
            "asked by",
            "kept",
            "not kept",
            "remarks, receipt",
        ],
        rows,
    );
    let gone: Vec<_> = collections
        .filter_map(|fact| Some((fact.at, fact.read::<CollectionFacts>()?)))
        .flat_map(|(at, told)| told.decisions.into_iter().map(move |one| (at, one)))
        .filter(|(_, one)| !one.fate.starts_with("keep"))
        .map(|(at, one)| [to_the_minute(at), one.snapshot, one.fate])
        .collect();
    let pins = of_kinds(evidence, &["pin"]).filter_map(|fact| {
        Some([
            to_the_minute(fact.at),
            fact.read::<ActFacts>()?.action,
            fact.backup.clone().unwrap_or_default(),
            fact.detail("by").unwrap_or("erased").to_owned(),
            fact.detail("reason").unwrap_or_default().to_owned(),
        ])
    });
    format!(
        "{made}\n### Backups that were not kept\n\n{}\n### Pins\n\n{}",
        table(["decided", "backup", "why"], gone),
        table(["time", "what", "backup", "who", "why"], pins)
    )
}

fn copies(evidence: &Evidence) -> String {
    let rows = of_kinds(evidence, &["replication"]).filter_map(|fact| {
        let told = fact.read::<ReplicationFacts>()?;
        Some([
            to_the_minute(fact.at),
            fact.detail("place").unwrap_or_default().to_owned(),
            told.copied.to_string(),
            bytes(told.bytes),
            told.backups_left.to_string(),
            length(told.lag_seconds),
            with_receipt(fact.detail("trouble").unwrap_or_default(), fact),
        ])
    });
    table(
        [
            "time",
            "place",
            "copied",
            "bytes",
            "left",
            "behind",
            "remarks, receipt",
        ],
        rows,
    )
}

fn verifications(evidence: &Evidence) -> String {
    let rows = of_kinds(evidence, &["verification"]).filter_map(|fact| {
        let told = fact.read::<VerificationFacts>()?;
        Some([
            to_the_minute(fact.at),
            fact.backup.clone().unwrap_or_default(),
            match told.level {
                1 => "each object held against its hash".to_owned(),
                _ => "each object opened and read as well".to_owned(),
            },
            told.outcome,
            format!("{} objects, {}", count(told.objects), bytes(told.bytes)),
            with_receipt(&faults(told.fault_count), fact),
        ])
    });
    table(
        [
            "time",
            "backup",
            "how deep",
            "found",
            "read",
            "remarks, receipt",
        ],
        rows,
    )
}

fn drills(evidence: &Evidence) -> String {
    let drilled = of_kinds(evidence, &["drill"]).filter_map(|fact| {
        let told = fact.read::<DrillFacts>()?;
        let all = told.tables_in_backup;
        Some([
            to_the_minute(fact.at),
            fact.backup.clone().unwrap_or_default(),
            told.outcome,
            length(told.seconds),
            for_seconds(told.rto_seconds),
            format!("{} of {}", told.tables, number(all)),
            number(told.rows),
            with_receipt(fact.detail("reason").unwrap_or_default(), fact),
        ])
    });
    let drilled = table(
        [
            "time",
            "backup",
            "outcome",
            "took",
            "objective",
            "tables",
            "rows",
            "remarks, receipt",
        ],
        drilled,
    );
    let restored = of_kinds(evidence, &["restore"]).filter_map(|fact| {
        let told = fact.read::<ActFacts>()?;
        Some([
            to_the_minute(fact.at),
            told.action,
            fact.backup.clone().unwrap_or_default(),
            length(told.seconds),
            with_receipt("", fact),
        ])
    });
    let restored = table(["time", "what", "backup", "took", "receipt"], restored);
    format!(
        "{drilled}\n### Guided recoveries\n\n{}\n### Restores that were no drill\n\n{restored}",
        recoveries(evidence)
    )
}

/// Of the database, the application or both, from the first step to the last.
fn recoveries(evidence: &Evidence) -> String {
    let rows = of_kinds(evidence, &["recovery"]).filter_map(|fact| {
        let told = fact.read::<RecoveryFacts>()?;
        Some([
            to_the_minute(fact.at),
            told.recovered.as_str().to_owned(),
            if told.is_drill { "drill" } else { "in earnest" }.to_owned(),
            told.outcome.as_str().to_owned(),
            length(Some(60.0 * told.minutes)),
            for_seconds(told.rto_seconds),
            with_receipt(fact.detail("reason").unwrap_or_default(), fact),
        ])
    });
    let heads = [
        "time",
        "what",
        "how",
        "outcome",
        "took",
        "objective",
        "remarks, receipt",
    ];
    table(heads, rows)
}

fn receipts(chain: &Chain) -> String {
    let Chain::Whole {
        store,
        keys,
        receipts,
        forks,
        in_period,
        first,
        last,
        root,
        faults,
    } = chain
    else {
        let Chain::Unread { reason } = chain else {
            return String::new();
        };
        return format!("They were not read: {reason}.");
    };
    let none = || "none".to_owned();
    let rows = [
        ("store", store.clone()),
        ("receipts of any time", receipts.to_string()),
        ("receipts of the period", in_period.to_string()),
        ("first of the period", first.clone().unwrap_or_else(none)),
        ("last of the period", last.clone().unwrap_or_else(none)),
        (
            "root: SHA-256 over the hashes of all of the period",
            root.clone(),
        ),
        (
            "forks, each joined by a later receipt but for the newest",
            forks.to_string(),
        ),
        ("signed with", keys.join(", ")),
    ]
    .map(|(what, value)| [what.to_owned(), value]);
    let faults = faults
        .iter()
        .map(|fault| format!("{}: {}", fault.what, fault.why));
    format!(
        "Each receipt is a DSSE envelope around an in-toto statement and names the SHA-256 of those before it. With \
         the public key (`pourtrait backup evidence --key`) stock tools verify it, such as `openssl` and `cosign`.\n\n{}\n\
         ### What is wrong with them\n\n{}",
        table(["what", "value"], rows),
        list(faults)
    )
}

fn of_kinds<'a>(
    evidence: &'a Evidence,
    kinds: &'a [&'a str],
) -> impl Iterator<Item = &'a FactRow> + Clone {
    evidence
        .facts
        .iter()
        .filter(move |fact| kinds.contains(&fact.kind.as_str()))
}

fn faults(count: u64) -> String {
    match count {
        0 => String::new(),
        1 => "1 fault".to_owned(),
        _ => format!("{count} faults"),
    }
}

fn with_receipt(remarks: &str, fact: &FactRow) -> String {
    let receipt = match &fact.receipt {
        Some(hash) => format!("receipt {}", short(hash)),
        None => "no receipt yet".to_owned(),
    };
    if remarks.is_empty() {
        receipt
    } else {
        format!("{remarks}; {receipt}")
    }
}

/// The beginning of a hash, which tells it from others.
fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

fn length(seconds: Option<f64>) -> String {
    match seconds {
        Some(seconds) => for_seconds(seconds),
        None => UNKNOWN.to_owned(),
    }
}

fn number(value: Option<u64>) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), count)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "an interval of seconds is small"
)]
fn whole(seconds: u64) -> f64 {
    seconds as f64
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::backup::evidence::summary;

    /// A day with a backup, one that failed, a slot that nobody called, a drill that took too long,
    /// and something that only a newer build knows.
    fn report() -> Report {
        let fact = |kind: &str, at: &str, facts, details| {
            json!({
                "kind": kind, "id": at, "at": at, "backup": null, "recordSha256": null, "facts": facts,
                "details": details, "receipt": null,
            })
        };
        let run = |outcome: &str, at: &str| {
            json!({
                "outcome": outcome, "slot": at, "startedAt": at, "finishedAt": at, "takenAt": null, "suspect": null,
                "figures": {"tables": 3, "rows": 1234, "bytesStored": 1000}, "gaps": 1,
            })
        };
        let ages = json!({
            "largestSeconds": 5400, "largestAt": "2026-11-24T11:30:00Z", "medianSeconds": 1800,
            "beyondSeconds": 1800, "knownSeconds": 7200, "withoutSeconds": 0, "objectiveSeconds": 3600,
        });
        let evidence = json!({
            "from": "2026-11-24T10:00:00Z", "to": "2026-11-24T12:00:00Z", "until": "2026-11-24T12:00:00Z",
            "madeAt": "2026-11-25T00:00:00Z", "firstSlot": "2026-11-01T00:00:00Z", "everySeconds": 1800,
            "rtoSeconds": 14400, "drillDays": 7, "replicaLagSeconds": 7200, "rpo": ages, "rpoDays": [],
            "facts": [
                fact("backup", "2026-11-24T10:00:00Z", run("done", "2026-11-24T10:00:00Z"), json!({
                    "reason": null, "gaps": [{"what": "table public.odd", "why": "it has no key"}], "notCovered": [],
                })),
                fact("failure", "2026-11-24T10:30:00Z", run("failed", "2026-11-24T10:30:00Z"), json!({
                    "reason": "the store | refuses",
                })),
                fact("drill", "2026-11-24T11:00:00Z", json!({
                    "outcome": "bad", "seconds": 18000, "rtoSeconds": 14400, "rows": 5, "tables": 1, "tablesInBackup": 3,
                }), json!({"reason": "too_long"})),
                fact("party", "2026-11-24T11:00:00Z", json!({}), json!({})),
            ],
            "missed": ["2026-11-24T11:00:00Z"],
            "receipts": {
                "status": "not_verified", "receipts": 0, "newestAt": null, "waiting": 4, "verifiedAt": null,
                "brokenSince": null, "faults": [], "lastReview": null,
            },
            "reviews": [],
        });
        let evidence: Evidence = serde_json::from_value(evidence).unwrap();
        let chain = Chain::Unread {
            reason: "BACKUP_URL is not set in .env".to_owned(),
        };
        Report {
            host: "wine.test".to_owned(),
            summary: summary::of(&evidence, &chain),
            chain,
            evidence,
        }
    }

    #[test]
    fn what_went_wrong_and_what_is_not_evidenced_is_said_plainly() {
        let text = render(&report());
        for line in [
            "| Backups | 1 sealed, of which 0 suspect; 1 failed; 1 slots missed | one every 30 min |",
            "| Age of the newest backup (RPO), at most | 1 h 30 min, 2026-11-24 11:30 UTC | 1 h |",
            "| Time beyond the objective | 30 min | none |",
            "| Drills | 1, of which 1 bad | one every 7 days |",
            "| Longest measured restore (RTO) | 5 h | 4 h |",
            "| Receipts | not read | whole |",
            "| Reviewed | by nobody | – |",
            "| 2026-11-24 10:30 UTC | failed |  | 3 | 1,234 | 1.00 kB | the store \\| refuses; no receipt yet |",
            "| 2026-11-24 11:00 UTC | MISSED |  |  |  |  | nobody called this slot |",
            "| table public.odd | gap: of the app's | it has no key | 1 of 1 | 2026-11-24 10:00 UTC to 2026-11-24 10:00 UTC |",
            "- The receipts in the store were not read, so everything here is the database's word alone.",
            "- No drill proved that a backup can be restored (`pourtrait backup drill`).",
            "- Every drill restored a part of the tables: none restored all of them at once.",
            "- Something was done that this build cannot read; the database may be newer.",
            "They were not read: BACKUP_URL is not set in .env.",
        ] {
            assert!(text.lines().any(|one| one == line), "{line} in {text}");
        }
    }

    #[test]
    fn json_has_what_markdown_has() {
        let document = json!(report());
        assert_eq!(document["summary"]["missed"], 1);
        assert_eq!(
            document["summary"]["coverage"][0]["what"],
            "table public.odd"
        );
        assert_eq!(document["chain"]["read"], "unread");
        assert_eq!(
            document["facts"][1]["details"]["reason"],
            "the store | refuses"
        );
        assert_eq!(document["rpo"]["largestSeconds"], 5400.0);
    }
}
