//! `pourtrait roles`: who may do what.
//!
//! A role is a word in a user's `app_metadata`, which the project's Auth puts into every
//! token. It is written by the direct session, as the project's own dashboard does: role
//! `postgres` may change `auth.users`, and the last admin is looked for in the same
//! transaction.

pub(crate) mod arguments;
mod people;

use ops::{
    auth::roles::{Permission, Role},
    messages::plain_text,
};
use outside::database;
use serde_json::{Map, Value, json};

use crate::environment::Environment;
use arguments::{Roles, Whose};
use people::{Changed, Person};
use terminal::{
    failure::Verdict,
    output::{self, Output},
};

pub(crate) async fn run(
    action: Roles,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let (url, ca) = environment.database()?;
    let host = database::host(&url)?;
    output::note(&format!("target: {host} (from {})", environment.origin()));
    let mut client = database::connect(&url, ca.as_deref()).await?;
    let (role, whose) = match action {
        Roles::List => {
            let people = people::list(&client).await?;
            let document = json!({ "people": people, "roles": permissions() });
            output.result(&document, &overview(&people));
            return Ok(Verdict::Good);
        }
        Roles::Grant { role, whose } => (Some(role.into()), whose),
        Roles::Revoke { whose } => (None, whose),
    };
    let Whose { person, yes } = whose;
    let changed = people::set_role(&mut client, &person, role, yes).await?;
    output.result(&json!(changed), &told(&changed));
    Ok(Verdict::Good)
}

/// What each role may do.
fn permissions() -> Map<String, Value> {
    let roles = Role::ALL.into_iter();
    roles
        .map(|role| (role.as_str().to_owned(), json!(role.permissions())))
        .collect()
}

fn overview(people: &[Person]) -> String {
    let may = Role::ALL.map(|role| {
        let permissions = role.permissions().into_iter();
        let words: Vec<_> = permissions.map(Permission::as_str).collect();
        [role.as_str().to_owned(), words.join(", ")]
    });
    let may = output::table(["role", "may"], &may);
    if people.is_empty() {
        return format!(
            "nobody has a role: `pourtrait roles grant admin ADDRESS` gives the first\n\n{may}"
        );
    }
    let rows: Vec<_> = people
        .iter()
        .map(|person| {
            let never = || "never".to_owned();
            [
                plain_text::line(person.name()),
                person.role.clone().unwrap_or_default(),
                person.last_sign_in_at.clone().unwrap_or_else(never),
            ]
        })
        .collect();
    let people = output::table(["person", "role", "last signed in"], &rows);
    format!("{people}\n\n{may}")
}

fn told(changed: &Changed) -> String {
    let Changed {
        person,
        previous_role,
        changed,
    } = changed;
    let name = plain_text::line(person.name());
    let role = person.role.as_deref().unwrap_or("no role");
    if !changed {
        return format!("{name} has {role} already; nothing was changed");
    }
    let before = previous_role.as_deref().unwrap_or("no role");
    format!(
        "{name} has {role} now, and had {before}\nwhoever is signed in sees it when their session \
         is refreshed: within an hour"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_changed_says_when_it_is_felt() {
        let changed = |previous: Option<&str>, role: Option<&str>| Changed {
            person: Person {
                id: "7b0c3a52-0000-4000-8000-000000000001".to_owned(),
                email: Some("anna@wine.example".to_owned()),
                role: role.map(str::to_owned),
                last_sign_in_at: None,
            },
            previous_role: previous.map(str::to_owned),
            changed: previous != role,
        };
        assert_eq!(
            told(&changed(Some("viewer"), Some("admin"))),
            "anna@wine.example has admin now, and had viewer\nwhoever is signed in sees it when \
             their session is refreshed: within an hour"
        );
        assert_eq!(
            told(&changed(None, None)),
            "anna@wine.example has no role already; nothing was changed"
        );
    }
}
