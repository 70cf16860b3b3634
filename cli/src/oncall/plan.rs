//! Who is on call when, as the database answers it, and how it is shown.

use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use super::{arguments::Day, layer_hours::LayerHours};
use crate::{
    answered::{self, Answered, known},
    times::to_the_minute,
};

/// Everything that is planned for some days.
#[derive(Debug, Deserialize)]
pub(crate) struct Plan {
    at: Timestamp,
    pub(crate) rotations: Vec<Answered<Rotation>>,
    overrides: Vec<Answered<Change>>,
    absences: Vec<Answered<Change>>,
}

/// A rotation, with who has it.
#[derive(Debug, Deserialize)]
pub(crate) struct Rotation {
    pub(super) id: Uuid,
    pub(crate) name: String,
    role: String,
    /// At which level alerts ask the role.
    pub(crate) level: Option<u8>,
    layers: Vec<Layer>,
    calendar: Option<Calendar>,
    /// Left out of what a change answers.
    pub(crate) now: Option<Duty>,
    #[serde(default)]
    shifts: Vec<Shift>,
}

/// Who has a rotation, until when, and who comes then.
#[derive(Debug, Deserialize)]
pub(crate) struct Duty {
    rotation: String,
    pub(crate) name: Option<String>,
    until: Option<Timestamp>,
    next: Option<String>,
}

impl Duty {
    /// It on one line.
    pub(crate) fn line(&self) -> String {
        let until = self.until.map_or_else(String::new, |until| {
            let next = name(self.next.as_ref());
            format!(" until {}, then {next}", to_the_minute(until))
        });
        let now = name(self.name.as_ref());
        format!("on call for {}: {now}{until}", self.rotation)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Layer {
    layer: u8,
    unit: Unit,
    every: u16,
    weekday: Option<u8>,
    hand_over: String,
    zone: String,
    hours: Option<LayerHours>,
    /// Nameless ones were removed.
    members: Vec<Option<String>>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Unit {
    Day,
    Week,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Calendar {
    host: String,
    entries: u64,
    read_at: Option<Timestamp>,
    error: Option<String>,
    left_out: Vec<LeftOut>,
}

#[derive(Debug, Deserialize)]
struct LeftOut {
    event: String,
    why: String,
}

#[derive(Debug, Deserialize)]
struct Shift {
    from: Timestamp,
    until: Timestamp,
    name: Option<String>,
    why: Option<Why>,
}

/// By what somebody has a shift.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Why {
    Rotation,
    StandIn,
    Override,
    Swap,
    Calendar,
}

impl Why {
    fn described(self) -> &'static str {
        match self {
            Self::Rotation => "",
            Self::StandIn => "stands in",
            Self::Override => "override",
            Self::Swap => "swap",
            Self::Calendar => "calendar",
        }
    }
}

/// An override, half a swap, or an absence.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Change {
    id: Uuid,
    rotation: Option<String>,
    name: String,
    from: Timestamp,
    until: Timestamp,
    swap: Option<Uuid>,
    reason: Option<String>,
    created_by: String,
}

/// Who has what nobody has.
const NOBODY: &str = "nobody";

impl Plan {
    pub(super) fn text(&self) -> String {
        if self.rotations.is_empty() {
            return "no rotations: alerts ask contacts in their own hours (pourtrait oncall rotate)"
                .to_owned();
        }
        let mut parts = vec![format!("on call at {}", to_the_minute(self.at)), self.now()];
        parts.extend(known(&self.rotations).map(Rotation::text));
        if !self.overrides.is_empty() {
            parts.push(changes("overrides", &self.overrides));
        }
        if !self.absences.is_empty() {
            parts.push(changes("absences", &self.absences));
        }
        parts.join("\n\n")
    }

