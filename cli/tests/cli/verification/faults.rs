//! The faults that are seeded, each with the looks that have to find it, and no others.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use local_supabase::platforms::vercel::State;
use ops::verification::subject::{Group, Subject};
use outside::clock;
use serde_json::{Value, json};

use super::front::{Breaks, Certificate};

/// One thing that is wrong.
pub(super) struct Fault {
    pub(super) name: &'static str,
    pub(super) group: Group,
    pub(super) found_by: &'static [&'static str],
    pub(super) seed: Seed,
}

/// How it is made.
pub(super) enum Seed {
    /// An answer of the bundle is changed on its way.
    Answer(Breaks),
    /// What is looked at is not what it should be.
    Subject(fn(&mut Subject)),
    /// Another certificate is shown.
    Certificate(Certificate),
    /// Vercel says something else of the project.
    Vercel(fn(&mut State)),
    /// Supabase says something else of its backups.
    Provider(fn(&mut Value)),
    /// The build has what it must not have.
    Build,
    /// No build is at hand, and Vercel shows that of what was uploaded.
    Upload(&'static str),
}

const fn fault(
    name: &'static str,
    group: Group,
    found_by: &'static [&'static str],
    seed: Seed,
) -> Fault {
    Fault {
        name,
        group,
        found_by,
        seed,
    }
}

use Group::{
    Access, Backups, Configuration, Health, Jobs, Page, Platform, Services, Speed, Transport,
};
use Seed::{Answer, Provider, Subject as Of, Vercel};

