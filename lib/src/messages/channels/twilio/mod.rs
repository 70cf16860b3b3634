//! Twilio's REST API: texts to phones, and calls in which a voice reads the alert and
//! waits for a digit. `POST` of a form with the account's credentials, answered with 201
//! and the name of what was queued, or with `{"code", "message", "status"}`.
//!
//! Twilio cannot tell a repetition apart, so a message whose answer was lost may be sent
//! twice. That is better than not at all. What comes back is signed with the account's
//! token in `X-Twilio-Signature`.
//!
//! See twilio.com/docs: "Messages resource", "Calls resource", "Gather" and "Webhooks
//! security".

mod account;
mod form;
mod signature;
mod speech;
mod text;
mod twiml;

use std::time::Duration;

use futures_util::future::BoxFuture;
use outside::{clock::Deadline, outbound::Outbound};

use self::account::Account;
use super::{
    Channel, Definition, Delivery, Outgoing, Reach, Sender,
    callback::{Callback, CalledBack, Refused},
    shared,
};
use crate::variables::{Group, plain, secret};

/// Texts to phones.
pub const SMS: Channel = Channel(&Definition {
    word: "sms",
    name: "SMS",
    reach: Reach::Phone,
    // A long number sends one a second.
    pace: Duration::from_secs(1),
    knows_what_was_said: false,
    variables: Group {
        title: "Texts and calls by Twilio",
        without: "The first three open the channel: whoever an alert asks and has a phone gets a text and a call (`pourtrait contacts edit NAME --address sms=+49… --address voice=+49…`).",
        variables: &[
            plain("TWILIO_ACCOUNT_SID", "", "The account, `AC…`."),
            secret(
                "TWILIO_AUTH_TOKEN",
                "The account's token: it sends, and proves what comes back.",
            ),
            plain(
                "TWILIO_FROM",
                "",
                "Who sends: a number of the account, `+…`, whose messages come back to `BASE_URL/api/alerts/acknowledge?channel=sms`; or a messaging service, `MG…`, which sends texts and makes no calls.",
            ),
            plain(
                "TWILIO_API_URL",
                "https://api.twilio.com",
                "Where Twilio's API answers.",
            ),
        ],
    },
    open: |read| Some(shared(Texts(Account::read(read)?))),
});

/// Calls to phones.
pub const VOICE: Channel = Channel(&Definition {
    word: "voice",
    name: "phone call",
    reach: Reach::Call,
    // It makes one call a second.
    pace: Duration::from_secs(1),
    knows_what_was_said: false,
    variables: Group {
        title: "Calls by Twilio",
        without: "Nothing more than for texts: a number of the account calls.",
        variables: &[],
    },
    open: |read| Some(shared(Calls(Account::read(read)?.with_a_number()?))),
});

/// Sends texts.
#[derive(Debug)]
struct Texts(Account);

impl Sender for Texts {
    fn send<'a>(
        &'a self,
        outgoing: Outgoing<'a>,
        outbound: &'a Outbound,
        deadline: Deadline,
    ) -> BoxFuture<'a, Delivery> {
        Box::pin(async move {
            let Some(to) = outgoing.content.address_on(SMS.as_str()) else {
                return account::nobody();
            };
            let body = text::of(outgoing.content);
            self.0.text(to, &body, outbound, deadline).await
        })
    }

    fn identify<'a>(
        &'a self,
        outbound: &'a Outbound,
        deadline: Deadline,
    ) -> Option<BoxFuture<'a, Result<(), &'static str>>> {
        Some(Box::pin(self.0.identify(outbound, deadline)))
    }

    fn called_back(&self, call: &Callback<'_>) -> Result<CalledBack, Refused> {
        text::answered(&self.0.proven(call)?)
    }
}

/// Makes calls.
#[derive(Debug)]
struct Calls(Account);

impl Sender for Calls {
    fn send<'a>(
        &'a self,
        outgoing: Outgoing<'a>,
        outbound: &'a Outbound,
        deadline: Deadline,
    ) -> BoxFuture<'a, Delivery> {
        Box::pin(async move {
            let Some(to) = outgoing.content.address_on(VOICE.as_str()) else {
                return account::nobody();
            };
            let speech = speech::of(outgoing.content);
            self.0.call(to, &speech, outbound, deadline).await
        })
    }

    fn called_back(&self, call: &Callback<'_>) -> Result<CalledBack, Refused> {
        speech::answered(&self.0.proven(call)?, call.url)
    }
}

#[cfg(test)]
mod tests;
