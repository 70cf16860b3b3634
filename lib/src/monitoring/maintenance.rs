//! `/api/cron/maintenance`: reads the on-call calendars and the platforms' own APIs, asks for drills
//! that are due, then rolls up
//! what is past and deletes what is old, a part at a time, until nothing is left or
//! the time is up. Then it counts funnels anew, one at a time, queues reports that are
//! due, keeps what is used of resources, and deletes what is older than it is kept. What is a part, and what is
//! left, the database says.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join3;
use http::Request;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{resources, retention};
use crate::{
    app::App,
    auth::Starter,
    backups::drill_dispatch,
    endpoint::{Job, Route},
    handler::{Answer, Handler, Routes},
    jobs::{self, Ended, Order, Outcome, Patience, Run, Unclaimed},
    oncall, platform_watch,
    privacy::{addresses, asked_exports},
    reports,
    rpc::{Call, Retry, RpcError},
    security_report,
};
use outside::clock::Deadline;

/// What a part may take. The next one is begun only where it can end.
const PART: Duration = Duration::from_secs(10);

/// What reading the calendars and the platforms and asking for drills may take, side by side.
const READING: Duration = Duration::from_secs(15);

/// One part of the work.
#[derive(Debug, Serialize)]
struct Maintain {
    p_run: Uuid,
    p_fence: i64,
}

/// What comes after a part.
#[derive(Debug, Deserialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
enum Maintained {
    /// Another part.
    More,
    /// Nothing is left.
    Done,
    /// Another run has taken over.
    Superseded,
}

impl Call for Maintain {
    const NAME: &'static str = "ops_maintain";
    // A part that is done twice changes nothing, but the next run is soon.
    const RETRY: Retry = Retry::Never;
    type Output = Maintained;
}

/// The funnel whose result is too old for longest.
#[derive(Debug, Serialize)]
struct RefreshFunnels {
    p_run: Uuid,
    p_fence: i64,
}

impl Call for RefreshFunnels {
    const NAME: &'static str = "ops_refresh_funnels";
    // The next run is soon.
    const RETRY: Retry = Retry::Never;
    type Output = Maintained;
}

/// What answers `/api/cron/maintenance`.
#[must_use]
pub fn routes() -> Routes {
    Routes::new(Route::MAINTENANCE, RunsMaintenance)
}

#[derive(Debug)]
struct RunsMaintenance;

impl Handler<Starter> for RunsMaintenance {
    async fn handle(
        &self,
        app: &App,
        starter: Starter,
        _: Request<Bytes>,
        deadline: Deadline,
    ) -> Answer {
        let order = Order {
            job: Job::MAINTENANCE,
            starter,
            patience: Patience::Once,
        };
        let work = async |run: &Run| {
            let reading = deadline.within(READING);
            let (calendars, platforms, drills) = join3(
                Box::pin(oncall::read_calendars(app, reading)),
                Box::pin(platform_watch::read_platforms(app, reading)),
                Box::pin(drill_dispatch::ask_for_due(app, reading)),
            )
            .await;
            let mut ended = maintain(app, run, deadline).await;
            note_calendars(&mut ended, calendars);
            note_platforms(&mut ended, platforms);
            note_drills(&mut ended, drills);
            if ended.outcome == Outcome::Done {
                let funnels = refresh_funnels(app, run, deadline).await;
                ended.details.insert("funnels".to_owned(), json!(funnels));
                let audited = security_report::monthly::keep_due(app, run, deadline).await;
                ended
                    .details
                    .insert("securityReport".to_owned(), json!(audited));
                let reports = reports::queue_due(app, run, deadline).await;
                ended.details.insert("reports".to_owned(), json!(reports));
                match resources::keep(app, run, deadline).await {
                    Ok(known) => {
                        ended.details.insert("resources".to_owned(), json!(known));
                    }
                    Err(error) => tracing::error!(%error, "what is used of resources is not kept"),
                }
                note_exports(&mut ended, asked_exports::make(app, deadline).await);
                note_shortened(&mut ended, addresses::shorten(app, run, deadline).await);
                note_forgotten(&mut ended, retention::forget(app, run, deadline).await);
            }
            jobs::record(app, run, ended, deadline).await
        };
        let report = jobs::run(app, order, deadline, work).await;
        report.unwrap_or_else(Unclaimed::report).answer()
    }
}