pub(super) const ALL: &[Fault] = &[
    // How it is reached.
    fault(
        "a wrong header",
        Transport,
        &["headers"],
        Answer(|request, response| {
            if at(request, "/dashboard") {
                header(response, "content-security-policy", "default-src *");
            }
        }),
    ),
    fault(
        "HSTS is missing",
        Transport,
        &["headers"],
        Answer(|_, response| {
            response.headers_mut().remove("strict-transport-security");
        }),
    ),
    fault(
        "HSTS is too short",
        Transport,
        &["headers"],
        Answer(|_, response| {
            header(
                response,
                "strict-transport-security",
                "max-age=60; includeSubDomains",
            );
        }),
    ),
    fault(
        "frames are allowed",
        Transport,
        &["headers"],
        Answer(|_, response| {
            response.headers_mut().remove("x-frame-options");
        }),
    ),
    fault(
        "a redirect to elsewhere",
        Transport,
        &["reachable"],
        Answer(|_, response| {
            *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
            header(response, "location", "https://elsewhere.example/");
        }),
    ),
    fault(
        "http instead of https",
        Transport,
        &["encryption", "reachable", "headers"],
        Of(|subject| {
            subject.url = "http://ops.invalid/".parse().unwrap();
        }),
    ),
    fault(
        "an expired certificate",
        Transport,
        &["reachable", "certificate", "headers"],
        Seed::Certificate(Certificate::Expired),
    ),
    fault(
        "a certificate that ends in days",
        Transport,
        &["certificate"],
        Seed::Certificate(Certificate::Ending),
    ),
    fault(
        "a certificate of nobody's",
        Transport,
        &["reachable", "certificate", "headers"],
        Seed::Certificate(Certificate::Unknown),
    ),
    fault(
        "the bypass secret was rotated",
        Transport,
        &["protection"],
        Answer(|_, response| {
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            *response.body_mut() = Bytes::from_static(b"<title>Authentication Required</title>");
        }),
    ),
    fault(
        "protection sends to its sign-in",
        Transport,
        &["reachable", "protection"],
        Answer(|_, response| {
            *response.status_mut() = StatusCode::FOUND;
            header(response, "location", "https://vercel.com/sso-api?url=x");
        }),
    ),
    // Whether it works.
    fault(
        "unhealthy",
        Health,
        &["health"],
        Answer(|request, response| {
            if at(request, "/api/health") {
                *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                edit(response, |health| health["status"] = json!("unhealthy"));
            }
        }),
    ),
    fault(
        "the database is down",
        Health,
        &["health", "database"],
        Answer(|request, response| {
            if at(request, "/api/health") {
                *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                edit(response, |health| {
                    health["status"] = json!("unhealthy");
                    health["services"]["database"]["status"] = json!("unhealthy");
                });
            }
        }),
    ),
    fault(
        "a service fails",
        Services,
        &["services"],
        Answer(|request, response| {
            if at(request, "/api/health") {
                edit(response, |health| {
                    health["status"] = json!("degraded");
                    health["services"]["email"]["status"] = json!("unhealthy");
                });
            }
        }),
    ),
    fault(
        "the dashboard fails",
        Health,
        &["dashboard"],
        Answer(|request, response| {
            if at(request, "/api/monitoring/dashboard") {
                *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            }
        }),
    ),
    fault(
        "the deployment knows another key",
        Health,
        &["dashboard"],
        Answer(|request, response| {
            if at(request, "/api/monitoring/dashboard") {
                *response.status_mut() = StatusCode::UNAUTHORIZED;
            }
        }),
    ),
    fault(
        "a message was given up",
        Services,
        &["messages"],
        Answer(|request, response| {
            dashboard(request, response, |data| {
                data["outbox"]["dead"] = json!([{"id": "x"}]);
            });
        }),
    ),
    fault(
        "health is kept by a cache",
        Health,
        &["caching"],
        Answer(|request, response| {
            if at(request, "/api/health") {
                header(response, "age", "60");
            }
        }),
    ),
    fault(
        "health may be kept",
        Health,
        &["caching"],
        Answer(|request, response| {
            if at(request, "/api/health") {
                header(response, "cache-control", "public, s-maxage=600");
            }
        }),
    ),
    // What it is.
    fault(
        "another project's deployment",
        Configuration,
        &["project"],
        Vercel(|state| {
            state.deployments.all[0].project = ("prj_other".to_owned(), "other".to_owned());
        }),
    ),
    fault(
        "nobody's deployment",
        Configuration,
        &["project"],
        Vercel(|state| {
            state.deployments.all.clear();
        }),
    ),
    fault(
        "another app answers",
        Configuration,
        &["project", "environment", "release", "configuration"],
        Answer(|_, response| *response.body_mut() = Bytes::from_static(b"{\"ok\":true}")),
    ),
    fault(
        "a preview in production's place",
        Configuration,
        &["environment"],
        Answer(|request, response| {
            if at(request, "/api/health") {
                edit(response, |health| health["environment"] = json!("preview"));
            }
        }),
    ),
    fault(
        "an older release",
        Configuration,
        &["release"],
        Answer(|request, response| {
            if at(request, "/api/health") {
                edit(response, |health| health["version"] = json!("0.0.1"));
            }
        }),
    ),
    fault(
        "a variable is missing when it runs",
        Configuration,
        &["configuration"],
        Answer(|request, response| {
            if at(request, "/api/health") {
                edit(response, |health| {
                    health["configuration"]["valid"] = json!(false);
                    health["configuration"]["missing"] = json!(["SUPABASE_SECRET_KEY"]);
                });
            }
        }),
    ),
    fault(
        "a variable is invalid",
        Configuration,
        &["configuration"],
        Answer(|request, response| {
            if at(request, "/api/health") {
                edit(response, |health| {
                    health["configuration"]["invalid"] = json!([{"variable": "CRON_SECRET", "reason": "shorter than 16 characters"}]);
                });
            }
        }),
    ),
    // Whom it lets in.
    fault(
        "the dashboard is open",
        Access,
        &["dashboard_closed"],
        Answer(|request, response| {
            opens(request, response, "/api/monitoring/dashboard");
        }),
    ),
    fault(
        "the dashboard is closed to everybody",
        Access,
        &["dashboard_closed"],
        Answer(|request, response| {
            if at(request, "/api/monitoring/dashboard") {
                *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            }
        }),
    ),
    fault(
        "a cron is open",
        Access,
        &["doors"],
        Answer(|request, response| {
            opens(request, response, "/api/cron/maintenance");
        }),
    ),
    fault(
        "raising alerts is open",
        Access,
        &["doors"],
        Answer(|request, response| {
            if request.method() == Method::POST {
                opens(request, response, "/api/alerts/dispatch");
            }
        }),
    ),
    fault(
        "acknowledging is open",
        Access,
        &["doors"],
        Answer(|request, response| {
            opens(request, response, "/api/alerts/acknowledge");
        }),
    ),
    fault(
        "ingest is open",
        Access,
        &["doors"],
        Answer(|request, response| {
            opens(request, response, "/api/ingest");
        }),
    ),
    fault(
        "metrics are open",
        Access,
        &["doors"],
        Answer(|request, response| {
            opens(request, response, "/api/metrics");
        }),
    ),
    fault(
        "CRON_SECRET is missing when it runs",
        Access,
        &["doors"],
        Answer(|request, response| {
            if at(request, "/api/cron/monitor") {
                *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            }
        }),
    ),
    fault(
        "the sources were published",
        Access,
        &["sources"],
        Answer(|request, response| {
            if at(request, "/Cargo.toml") {
                *response.status_mut() = StatusCode::OK;
                header(response, "content-type", "application/octet-stream");
            }
        }),
    ),
    // Its jobs.
    fault(
        "a dead cron",
        Jobs,
        &["crons_running"],
        Answer(|request, response| {
            let long_ago = json!("2026-11-01T00:00:00Z");
            job(request, response, "monitor", "lastSlot", long_ago);
        }),
    ),
    fault(
        "a cron that is declared and never fired",
        Jobs,
        &["crons_running"],
        Answer(|request, response| {
            job(request, response, "maintenance", "lastSlot", Value::Null);
        }),
    ),
    fault(
        "a job whose last run failed",
        Jobs,
        &["crons_running"],
        Answer(|request, response| {
            job(request, response, "backup", "lastOutcome", json!("failed"));
        }),
    ),
    fault(
        "a cron that fires two times of three",
        Jobs,
        &["crons_running"],
        Answer(|request, response| {
            job(request, response, "dispatch", "missed24h", json!(480));
        }),
    ),
    fault(
        "a cron that Vercel does not know",
        Jobs,
        &["crons_declared"],
        Vercel(|state| {
            let crons = &mut project(state)["crons"]["definitions"];
            crons.as_array_mut().unwrap().pop();
        }),
    ),
    fault(
        "no crons at all",
        Jobs,
        &["crons_declared"],
        Vercel(|state| {
            project(state)["crons"] = Value::Null;
        }),
    ),
    fault(
        "crons are disabled",
        Jobs,
        &["crons_declared"],
        Vercel(|state| {
            project(state)["crons"]["disabledAt"] = json!(1_764_500_000_000_u64);
        }),
    ),
    fault(
        "a preview fires crons",
        Jobs,
        &["previews"],
        Answer(|request, response| {
            if request
                .uri()
                .query()
                .unwrap_or_default()
                .contains("environment=preview")
            {
                edit(response, |document| {
                    document["data"]["systemHealth"]["lastUpdated"] = json!("2026-11-30T12:00:00Z");
                });
            }
        }),
    ),
    // Its backups.
    fault(
        "a stale backup",
        Backups,
        &["backup"],
        Answer(|request, response| {
            dashboard(request, response, |data| {
                data["backups"]["status"] = json!("overdue");
            });
        }),
    ),
    fault(
        "a suspect backup",
        Backups,
        &["backup"],
        Answer(|request, response| {
            dashboard(request, response, |data| {
                data["backups"]["status"] = json!("suspect");
            });
        }),
    ),
    fault(
        "no backup at all",
        Backups,
        &["backup", "drill"],
        Answer(|request, response| {
            dashboard(request, response, |data| data["backups"] = Value::Null);
        }),
    ),
    fault(
        "a drill is overdue",
        Backups,
        &["drill"],
        Answer(|request, response| {
            dashboard(request, response, |data| {
                data["backups"]["drills"]["status"] = json!("overdue");
            });
        }),
    ),
    fault(
        "a drill failed",
        Backups,
        &["drill"],
        Answer(|request, response| {
            dashboard(request, response, |data| {
                data["backups"]["drills"]["status"] = json!("failed");
            });
        }),
    ),
    fault(
        "a backup is damaged in its store",
        Backups,
        &["drill"],
        Answer(|request, response| {
            dashboard(request, response, |data| {
                data["backups"]["verifications"]["status"] = json!("damaged");
            });
        }),
    ),
    fault(
        "no drill ever",
        Backups,
        &["drill"],
        Answer(|request, response| {
            dashboard(request, response, |data| {
                data["backups"]["drills"] = json!({"status": "not_set_up", "last": null});
            });
        }),
    ),
    fault(
        "the provider's backup failed",
        Backups,
        &["provider_backups"],
        Provider(|document| {
            document["backups"][0]["status"] = json!("FAILED");
        }),
    ),
    fault(
        "the provider's backup is old",
        Backups,
        &["provider_backups"],
        Provider(|document| {
            document["backups"][0]["inserted_at"] = json!("2026-01-01T00:00:00Z");
        }),
    ),
    fault(
        "point-in-time recovery lags",
        Backups,
        &["provider_backups"],
        Provider(|document| {
            let latest = clock::now().as_second() - 3_600;
            document["pitr_enabled"] = json!(true);
            document["physical_backup_data"] = json!({"latest_physical_backup_date_unix": latest});
        }),
    ),
    // How fast it is.
    fault(
        "it fails under load",
        Speed,
        &["load"],
        Answer(|_, response| {
            *response.status_mut() = StatusCode::BAD_GATEWAY;
        }),
    ),
    fault(
        "it is slower than allowed",
        Speed,
        &["load"],
        Of(|subject| {
            subject.slowest = Duration::ZERO;
        }),
    ),
    // What everybody sees.
    fault(
        "a stale status page",
        Page,
        &["status_page"],
        Answer(|request, response| {
            if at(request, "/status/status.json") {
                edit(response, |page| {
                    page["generatedAt"] = json!("2026-11-30T00:00:00Z");
                });
            }
        }),
    ),
    fault(
        "a status page with private words",
        Page,
        &["status_page"],
        Answer(|request, response| {
            if at(request, "/status") {
                *response.body_mut() = Bytes::from_static(b"<p>monitoring_blind since noon</p>");
            }
        }),
    ),
    fault(
        "no status page",
        Page,
        &["status_page"],
        Answer(|request, response| {
            if at(request, "/status") {
                *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            }
        }),
    ),
    // What the platform says.
    fault(
        "production is pinned",
        Platform,
        &["pin"],
        Vercel(|state| {
            state.promotions.is_pinned = true;
        }),
    ),
    fault(
        "autoAssignCustomDomains is missing",
        Platform,
        &["pin"],
        Vercel(|state| {
            state.promotions.omitted.insert("autoAssignCustomDomains");
        }),
    ),
    fault(
        "a function in standalone mode",
        Platform,
        &["standalone"],
        Seed::Build,
    ),
    fault(
        "a function in standalone mode, by what was uploaded",
        Platform,
        &["standalone"],
        Seed::Upload("user-server"),
    ),
];

