//! What an auditor reads, kept by the maintenance once a month: what was looked at, what could
//! not be, and what differs from the month before.

use backup::{
    catalogue,
    keys::{self, Recipients},
};
use bytes::Bytes;
use http::{Response, StatusCode};
use local_supabase::platforms::stand_in::{Asked, StandIn, Trouble, refusal};
use ops::{
    endpoint::Endpoint,
    messages::report::Report,
    security_report::places::{self, Verified},
};
use serde_json::{Value, json};

use crate::{
    backups::Backups,
    support::{Bundle, get},
};

/// Supabase's advisors, which say what they are told to.
async fn advisors(bundle: &mut Bundle) -> StandIn<Vec<Value>> {
    let answer = |lints: &mut Vec<Value>, asked: &Asked| match asked.path.join("/").as_str() {
        "v1/projects/ref/advisors/security" => {
            Response::new(Bytes::from(json!({ "lints": lints }).to_string()))
        }
        "v1/projects/ref/advisors/performance" => {
            Response::new(Bytes::from(json!({ "lints": [] }).to_string()))
        }
        _ => refusal(StatusCode::NOT_FOUND, "not_found", "Not Found"),
    };
    let platform = StandIn::start(None, "sbp_token", Vec::new(), answer)
        .await
        .unwrap();
    bundle.env.extend(
        [
            ("SUPABASE_ACCESS_TOKEN", platform.token().to_owned()),
            ("SUPABASE_API_URL", platform.url()),
            ("SUPABASE_PROJECT_REF", "ref".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    platform
}

async fn back_up(bundle: &Bundle) {
    let app = bundle.instance(Endpoint::Backup);
    let operator = bundle.secret("MONITORING_API_KEY");
    let answer = get(&app, "/api/cron/backup").bearer(operator).send().await;
    assert_eq!(answer.json()["outcome"], "done", "{}", answer.json());
}

/// Whether a run of the maintenance kept a report.
async fn maintain(bundle: &Bundle) -> bool {
    let app = bundle.instance(Endpoint::Maintenance);
    let operator = bundle.secret("MONITORING_API_KEY");
    let answer = get(&app, "/api/cron/maintenance")
        .bearer(operator)
        .send()
        .await;
    let body = answer.json();
    assert_eq!(body["outcome"], "done", "{body}");
    body["securityReport"].as_bool().unwrap()
}

/// The report that was kept last.
async fn kept(bundle: &Bundle) -> Value {
    let sql = "select to_jsonb(kept)::text from ops.security_reports as kept order by starts_at desc limit 1";
    let row = bundle.admin().await.query_one(sql, &[]).await.unwrap();
    serde_json::from_str(row.get(0)).unwrap()
}

async fn execute(bundle: &Bundle, sql: &str) {
    bundle.admin().await.batch_execute(sql).await.unwrap();
}

/// Makes the one that was kept the one of a month before.
async fn age(bundle: &Bundle) {
    let earlier = "update ops.security_reports set starts_at = starts_at - interval '31 days'";
    execute(bundle, earlier).await;
}

#[tokio::test]
async fn a_month_is_kept_once_and_what_differs_is_in_its_report() {
    let mut backups = Backups::start().await;
    let platform = advisors(&mut backups.bundle).await;
    back_up(&backups.bundle).await;
    backups.bundle.env.remove("BASE_URL");
    let bundle = &backups.bundle;
    // A month is due from its end on.
    execute(
        bundle,
        "update ops.settings set value = '0' where key = 'report.hour_utc'",
    )
    .await;
    assert!(maintain(bundle).await, "it is kept");
    assert!(!maintain(bundle).await, "and once");
    let first = kept(bundle).await;
    assert_eq!(first["differences"], Value::Null);
    let facts = &first["facts"];
    assert_eq!(facts["advisors"], json!({"known": {}}));
    let places = facts["places"]["known"].as_object().unwrap();
    let backup = places
        .iter()
        .find(|(name, _)| name.starts_with("backups, in "));
    let (_, said) = backup.unwrap_or_else(|| panic!("{places:?}"));
    assert!(said.as_str().unwrap().ends_with(", verified"), "{said}");
    assert!(facts["dependencies"]["unknown"].is_string(), "{facts}");
    let secrets = facts["secrets"]["known"].as_object().unwrap();
    assert!(secrets.contains_key("CRON_SECRET"), "{secrets:?}");
    let secret = bundle.secret("CRON_SECRET");
    assert!(!first.to_string().contains(secret), "a secret is kept");

    age(bundle).await;
    execute(bundle, "grant select on public.error_logs to anon").await;
    platform.state().push(json!({
        "name": "rls_disabled_in_public", "level": "ERROR", "metadata": {"schema": "public", "name": "notes"},
    }));
    assert!(maintain(bundle).await);
    let second = kept(bundle).await;
    assert_eq!(
        second["differences"],
        json!([
            "advisors: new is security: rls_disabled_in_public public.notes: ERROR",
            "dependencies: not compared, because CI looks at them, by `cargo deny check advisories`",
            "grants: new is error_logs to anon: select",
            "transport: not compared, because BASE_URL is not set here",
        ]),
        "{second}"
    );
    let sql = "select public.ops_report('monthly')::text";
    let row = bundle.admin().await.query_one(sql, &[]).await.unwrap();
    let report: Value = serde_json::from_str(row.get(0)).unwrap();
    let words = Report::read(&report).unwrap().security_words();
    assert_eq!(words[0], "Security: 4 differences from the month before");
    assert_eq!(words[3], "grants: new is error_logs to anon: select");
    let daily = bundle
        .admin()
        .await
        .query_one(
            "select public.ops_report('daily') -> 'security' = 'null'",
            &[],
        )
        .await
        .unwrap();
    assert!(daily.get::<_, bool>(0), "a day has none");
    platform.stop().await;
}

#[tokio::test]
async fn a_backup_that_is_not_encrypted_as_it_has_to_be_is_said() {
    let backups = Backups::start().await;
    back_up(&backups.bundle).await;
    let store = backups.store();
    let ours = Recipients::parse(&backups.bundle.env["BACKUP_RECIPIENTS"]).unwrap();
    let place = places::backups(&store, Some(&ours)).await;
    assert!(
        matches!(&place.verified, Verified::Yes(seen) if seen.contains("those of BACKUP_RECIPIENTS")),
        "{place:?}"
    );

    let other = keys::generate().recipient;
    let other = places::backups(&store, Some(&Recipients::parse(&other).unwrap())).await;
    assert!(
        matches!(&other.verified, Verified::Wrong(seen) if seen.contains("and BACKUP_RECIPIENTS are")),
        "{other:?}"
    );

    // Somebody who may write there puts the rows in the clear.
    let newest = catalogue::find(&store, "latest").await.unwrap();
    let inventory = catalogue::inventory(&store, &newest).await.unwrap();
    let segment = inventory
        .objects
        .iter()
        .find(|object| object.path.starts_with("v1/seg/"))
        .unwrap();
    store
        .put_over(&segment.path, Bytes::from_static(b"id,name\n1,anna\n"))
        .await
        .unwrap();
    let clear = places::backups(&store, Some(&ours)).await;
    assert!(
        matches!(&clear.verified, Verified::Wrong(seen) if seen.ends_with("is not encrypted with age")),
        "{clear:?}"
    );
}

#[tokio::test]
async fn who_cannot_be_asked_takes_nothing_else_along() {
    let mut backups = Backups::start().await;
    let platform = advisors(&mut backups.bundle).await;
    let bundle = &backups.bundle;
    execute(
        bundle,
        "update ops.settings set value = '0' where key = 'report.hour_utc'",
    )
    .await;
    let everything = |_: &Asked| true;
    for _ in 0..4 {
        let trouble = Trouble::Status {
            status: 403,
            retry_after: None,
        };
        platform.trouble(everything, trouble);
    }
    assert!(maintain(bundle).await);
    let facts = kept(bundle).await["facts"].clone();
    let reason = facts["advisors"]["unknown"].as_str().unwrap();
    assert!(reason.starts_with("Supabase answered 403"), "{reason}");
    // The store is there and holds no backup.
    let places = facts["places"]["known"].as_object().unwrap();
    let backup = places
        .iter()
        .find(|(name, _)| name.starts_with("backups, in "));
    let said = backup.unwrap().1.as_str().unwrap();
    assert!(said.ends_with("not verified"), "{said}");
    assert!(facts["grants"]["known"].is_object());
    platform.stop().await;
}
