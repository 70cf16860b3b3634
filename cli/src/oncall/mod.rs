//! `pourtrait oncall`: who is on call when, and what people change about it. Who has a
//! rotation at a time, the database decides.

pub(crate) mod arguments;
mod layer_hours;
pub(crate) mod plan;

use jiff::{Timestamp, civil::Date};
use ops::rpc::{Call, Retry};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    answered::{self, Answered, known},
    contacts,
    environment::Environment,
    project::{Project, author},
};
use arguments::{Oncall, Rotate, Span, Swap};
use layer_hours::LayerHours;
use plan::{Change, Plan, Rotation};
use terminal::{
    failure::{Misuse, Verdict},
    output::Output,
};

/// The role that a rotation staffs which names none.
const FIRST_ROLE: &str = "on_call_primary";

#[derive(Debug, Serialize)]
pub(crate) struct ShowOncall {
    p_at: Option<Timestamp>,
    p_days: u16,
}

impl ShowOncall {
    /// What is so now, with the shifts of a day.
    pub(crate) const NOW: Self = Self {
        p_at: None,
        p_days: 1,
    };
}

impl Call for ShowOncall {
    const NAME: &'static str = "ops_show_oncall";
    const RETRY: Retry = Retry::Read;
    type Output = Answered<Plan>;
}

#[derive(Debug, Serialize)]
struct SaveRotation {
    p_rotation: Uuid,
    p_fields: Fields,
    p_by: String,
}

/// The fields of a rotation that are given; the others stay as they are.
#[derive(Debug, Serialize)]
struct Fields {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    layer: Option<NewLayer>,
}

/// A layer that is added or replaced.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct NewLayer {
    layer: u8,
    unit: &'static str,
    every: u8,
    weekday: Option<u8>,
    hand_over: String,
    zone: String,
    hours: Option<LayerHours>,
    first_on: Option<Date>,
    members: Vec<Uuid>,
}

impl Call for SaveRotation {
    const NAME: &'static str = "ops_save_rotation";
    // The same fields again change nothing.
    const RETRY: Retry = Retry::Idempotent;
    type Output = Answered<Rotation>;
}

#[derive(Debug, Serialize)]
struct RemoveRotation {
    p_rotation: Uuid,
    p_layer: Option<u8>,
}

impl Call for RemoveRotation {
    const NAME: &'static str = "ops_remove_rotation";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Value;
}

#[derive(Debug, Serialize)]
struct OverrideOncall {
    p_override: Uuid,
    p_rotation: Uuid,
    p_contact: Uuid,
    p_from: Option<Timestamp>,
    p_until: Timestamp,
    p_reason: Option<String>,
    p_by: String,
}

impl Call for OverrideOncall {
    const NAME: &'static str = "ops_override_oncall";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Answered<Change>;
}

#[derive(Debug, Serialize)]
struct SwapOncall {
    p_request: Uuid,
    p_rotation: Uuid,
    p_one: Uuid,
    p_other: Uuid,
    p_one_at: Option<Timestamp>,
    p_other_at: Option<Timestamp>,
    p_reason: Option<String>,
    p_by: String,
}

/// Both halves of a swap.
#[derive(Debug, Deserialize)]
struct Swapped {
    overrides: Vec<Answered<Change>>,
}

impl Call for SwapOncall {
    const NAME: &'static str = "ops_swap_oncall";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Swapped;
}

#[derive(Debug, Serialize)]
struct AddAbsence {
    p_absence: Uuid,
    p_contact: Uuid,
    p_from: Option<Timestamp>,
    p_until: Timestamp,
    p_reason: Option<String>,
    p_by: String,
}

impl Call for AddAbsence {
    const NAME: &'static str = "ops_add_absence";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Answered<Change>;
}

#[derive(Debug, Serialize)]
struct EndChange {
    p_change: Uuid,
}

#[derive(Debug, Serialize, Deserialize)]
struct Ended {
    ended: u64,
}

