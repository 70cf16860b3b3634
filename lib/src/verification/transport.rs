//! What the outside sees of a deployment's encryption and headers, as facts that can be
//! compared.

use jiff::Timestamp;
use outside::clock::{self, Deadline};
use serde::Serialize;
use url::Url;

pub use super::seen::PromisedHeader;
use super::{
    looks, questions,
    seen::Seen,
    subject::{Group, Subject},
};

/// What was seen.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Transport {
    /// Where.
    pub url: Url,
    /// Which version of TLS both sides chose, or what one of them objects to.
    pub protocol: Result<String, String>,
    /// What the server showed of itself.
    pub certificate: Option<ShownCertificate>,
    /// The headers that `vercel.json` promises, page by page.
    pub headers: Vec<PromisedHeader>,
    /// Pages that could not be asked, with the reason.
    pub unreached: Vec<String>,
}

/// A certificate.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownCertificate {
    /// Whom it names.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// When the first one of its chain ends.
    pub ends_at: Timestamp,
}

/// Looks at a deployment by what its address answers everybody.
pub async fn transport(subject: &Subject, deadline: Deadline) -> Transport {
    let subject = Subject {
        groups: vec![Group::Transport],
        // No answer needs an operator's proof, so it is not sent.
        operator_key: None,
        ..subject.clone()
    };
    let seen = questions::ask(&subject, clock::now(), deadline).await;
    Transport {
        url: subject.url.clone(),
        protocol: protocol(&seen),
        certificate: certificate(&seen),
        headers: seen
            .pages
            .iter()
            .filter_map(|(path, reply)| Some((path, reply.as_ref().ok()?)))
            .flat_map(|(path, answer)| looks::promised_headers(path, &answer.headers))
            .collect(),
        unreached: seen
            .pages
            .iter()
            .filter_map(|(path, reply)| Some(format!("{path}: {}", reply.as_ref().err()?)))
            .collect(),
    }
}

fn protocol(seen: &Seen<'_>) -> Result<String, String> {
    match &seen.handshake {
        Some(handshake) => handshake.result.clone(),
        None => Err("there is no TLS at that address".to_owned()),
    }
}

fn certificate(seen: &Seen<'_>) -> Option<ShownCertificate> {
    let chain = seen.handshake.as_ref()?.chain.as_ref()?;
    Some(ShownCertificate {
        subject: chain.leaf.subject.clone(),
        issuer: chain.issuer().to_owned(),
        ends_at: chain.first_to_end().not_after,
    })
}