/// Nothing is kept from being done because a calendar could not be read, and a rule
/// tells of one that stays unread.
fn note_calendars(ended: &mut Ended, calendars: Result<oncall::Report, RpcError>) {
    match calendars {
        Ok(report) if report == oncall::Report::default() => {}
        Ok(report) => {
            ended.details.insert("calendars".to_owned(), json!(report));
        }
        Err(error) => tracing::error!(%error, "which calendars are due is not known"),
    }
}

/// The same holds for the platforms, whose errors are kept with their readings.
fn note_platforms(ended: &mut Ended, platforms: Result<platform_watch::Report, RpcError>) {
    match platforms {
        Ok(report) if report == platform_watch::Report::default() => {}
        Ok(report) => {
            ended.details.insert("platforms".to_owned(), json!(report));
        }
        Err(error) => tracing::error!(%error, "which platforms are due is not known"),
    }
}

/// And for drills, of which a rule tells when they stay away.
fn note_drills(ended: &mut Ended, drills: Result<drill_dispatch::Report, RpcError>) {
    match drills {
        Ok(report) if report == drill_dispatch::Report::default() => {}
        Ok(report) => {
            ended.details.insert("drills".to_owned(), json!(report));
        }
        Err(error) => tracing::error!(%error, "which drills are due is not known"),
    }
}

fn note_exports(ended: &mut Ended, made: Result<asked_exports::Report, RpcError>) {
    match made {
        Ok(report) if report == asked_exports::Report::default() => {}
        Ok(report) => {
            ended.details.insert("exports".to_owned(), json!(report));
        }
        Err(error) => tracing::error!(%error, "which exports people asked for is not known"),
    }
}

fn note_shortened(ended: &mut Ended, shortened: Result<addresses::Report, RpcError>) {
    match shortened {
        Ok(report) if report == addresses::Report::default() => {}
        Ok(report) => {
            ended.details.insert("addresses".to_owned(), json!(report));
        }
        Err(error) => tracing::error!(%error, "addresses of networks are not shortened"),
    }
}

/// What is left is gone on with by the next run.
fn note_forgotten(ended: &mut Ended, forgotten: Result<retention::Report, RpcError>) {
    match forgotten {
        Ok(report) => {
            if !report.is_done() {
                ended.outcome = Outcome::Partial;
            }
            ended.details.insert("retention".to_owned(), json!(report));
        }
        Err(error) => tracing::error!(%error, "what is older than it is kept is not known"),
    }
}

async fn maintain(app: &App, run: &Run, deadline: Deadline) -> Ended {
    let call = Maintain {
        p_run: run.id,
        p_fence: run.fence,
    };
    let mut parts = 0_u32;
    while deadline.remaining() > PART {
        match app.call(&call, deadline).await {
            Ok(Maintained::More) => parts += 1,
            Ok(Maintained::Done) => return ended(Outcome::Done, parts + 1, None),
            Ok(Maintained::Superseded) => {
                return ended(Outcome::Partial, parts, Some("another run took over"));
            }
            Err(error) => {
                tracing::error!(%error, parts, "the maintenance cannot go on");
                let reason = Some("the database could not do a part");
                return ended(Outcome::Failed, parts, reason);
            }
        }
    }
    ended(Outcome::Partial, parts, Some("the next run goes on"))
}

/// Counts what is due as far as time allows, and says how many that were. The database
/// keeps what could not be counted, and the next run goes on.
async fn refresh_funnels(app: &App, run: &Run, deadline: Deadline) -> u32 {
    let call = RefreshFunnels {
        p_run: run.id,
        p_fence: run.fence,
    };
    let mut counted = 0;
    while deadline.remaining() > PART {
        match app.call(&call, deadline).await {
            Ok(Maintained::More) => counted += 1,
            Ok(Maintained::Done | Maintained::Superseded) => break,
            Err(error) => {
                tracing::error!(%error, "a funnel could not be counted");
                break;
            }
        }
    }
    counted
}

fn ended(outcome: Outcome, parts: u32, reason: Option<&str>) -> Ended {
    let mut details: Map<String, Value> = Map::new();
    details.insert("parts".to_owned(), json!(parts));
    if let Some(reason) = reason {
        details.insert("reason".to_owned(), json!(reason));
    }
    Ended { outcome, details }
}
