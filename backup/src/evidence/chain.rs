//! What receipts come to, one behind the other.
//!
//! A receipt names the hashes of those before it. So whoever takes one away, or alters it, leaves
//! its successor naming a hash that no receipt has. What nothing follows yet can be taken away
//! without a trace in the chain: that is found by those who know what should be there, which are
//! the commit records of backups and the database.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use super::Receipt;
use crate::hex;

/// An object among the receipts, as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Where it lies.
    pub path: String,
    /// SHA-256 of it.
    pub sha256: String,
    /// The receipt, or why it is none that counts.
    pub receipt: Result<Receipt, String>,
}

/// Something that is wrong with the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The receipt by which it is found, or the backup that has none.
    pub path: String,
    /// What is wrong.
    pub what: String,
    /// The time of the receipt that tells it; `None` where that cannot be read.
    pub at: Option<Timestamp>,
}

/// What a chain comes to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Proof {
    /// How many receipts were read, those that do not count included.
    pub receipts: usize,
    /// How many of each kind.
    pub kinds: BTreeMap<String, usize>,
    /// The ids of the keys that signed them.
    pub keys: BTreeSet<String>,
    /// How many receipts begin a chain: one, or more where several began at once.
    pub beginnings: usize,
    /// How often two followed the same one, because two wrote at once.
    pub forks: usize,
    /// The hashes that nothing follows yet: one, or more where a fork is not joined yet.
    pub heads: Vec<String>,
    /// What is wrong, in the order of paths.
    pub faults: Vec<Fault>,
}

/// Judges receipts, all that there are.
#[must_use]
pub fn prove(found: &[Found]) -> Proof {
    let mut proof = Proof {
        receipts: found.len(),
        ..Proof::default()
    };
    let there: BTreeSet<&str> = found.iter().map(|one| one.sha256.as_str()).collect();
    let mut followers: HashMap<&str, usize> = HashMap::new();
    for one in found {
        let receipt = match &one.receipt {
            Ok(receipt) => receipt,
            Err(why) => {
                proof.faults.push(Fault {
                    path: one.path.clone(),
                    what: why.clone(),
                    at: None,
                });
                continue;
            }
        };
        *proof.kinds.entry(receipt.fact.kind.clone()).or_default() += 1;
        proof.keys.insert(receipt.key.clone());
        proof.beginnings += usize::from(receipt.previous.is_empty());
        for previous in &receipt.previous {
            *followers.entry(previous).or_default() += 1;
            if !there.contains(previous.as_str()) {
                proof.faults.push(missing(one, receipt, previous));
            }
        }
    }
    let counted = found.iter().filter(|one| one.receipt.is_ok());
    for one in counted {
        match followers.get(one.sha256.as_str()) {
            None => proof.heads.push(one.sha256.clone()),
            Some(count) => proof.forks += count - 1,
        }
    }
    proof.faults.sort_by(|one, other| one.path.cmp(&other.path));
    proof
}

fn missing(one: &Found, receipt: &Receipt, previous: &str) -> Fault {
    Fault {
        path: one.path.clone(),
        what: format!(
            "it follows a receipt that is missing or altered, the one with the SHA-256 {previous}"
        ),
        at: Some(receipt.fact.at),
    }
}

/// Where the receipts of a period stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// How many there are.
    pub receipts: usize,
    /// The hash of the first, in the order of paths; `None` where there is none.
    pub first: Option<String>,
    /// The hash of the last.
    pub last: Option<String>,
    /// SHA-256 over all their hashes, a line each, in the order of paths: what `sha256sum FILE… |
    /// cut -c1-64 | sha256sum` gives.
    pub root: String,
}

/// The receipts of the facts of a time, from its first instant to before its last.
#[must_use]
pub fn stretch(found: &[Found], from: Timestamp, to: Timestamp) -> Stretch {
    let mut within: Vec<(&str, &str)> = found
        .iter()
        .filter(|one| {
            let receipt = one.receipt.as_ref();
            receipt.is_ok_and(|receipt| (from..to).contains(&receipt.fact.at))
        })
        .map(|one| (one.path.as_str(), one.sha256.as_str()))
        .collect();
    within.sort_unstable();
    let lines: String = within.iter().flat_map(|(_, hash)| [*hash, "\n"]).collect();
    let hash = |one: Option<&(&str, &str)>| one.map(|(_, hash)| (*hash).to_owned());
    Stretch {
        receipts: within.len(),
        first: hash(within.first()),
        last: hash(within.last()),
        root: hex::sha256(lines.as_bytes()),
    }
}

