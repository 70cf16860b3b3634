//! Configuration: environment variables, parsed once into types.
//!
//! Parsing never fails as a whole. Each part is there or not, and every fault
//! is kept, so that health can report all of them together and each endpoint
//! closes only for what it needs itself.

mod archive;
mod backups;
mod check_variables;
mod platforms;
mod replica;
mod status_copy;
mod store_place;
pub mod variables;

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderName, HeaderValue};
use outside::secure_url;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

pub use archive::{Archive, ArchivePlace};
pub use backups::{Backup, Database, Drill};
pub use check_variables::CHECK_PREFIX;
pub use platforms::Platforms;
pub use status_copy::StatusCopy;
pub use store_place::StorePlace;

pub use crate::variables::{Fault, FaultKind, Fingerprinter};
use crate::{
    messages::channels::{Channels, email::Mailer},
    variables::Reader,
    web_push::WebPush,
};

/// Everything the bundle knows from its environment.
#[derive(Debug)]
pub struct Config {
    /// The database's API.
    pub supabase: Option<Supabase>,
    /// Where rows are archived before they are deleted by age.
    pub archive: Archive,
    /// What the project knows the app's pages by: with it people sign in.
    pub publishable_key: Option<String>,
    /// Verifies user tokens signed with a shared secret (HS256).
    pub jwt_secret: Option<SecretString>,
    /// Who issues user tokens, where it is not the project at its own URL.
    pub named_jwt_issuer: Option<String>,
    /// Where the app answers.
    pub app_url: Option<Url>,
    /// Where this bundle answers.
    pub base_url: Option<Url>,
    /// Proof of the platform's scheduler.
    pub cron_secret: Option<SecretString>,
    /// Proof of an operator or of CI.
    pub monitoring_api_key: Option<SecretString>,
    /// Lets scrapers read metrics; `None` leaves them to operators and admins.
    pub metrics_token: Option<SecretString>,
    /// `OpenAI`.
    pub openai: Option<Service>,
    /// Google Vision.
    pub vision: Option<Service>,
    /// Resend.
    pub resend: Option<Service>,
    /// Who writes to people that are told of no alerts.
    pub mailer: Option<Mailer>,
    /// The ways to tell people.
    pub channels: Channels,
    /// Who writes to browsers.
    pub web_push: Option<WebPush>,
    /// The dead man's switch that is called while all is well.
    pub heartbeat_url: Option<SecretString>,
    /// What shows Vercel that the door is its owner's, where its drains end here.
    pub drain_verification: Option<String>,
    /// What Vercel signs its drains with.
    pub vercel_drain_secret: Option<SecretString>,
    /// What Vercel signs its webhooks with.
    pub vercel_webhook_secret: Option<SecretString>,
    /// Where errors are reported.
    pub sentry_dsn: Option<SecretString>,
    /// The direct session, for what the database's API cannot do.
    pub database: Option<Database>,
    /// Where backups go; there is a direct session then.
    pub backup: Option<Backup>,
    /// Where a copy of the backups is kept.
    pub replica: Option<StorePlace>,
    /// Where a copy of the status page is kept.
    pub status_copy: Option<StatusCopy>,
    /// Where everybody reads that copy.
    pub status_copy_url: Option<Url>,
    /// The platforms' own APIs.
    pub platforms: Platforms,
    /// Which runtime started the function.
    pub platform: Platform,
    /// What is running, and where.
    pub deployment: Deployment,
    /// The instance's memory in MB, where the platform says so.
    pub memory_mb: Option<u64>,
    /// What the headers of checks may name, by name.
    pub check_variables: BTreeMap<String, SecretString>,
    /// Which value each variable of the documentation has, for who holds the operators'
    /// key; nothing without that.
    pub fingerprints: BTreeMap<&'static str, String>,
    /// Everything that is wrong, in the order of the documentation.
    pub faults: Vec<Fault>,
}

/// How to reach a Supabase project.
#[derive(Debug, Clone)]
pub struct Supabase {
    /// Without a path.
    pub url: Url,
    /// The secret key, in either form.
    pub key: SupabaseKey,
}

/// A Supabase API key in one of its two forms, which travel differently.
#[derive(Debug, Clone)]
pub enum SupabaseKey {
    /// `sb_secret_…`: sent as `apikey`, never as bearer.
    Opaque(SecretString),
    /// A JWT: sent as `apikey` and as bearer.
    Legacy(SecretString),
}

impl SupabaseKey {
    /// The key itself.
    #[must_use]
    pub fn secret(&self) -> &SecretString {
        match self {
            Self::Opaque(key) | Self::Legacy(key) => key,
        }
    }

    /// The headers by which the project's own APIs know it, which are never logged. Keys were
    /// checked to be sendable when the configuration was read.
    #[must_use]
    pub fn headers(&self) -> HeaderMap {
        let value = |text: &str| {
            let mut value = HeaderValue::from_str(text).ok()?;
            value.set_sensitive(true);
            Some(value)
        };
        let key = self.secret().expose_secret();
        let bearer = match self {
            Self::Opaque(_) => None,
            Self::Legacy(_) => value(&format!("Bearer {key}")),
        };
        let named = [("apikey", value(key)), ("authorization", bearer)];
        named
            .into_iter()
            .filter_map(|(name, value)| Some((HeaderName::from_static(name), value?)))
            .collect()
    }
}