    fn now(&self) -> String {
        const HEADING: [&str; 5] = ["rotation", "role", "now", "until", "next"];
        answered::table("rotations", &self.rotations, HEADING, |rotation| {
            let now = rotation.now.as_ref();
            let until = now.and_then(|now| now.until);
            [
                rotation.name.clone(),
                rotation.role.clone(),
                name(now.and_then(|now| now.name.as_ref())),
                until.map_or_else(|| "open".to_owned(), to_the_minute),
                until.map_or_else(String::new, |_| name(now.and_then(|now| now.next.as_ref()))),
            ]
        })
    }
}

fn name(name: Option<&String>) -> String {
    name.map_or_else(|| NOBODY.to_owned(), Clone::clone)
}

impl Rotation {
    /// What it consists of, and its shifts.
    pub(super) fn text(&self) -> String {
        let mut lines: Vec<String> = self
            .layers
            .iter()
            .map(|layer| format!("{}, layer {}", self.name, layer.text()))
            .collect();
        if lines.is_empty() {
            lines.push(format!("{}: no layers", self.name));
        }
        lines.extend(
            self.calendar
                .iter()
                .flat_map(|calendar| calendar.lines(&self.name)),
        );
        if !self.shifts.is_empty() {
            let rows: Vec<_> = self.shifts.iter().map(Shift::row).collect();
            lines.push(terminal::output::table(
                ["from", "until", "who", "why"],
                &rows,
            ));
        }
        lines.join("\n")
    }
}

impl Layer {
    fn text(&self) -> String {
        let turns = match (self.unit, self.every) {
            (Unit::Day, 1) => "daily".to_owned(),
            (Unit::Week, 1) => "weekly".to_owned(),
            (Unit::Day, days) => format!("every {days} days"),
            (Unit::Week, weeks) => format!("every {weeks} weeks"),
        };
        let day = self
            .weekday
            .map_or_else(String::new, |day| format!(" on {}", Day::name(day)));
        let hours = self
            .hours
            .as_ref()
            .map_or_else(String::new, |hours| format!(", {hours} alone"));
        let members = self.members.iter().map(|name| match name {
            Some(name) => name.as_str(),
            None => "(removed)",
        });
        let members: Vec<_> = members.collect();
        let members = if members.is_empty() {
            NOBODY.to_owned()
        } else {
            members.join(", ")
        };
        format!(
            "{}: {turns}{day} at {} {}{hours}: {members}",
            self.layer, self.hand_over, self.zone
        )
    }
}

impl Calendar {
    fn lines(&self, rotation: &str) -> Vec<String> {
        let read = match (self.read_at, &self.error) {
            (None, None) => "not read yet".to_owned(),
            (None, Some(error)) => format!("never read: {error}"),
            (Some(at), None) => format!("read at {}", to_the_minute(at)),
            (Some(at), Some(error)) => {
                format!(
                    "{error}; what was read at {} stays in force",
                    to_the_minute(at)
                )
            }
        };
        let left_out = self.left_out.iter();
        let left_out = left_out.map(|LeftOut { event, why }| format!("  left out: {event}: {why}"));
        let first = format!(
            "{rotation}, calendar of {}: {} entries, {read}",
            self.host, self.entries
        );
        std::iter::once(first).chain(left_out).collect()
    }
}

impl Shift {
    fn row(&self) -> [String; 4] {
        [
            to_the_minute(self.from),
            to_the_minute(self.until),
            name(self.name.as_ref()),
            self.why.map_or("", Why::described).to_owned(),
        ]
    }
}

/// A table of what people changed; a swap goes by one id.
pub(super) fn changes(what: &str, changes: &[Answered<Change>]) -> String {
    const HEADING: [&str; 6] = ["id", "who", "has", "from", "until", "why"];
    answered::table(what, changes, HEADING, |change| {
        let has = change.rotation.as_deref().unwrap_or("away");
        let reason = change.reason.as_ref();
        [
            change.swap.unwrap_or(change.id).to_string(),
            change.name.clone(),
            has.to_owned(),
            to_the_minute(change.from),
            to_the_minute(change.until),
            reason.map_or_else(
                || format!("by {}", change.created_by),
                |reason| format!("{reason} (by {})", change.created_by),
            ),
        ]
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_plan_says_who_has_what_now_and_then() {
        let id = "00000000-0000-4000-8000-000000000001";
        let plan: Plan = serde_json::from_value(json!({
            "at": "2026-11-24T12:00:00Z", "until": "2026-12-08T12:00:00Z",
            "rotations": [{
                "id": id, "name": "Primary", "role": "on_call_primary", "level": 1,
                "layers": [
                    {"layer": 1, "unit": "week", "every": 1, "weekday": 1, "handOver": "09:00",
                     "zone": "Europe/Berlin", "hours": null, "firstOn": "2026-11-23", "members": ["Ada", null]},
                    {"layer": 2, "unit": "day", "every": 2, "weekday": null, "handOver": "08:00", "zone": "UTC",
                     "hours": {"from": "08:00", "until": "20:00"}, "firstOn": "2026-11-23", "members": []},
                ],
                "calendar": {"host": "c.example", "zone": "UTC", "entries": 3, "readAt": "2026-11-24T11:50:00Z",
                             "error": "HTTP 404", "leftOut": [{"event": "Zed", "why": "unknown"}]},
                "now": {"rotation": "Primary", "name": "Ada", "until": "2026-11-30T08:00:00Z", "next": null},
                "shifts": [
                    {"from": "2026-11-24T12:00:00Z", "until": "2026-11-30T08:00:00Z", "name": "Ada", "why": "stand_in"},
                    {"from": "2026-11-30T08:00:00Z", "until": "2026-12-08T12:00:00Z", "name": null, "why": null},
                ],
            }],
            "overrides": [],
            "absences": [{"id": id, "name": "Bo", "from": "2026-11-25T00:00:00Z", "until": "2026-11-26T00:00:00Z",
                          "reason": "wedding", "createdBy": "Ada"}],
        }))
        .unwrap();
        let now = known(&plan.rotations).find_map(|rotation| rotation.now.as_ref());
        assert_eq!(
            now.map(Duty::line).as_deref(),
            Some("on call for Primary: Ada until 2026-11-30 08:00 UTC, then nobody")
        );
        assert_eq!(
            plan.text(),
            "on call at 2026-11-24 12:00 UTC\n\n\
             ROTATION  ROLE             NOW  UNTIL                 NEXT\n\
             Primary   on_call_primary  Ada  2026-11-30 08:00 UTC  nobody\n\n\
             Primary, layer 1: weekly on monday at 09:00 Europe/Berlin: Ada, (removed)\n\
             Primary, layer 2: every 2 days at 08:00 UTC, 08:00-20:00 alone: nobody\n\
             Primary, calendar of c.example: 3 entries, HTTP 404; what was read at 2026-11-24 11:50 UTC stays in force\n  \
             left out: Zed: unknown\n\
             FROM                  UNTIL                 WHO     WHY\n\
             2026-11-24 12:00 UTC  2026-11-30 08:00 UTC  Ada     stands in\n\
             2026-11-30 08:00 UTC  2026-12-08 12:00 UTC  nobody\n\n\
             ID                                    WHO  HAS   FROM                  UNTIL                 WHY\n\
             00000000-0000-4000-8000-000000000001  Bo   away  2026-11-25 00:00 UTC  2026-11-26 00:00 UTC  wedding (by Ada)"
        );
    }
}
