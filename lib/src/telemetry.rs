//! Logs and error reports.
//!
//! Logs are JSON lines on standard output. Sentry is started only when a DSN is
//! set, sends through the bundle's own HTTP client, and gets every line logged
//! as an error, plus the check-ins of scheduled runs. Each request has a hub of
//! its own, or breadcrumbs of one request would appear in another's report.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use secrecy::ExposeSecret;
use sentry::{
    ClientOptions, Hub, Transport, TransportFactory, TransportOptions,
    integrations::tracing::{BreadcrumbLayer, ErrorLayer},
    protocol::{Envelope, MonitorCheckIn, MonitorCheckInStatus, MonitorConfig, MonitorSchedule},
    transports::ReqwestHttpTransportOptions,
};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{Layer, layer::SubscriberExt, util::SubscriberInitExt};
use uuid::Uuid;

use crate::{
    config::{Config, Environment},
    endpoint::Job,
};
use outside::outbound::Outbound;

/// The running reporters of an instance.
#[derive(Debug, Clone)]
pub struct Telemetry {
    hub: Option<Arc<Hub>>,
    waiting: Waiting,
}

/// Whether a report was made that has not been flushed.
#[derive(Debug, Clone, Default)]
struct Waiting(Arc<AtomicBool>);

impl Telemetry {
    /// Starts logging, and reporting under that function's name if a DSN is set. A
    /// subscriber that is already installed stays.
    #[must_use]
    pub fn start(function: &'static str, config: &Config, outbound: &Outbound) -> Self {
        let waiting = Waiting::default();
        let hub = reporter(function, config, outbound, &waiting);
        let lines = tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .with_filter(LevelFilter::INFO);
        let reports = hub.is_some().then(|| {
            let errors = ErrorLayer::new().with_filter(LevelFilter::ERROR);
            let breadcrumbs = BreadcrumbLayer::new().with_filter(LevelFilter::INFO);
            errors.and_then(breadcrumbs)
        });
        // A second start in one process keeps the first subscriber.
        let _ = tracing_subscriber::registry()
            .with(lines)
            .with(reports)
            .try_init();
        Self { hub, waiting }
    }

    /// A hub for one request.
    #[must_use]
    pub fn hub(&self) -> Arc<Hub> {
        let base = self.hub.clone().unwrap_or_else(Hub::main);
        Arc::new(Hub::new_from_top(base))
    }

    /// Sends what is waiting, for at most `limit`. Never holds up the runtime,
    /// and costs nothing when nothing was reported.
    pub async fn flush(&self, limit: Duration) {
        if !self.waiting.0.swap(false, Ordering::AcqRel) {
            return;
        }
        let Some(client) = self.hub.as_ref().and_then(|hub| hub.client()) else {
            return;
        };
        let sent = tokio::task::spawn_blocking(move || client.flush(Some(limit)));
        // Reports that cannot be sent in time are lost on purpose.
        let _ = tokio::time::timeout(limit, sent).await;
    }

    /// Whether there is anything to flush.
    #[must_use]
    pub fn has_reports(&self) -> bool {
        self.waiting.0.load(Ordering::Acquire)
    }
}

fn reporter(
    function: &'static str,
    config: &Config,
    outbound: &Outbound,
    waiting: &Waiting,
) -> Option<Arc<Hub>> {
    let dsn = config.sentry_dsn.as_ref()?.expose_secret().parse().ok()?;
    let client = outbound.client().ok()?.clone();
    let deployment = &config.deployment;
    let release = deployment.commit.clone();
    let mut options = ClientOptions::new()
        .release(release.unwrap_or_else(|| format!("pourtrait-ops@{}", crate::VERSION)))
        .environment(deployment.environment.as_str())
        .server_name(function)
        .transport(SharedClient {
            client,
            waiting: waiting.clone(),
        });
    options.dsn = Some(dsn);
    let client = Arc::new(sentry::Client::with_options(options));
    // Lives as long as the process: dropped, it would wait for the thread that
    // sends, and that may be waiting for a Sentry that does not answer.
    std::mem::forget(Arc::clone(&client));
    Some(Arc::new(Hub::new(Some(client), Arc::default())))
}

/// Sends reports through the bundle's own HTTP client.
struct SharedClient {
    client: reqwest::Client,
    waiting: Waiting,
}

impl TransportFactory for SharedClient {
    fn create_transport_with_options(&self, options: TransportOptions) -> Arc<dyn Transport> {
        let options = ReqwestHttpTransportOptions::from(options).with_client(self.client.clone());
        Arc::new(Noting {
            inner: Arc::new(options.build()),
            waiting: self.waiting.clone(),
        })
    }
}

/// A transport that notes that there is something to flush. Flushing waits on a
/// thread of its own, which most requests have no reason to start.
struct Noting {
    inner: Arc<dyn Transport>,
    waiting: Waiting,
}

impl Transport for Noting {
    fn send_envelope(&self, envelope: Envelope) {
        self.waiting.0.store(true, Ordering::Release);
        self.inner.send_envelope(envelope);
    }

    fn flush(&self, limit: Duration) -> bool {
        self.inner.flush(limit)
    }

    fn shutdown(&self, limit: Duration) -> bool {
        self.inner.shutdown(limit)
    }
}

/// Tells Sentry how a scheduled run is going, under one id from start to end.
/// Without a DSN it does nothing.
pub fn check_in(environment: Environment, job: &Job, run: Uuid, status: MonitorCheckInStatus) {
    let Some(client) = Hub::current().client() else {
        return;
    };
    let check_in = MonitorCheckIn {
        check_in_id: run,
        monitor_slug: format!("pourtrait-{}", job.name),
        status,
        environment: Some(environment.as_str().to_owned()),
        duration: None,
        monitor_config: Some(MonitorConfig {
            schedule: MonitorSchedule::Crontab {
                value: job.schedule.to_owned(),
            },
            checkin_margin: Some(2),
            max_runtime: Some(u64::from(job.endpoint.spec().max_duration_s.div_ceil(60))),
            timezone: Some("UTC".to_owned()),
            failure_issue_threshold: None,
            recovery_threshold: None,
        }),
    };
    let mut envelope = Envelope::new();
    envelope.add_item(check_in);
    client.send_envelope(envelope);
}
