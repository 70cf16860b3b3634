//! The alert channels beside Slack and email, each stood in for by a server of its own.
//! Every stand-in has one random secret, from which it makes what proves a message.

use bytes::Bytes;
use http::Request;

use super::Reply;
use crate::fault::Service;

/// How a stand-in answers.
pub(crate) type Replies = Box<dyn Fn(&Request<Bytes>) -> Reply + Send + Sync>;

/// An alert channel that is stood in for.
pub(crate) struct StandIn {
    /// What it is called where it breaks.
    pub(crate) service: Service,
    /// How it answers, given its secret.
    pub(crate) replies: fn(&str) -> Replies,
    /// The variables that open the channel, given the secret and where it answers. The
    /// first one is a URL there.
    pub(crate) variables: fn(&str, &str) -> Vec<(&'static str, String)>,
}
