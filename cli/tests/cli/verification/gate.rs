//! The deployment check: made once, its runs verified, and answered until the answer arrives.

use std::{collections::BTreeMap, time::Duration};

use dev::{DevOptions, Running};
use local_supabase::{
    platforms::{
        stand_in::{Asked, StandIn, Trouble},
        vercel::{self, State, deployments::Deployment},
    },
    postgres::{Cluster, TestDatabase},
};
use ops::{
    app::App,
    config::Config,
    platforms::vercel::check_runs::Conclusion,
    verification::check_runs::{self, Answered},
};
use outside::clock::Deadline;
use serde_json::{Value, json};
use tokio_postgres::Client;

use super::front::Front;
use crate::support::{bundle, call_with};

struct Gate {
    running: Running,
    _database: TestDatabase,
    admin: Client,
    vercel: StandIn<State>,
    env: BTreeMap<String, String>,
}

impl Gate {
    async fn of_a_bundle() -> Self {
        let (running, database) = bundle(DevOptions::default()).await;
        let vercel = vercel::start(None, "token-of-vercel").await.unwrap();
        vercel.state().deployments.all = [("dpl_1", "prj_ops"), ("dpl_other", "prj_other")]
            .map(|(id, project)| Deployment {
                url: running.base_url.clone(),
                project: (project.to_owned(), project.to_owned()),
                ..Deployment::staged(id, 1, "commit1")
            })
            .into();
        let mut env = running.env.clone();
        for (name, value) in [
            ("VERCEL_TOKEN", vercel.token().to_owned()),
            ("VERCEL_PROJECT_ID", "prj_ops".to_owned()),
            ("VERCEL_API_URL", vercel.url()),
        ] {
            env.insert(name.to_owned(), value);
        }
        let cluster = Cluster::shared().await.unwrap();
        let admin = cluster.connect_admin(database.name()).await.unwrap();
        Self {
            running,
            _database: database,
            admin,
            vercel,
            env,
        }
    }

    async fn ask(&self, run: &str, deployment: &str) {
        let runs = json!([{"run": run, "deployment": deployment, "cancelled": false}]).to_string();
        let take = "select ops.take_check_runs(1, 'test', $1::text::jsonb, now())";
        self.admin.execute(take, &[&runs]).await.unwrap();
    }

    async fn answer_next(&self) -> Option<Answered> {
        let app = App::new(Config::from_lookup(&|name| self.env.get(name).cloned()));
        let deadline = Deadline::after(Duration::from_secs(60));
        check_runs::answer_next(&app, deadline).await.unwrap()
    }

    /// The conclusions that the platform took, with their runs.
    fn taken(&self) -> Vec<(String, String)> {
        let state = self.vercel.state();
        let answers = state.check_runs.answers.iter();
        answers
            .map(|(run, said)| (run.clone(), said["conclusion"].as_str().unwrap().to_owned()))
            .collect()
    }
}

fn is_answer(asked: &Asked) -> bool {
    asked.method == http::Method::PATCH
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_verified_at_its_own_address_and_answered_whatever_is_lost() {
    let gate = Gate::of_a_bundle().await;
    assert_eq!(gate.answer_next().await, Some(Answered::Nothing));

    gate.ask("run_1", "dpl_1").await;
    gate.vercel.trouble(is_answer, Trouble::CutAfter);
    let lost = gate.answer_next().await;
    assert!(
        matches!(lost, Some(Answered::Unanswered { .. })),
        "{lost:?}"
    );
    assert_eq!(
        gate.answer_next().await,
        Some(Answered::Nothing),
        "it is leased"
    );
    let end = "update ops.check_runs set leased_until = now() where true";
    gate.admin.execute(end, &[]).await.unwrap();
    let Some(Answered::Taken {
        run,
        conclusion,
        text,
    }) = gate.answer_next().await
    else {
        panic!("a lost answer is sent again");
    };
    assert_eq!(
        (run.as_str(), conclusion),
        ("run_1", Conclusion::Succeeded),
        "{text}"
    );
    let twice = ("run_1".to_owned(), "succeeded".to_owned());
    assert_eq!(gate.taken(), [twice.clone(), twice], "and is the same");

    gate.ask("run_2", "dpl_other").await;
    let Some(Answered::Taken {
        conclusion, text, ..
    }) = gate.answer_next().await
    else {
        panic!("what cannot be looked at has failed");
    };
    assert_eq!(conclusion, Conclusion::Failed);
    assert!(text.contains("a deployment of prj_other"), "{text}");

    gate.ask("run_3", "dpl_1").await;
    gate.vercel.state().check_runs.gone.push("run_3".to_owned());
    let refused = gate.answer_next().await;
    assert!(
        matches!(refused, Some(Answered::Unanswered { .. })),
        "{refused:?}"
    );
    gate.admin.execute(end, &[]).await.unwrap();
    assert_eq!(
        gate.answer_next().await,
        Some(Answered::Nothing),
        "for good"
    );
    gate.vercel.stop().await;
    gate.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_not_held_back_for_being_newer_than_what_serves() {
    let gate = Gate::of_a_bundle().await;
    let front = Front::before(gate.running.base_url.clone()).await;
    front.break_with(Some(|request, response| {
        if request.uri().path() == "/api/health" {
            let mut health: Value = serde_json::from_slice(response.body()).unwrap();
            health["version"] = json!("99.0.0");
            *response.body_mut() = health.to_string().into();
        } else {
            response.headers_mut().remove("content-security-policy");
        }
    }));
    gate.vercel.state().deployments.all[0].url = front.plain_url();
    gate.ask("run_1", "dpl_1").await;
    let Some(Answered::Taken {
        conclusion, text, ..
    }) = gate.answer_next().await
    else {
        panic!("the run is answered");
    };
    assert_eq!(conclusion, Conclusion::Succeeded, "{text}");
    gate.vercel.stop().await;
    gate.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_is_made_once_and_its_runs_are_answered_from_here() {
    let gate = Gate::of_a_bundle().await;
    let call = async |line: &str| {
        let arguments: Vec<_> = line.split(' ').collect();
        call_with(&gate.env, &arguments).await
    };
    let is_make: fn(&Asked) -> bool = |asked| asked.method == http::Method::POST;
    gate.vercel.trouble(is_make, Trouble::CutAfter);
    let lost = call("verify --register wh_1").await;
    assert_eq!(lost.status, 1, "{lost:?}");
    assert!(
        lost.stderr.contains("target: prj_ops at 127.0.0.1"),
        "{lost:?}"
    );
    assert!(lost.stderr.contains("it may have been made"), "{lost:?}");
    let known = call("verify --register wh_1").await;
    assert_eq!(known.status, 0, "{known:?}");
    assert!(known.stdout.contains("is there already"), "{known:?}");
    let checks = gate.vercel.state().check_runs.checks.clone();
    assert_eq!(checks.len(), 1);
    assert_eq!(checks[0].1["blocks"], "deployment-alias");
    assert_eq!(
        checks[0].1["source"],
        json!({"kind": "webhook", "webhookId": "wh_1"})
    );

    assert!(
        call("verify --check-runs")
            .await
            .stdout
            .contains("no run waits")
    );
    gate.ask("run_1", "dpl_1").await;
    let answered = call("verify --check-runs --json").await;
    assert_eq!(answered.status, 0, "{answered:?}");
    assert_eq!(
        answered.json()["runs"][0]["conclusion"],
        "succeeded",
        "{answered:?}"
    );
    gate.vercel.stop().await;
    gate.running.stop().await.unwrap();
}
