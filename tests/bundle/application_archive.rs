//! The application beside its database: what is kept of the platforms, what is not, and what
//! is told of changes.

use std::collections::BTreeMap;

use backup::{
    application::{self, Part},
    keys::Identities,
};
use bytes::Bytes;
use http::{Method, Response, StatusCode};
use local_supabase::platforms::stand_in::{Asked, StandIn, Trouble, refusal};
use ops::{
    app::App,
    backups::application::{Taken, leaves::Change, take},
    endpoint::Endpoint,
};
use outside::clock::{self, Deadline};
use serde_json::{Value, json};

use crate::{
    backups::Backups,
    support::{Bundle, call},
};

/// Documents by their path.
type Documents = BTreeMap<String, Value>;

const AUTH: &str = "v1/projects/ref/config/auth";
const FUNCTIONS: &str = "v1/projects/ref/functions";
const BODY: &str = "v1/projects/ref/functions/hello/body";

async fn platform(bundle: &mut Bundle) -> StandIn<Documents> {
    let documents = [
        (
            AUTH,
            json!({"site_url": "https://wine.example", "smtp_pass": "hidden", "external_github_secret": "hidden",
                   "external_github_enabled": true}),
        ),
        (
            FUNCTIONS,
            json!([{"slug": "hello", "name": "hello", "version": 3, "token": "hidden"}]),
        ),
        (BODY, json!("Deno.serve()")),
    ];
    let documents = documents.map(|(path, document)| (path.to_owned(), document));
    let answer = |documents: &mut Documents, asked: &Asked| {
        let known = documents.get(&asked.path.join("/"));
        known.map_or_else(
            || refusal(StatusCode::NOT_FOUND, "not_found", "Not Found"),
            |document| Response::new(Bytes::from(document.to_string())),
        )
    };
    let platform = StandIn::start(None, "sbp_token", documents.into(), answer);
    let platform = platform.await.unwrap();
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

async fn archive(backups: &Backups, repository: Option<Bytes>) -> Taken {
    let app = App::new(backups.bundle.config());
    let deadline = Deadline::after(std::time::Duration::from_secs(60));
    take(&app, clock::now(), repository, deadline)
        .await
        .unwrap()
}

async fn opened(backups: &Backups, taken: &Taken, part: Part) -> Vec<u8> {
    let identities = Identities::parse(&backups.identity).unwrap();
    application::read(&backups.store(), &taken.name, part, &identities)
        .await
        .unwrap()
}

#[tokio::test]
async fn fields_that_are_named_are_kept_and_no_others() {
    let mut backups = Backups::start().await;
    let platform = platform(&mut backups.bundle).await;
    let bundle = Bytes::from_static(b"# v2 git bundle");
    let taken = archive(&backups, Some(bundle.clone())).await;
    assert_eq!(taken.differences, None);
    assert_eq!(taken.absent["vercel"], "VERCEL_TOKEN is not set");
    assert!(taken.absent["supabase.postgrest"].starts_with("answered 404"));
    assert_eq!(
        opened(&backups, &taken, Part::Repository).await,
        bundle.to_vec()
    );

    let text = opened(&backups, &taken, Part::Documents).await;
    let whole: Value = serde_json::from_slice(&text).unwrap();
    let documents = &whole["documents"];
    assert_eq!(
        documents["supabase.auth"],
        json!({"site_url": "https://wine.example", "external_github_enabled": true})
    );
    assert_eq!(documents["supabase.functions"][0]["version"], 3);
    // `"Deno.serve()"`, as it was answered.
    assert_eq!(
        documents["supabase.functions.hello.code"],
        "IkRlbm8uc2VydmUoKSI="
    );
    assert_eq!(
        documents["database.publications"][0]["name"],
        "supabase_realtime"
    );
    assert!(!whole.to_string().contains("hidden"));
    platform.stop().await;
}

#[tokio::test]
async fn what_changed_is_named_and_what_was_not_read_is_not_called_gone() {
    let mut backups = Backups::start().await;
    let platform = platform(&mut backups.bundle).await;
    archive(&backups, None).await;
    platform.state().insert(
        AUTH.to_owned(),
        json!({"site_url": "https://other.example", "external_apple_enabled": false}),
    );
    let of_functions = |asked: &Asked| asked.path.last().is_some_and(|last| last == "functions");
    for _ in 0..3 {
        let status = 403;
        let trouble = Trouble::Status {
            status,
            retry_after: None,
        };
        platform.trouble(of_functions, trouble);
    }
    let taken = archive(&backups, None).await;
    assert!(taken.absent["supabase.functions"].starts_with("answered 403"));
    let told: Vec<_> = taken
        .differences
        .as_ref()
        .unwrap()
        .iter()
        .map(|difference| (difference.path.as_str(), difference.change))
        .collect();
    assert_eq!(
        told,
        [
            ("supabase.auth.external_apple_enabled", Change::Added),
            ("supabase.auth.external_github_enabled", Change::Removed),
            ("supabase.auth.site_url", Change::Changed),
        ]
    );
    let names: Vec<_> = application::list(&backups.store())
        .await
        .unwrap()
        .into_iter()
        .map(|archive| archive.name)
        .collect();
    assert_eq!(names.len(), 2);
    assert!(names.contains(&taken.name), "{names:?}");
    platform.stop().await;
}

#[tokio::test]
async fn the_function_takes_one_a_day_after_a_backup() {
    let mut backups = Backups::start().await;
    let platform = platform(&mut backups.bundle).await;
    let function = backups.bundle.instance(Endpoint::Backup);
    let key = backups.bundle.secret("MONITORING_API_KEY").to_owned();
    let run = async || {
        let answer = call(&function, Method::GET, "/api/cron/backup").bearer(&key);
        answer.send().await.json()
    };
    let first = run().await;
    assert_eq!(first["outcome"], "done", "{first}");
    let documents = &first["application"]["taken"]["documents"];
    assert!(documents.to_string().contains("supabase.auth"), "{first}");
    let second = run().await;
    assert_eq!(
        (&second["outcome"], second.get("application")),
        (&json!("done"), None)
    );
    platform.stop().await;
}
