//! Every pair of a proof and an endpoint's method that `ops::access` lists is tried.

use http::{Method, StatusCode};
use jiff::SignedDuration;
use local_supabase::fault::{Mode, Service};
use ops::access::doors::{self, Door, Proof};
use serde_json::{Value, json};

use crate::{
    answering::{link, raise},
    channels::query,
    checks::{add, issue},
    door::key,
    support::{Answer, Bundle, call},
};

const METRICS_TOKEN: &str = "metrics-token-of-sixteen";

/// What each proof is, as it is sent.
struct Keys {
    link: String,
    heartbeat: String,
    project: String,
    bundle: Bundle,
}

impl Keys {
    async fn made() -> Self {
        let mut bundle = Bundle::start().await;
        let token = METRICS_TOKEN.to_owned();
        bundle.env.insert("METRICS_TOKEN".into(), token);
        raise(&bundle, "cellar", "firing").await;
        let link = link(&bundle, "Acknowledge");
        let (_, link) = link.split_once("token=").expect("a link with its token");
        let link = link.to_owned();
        let heartbeat = json!({"kind": "heartbeat", "periodSeconds": 3600, "graceSeconds": 60});
        add(&bundle, "import", &heartbeat).await;
        Self {
            link,
            heartbeat: issue(&bundle, "import").await,
            project: key(&bundle, "{}").await,
            bundle,
        }
    }

    /// The token of somebody with that role, or with none.
    fn token(&self, role: Option<&str>) -> String {
        let metadata: Value = role.map_or_else(|| json!({}), |role| json!({ "role": role }));
        let expires = outside::clock::now() + SignedDuration::from_hours(1);
        let sub = "7b0c3a52-0000-4000-8000-000000000001";
        let keys = self.bundle.stack.keys();
        keys.user_token(sub, "anna@wine.example", &metadata, expires)
            .unwrap()
    }

    /// What is sent as a bearer.
    fn bearer(&self, proof: Proof) -> Option<String> {
        match proof {
            Proof::Nothing | Proof::Link | Proof::HeartbeatToken | Proof::ProjectKey => None,
            Proof::CronSecret => Some(self.bundle.secret("CRON_SECRET").to_owned()),
            Proof::OperatorKey => Some(self.bundle.secret("MONITORING_API_KEY").to_owned()),
            Proof::MetricsToken => Some(METRICS_TOKEN.to_owned()),
            Proof::User => Some(self.token(None)),
            Proof::Viewer | Proof::Responder | Proof::Admin => {
                Some(self.token(Some(proof.as_str())))
            }
        }
    }

    /// What is sent in the query.
    fn query(&self, proof: Proof) -> String {
        match proof {
            Proof::Link => format!("?token={}", self.link),
            Proof::HeartbeatToken => format!("?token={}", self.heartbeat),
            Proof::ProjectKey => format!("?key={}", self.project),
            _ => String::new(),
        }
    }

    /// Knocks at a door, at an instance that has seen nobody yet.
    async fn knock(&self, proof: Proof, door: &Door) -> Answer {
        let function = self.bundle.instance(door.endpoint);
        let target = format!("{}{}", door.path, self.query(proof));
        let mut request = call(&function, door.method.clone(), &target);
        if let Some(bearer) = self.bearer(proof) {
            request = request.bearer(&bearer);
        }
        if door.method == Method::POST {
            // As one of our own pages sends it.
            request = request
                .header("host", "ops.wine.example")
                .header("origin", "https://ops.wine.example");
            request = if proof == Proof::Link {
                request
                    .header("content-type", "application/x-www-form-urlencoded")
                    .body(format!("token={}", self.link))
            } else {
                request
                    .header("content-type", "application/json")
                    .body("{}")
            };
        }
        request.send().await
    }
}

#[tokio::test]
async fn every_proof_opens_the_doors_that_the_table_says_and_no_other() {
    let keys = Keys::made().await;
    let mut pairs = 0;
    let mut wrong = Vec::new();
    for door in doors::all() {
        for proof in Proof::ALL {
            let answer = keys.knock(proof, &door).await;
            let is_refused =
                [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&answer.status);
            if is_refused == door.may.contains(&proof) {
                wrong.push(format!(
                    "{} {} with {}: {}",
                    door.method,
                    door.path,
                    proof.as_str(),
                    answer.status
                ));
            }
            pairs += 1;
        }
    }
    assert!(wrong.is_empty(), "of {pairs} pairs:\n{}", wrong.join("\n"));
    assert_eq!(pairs, doors::all().len() * Proof::ALL.len());
}

/// The one part of the dashboard that not everybody sees who sees the rest.
#[tokio::test]
async fn the_audit_log_is_shown_to_admins_and_operators_alone() {
    let keys = Keys::made().await;
    let all = doors::all();
    let dashboard = all
        .iter()
        .find(|door| door.path == "/api/monitoring/dashboard" && door.method == Method::GET)
        .unwrap();
    for (proof, expected) in [
        (Proof::Viewer, false),
        (Proof::Responder, false),
        (Proof::Admin, true),
        (Proof::OperatorKey, true),
    ] {
        let answer = keys.knock(proof, dashboard).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", proof.as_str());
        let log = &answer.json()["data"]["auditLog"];
        assert_eq!(log.is_object(), expected, "{}: {log}", proof.as_str());
        if expected {
            let added = log["rows"].as_array().unwrap().iter();
            let added: Vec<_> = added.map(|row| row["action"].clone()).collect();
            assert_eq!(added, ["key.added", "key.rotated", "check.changed"]);
        }
    }
}

#[tokio::test]
async fn whoever_is_proven_and_refused_is_in_the_audit_log_once_and_waits_for_nothing() {
    let keys = Keys::made().await;
    let all = doors::all();
    let dashboard = all
        .iter()
        .find(|door| door.path == "/api/monitoring/dashboard" && door.method == Method::GET)
        .unwrap();
    for _ in 0..2 {
        // Each at an instance that knows of no refusal yet.
        let refused = keys.knock(Proof::User, dashboard).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
    }
    let strangers = keys.knock(Proof::Nothing, dashboard).await;
    assert_eq!(strangers.status, StatusCode::UNAUTHORIZED);
    let written =
        "select jsonb_agg(ops.audit_entry(log, beside.document::jsonb) - '{seq,at}'::text[])
                   from ops.audit as log join ops.audit_details as beside using (seq)
                   where log.action = 'access.refused'";
    assert_eq!(
        query(&keys.bundle, written).await,
        json!([{
            "action": "access.refused", "actor": "anna@wine.example", "erased": false,
            "subject": "user 7b0c3a52-0000-4000-8000-000000000001",
            "details": {"method": "GET", "path": "/api/monitoring/dashboard"},
        }])
    );
    keys.bundle.fault(Service::Database, Mode::Refuse).await;
    let refused = keys.knock(Proof::User, dashboard).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}
