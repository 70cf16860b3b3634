//! `pourtrait components`: what the public status page is about, and what people say of it.

pub(crate) mod arguments;

use jiff::Timestamp;
use ops::{
    messages::plain_text,
    rpc::{Call, Retry},
    status::document,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    answered::{self, Answered, oddities, word},
    environment::Environment,
    project::{Project, author},
    times::{end_of, to_the_minute},
};
use arguments::{Components, Details, Place, Said, State};
use terminal::{
    failure::{Misuse, Verdict},
    output::Output,
};

/// A component, as far as a list shows it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Component {
    slug: String,
    name: String,
    group: Option<String>,
    services: Vec<String>,
    checks: Vec<String>,
    said: Option<document::State>,
    said_by: Option<String>,
    said_until: Option<Timestamp>,
    note: Option<String>,
    /// As the page shows it; a change does not tell.
    state: Option<document::State>,
    measured: Option<document::State>,
}

#[derive(Debug, Serialize)]
struct ListComponents<'a> {
    p_environment: &'a str,
}

#[derive(Debug, Deserialize)]
struct Listed {
    components: Vec<Answered<Component>>,
}

impl Call for ListComponents<'_> {
    const NAME: &'static str = "ops_list_components";
    const RETRY: Retry = Retry::Read;
    type Output = Listed;
}

/// How many components are kept, and what is wrong with those that cannot be read.
pub(crate) async fn kept(project: &Project) -> anyhow::Result<(usize, Vec<String>)> {
    let listed = project
        .call(&ListComponents {
            p_environment: ops::config::Environment::Production.as_str(),
        })
        .await?
        .components;
    Ok((listed.len(), oddities("components", &listed)))
}

#[derive(Debug, Serialize)]
struct SetComponent<'a> {
    p_slug: &'a str,
    p_component: Map<String, Value>,
    p_is_new: bool,
    p_environment: &'a str,
    p_by: String,
}

impl Call for SetComponent<'_> {
    const NAME: &'static str = "ops_set_component";
    // The second answer would say that the component is there already.
    const RETRY: Retry = Retry::Never;
    type Output = Answered<Component>;
}

#[derive(Debug, Serialize)]
struct SayComponent<'a> {
    p_slug: &'a str,
    p_state: State,
    p_note: Option<&'a str>,
    p_until: Option<Timestamp>,
    p_environment: &'a str,
    p_by: String,
}

impl Call for SayComponent<'_> {
    const NAME: &'static str = "ops_say_component";
    // The same again changes nothing.
    const RETRY: Retry = Retry::Idempotent;
    type Output = Answered<Component>;
}

#[derive(Debug, Serialize)]
struct RemoveComponent<'a> {
    p_slug: &'a str,
    p_environment: &'a str,
    p_by: String,
}

impl Call for RemoveComponent<'_> {
    const NAME: &'static str = "ops_remove_component";
    // The second answer would say that there is none.
    const RETRY: Retry = Retry::Never;
    type Output = Answered<Component>;
}

pub(crate) async fn run(
    action: Components,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let project = Project::of(environment)?;
    let changed = match action {
        Components::List(Place { environment }) => {
            let call = ListComponents {
                p_environment: &environment,
            };
            let components = project.call(&call).await?.components;
            output.result(&json!({ "components": components }), &table(&components));
            return Ok(Verdict::Good);
        }
        Components::Add {
            slug,
            name,
            details,
            place,
        } => {
            project.show(environment);
            let call = set(&slug, Some(name), details, true, &place);
            project.call(&call).await?
        }
        Components::Set {
            slug,
            name,
            details,
            said,
            place,
        } => {
            project.show(environment);
            change(&project, &slug, name, details, &said, &place).await?
        }
        Components::Remove { slug, place } => {
            project.show(environment);
            let call = RemoveComponent {
                p_slug: &slug,
                p_environment: &place.environment,
                p_by: author(),
            };
            project.call(&call).await?
        }
    };
    output.result(changed.document(), &changed.describe(Component::line));
    Ok(Verdict::Good)
}