/// The hashes that the next receipt has to name: those that were known to be followed by none,
/// and those of receipts that somebody else wrote meanwhile, but for what these follow.
#[must_use]
pub fn joined(known: &[String], others: &[Found]) -> Vec<String> {
    let receipts = || {
        let read = others.iter();
        read.filter_map(|one| Some((one.sha256.as_str(), one.receipt.as_ref().ok()?)))
    };
    let followed: BTreeSet<&str> = receipts()
        .flat_map(|(_, receipt)| receipt.previous.iter().map(String::as_str))
        .collect();
    let ends: BTreeSet<&str> = known
        .iter()
        .map(String::as_str)
        .chain(receipts().map(|(hash, _)| hash))
        .filter(|hash| !followed.contains(hash))
        .collect();
    ends.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;
    use crate::evidence::{Fact, Subject};

    fn found(name: &str, previous: &[&str]) -> Found {
        let number = u8::try_from(name.len()).unwrap();
        let receipt = Receipt {
            fact: Fact {
                kind: "backup".to_owned(),
                id: name.to_owned(),
                at: format!("2026-11-24T12:00:{number:02}Z").parse().unwrap(),
                snapshot: None,
                record_sha256: None,
                facts: Map::new(),
            },
            subject: serde_json::from_value::<Subject>(serde_json::json!({
                "name": "repository", "digest": {"sha256": "x"}
            }))
            .unwrap(),
            previous: previous.iter().map(|hash| (*hash).to_owned()).collect(),
            key: "key".to_owned(),
        };
        Found {
            path: format!("v1/rcpt/{name}"),
            sha256: name.to_owned(),
            receipt: Ok(receipt),
        }
    }

    fn check(found: &[Found], expected: (usize, usize, &[&str], &[&str])) {
        let proof = prove(found);
        let told: Vec<_> = proof
            .faults
            .iter()
            .map(|fault| fault.path.as_str())
            .collect();
        let (beginnings, forks, heads, faults) = expected;
        assert_eq!(
            (proof.beginnings, proof.forks, &proof.heads[..], &told[..]),
            (
                beginnings,
                forks,
                &heads.iter().map(ToString::to_string).collect::<Vec<_>>()[..],
                faults
            )
        );
    }

    #[test]
    fn a_chain_is_whole_forks_are_told_and_what_is_missing_is_found() {
        let (a, b, c) = (found("a", &[]), found("bb", &["a"]), found("ccc", &["bb"]));
        check(&[a.clone(), b.clone(), c.clone()], (1, 0, &["ccc"], &[]));
        check(
            &[a.clone(), c.clone()],
            (1, 0, &["a", "ccc"], &["v1/rcpt/ccc"]),
        );
        check(&[b.clone(), c.clone()], (0, 0, &["ccc"], &["v1/rcpt/bb"]));
        // Two wrote at once.
        let fork = found("dddd", &["bb"]);
        let open = [a.clone(), b.clone(), c.clone(), fork.clone()];
        check(&open, (1, 1, &["ccc", "dddd"], &[]));
        let join = found("eeeee", &["ccc", "dddd"]);
        let joined = [&open[..], &[join]].concat();
        check(&joined, (1, 1, &["eeeee"], &[]));
        // Altered: it has another hash, and no valid signature.
        let altered = Found {
            sha256: "other".to_owned(),
            receipt: Err("no key that is known has signed it".to_owned()),
            ..b
        };
        check(
            &[a, altered, c],
            (1, 0, &["a", "ccc"], &["v1/rcpt/bb", "v1/rcpt/ccc"]),
        );
        check(&[], (0, 0, &[], &[]));
    }

    #[test]
    fn whoever_writes_next_joins_what_others_wrote() {
        let known = ["ccc".to_owned()];
        let names = |others: &[Found]| joined(&known, others);
        assert_eq!(names(&[]), ["ccc"]);
        assert_eq!(names(&[found("dddd", &["bb"])]), ["ccc", "dddd"]);
        assert_eq!(names(&[found("dddd", &["ccc"])]), ["dddd"]);
        let two = [found("dddd", &["ccc"]), found("eeeee", &["dddd"])];
        assert_eq!(names(&two), ["eeeee"]);
    }

    #[test]
    fn a_stretch_is_by_the_time_of_its_facts_and_its_root_is_over_their_hashes() {
        let all = [found("bb", &["a"]), found("a", &[]), found("ccc", &["bb"])];
        let at = |second: &str| format!("2026-11-24T12:00:{second}Z").parse().unwrap();
        let stretch = |from, to| stretch(&all, at(from), at(to));
        let found = stretch("01", "03");
        assert_eq!(
            (
                found.receipts,
                found.first.as_deref(),
                found.last.as_deref()
            ),
            (2, Some("a"), Some("bb"))
        );
        assert_eq!(found.root, hex::sha256(b"a\nbb\n"));
        let none = stretch("04", "05");
        assert_eq!((none.receipts, none.first), (0, None));
    }
}
