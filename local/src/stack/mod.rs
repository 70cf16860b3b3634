//! Everything together: a database, the project's URL, the services beside it
//! and the watched app, and the variables that tell of them.

mod channels;
mod page;
mod platforms;
mod routes;

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc};

use anyhow::Context;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_postgres::Config;
use uuid::Uuid;

use channels::ChannelSecrets;
pub use platforms::Platforms;

use crate::{
    capture::{Capture, Inbox, KeyKind},
    clock::GivenClock,
    fault::{Fault, Faults, Service},
    files::load_or_make,
    gateway::Gateway,
    keys::Keys,
    postgres::Cluster,
    random,
    sample_app::SampleApp,
    server::Server,
    supabase::{self, Content, Project},
};

/// How a stack is run.
#[derive(Clone, Debug)]
pub struct StackOptions {
    /// The database of the project, which must exist.
    pub database: String,
    /// The folder that keeps keys and secrets from one start to the next; `None`
    /// for fresh ones.
    pub data: Option<PathBuf>,
    /// What the Resend key may do.
    pub resend_key: KeyKind,
    /// Which alert channels the variables open.
    pub channels: Channels,
    /// The ports on 127.0.0.1; each that is not named is any free one.
    pub ports: Ports,
}

impl Default for StackOptions {
    fn default() -> Self {
        Self {
            database: "postgres".to_owned(),
            data: None,
            resend_key: KeyKind::Full,
            channels: Channels::Usual,
            ports: Ports::default(),
        }
    }
}

/// The alert channels of a stack. All of them are served, whichever it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Channels {
    /// Slack by its webhook, and email.
    #[default]
    Usual,
    /// Every other one too, and Slack by its bot.
    All,
}

/// One port for each server of a stack.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "each is named after its server")]
pub struct Ports {
    pub supabase: Option<u16>,
    pub app: Option<u16>,
    pub slack: Option<u16>,
    pub resend: Option<u16>,
    pub openai: Option<u16>,
    pub vision: Option<u16>,
    pub vercel: Option<u16>,
    pub github: Option<u16>,
    pub management: Option<u16>,
    /// Those of the other alert channels.
    pub channels: BTreeMap<Service, u16>,
}

/// A running stack. Dropping it closes every port; the database stays.
pub struct Stack {
    /// What breaks and heals.
    faults: Arc<Faults>,
    inbox: Arc<Inbox>,
    clock: GivenClock,
    keys: Arc<Keys>,
    admin: Config,
    supabase: Server,
    app: SampleApp,
    slack: Capture,
    channels: BTreeMap<Service, Capture>,
    resend: Capture,
    openai: Capture,
    vision: Capture,
    platforms: Platforms,
    env: BTreeMap<String, String>,
}

impl Stack {
    /// Starts every server for one database of the cluster, which the caller
    /// keeps running and migrates.
    pub async fn start(cluster: &Cluster, options: StackOptions) -> anyhow::Result<Self> {
        let StackOptions {
            database,
            data,
            resend_key,
            channels,
            ports,
        } = options;
        let faults = Arc::new(Faults::default());
        let inbox = Arc::new(Inbox::default());
        let (keys, secrets) = match &data {
            Some(folder) => {
                fs::create_dir_all(folder)
                    .with_context(|| format!("cannot make the folder {}", folder.display()))?;
                let secrets = load_or_make(&folder.join("secrets.json"), Secrets::generate)?;
                (Keys::load_or_generate(folder)?, secrets)
            }
            None => (Keys::generate()?, Secrets::generate()?),
        };
        let channel_secrets = ChannelSecrets::of(data.as_deref())?;
        let keys = Arc::new(keys);
        let gateway = keys.gateway_config(cluster.authenticator_config(&database));
        let clock = gateway.clock.clone();
        let project = Project {
            keys: Arc::clone(&keys),
            faults: Arc::clone(&faults),
            inbox: Arc::clone(&inbox),
            admin: cluster.admin_config(&database),
            authenticator: cluster.authenticator_config(&database),
            gateway: Gateway::new(gateway)?,
            content: Content::open(data.as_deref())?,
        };
        let supabase = project.serve(ports.supabase).await?;
        keys.set_url(&supabase.url());
        let mut stack = Self {
            supabase,
            app: SampleApp::start(ports.app, &faults).await?,
            slack: Capture::slack(
                ports.slack,
                secrets.slack_path.clone(),
                channel_secrets.bot(),
                &inbox,
                &faults,
            )
            .await?,
            channels: channel_secrets
                .serve(&ports.channels, &inbox, &faults)
                .await?,
            resend: Capture::resend(
                ports.resend,
                secrets.resend.clone(),
                resend_key,
                &inbox,
                &faults,
            )
            .await?,
            openai: Capture::openai(ports.openai, secrets.openai.clone(), &inbox, &faults).await?,
            vision: Capture::vision(ports.vision, secrets.vision.clone(), &inbox, &faults).await?,
            platforms: Platforms::start(&ports, data.as_deref(), &keys).await?,
            admin: cluster.admin_config(&database),
            env: BTreeMap::new(),
            faults,
            inbox,
            clock,
            keys,
        };
        stack.env = stack.variables(&secrets, cluster, &database);
        stack.env.extend(stack.platforms.variables());
        if channels == Channels::All {
            let opened = channel_secrets.variables(&stack.slack, &stack.channels);
            stack.env.extend(opened);
        }
        Ok(stack)
    }

    /// Every variable that tells a deployment of this stack, except those of
    /// the bundle itself (its own URL, backups).
    #[must_use]
    pub fn env(&self) -> BTreeMap<String, String> {
        self.env.clone()
    }