/// A service with a key.
#[derive(Debug, Clone)]
pub struct Service {
    /// Its key.
    pub key: SecretString,
    /// Where it answers.
    pub base_url: Url,
}

/// A runtime that serves functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// Vercel's, which is also what a plain start on a laptop uses.
    Vercel,
    /// AWS Lambda's.
    Lambda,
}

/// What is running, and where.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// Which of the app's environments.
    pub environment: Environment,
    /// The platform's id of the deployment.
    pub id: Option<String>,
    /// The commit it was built from.
    pub commit: Option<String>,
    /// The platform's region.
    pub region: Option<String>,
}

/// The app's environments, as its tables name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    /// A laptop.
    Development,
    /// A deployment of a branch.
    Preview,
    /// What users see.
    Production,
}

impl Environment {
    /// The word that the app's tables use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Preview => "preview",
            Self::Production => "production",
        }
    }

    /// The environment of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Development, Self::Preview, Self::Production]
            .into_iter()
            .find(|environment| environment.as_str() == name)
    }
}

impl Config {
    /// Reads the process's environment.
    #[expect(clippy::disallowed_methods, reason = "the one place that may")]
    #[must_use]
    pub fn from_process() -> Self {
        Self::from_lookup(&|name| std::env::var(name).ok())
            .with_check_variables(std::env::vars_os().filter_map(check_variables::text))
    }

    /// Reads variables through `lookup`.
    #[must_use]
    pub fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Self {
        let mut read = Reader::new(lookup);
        let supabase = supabase(&mut read);
        let publishable_key = publishable_key(&mut read);
        let jwt_secret = read.text("SUPABASE_JWT_SECRET").map(SecretString::from);
        let named_jwt_issuer = read.text("SUPABASE_JWT_ISSUER");
        let app_url = read.url(&["NEXT_PUBLIC_APP_URL"]);
        let base_url = base_url(&mut read);
        let cron_secret = read.guard("CRON_SECRET");
        let monitoring_api_key = read.guard("MONITORING_API_KEY");
        let metrics_token = read.guard("METRICS_TOKEN");
        let openai = service(
            &mut read,
            "OPENAI_API_KEY",
            "OPENAI_BASE_URL",
            "https://api.openai.com",
        );
        let vision = service(
            &mut read,
            "GOOGLE_VISION_API_KEY",
            "GOOGLE_VISION_BASE_URL",
            "https://vision.googleapis.com",
        );
        let resend = service(
            &mut read,
            "RESEND_API_KEY",
            "RESEND_BASE_URL",
            "https://api.resend.com",
        );
        let mailer = resend.as_ref().and_then(|Service { key, base_url }| {
            Mailer::open(&read, key.clone(), base_url.clone())
        });
        let channels = Channels::open(&mut read);
        let web_push = WebPush::open(&mut read);
        let heartbeat_url = read.secret_url("HEARTBEAT_URL");
        let drain_verification = read.text("VERCEL_DRAIN_VERIFY");
        let vercel_drain_secret = read.text("VERCEL_DRAIN_SECRET").map(SecretString::from);
        let vercel_webhook_secret = read.text("VERCEL_WEBHOOK_SECRET").map(SecretString::from);
        let sentry_dsn = sentry(&mut read);
        let database = backups::database(&read);
        let backup = backups::backup(&mut read);
        backups::warn_of_identity(&mut read);
        let replica = replica::replica(&mut read, backup.as_ref().map(|backup| &backup.url));
        let archive = archive::archive(&mut read);
        let status_copy = status_copy::status_copy(&mut read);
        let status_copy_url = read.url(&["STATUS_COPY_URL"]);
        let platforms = Platforms::open(&mut read);
        let memory_mb = read
            .text("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
            .and_then(|text| text.parse().ok());
        let platform = platform(&read);
        let deployment = deployment(&mut read);
        let fingerprints = fingerprints(&read, monitoring_api_key.as_ref());
        Self {
            supabase,
            archive,
            publishable_key,
            jwt_secret,
            named_jwt_issuer,
            app_url,
            base_url,
            cron_secret,
            monitoring_api_key,
            metrics_token,
            openai,
            vision,
            resend,
            mailer,
            channels,
            web_push,
            heartbeat_url,
            drain_verification,
            vercel_drain_secret,
            vercel_webhook_secret,
            sentry_dsn,
            database,
            backup,
            replica,
            status_copy,
            status_copy_url,
            platforms,
            platform,
            deployment,
            memory_mb,
            check_variables: BTreeMap::new(),
            fingerprints,
            faults: read.faults,
        }
    }

    /// What user tokens of the project name as their issuer; nothing without a
    /// project.
    #[must_use]
    pub fn jwt_issuer(&self) -> Option<String> {
        self.named_jwt_issuer.clone().or_else(|| {
            let url = self.supabase.as_ref()?.url.as_str();
            Some(format!("{}/auth/v1", url.trim_end_matches('/')))
        })
    }

    /// Whether everything that is required is there and usable. An optional
    /// service that is not configured, or wrongly, does not count.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.supabase.is_some()
    }
}

