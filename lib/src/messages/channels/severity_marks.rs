//! The marks that show at a glance how bad a message is.

use crate::messages::{
    message::Message,
    message_facts::{Kind, Severity},
};

/// A sign before the headline.
pub(super) fn icon(message: &Message) -> &'static str {
    match (message.kind, message.severity) {
        (Kind::Resolved, _) if message.facts.ended.is_some() => "☑️",
        (Kind::Resolved, _) => "✅",
        (Kind::Notice, _) => "ℹ️",
        (Kind::Firing | Kind::Escalation | Kind::Reminder, Severity::Critical) => "🔴",
        (Kind::Firing | Kind::Escalation | Kind::Reminder, Severity::High) => "🟠",
        (Kind::Firing | Kind::Escalation | Kind::Reminder, Severity::Medium) => "🟡",
        (Kind::Firing | Kind::Escalation | Kind::Reminder, Severity::Low) => "🔵",
    }
}

/// The colour of the edge: red, green and blue in one number.
pub(super) fn colour(message: &Message) -> u32 {
    match (message.kind, message.severity) {
        (Kind::Resolved, _) if message.facts.ended.is_none() => 0x002e_7d32,
        (Kind::Resolved | Kind::Notice, _) => 0x0061_6161,
        (Kind::Firing | Kind::Escalation | Kind::Reminder, Severity::Critical) => 0x00c6_2828,
        (Kind::Firing | Kind::Escalation | Kind::Reminder, Severity::High) => 0x00ef_6c00,
        (Kind::Firing | Kind::Escalation | Kind::Reminder, Severity::Medium) => 0x00f9_a825,
        (Kind::Firing | Kind::Escalation | Kind::Reminder, Severity::Low) => 0x0015_65c0,
    }
}
