//! `/api/health`.

use std::time::Duration;

use http::{Method, StatusCode};
use local_supabase::{
    capture::{KeyKind, Scripted},
    fault::{Fault, Mode, Service},
};
use ops::{endpoint::Endpoint, health};
use outside::clock;
use serde_json::{Value, json};

use crate::support::{Bundle, call, get};

const PATH: &str = "/api/health";
const KEYS: [&str; 5] = ["database", "ai", "imageProcessing", "email", "storage"];

async fn report(bundle: &Bundle) -> (StatusCode, Value) {
    let app = bundle.instance(Endpoint::Health);
    let answer = get(&app, PATH)
        .bearer(bundle.secret("MONITORING_API_KEY"))
        .send()
        .await;
    (answer.status, answer.json())
}

#[tokio::test]
async fn all_is_well_and_strangers_see_statuses_and_times_only() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Health);
    let answer = get(&app, PATH).send().await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.json());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let body = answer.json();
    assert_eq!(body["status"], "healthy");
    assert_eq!(body["environment"], "production");
    assert_eq!(body["configuration"], json!({ "valid": true }));
    for key in KEYS {
        let service = body["services"][key].as_object().unwrap();
        let mut names: Vec<_> = service.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            ["critical", "lastCheck", "responseTime", "status"],
            "{key}"
        );
        assert_eq!(service["status"], "healthy", "{key}");
        assert!(service["responseTime"].as_f64().unwrap() > 0.0, "{key}");
        assert_eq!(service["critical"], key == "database");
    }
    assert!(body["memory"]["rssBytes"].as_u64().unwrap() > 0);
    assert!(body["uptime"].is_u64() && body["responseTime"].is_f64());
}

#[tokio::test]
async fn head_has_gets_status_and_asks_critical_services_only() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Health);
    let head = call(&app, Method::HEAD, PATH).send().await;
    assert_eq!((head.status, head.bytes.len()), (StatusCode::OK, 0));
    assert_eq!(bundle.stack.inbox().requests(Service::Openai).len(), 0);
    let get = get(&app, PATH).send().await;
    assert_eq!(get.status, head.status);
    assert_eq!(bundle.stack.inbox().requests(Service::Openai).len(), 1);
    for name in [
        "content-type",
        "cache-control",
        "vary",
        "x-content-type-options",
    ] {
        assert_eq!(head.header(name), get.header(name), "{name}");
    }
}

#[tokio::test]
async fn a_reading_lives_five_seconds_and_is_shared() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Health);
    let answers = futures_util::future::join_all((0..20).map(|_| get(&app, PATH).send())).await;
    assert!(answers.iter().all(|answer| answer.status == StatusCode::OK));
    call(&app, Method::HEAD, PATH).send().await;
    assert_eq!(bundle.stack.inbox().requests(Service::Openai).len(), 1);
    assert_eq!(bundle.stack.inbox().requests(Service::Resend).len(), 1);
}

#[tokio::test]
async fn without_its_database_it_is_unhealthy_within_the_deadline() {
    let bundle = Bundle::start().await;
    for mode in [Mode::Refuse, Mode::Hang, Mode::Status] {
        bundle.fault(Service::Database, mode).await;
        let started = clock::instant();
        let (status, body) = report(&bundle).await;
        let took = clock::instant().duration_since(started);
        assert!(
            took < health::DEADLINE + Duration::from_millis(500),
            "{mode:?} {took:?}"
        );
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{mode:?}");
        assert_eq!(body["status"], "unhealthy");
        assert_eq!(body["services"]["database"]["status"], "unhealthy");
        assert!(
            body["services"]["database"]["message"].is_string(),
            "{body}"
        );
    }
    bundle.fault(Service::Database, Mode::Ok).await;
    assert_eq!(report(&bundle).await.0, StatusCode::OK);
}

#[tokio::test]
async fn any_other_service_only_degrades() {
    let bundle = Bundle::start().await;
    for (service, key) in [
        (Service::Openai, "ai"),
        (Service::Vision, "imageProcessing"),
        (Service::Resend, "email"),
        (Service::Storage, "storage"),
    ] {
        bundle.fault(service, Mode::Refuse).await;
        let (status, body) = report(&bundle).await;
        assert_eq!(
            (status, &body["status"]),
            (StatusCode::OK, &json!("degraded")),
            "{key}"
        );
        assert_eq!(body["services"][key]["status"], "unhealthy", "{key}");
        bundle.fault(service, Mode::Ok).await;
    }
    assert_eq!(report(&bundle).await.1["status"], "healthy");
}

#[tokio::test]
async fn each_kind_of_refusal_is_told_apart() {
    let bundle = Bundle::start().await;
    for (status, service_status, message) in [
        (
            401,
            "unhealthy",
            "the key was refused with 401: check the variable that holds it",
        ),
        (
            403,
            "unhealthy",
            "the key was refused with 403: check the variable that holds it",
        ),
        (429, "degraded", "over its quota or rate limit (429)"),
        (
            302,
            "unhealthy",
            "answered 302, a redirect: check its base URL",
        ),
        (503, "unhealthy", "answered 503"),
    ] {
        let fault = Fault {
            mode: Mode::Status,
            status: Some(status),
            delay_ms: None,
        };
        bundle.fault(Service::Openai, fault).await;
        let (_, body) = report(&bundle).await;
        assert_eq!(body["services"]["ai"]["status"], service_status, "{status}");
        assert_eq!(body["services"]["ai"]["message"], message, "{status}");
        assert_eq!(body["status"], "degraded", "{status}");
    }
}