/// Which value each variable has that somebody sets.
fn fingerprints(read: &Reader, key: Option<&SecretString>) -> BTreeMap<&'static str, String> {
    let Some(fingerprinter) = key.map(Fingerprinter::new) else {
        return BTreeMap::new();
    };
    variables::set_by_hand()
        .filter_map(|variable| {
            let value = read.text(variable.name)?;
            Some((variable.name, fingerprinter.of(variable.name, &value)))
        })
        .collect()
}

fn supabase(read: &mut Reader) -> Option<Supabase> {
    let url = read.url(&["SUPABASE_URL", "NEXT_PUBLIC_SUPABASE_URL"]);
    if read
        .first(&["SUPABASE_URL", "NEXT_PUBLIC_SUPABASE_URL"])
        .is_none()
    {
        read.missing("NEXT_PUBLIC_SUPABASE_URL");
    }
    let names = ["SUPABASE_SECRET_KEY", "SUPABASE_SERVICE_ROLE_KEY"];
    let key = if let Some((name, value)) = read.first(&names) {
        read.keep(name, secret_key(value))
    } else {
        read.missing("SUPABASE_SECRET_KEY");
        None
    };
    Some(Supabase {
        url: url?,
        key: key?,
    })
}

/// Tells the forms apart, and refuses the keys that cannot do the work: a
/// public key in the secret's place would fail later and less clearly.
fn secret_key(value: String) -> Result<SupabaseKey, &'static str> {
    if value.starts_with("sb_secret_") && value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(SupabaseKey::Opaque(value.into()));
    }
    if value.starts_with("sb_") {
        return Err("not a secret key: it starts with `sb_` but not with `sb_secret_`");
    }
    match jwt_role(&value).as_deref() {
        Some("service_role") => Ok(SupabaseKey::Legacy(value.into())),
        Some(_) => Err("a JWT, but not of the role service_role"),
        None => Err("neither `sb_secret_…` nor a JWT"),
    }
}

/// The publishable key, in either form. A secret key in its place would travel where keys
/// are no secret.
fn publishable_key(read: &mut Reader) -> Option<String> {
    let names = ["SUPABASE_PUBLISHABLE_KEY", "NEXT_PUBLIC_SUPABASE_ANON_KEY"];
    let (name, value) = read.first(&names)?;
    let is_sendable = value.bytes().all(|byte| byte.is_ascii_graphic());
    let is_opaque = value.starts_with("sb_publishable_");
    let parsed = if is_sendable && (is_opaque || jwt_role(&value).as_deref() == Some("anon")) {
        Ok(value)
    } else {
        Err("neither `sb_publishable_…` nor a JWT of the role anon")
    };
    read.keep(name, parsed)
}

/// The role that a key claims. Not a proof: the database checks the signature.
fn jwt_role(token: &str) -> Option<String> {
    let mut parts = token.split('.');
    let (_, claims, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else {
        return None;
    };
    let claims: serde_json::Value =
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    Some(claims["role"].as_str()?.to_owned())
}

fn base_url(read: &mut Reader) -> Option<Url> {
    read.url(&["BASE_URL"]).or_else(|| {
        let host = read.text("VERCEL_PROJECT_PRODUCTION_URL")?;
        secure_url::parse(&format!("https://{host}")).ok()
    })
}

fn service(
    read: &mut Reader,
    key: &'static str,
    base_url: &'static str,
    default: &'static str,
) -> Option<Service> {
    let key = read.key(key)?;
    Some(Service {
        key,
        base_url: read.url_or(base_url, default)?,
    })
}

fn sentry(read: &mut Reader) -> Option<SecretString> {
    let value = read.text("SENTRY_DSN")?;
    let parsed = match value.parse::<sentry::types::Dsn>() {
        Ok(_) => secure_url::parse(&value).map(|_| value.into()),
        Err(_) => Err("not a Sentry DSN"),
    };
    read.keep("SENTRY_DSN", parsed)
}

/// Vercel's own functions run on Lambda underneath, so its marks count first.
fn platform(read: &Reader) -> Platform {
    let lambda = read.text("AWS_LAMBDA_RUNTIME_API").is_some();
    if lambda && read.first(&["VERCEL_IPC_PATH", "VERCEL"]).is_none() {
        Platform::Lambda
    } else {
        Platform::Vercel
    }
}

fn deployment(read: &mut Reader) -> Deployment {
    let environment = match read.text("VERCEL_ENV") {
        None => Some(Environment::Development),
        Some(name) => read.keep(
            "VERCEL_ENV",
            Environment::parse(&name).ok_or("neither production, preview nor development"),
        ),
    };
    Deployment {
        environment: environment.unwrap_or(Environment::Production),
        id: read.text("VERCEL_DEPLOYMENT_ID"),
        commit: read.text("VERCEL_GIT_COMMIT_SHA"),
        region: read.text("VERCEL_REGION"),
    }
}

#[cfg(test)]
mod tests;