/// Vercel shows an upload with that file in it.
pub(super) const fn of_upload(file: &'static str) -> Fault {
    fault("an upload", Platform, &[], Seed::Upload(file))
}

fn at(request: &Request<Bytes>, path: &str) -> bool {
    request.uri().path() == path
}

fn header(response: &mut Response<Bytes>, name: &'static str, value: &'static str) {
    response
        .headers_mut()
        .insert(name, HeaderValue::from_static(value));
}

fn edit(response: &mut Response<Bytes>, change: impl FnOnce(&mut Value)) {
    let mut document: Value = serde_json::from_slice(response.body()).unwrap();
    change(&mut document);
    *response.body_mut() = document.to_string().into();
}

fn dashboard(
    request: &Request<Bytes>,
    response: &mut Response<Bytes>,
    change: impl FnOnce(&mut Value),
) {
    if at(request, "/api/monitoring/dashboard") {
        edit(response, |document| change(&mut document["data"]));
    }
}

fn job(
    request: &Request<Bytes>,
    response: &mut Response<Bytes>,
    name: &str,
    key: &str,
    value: Value,
) {
    dashboard(request, response, |data| {
        let jobs = data["jobs"].as_array_mut().unwrap();
        let job = jobs.iter_mut().find(|job| job["job"] == name).unwrap();
        job[key] = value;
    });
}

/// Lets in whoever has no proof.
fn opens(request: &Request<Bytes>, response: &mut Response<Bytes>, path: &str) {
    if at(request, path) && !request.headers().contains_key("authorization") {
        *response.status_mut() = StatusCode::OK;
    }
}

fn project(state: &mut State) -> &mut Value {
    &mut state.projects.find_mut("prj_ops").unwrap().document
}