impl Call for EndChange {
    const NAME: &'static str = "ops_end_oncall_change";
    // The second answer would say that nothing was ended.
    const RETRY: Retry = Retry::Never;
    type Output = Ended;
}

#[derive(Debug, Serialize)]
struct SetCalendar {
    p_rotation: Uuid,
    p_url: Option<String>,
    p_zone: Option<String>,
    p_by: String,
}

impl Call for SetCalendar {
    const NAME: &'static str = "ops_set_calendar";
    // The same address again changes nothing.
    const RETRY: Retry = Retry::Idempotent;
    type Output = Answered<Rotation>;
}

pub(crate) async fn run(
    action: Oncall,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let project = Project::of(environment)?;
    if let Oncall::Show { at, days } = action {
        let call = ShowOncall {
            p_at: at,
            p_days: days,
        };
        let plan = project.call(&call).await?;
        output.result(plan.document(), &plan.describe(Plan::text));
        return Ok(Verdict::Good);
    }
    project.show(environment);
    Box::pin(change(action, &project, output)).await?;
    Ok(Verdict::Good)
}

async fn change(action: Oncall, project: &Project, output: Output) -> anyhow::Result<()> {
    match action {
        Oncall::Show { .. } => {}
        Oncall::Rotate(rotate) => rotated(project, rotate, output).await?,
        Oncall::Remove { name, layer } => {
            let call = RemoveRotation {
                p_rotation: rotation(project, Some(&name)).await?,
                p_layer: layer,
            };
            let removed = project.call(&call).await?;
            let text = match layer {
                Some(layer) => format!("{name} no longer has layer {layer}"),
                None => format!("there is no rotation {name} any more"),
            };
            output.result(&removed, &text);
        }
        Oncall::Override {
            person,
            time: Span { from, until },
            rotation: name,
            reason,
        } => {
            let call = OverrideOncall {
                p_override: Uuid::new_v4(),
                p_rotation: rotation(project, name.as_deref()).await?,
                p_contact: contacts::id_of(project, &person).await?,
                p_from: from,
                p_until: until,
                p_reason: reason,
                p_by: author(),
            };
            show_change(&project.call(&call).await?, output);
        }
        Oncall::Swap(swap) => swapped(project, swap, output).await?,
        Oncall::Away {
            person,
            time: Span { from, until },
            reason,
        } => {
            let call = AddAbsence {
                p_absence: Uuid::new_v4(),
                p_contact: contacts::id_of(project, &person).await?,
                p_from: from,
                p_until: until,
                p_reason: reason,
                p_by: author(),
            };
            show_change(&project.call(&call).await?, output);
        }
        Oncall::End { id } => {
            let ended = project.call(&EndChange { p_change: id }).await?;
            if ended.ended == 0 {
                let text = format!("there is no override, swap or absence {id} that is not over");
                return Err(Misuse(text).into());
            }
            output.result(&json!(ended), &format!("{id} has ended"));
        }
        Oncall::Calendar {
            rotation: name,
            url,
            zone,
        } => {
            let call = SetCalendar {
                p_rotation: rotation(project, Some(&name)).await?,
                p_url: address(&url),
                p_zone: zone,
                p_by: author(),
            };
            show_rotation(&project.call(&call).await?, output);
        }
    }
    Ok(())
}

/// An address as it is read; none where there should be none any more. What begins
/// with `webcal` is what programs call an iCalendar address.
fn address(url: &str) -> Option<String> {
    match url.trim() {
        "off" => None,
        url => Some(
            url.strip_prefix("webcal://")
                .map_or_else(|| url.to_owned(), |rest| format!("https://{rest}")),
        ),
    }
}

async fn rotated(project: &Project, rotate: Rotate, output: Output) -> anyhow::Result<()> {
    let known = all(project).await?;
    let wanted = rotate.name.to_lowercase();
    let found = answered::find(&known, |rotation| rotation.name.to_lowercase() == wanted);
    let found = found.map(|(_, rotation)| rotation.id);
    let layer = layer(project, &rotate).await?;
    let is_new = found.is_none();
    let call = SaveRotation {
        p_rotation: found.unwrap_or_else(Uuid::new_v4),
        p_fields: Fields {
            role: rotate
                .role
                .or_else(|| is_new.then(|| FIRST_ROLE.to_owned())),
            name: is_new.then_some(rotate.name),
            layer,
        },
        p_by: author(),
    };
    show_rotation(&project.call(&call).await?, output);
    Ok(())
}

