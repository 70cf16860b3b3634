//! The roles that the project's keys really have: the database is asked with each.

use ops::{
    config::{Supabase, SupabaseKey},
    rpc::{Call, Retry, Rpc, RpcError},
};
use outside::{clock::Deadline, outbound::Outbound};
use serde::Serialize;
use serde_json::Value;

use super::{
    PROBE_TIMEOUT,
    finding::{Finding, Level},
};
use crate::environment::Environment;

const SUBJECT: &str = "keys";

/// What the database says to a role without the right, by SQLSTATE.
const FORBIDDEN: &str = "42501";

/// A function that the server's key alone may call.
#[derive(Debug, Serialize)]
struct Ping {}

impl Call for Ping {
    const NAME: &'static str = "ops_ping";
    const RETRY: Retry = Retry::Read;
    type Output = Value;
}

/// A finding for each key that is set; none where no project is named.
pub(super) async fn look(environment: &Environment) -> Vec<Finding> {
    let config = environment.config();
    let Some(supabase) = config.supabase else {
        return Vec::new();
    };
    let mut findings = vec![server(&asked(supabase.clone()).await)];
    if let Some(key) = config.publishable_key {
        // Both forms travel as the secret ones do.
        let key = if key.starts_with("sb_") {
            SupabaseKey::Opaque(key.into())
        } else {
            SupabaseKey::Legacy(key.into())
        };
        let outcome = asked(Supabase { key, ..supabase }).await;
        findings.push(pages(&outcome));
    }
    findings
}

async fn asked(supabase: Supabase) -> Result<Value, RpcError> {
    let deadline = Deadline::after(PROBE_TIMEOUT);
    Rpc::new(supabase)
        .call(&Outbound::default(), &Ping {}, deadline)
        .await
}

/// What the secret key can do.
fn server(outcome: &Result<Value, RpcError>) -> Finding {
    match outcome {
        Ok(_) => Finding::new(Level::Ok, SUBJECT, "the secret key has role service_role"),
        Err(RpcError::Refused { code, .. }) if code == FORBIDDEN => Finding::new(
            Level::Error,
            SUBJECT,
            "the secret key lacks role service_role: copy the secret key of Settings, API keys, into SUPABASE_SECRET_KEY",
        ),
        Err(error) => unknown("secret", error),
    }
}

/// What the publishable key can do: it must be known, and must not be enough.
fn pages(outcome: &Result<Value, RpcError>) -> Finding {
    match outcome {
        Ok(_) => Finding::new(
            Level::Error,
            SUBJECT,
            "the publishable key may call the bundle's functions: put the publishable key in its place, or run `pourtrait migrate` if somebody granted them to anon",
        ),
        Err(RpcError::Refused { code, .. }) if code == FORBIDDEN => Finding::new(
            Level::Ok,
            SUBJECT,
            "the publishable key has role anon, and opens nothing",
        ),
        Err(error) => unknown("publishable", error),
    }
}

fn unknown(which: &str, error: &RpcError) -> Finding {
    match error {
        RpcError::Refused { code, .. } if code == "PGRST202" => {
            let text = format!("the role of the {which} key shows after `pourtrait migrate`");
            Finding::new(Level::Warning, SUBJECT, text)
        }
        RpcError::Refused { status, .. } if status.as_u16() == 401 => {
            let text = format!(
                "the project does not know the {which} key: copy it again from Settings, API keys"
            );
            Finding::new(Level::Error, SUBJECT, text)
        }
        error => {
            let text = format!("the {which} key cannot be tried: {error}");
            Finding::new(Level::Error, SUBJECT, text)
        }
    }
}
