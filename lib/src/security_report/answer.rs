//! What the database knows of what an auditor asks.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::facts::Facts;
use crate::{
    audit_log::Entry,
    rpc::{Call, Retry},
};

/// Asks for it.
#[derive(Debug, Serialize)]
pub struct ReadReport {
    /// From when on changes are told.
    pub p_from: Timestamp,
    /// Up to when; now where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p_to: Option<Timestamp>,
}

impl Call for ReadReport {
    const NAME: &'static str = "ops_security_report";
    const RETRY: Retry = Retry::Read;
    type Output = Answer;
}

/// What it answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// When the time begins that it is about.
    pub from: Timestamp,
    /// When it is over.
    pub to: Timestamp,
    /// Roles by the ids of users; nothing where they cannot be read.
    pub people: Option<BTreeMap<String, String>>,
    /// The same by a keyed hash of each.
    pub pseudonyms: BTreeMap<String, String>,
    /// What each role may do.
    pub permissions: BTreeMap<String, Vec<String>>,
    /// How often people with a role signed in; nothing where that cannot be read.
    pub sign_ins: Option<Vec<SignIns>>,
    /// The project keys of the door.
    pub keys: Vec<Key>,
    /// The tokens of heartbeats.
    pub heartbeats: Vec<HeartbeatToken>,
    /// Where push messages reach contacts.
    pub devices: Devices,
    /// How long something is kept, as settings say.
    pub kept: Vec<Kept>,
    /// How old the oldest of it is.
    pub ages: Vec<Age>,
    /// What people asked for.
    pub privacy: Privacy,
    /// The server.
    pub server: Server,
    /// How many tables are ours, and how many have row-level security.
    pub tables: Tables,
    /// The policies of tables that the project's API exposes.
    pub policies: Vec<Policy>,
    /// What roles of strangers may do with tables.
    pub grants: Vec<Granted>,
    /// Functions that strangers may call and that have the rights of their owner.
    pub definers: Vec<Definer>,
    /// How often something was done.
    pub changes: Vec<Changed>,
    /// What was done.
    pub rows: Vec<Entry>,
    /// The report that was kept last.
    pub former: Option<Former>,
}

/// How often somebody signed in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignIns {
    /// The id of the user.
    pub user: String,
    /// How often.
    pub times: u64,
    /// When last.
    pub last_at: Timestamp,
}

/// A project key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Key {
    /// Its number.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// When it was revoked; nothing while it opens.
    pub revoked_at: Option<Timestamp>,
}

/// The token of a heartbeat.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeartbeatToken {
    /// Whose.
    pub name: String,
    /// When it was issued; nothing where the audit log does not know.
    pub issued_at: Option<Timestamp>,
}

/// Devices of contacts.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Devices {
    /// How many.
    pub count: u64,
    /// When the oldest was added.
    pub oldest_at: Option<Timestamp>,
}

/// How long something is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Kept {
    /// The setting.
    pub key: String,
    /// What it says.
    pub value: Value,
    /// In which unit.
    pub unit: Option<String>,
    /// What it means.
    pub what: String,
}

/// How old the oldest row of a table is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Age {
    /// The table.
    pub table: String,
    /// The setting that says how long it is kept, if one does.
    pub setting: Option<String>,
    /// What it says.
    pub days: Option<i64>,
    /// When the oldest row is of; nothing where there is none.
    pub oldest_at: Option<Timestamp>,
    /// About how many rows there are, as the statistics know.
    pub rows: Option<i64>,
}

/// What people asked for, and what they agree to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Privacy {
    /// Requests.
    pub requests: Requests,
    /// How many were erased within the time.
    pub erasures: u64,
    /// By purpose.
    pub consents: Vec<Consents>,
}

/// Requests of people.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Requests {
    /// Asked within the time.
    pub asked: u64,
    /// Done within it.
    pub done: u64,
    /// Refused within it.
    pub refused: u64,
    /// Those that wait for an answer now.
    pub open: u64,
    /// Since when the oldest of them waits.
    pub oldest_open_at: Option<Timestamp>,
}

/// How many agree to a purpose.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Consents {
    /// The purpose.
    pub purpose: String,
    /// Those who agree.
    pub agreed: u64,
    /// Those who refuse.
    pub refused: u64,
}

/// The database's server.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Server {
    /// Its version.
    pub version: String,
    /// The versions of its extensions.
    pub extensions: BTreeMap<String, String>,
    /// When a backup was verified last.
    pub verified_at: Option<Timestamp>,
    /// When one was restored last, to see that it can be.
    pub drilled_at: Option<Timestamp>,
}

/// Tables of ours.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tables {
    /// How many.
    pub ours: u64,
    /// How many have row-level security.
    pub guarded: u64,
}

/// A policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Policy {
    /// Of which table.
    pub table: String,
    /// Its name.
    pub policy: String,
    /// For whom.
    pub roles: Vec<String>,
    /// For what.
    pub command: String,
    /// Which rows are seen.
    pub using: Option<String>,
    /// Which may be written.
    pub check: Option<String>,
}

/// What a role of strangers may do with a table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Granted {
    /// The table.
    pub table: String,
    /// The role.
    pub role: String,
    /// What it may.
    pub may: Vec<String>,
    /// Whether policies narrow that.
    pub guarded: bool,
}

/// A function that does its work with the rights of its owner.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Definer {
    /// Which.
    pub function: String,
    /// Who of strangers may call it.
    pub roles: Vec<String>,
}

/// How often something was done, and how often before.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Changed {
    /// What.
    pub action: String,
    /// Within the time.
    pub now: u64,
    /// Within the one before.
    pub before: u64,
}

/// The report that was kept last.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Former {
    /// When its month begins.
    pub from: Timestamp,
    /// When it was made.
    pub made_at: Timestamp,
    /// What it said.
    pub facts: Facts,
    /// Since when each secret has been the same, as far as reports were kept.
    #[serde(default)]
    pub since: BTreeMap<String, Timestamp>,
}
