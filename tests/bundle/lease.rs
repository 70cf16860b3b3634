//! The lease of a run that works longer than its lease lasts.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use http::StatusCode;
use local_supabase::server::Server;
use ops::{
    app::App,
    auth::Starter,
    endpoint::Job,
    jobs::{self, Claim, Lease, Order, Patience, Run},
};
use outside::clock::Deadline;
use uuid::Uuid;

use crate::{
    proxy::{self, Verdict},
    support::Bundle,
};

fn deadline() -> Deadline {
    Deadline::after(std::time::Duration::from_secs(10))
}

/// A run of the backup whose heart beats as fast as the database answers.
async fn claimed(app: &App) -> Run {
    let job = Job {
        renewed_every_s: Some(0),
        ..Job::BACKUP
    };
    let order = Order {
        job,
        starter: Starter::Operator,
        patience: Patience::Once,
    };
    let claim = jobs::claim(app, order, Uuid::new_v4(), deadline()).await;
    match claim.unwrap() {
        Claim::Claimed(run) => run,
        Claim::Skipped { reason, .. } => panic!("{reason}"),
    }
}

/// The bundle's database behind a wire on which renewal after renewal is passed
/// on or refused, as `passes` says of its number.
async fn renewals(
    bundle: &mut Bundle,
    passes: impl Fn(usize) -> bool + Send + Sync + 'static,
) -> (Server, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&count);
    let proxy = proxy::in_front_of(bundle.stack.supabase_url(), move |request| {
        if !request.uri().path().ends_with("ops_extend_lease") {
            return Verdict::Pass;
        }
        if passes(seen.fetch_add(1, Ordering::SeqCst)) {
            Verdict::Pass
        } else {
            Verdict::Refuse(StatusCode::SERVICE_UNAVAILABLE)
        }
    })
    .await;
    bundle.env.insert("SUPABASE_URL".into(), proxy.url());
    (proxy, count)
}

#[tokio::test]
async fn a_lease_is_held_until_the_database_is_silent_three_times_in_a_row() {
    let mut bundle = Bundle::start().await;
    // Each renewal is asked for twice before it counts as unanswered: two are
    // lost, one is answered, and then none.
    let (_proxy, count) = renewals(&mut bundle, |number| number < 3 || number == 7).await;
    let app = App::new(bundle.config());
    let run = claimed(&app).await;
    jobs::hold(&app, &run).await;
    assert_eq!(count.load(Ordering::SeqCst), 3 + 4 + 1 + 6);
}

#[tokio::test]
async fn a_lease_that_another_run_has_is_lost_at_the_next_beat() {
    let bundle = Bundle::start().await;
    let app = App::new(bundle.config());
    let run = claimed(&app).await;
    assert_eq!(
        jobs::extend(&app, &run, deadline()).await.unwrap(),
        Lease::Held
    );
    let taken_over = "update ops.jobs set fence = fence + 1 where job = 'backup'";
    let admin = bundle.admin().await;
    admin.batch_execute(taken_over).await.unwrap();
    jobs::hold(&app, &run).await;
    assert_eq!(
        jobs::extend(&app, &run, deadline()).await.unwrap(),
        Lease::Lost
    );
}

#[tokio::test]
async fn a_job_that_outlives_its_function_is_never_renewed() {
    let mut bundle = Bundle::start().await;
    let (_proxy, count) = renewals(&mut bundle, |_| false).await;
    let app = App::new(bundle.config());
    let run = Run {
        job: Job::MONITOR,
        ..claimed(&app).await
    };
    assert!(futures_util::FutureExt::now_or_never(jobs::hold(&app, &run)).is_none());
    assert_eq!(count.load(Ordering::SeqCst), 0);
}