/// Changes what a component is, says how it is, or both.
async fn change(
    project: &Project,
    slug: &str,
    name: Option<String>,
    details: Details,
    said: &Said,
    place: &Place,
) -> anyhow::Result<Answered<Component>> {
    let mut changed = None;
    if name.is_some() || !details.is_empty() {
        changed = Some(
            project
                .call(&set(slug, name, details, false, place))
                .await?,
        );
    }
    if let Some(state) = said.state {
        let call = SayComponent {
            p_slug: slug,
            p_state: state,
            p_note: said.note.as_deref(),
            p_until: match state {
                State::Measured => None,
                _ => Some(end_of(said.length)?),
            },
            p_environment: &place.environment,
            p_by: author(),
        };
        changed = Some(project.call(&call).await?);
    }
    changed.ok_or_else(|| {
        Misuse("nothing to change: see `pourtrait components set --help`".to_owned()).into()
    })
}

fn set<'a>(
    slug: &'a str,
    name: Option<String>,
    details: Details,
    is_new: bool,
    place: &'a Place,
) -> SetComponent<'a> {
    let lists = [("services", details.services), ("checks", details.checks)];
    let texts = [
        ("name", name),
        ("description", details.description),
        ("group", details.group),
    ];
    let texts = texts
        .into_iter()
        .filter_map(|(key, text)| Some((key.to_owned(), Value::from(text?))));
    let lists = lists
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(key, names)| (key.to_owned(), Value::from(names)));
    let position = details
        .position
        .map(|position| ("position".to_owned(), Value::from(position)));
    SetComponent {
        p_slug: slug,
        p_component: texts.chain(lists).chain(position).collect(),
        p_is_new: is_new,
        p_environment: &place.environment,
        p_by: author(),
    }
}

fn table(components: &[Answered<Component>]) -> String {
    if components.is_empty() {
        return "the status page shows nothing: no service is watched yet".to_owned();
    }
    let heading = [
        "slug", "name", "group", "state", "measured", "fed by", "said",
    ];
    answered::table("components", components, heading, Component::row)
}

impl Component {
    fn row(&self) -> [String; 7] {
        let state = |state: Option<document::State>| state.map(word).unwrap_or_default();
        [
            self.slug.clone(),
            plain_text::line(&self.name),
            plain_text::line(self.group.as_deref().unwrap_or_default()),
            state(self.state),
            state(self.measured),
            self.feeds(),
            self.said(),
        ]
    }

    fn line(&self) -> String {
        let said = Some(self.said()).filter(|said| !said.is_empty());
        let said = said.map(|said| format!("; {said}")).unwrap_or_default();
        format!(
            "{} ({}): {}{said}",
            self.slug,
            plain_text::line(&self.name),
            self.feeds()
        )
    }

    fn feeds(&self) -> String {
        let feeds: Vec<_> = self.services.iter().chain(&self.checks).cloned().collect();
        if feeds.is_empty() {
            "nothing measures it".to_owned()
        } else {
            feeds.join(", ")
        }
    }

    fn said(&self) -> String {
        let (Some(said), Some(by), Some(until)) = (self.said, &self.said_by, self.said_until)
        else {
            return String::new();
        };
        let note = self
            .note
            .as_deref()
            .map(|note| format!(": {}", plain_text::line(note)));
        format!(
            "{} by {} until {}{}",
            word(said),
            plain_text::line(by),
            to_the_minute(until),
            note.unwrap_or_default()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_says_what_feeds_each_and_who_says_otherwise() {
        let component = json!({
            "slug": "app", "name": "The app", "description": null, "position": 1, "group": null,
            "services": ["app"], "checks": ["checkout"], "said": "operational", "note": "A false alarm.",
            "saidBy": "anna", "saidUntil": "2026-11-24T14:00:00Z", "state": "operational",
            "measured": "major_outage", "updatedAt": "2026-11-24T10:00:00Z", "updatedBy": "anna",
        });
        let text = table(&[component.clone(), json!({"slug": "odd"})].map(Answered::read));
        let expected = "SLUG  NAME     GROUP  STATE        MEASURED      FED BY         SAID\n\
             app   The app         operational  major_outage  app, checkout  operational by anna until 2026-11-24 14:00 \
             UTC: A false alarm.";
        assert!(text.starts_with(expected), "{text}");
        assert!(text.contains("1 of 2 components cannot be read"), "{text}");
        assert!(table(&[]).contains("no service is watched yet"));
    }

    #[test]
    fn a_change_names_what_was_given_and_nothing_else() {
        let details = Details {
            description: Some(String::new()),
            group: None,
            position: Some(3),
            services: vec!["app".to_owned()],
            checks: Vec::new(),
        };
        let place = Place {
            environment: "production".to_owned(),
        };
        let set = set("app", None, details, false, &place);
        assert_eq!(
            json!(set.p_component),
            json!({"description": "", "services": ["app"], "position": 3})
        );
    }
}
