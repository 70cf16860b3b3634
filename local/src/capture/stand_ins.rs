//! The alert channels beside Slack and email, each stood in for by a server of its own.
//! Every stand-in has one random secret, from which it makes what proves a message.

use bytes::Bytes;
use http::Request;

use super::{Reply, discord, ntfy, pagerduty, teams, telegram, twilio, webhook};
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

/// All of them.
pub(crate) const ALL: [StandIn; 7] = [
    discord::STAND_IN,
    webhook::STAND_IN,
    pagerduty::STAND_IN,
    twilio::STAND_IN,
    ntfy::STAND_IN,
    telegram::STAND_IN,
    teams::STAND_IN,
];

/// Each with the variable that says where it answers.
pub fn places() -> impl Iterator<Item = (Service, &'static str)> {
    ALL.iter()
        .filter_map(|stand_in| Some((stand_in.service, (stand_in.variables)("", "").first()?.0)))
}
