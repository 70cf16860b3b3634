//! A contact, and how a list shows it.

use std::collections::BTreeMap;

use ops::{messages::message_facts::Severity, push_devices::Device};
use serde::Deserialize;
use uuid::Uuid;

use super::{arguments::Way, duty_hours::DutyHours};
use crate::answered::{self, Answered};

/// A contact, as far as commands look at it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Contact {
    pub(super) id: Uuid,
    pub(crate) name: String,
    role: String,
    /// The level of an escalation at which it is asked; none for a stakeholder.
    pub(crate) level: Option<u8>,
    email: Option<String>,
    email_proven_at: Option<String>,
    slack: Option<String>,
    slack_proven_at: Option<String>,
    /// The addresses on other channels.
    #[serde(default)]
    addresses: BTreeMap<String, String>,
    /// When each was proven.
    #[serde(default)]
    addresses_proven_at: BTreeMap<String, String>,
    /// The devices on which push messages reach it.
    #[serde(default)]
    pub(super) devices: Vec<Device>,
    /// By severity, after how many minutes an alert uses each channel.
    #[serde(default)]
    ways: BTreeMap<String, Way>,
    /// None if it is always on duty.
    hours: Option<DutyHours>,
    /// When only critical alerts reach it.
    quiet: Option<DutyHours>,
    zone: String,
    /// The least severity of the incidents that a stakeholder hears of.
    severity: Option<Severity>,
    /// The services that a stakeholder hears of; none means all.
    #[serde(default)]
    services: Vec<String>,
}

/// A way to reach a contact.
struct Address<'a> {
    channel: &'a str,
    address: &'a str,
    is_proven: bool,
}

impl Contact {
    fn addresses(&self) -> impl Iterator<Item = Address<'_>> {
        let own = [
            ("email", &self.email, &self.email_proven_at),
            ("slack", &self.slack, &self.slack_proven_at),
        ];
        let own = own.into_iter().filter_map(|(channel, address, proven_at)| {
            Some(Address {
                channel,
                address: address.as_deref()?,
                is_proven: proven_at.is_some(),
            })
        });
        let others = self.addresses.iter().map(|(channel, address)| Address {
            channel,
            address,
            is_proven: self.addresses_proven_at.contains_key(channel),
        });
        let devices = self.devices.iter().map(|device| Address {
            channel: "push",
            address: &device.name,
            is_proven: device.proven_at.is_some(),
        });
        own.chain(others).chain(devices)
    }

    /// The channels by which nothing was ever sent to it.
    pub(crate) fn unproven(&self) -> Vec<&str> {
        self.addresses()
            .filter(|address| !address.is_proven)
            .map(|address| address.channel)
            .collect()
    }

    fn row(&self) -> [String; 6] {
        let addresses = self.addresses().map(|address| {
            let note = if address.is_proven {
                ""
            } else {
                " (not proven)"
            };
            format!("{} {}{note}", address.channel, address.address)
        });
        let hours = self.hours.as_ref().map_or_else(
            || "always".to_owned(),
            |hours| format!("{hours} {}", self.zone),
        );
        [
            self.level
                .map_or_else(|| "told".to_owned(), |level| format!("L{level}")),
            self.role.clone(),
            self.name.clone(),
            addresses.collect::<Vec<_>>().join(", "),
            self.reached(),
            if self.level.is_some() {
                hours
            } else {
                self.interest()
            },
        ]
    }

    /// Which alerts reach it by which channels, the worst first, and when they do not.
    fn reached(&self) -> String {
        let ranked = Severity::ALL.into_iter();
        let ways = ranked.filter_map(|severity| {
            let way = self.ways.get(severity.as_str())?;
            let mut steps: Vec<_> = way.iter().collect();
            steps.sort_by_key(|(_, minutes)| **minutes);
            let steps = steps.into_iter().map(|(channel, minutes)| match minutes {
                0 => channel.clone(),
                minutes => format!("{channel}+{minutes}"),
            });
            let steps: Vec<_> = steps.collect();
            Some(format!("{}={}", severity.as_str(), steps.join(",")))
        });
        let quiet = self.quiet.iter();
        let quiet = quiet.map(|hours| format!("quiet {hours} {}", self.zone));
        ways.chain(quiet).collect::<Vec<_>>().join("; ")
    }

    /// Which incidents a stakeholder hears of.
    fn interest(&self) -> String {
        let severity = self.severity.map_or("any", Severity::as_str);
        let services = if self.services.is_empty() {
            "all services".to_owned()
        } else {
            self.services.join(", ")
        };
        format!("incidents from {severity} on, {services}")
    }
}

pub(super) fn table(contacts: &[Answered<Contact>]) -> String {
    const HEADING: [&str; 6] = [
        "level",
        "role",
        "name",
        "channels",
        "ways",
        "on duty, or hears of",
    ];
    if contacts.is_empty() {
        return "no contacts: alerts go to the channels alone, and nobody else is ever asked"
            .to_owned();
    }
    answered::table("contacts", contacts, HEADING, Contact::row)
}
