//! Five services and fifty checks that fail at once, with the real functions:
//! a channel that works hears once of each cause, and every end that is owed is told.

use http::StatusCode;
use local_supabase::{
    capture::Channel,
    fault::{Mode, Service},
};
use ops::endpoint::Endpoint;
use serde_json::json;

use crate::{
    answering::dispatch,
    support::{Bundle, get},
};

const CAUSES: [Service; 5] = [
    Service::App,
    Service::Openai,
    Service::Vision,
    Service::Resend,
    Service::Storage,
];

/// Fifty checks of pages, which say that they need the app, or do not.
async fn keep_checks(bundle: &Bundle, declared: bool) {
    let app = bundle.secret("NEXT_PUBLIC_APP_URL").trim_end_matches('/');
    let admin = bundle.admin().await;
    for n in 0..50 {
        let mut check = json!({"kind": "http", "url": format!("{app}/{n}"), "status": [200, 404]});
        if declared {
            check["dependsOn"] = json!(["app"]);
        }
        let add = "select public.ops_add_check($1, $2::text::jsonb, 'test')";
        let name = format!("c{n:02}");
        let added = admin.execute(add, &[&name, &check.to_string()]).await;
        added.unwrap();
    }
}

async fn ticks(bundle: &Bundle, count: usize) {
    let app = bundle.instance(Endpoint::Monitor);
    for _ in 0..count {
        let key = bundle.secret("MONITORING_API_KEY");
        let answer = get(&app, "/api/cron/monitor").bearer(key).send().await;
        assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.bytes);
    }
}

async fn set(bundle: &Bundle, mode: Mode) {
    for service in CAUSES {
        bundle.fault(service, mode).await;
    }
}

/// Lets the minute between two groups pass, and every backoff.
async fn pass_a_minute(bundle: &Bundle) {
    let pass = "update ops.outbox set next_attempt_at = now() where status = 'pending';
                update ops.outbox set bundled_at = bundled_at - interval '1 min' where bundle is not null";
    bundle.admin().await.batch_execute(pass).await.unwrap();
}

/// The first lines of what a channel got, in order.
fn told(bundle: &Bundle, channel: Channel) -> Vec<String> {
    let messages = bundle.stack.inbox().messages();
    messages
        .into_iter()
        .filter(|message| message.channel == channel)
        .map(|message| match message.channel {
            Channel::Email => message.subject.unwrap_or_default(),
            _ => message.raw["text"].as_str().unwrap_or_default().to_owned(),
        })
        .collect()
}

/// Asserts that nothing is open or on its way, and that each beginning that was
/// sent has its end.
async fn is_over(bundle: &Bundle) {
    let uneven = "select
            (select count(*) from ops.alerts where status <> 'resolved')
            + (select count(*) from ops.outbox where status not in ('sent', 'superseded'))
            + (select count(*) from ops.outbox as firing where firing.kind = 'firing'
                and (firing.status = 'sent') <> (1 = (
                    select count(*) from ops.outbox as ending
                    where ending.after = firing.id and ending.status = 'sent')))";
    let row = bundle.admin().await.query_one(uneven, &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 0);
}

/// Breaks everything and heals it; what Slack got of the beginning.
async fn storm(declared: bool) -> (Bundle, Vec<String>) {
    let bundle = Bundle::start().await;
    keep_checks(&bundle, declared).await;
    ticks(&bundle, 1).await;
    set(&bundle, Mode::Refuse).await;
    ticks(&bundle, 4).await;
    let mut beginning = told(&bundle, Channel::Slack);
    beginning.sort();
    bundle.stack.inbox().clear();
    set(&bundle, Mode::Ok).await;
    ticks(&bundle, 2).await;
    for _ in 0..2 {
        pass_a_minute(&bundle).await;
        dispatch(&bundle).await;
    }
    // Email was down itself: no beginning can have arrived, so none is told of what is over.
    assert_eq!(told(&bundle, Channel::Email), [] as [String; 0]);
    is_over(&bundle).await;
    (bundle, beginning)
}

/// What Slack is told of each of the five.
fn of_causes(bundle: &Bundle) -> Vec<String> {
    let app = bundle.secret("NEXT_PUBLIC_APP_URL").trim_end_matches('/');
    vec![
        format!("Critical: {app}/ is down"),
        "Medium: Email (Resend) is degraded".to_owned(),
        "Medium: Image processing (Google Vision) is degraded".to_owned(),
        "Medium: Storage (Supabase) is degraded".to_owned(),
        "Medium: The AI service (OpenAI) is degraded".to_owned(),
    ]
}

#[tokio::test]
async fn a_storm_with_declared_dependencies_is_one_message_a_cause() {
    let (bundle, beginning) = storm(true).await;
    assert_eq!(beginning, of_causes(&bundle));
    assert_eq!(told(&bundle, Channel::Slack), ["5 alerts resolved"]);
}

#[tokio::test]
async fn a_storm_without_them_is_one_message_more() {
    let (bundle, beginning) = storm(false).await;
    let mut expected = of_causes(&bundle);
    expected.insert(0, "50 more alerts".to_owned());
    assert_eq!(beginning, expected);
    assert_eq!(told(&bundle, Channel::Slack), ["55 alerts resolved"]);
}