    /// The project's URL (`SUPABASE_URL`), without a slash at the end.
    #[must_use]
    pub fn supabase_url(&self) -> String {
        self.supabase.url()
    }

    /// The watched app's URL (`NEXT_PUBLIC_APP_URL`), without a slash at the
    /// end.
    #[must_use]
    pub fn app_url(&self) -> String {
        self.app.url()
    }

    /// The project's keys.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// What the services received.
    #[must_use]
    pub fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// Slack's stand-in, for scripted answers.
    #[must_use]
    pub fn slack(&self) -> &Capture {
        &self.slack
    }

    /// The stand-in of an alert channel other than Slack and email, for scripted
    /// answers; nothing where the service is none.
    #[must_use]
    pub fn channel(&self, service: Service) -> Option<&Capture> {
        self.channels.get(&service)
    }

    /// Resend's stand-in, for scripted answers.
    #[must_use]
    pub fn resend(&self) -> &Capture {
        &self.resend
    }

    /// `OpenAI`'s stand-in, for scripted answers.
    #[must_use]
    pub fn openai(&self) -> &Capture {
        &self.openai
    }

    /// Google Vision's stand-in, for scripted answers.
    #[must_use]
    pub fn vision(&self) -> &Capture {
        &self.vision
    }

    /// The platforms' own APIs, to be looked at and troubled.
    #[must_use]
    pub fn platforms(&self) -> &Platforms {
        &self.platforms
    }

    /// Makes a confirmed user who can sign in with a password at
    /// `/auth/v1/token`; `app_metadata` is what the server alone can write.
    pub async fn create_user(
        &self,
        email: &str,
        password: &str,
        app_metadata: &Value,
    ) -> anyhow::Result<Uuid> {
        supabase::create_user(&self.admin, email, password, app_metadata).await
    }

    /// Breaks or heals a service. When this returns, it is so.
    pub async fn set_fault(&self, service: Service, fault: impl Into<Fault>) -> anyhow::Result<()> {
        self.faults.set(service, fault.into());
        match service {
            // They share a port, whose other services go on.
            Service::Database | Service::Storage => Ok(()),
            Service::Openai => self.openai.settle().await,
            Service::Vision => self.vision.settle().await,
            Service::Resend => self.resend.settle().await,
            Service::Slack => self.slack.settle().await,
            Service::App => self.app.settle().await,
            Service::Discord
            | Service::Webhook
            | Service::Pagerduty
            | Service::Twilio
            | Service::Ntfy
            | Service::Telegram
            | Service::Teams
            | Service::Push => match self.channel(service) {
                Some(capture) => capture.settle().await,
                None => Ok(()),
            },
        }
    }

    /// Stops every server, after the answers under way.
    pub async fn stop(&self) {
        tokio::join!(
            self.supabase.stop(),
            self.app.stop(),
            self.slack.stop(),
            join_all(self.channels.values().map(Capture::stop)),
            self.resend.stop(),
            self.openai.stop(),
            self.vision.stop(),
            self.platforms.stop(),
        );
    }

    fn variables(
        &self,
        secrets: &Secrets,
        cluster: &Cluster,
        database: &str,
    ) -> BTreeMap<String, String> {
        let webhook = format!("{}{}", self.slack.url(), secrets.slack_path);
        [
            ("NEXT_PUBLIC_SUPABASE_URL", self.supabase_url()),
            ("SUPABASE_URL", self.supabase_url()),
            ("SUPABASE_SECRET_KEY", self.keys.secret_key().to_owned()),
            (
                "SUPABASE_SERVICE_ROLE_KEY",
                self.keys.service_role_jwt().to_owned(),
            ),
            (
                "SUPABASE_PUBLISHABLE_KEY",
                self.keys.publishable_key().to_owned(),
            ),
            (
                "NEXT_PUBLIC_SUPABASE_ANON_KEY",
                self.keys.anon_jwt().to_owned(),
            ),
            ("SUPABASE_JWT_SECRET", self.keys.jwt_secret().to_owned()),
            ("DATABASE_URL", cluster.postgres_url(database)),
            ("DATABASE_CA", cluster.ca_pem_path().display().to_string()),
            ("NEXT_PUBLIC_APP_URL", self.app_url()),
            ("CRON_SECRET", secrets.cron.clone()),
            ("MONITORING_API_KEY", secrets.monitoring.clone()),
            ("OPENAI_API_KEY", secrets.openai.clone()),
            ("OPENAI_BASE_URL", self.openai.url()),
            ("GOOGLE_VISION_API_KEY", secrets.vision.clone()),
            ("GOOGLE_VISION_BASE_URL", self.vision.url()),
            ("RESEND_API_KEY", secrets.resend.clone()),
            ("RESEND_BASE_URL", self.resend.url()),
            ("RESEND_FROM_EMAIL", "alerts@pourtrait.test".to_owned()),
            ("ADMIN_EMAIL", "admin@pourtrait.test".to_owned()),
            ("SLACK_WEBHOOK_URL", webhook),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

/// The secrets beside the project's keys.
#[derive(Serialize, Deserialize)]
struct Secrets {
    cron: String,
    monitoring: String,
    openai: String,
    vision: String,
    resend: String,
    slack_path: String,
}

impl Secrets {
    fn generate() -> anyhow::Result<Self> {
        Ok(Self {
            cron: random::hex::<32>()?,
            monitoring: random::hex::<32>()?,
            openai: format!("sk-local-{}", random::hex::<16>()?),
            vision: format!("AIza{}", random::hex::<16>()?),
            resend: format!("re_{}", random::hex::<12>()?),
            slack_path: format!("/services/T00000000/B00000000/{}", random::hex::<12>()?),
        })
    }
}
