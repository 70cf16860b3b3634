//! What users report through `/api/alerts/dispatch`.

use local_supabase::capture::Channel;
use ops::endpoint::Endpoint;
use serde_json::json;

use crate::{
    dispatch::{on, post},
    support::Bundle,
};

#[tokio::test]
async fn what_a_user_reports_opens_an_incident_and_tells_people_once() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Dispatch);
    let report = |reporter: &str| json!({"source": "user-report", "title": "I cannot sign in", "data": {"reporter": reporter}});
    let first = post(&bundle, &app, &report("ada")).await;
    assert!(first.status.is_success(), "{:?}", first.bytes);
    let first = first.json()["results"][0].clone();
    assert_eq!(
        (&first["outcome"], &first["incident"]),
        (&json!("opened"), &json!(1))
    );
    let again = post(&bundle, &app, &report("bo")).await.json()["results"][0].clone();
    assert_eq!(
        (&again["outcome"], &again["incident"]),
        (&json!("updated"), &json!(1))
    );
    assert_eq!(
        (on(&bundle, Channel::Slack), on(&bundle, Channel::Email)),
        (1, 0)
    );
    let sql = "select title, severity, opened_by from ops.incidents";
    let incident = bundle.admin().await.query_one(sql, &[]).await.unwrap();
    let [title, severity, by] = [0, 1, 2].map(|column| incident.get::<_, String>(column));
    assert_eq!(
        [title.as_str(), &severity, &by],
        ["I cannot sign in", "medium", "user-report"]
    );
}
