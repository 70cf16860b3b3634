//! The fields of a form, as Twilio sends them.

use std::collections::BTreeMap;

/// By name; a field that is there several times counts as its last.
pub(super) type Form = BTreeMap<String, String>;