/// The layer that is given, if one is.
async fn layer(project: &Project, rotate: &Rotate) -> anyhow::Result<Option<NewLayer>> {
    // The grammar asks for the time and the zone where members are given.
    let (Some(names), Some(at), Some(zone)) = (&rotate.members, &rotate.at, &rotate.zone) else {
        return Ok(None);
    };
    let mut members = Vec::new();
    for name in names.iter().filter(|name| !name.trim().is_empty()) {
        members.push(contacts::id_of(project, name).await?);
    }
    Ok(Some(NewLayer {
        layer: rotate.layer,
        unit: if rotate.weekly { "week" } else { "day" },
        every: rotate.every,
        weekday: rotate.on.map(arguments::Day::number),
        hand_over: layer_hours::time(at).unwrap_or_else(|| at.clone()),
        zone: zone.clone(),
        hours: rotate.hours.clone(),
        first_on: rotate.first,
        members,
    }))
}

async fn swapped(project: &Project, swap: Swap, output: Output) -> anyhow::Result<()> {
    let call = SwapOncall {
        p_request: Uuid::new_v4(),
        p_rotation: rotation(project, swap.rotation.as_deref()).await?,
        p_one: contacts::id_of(project, &swap.one).await?,
        p_other: contacts::id_of(project, &swap.other).await?,
        p_one_at: swap.at,
        p_other_at: swap.for_shift_at,
        p_reason: swap.reason,
        p_by: author(),
    };
    let swapped = project.call(&call).await?.overrides;
    let text = plan::changes("overrides", &swapped);
    output.result(&json!({ "overrides": swapped }), &text);
    Ok(())
}

async fn all(project: &Project) -> anyhow::Result<Vec<Answered<Rotation>>> {
    let plan = project.call(&ShowOncall::NOW).await?;
    Ok(plan
        .into_known()
        .map_or_else(Vec::new, |plan| plan.rotations))
}

/// The id of the rotation of that name, or of the only one where none is named.
async fn rotation(project: &Project, name: Option<&str>) -> anyhow::Result<Uuid> {
    let rotations = all(project).await?;
    let wanted = name.map(str::to_lowercase);
    let found: Vec<_> = known(&rotations)
        .filter(|rotation| {
            wanted
                .as_ref()
                .is_none_or(|wanted| rotation.name.to_lowercase() == *wanted)
        })
        .collect();
    match found.as_slice() {
        [one] => Ok(one.id),
        _ => Err(unclear(name, &rotations).into()),
    }
}

fn unclear(name: Option<&str>, rotations: &[Answered<Rotation>]) -> Misuse {
    let names: Vec<_> = known(rotations)
        .map(|rotation| rotation.name.as_str())
        .collect();
    let there_are = match names.as_slice() {
        [] => "there is none".to_owned(),
        names => format!("there are {}", names.join(", ")),
    };
    Misuse(match name {
        Some(name) => format!("no rotation is called {name}; {there_are}"),
        None => format!("a rotation must be named with --rotation; {there_are}"),
    })
}

fn show_rotation(rotation: &Answered<Rotation>, output: Output) {
    output.result(rotation.document(), &rotation.describe(Rotation::text));
}

fn show_change(change: &Answered<Change>, output: Output) {
    let text = plan::changes("changes", std::slice::from_ref(change));
    output.result(change.document(), &text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_of_the_web_and_off_is_none() {
        assert_eq!(address("off"), None);
        for url in ["webcal://c.example/a.ics", " https://c.example/a.ics"] {
            assert_eq!(address(url).as_deref(), Some("https://c.example/a.ics"));
        }
    }
}