#[tokio::test]
async fn an_answer_of_200_with_rubbish_is_not_health() {
    let bundle = Bundle::start().await;
    for body in ["", "<html>", "{}", "[1"] {
        bundle.stack.openai().script([Scripted::Answer {
            status: StatusCode::OK,
            headers: Vec::new(),
            body,
            delay: Duration::ZERO,
        }]);
        let (_, report) = report(&bundle).await;
        assert_eq!(report["services"]["ai"]["status"], "unhealthy", "{body:?}");
    }
}

#[tokio::test]
async fn a_wrong_vision_key_and_a_sending_only_resend_key_are_understood() {
    let mut bundle = Bundle::start_with(KeyKind::SendingOnly).await;
    bundle
        .env
        .insert("GOOGLE_VISION_API_KEY".into(), "AIzaWrong".into());
    let (_, body) = report(&bundle).await;
    assert_eq!(body["services"]["email"]["status"], "healthy");
    let message = body["services"]["imageProcessing"]["message"]
        .as_str()
        .unwrap();
    assert!(message.starts_with("the key was refused"), "{message}");
}

#[tokio::test]
async fn a_service_without_a_key_changes_nothing() {
    let mut bundle = Bundle::start().await;
    for name in ["OPENAI_API_KEY", "GOOGLE_VISION_API_KEY", "RESEND_API_KEY"] {
        bundle.env.remove(name);
    }
    let (status, body) = report(&bundle).await;
    assert_eq!(
        (status, &body["status"]),
        (StatusCode::OK, &json!("healthy"))
    );
    assert_eq!(body["services"]["ai"]["status"], "unconfigured");
    assert_eq!(body["services"]["ai"]["responseTime"], Value::Null);
}

#[tokio::test]
async fn missing_configuration_is_unhealthy_and_named_to_operators_only() {
    let mut bundle = Bundle::start().await;
    for name in ["SUPABASE_SECRET_KEY", "SUPABASE_SERVICE_ROLE_KEY"] {
        bundle.env.remove(name);
    }
    bundle.env.insert("SENTRY_DSN".into(), "nonsense".into());
    let (status, body) = report(&bundle).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        body["configuration"]["missing"],
        json!(["SUPABASE_SECRET_KEY"])
    );
    assert_eq!(
        body["configuration"]["invalid"][0]["variable"],
        "SENTRY_DSN"
    );
    let fingerprint = &body["configuration"]["fingerprints"]["CRON_SECRET"];
    assert_eq!(fingerprint.as_str().map(str::len), Some(16), "{body}");
    assert!(!body.to_string().contains(&bundle.env["CRON_SECRET"]));
    let app = bundle.instance(Endpoint::Health);
    let stranger = get(&app, PATH).send().await;
    assert_eq!(stranger.json()["configuration"], json!({ "valid": false }));
    assert!(!String::from_utf8_lossy(&stranger.bytes).contains("SUPABASE"));
}

#[tokio::test]
async fn a_database_without_our_functions_says_what_to_run() {
    let bundle = Bundle::start().await;
    bundle
        .admin()
        .await
        .batch_execute("drop function public.ops_ping()")
        .await
        .unwrap();
    let (status, body) = report(&bundle).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let message = body["services"]["database"]["message"].as_str().unwrap();
    assert!(message.ends_with("run `pourtrait migrate`"), "{message}");
}

#[tokio::test]
async fn the_ietf_form_maps_healthy_degraded_unhealthy() {
    let bundle = Bundle::start().await;
    let check = async |expected: &str, status: StatusCode| {
        let app = bundle.instance(Endpoint::Health);
        let answer = get(&app, PATH)
            .header("accept", "application/health+json")
            .send()
            .await;
        assert_eq!(
            answer.header("content-type"),
            Some("application/health+json")
        );
        assert_eq!(
            (answer.status, &answer.json()["status"]),
            (status, &json!(expected))
        );
        answer.json()
    };
    let body = check("pass", StatusCode::OK).await;
    assert_eq!(
        body["checks"]["database:responseTime"][0]["observedUnit"],
        "ms"
    );
    bundle.fault(Service::Openai, Mode::Refuse).await;
    let body = check("warn", StatusCode::OK).await;
    assert_eq!(body["checks"]["ai:responseTime"][0]["status"], "warn");
    assert_eq!(body["checks"]["ai:responseTime"][0].get("output"), None);
    bundle.fault(Service::Database, Mode::Refuse).await;
    check("fail", StatusCode::SERVICE_UNAVAILABLE).await;
}

#[tokio::test]
async fn both_forms_of_the_supabase_key_work() {
    let mut bundle = Bundle::start().await;
    bundle.env.remove("SUPABASE_SECRET_KEY");
    let (status, body) = report(&bundle).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(body["services"]["storage"]["status"], "healthy");
}
