//! The one table of roles and permissions: what a person who signed in may do.
//!
//! A role stands in a user's `app_metadata`, which the project's own server alone can
//! write. The edge reads this table without asking anybody; the database holds the same
//! one (`ops.role_permissions`), whose rows are written from here.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

/// Who somebody is to the people who run the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Looks.
    Viewer,
    /// Looks, and answers alerts and incidents.
    Responder,
    /// Does everything.
    Admin,
}

/// Something that a person may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Permission {
    /// Reads everything that the dashboard shows.
    #[serde(rename = "dashboard.read")]
    ReadDashboard,
    /// Acknowledges, notes, snoozes, silences and resolves alerts and incidents.
    #[serde(rename = "alerts.answer")]
    AnswerAlerts,
    /// Writes what everybody reads about an incident.
    #[serde(rename = "status.write")]
    WriteStatus,
    /// Says who has which role.
    #[serde(rename = "people.manage")]
    ManagePeople,
    /// Changes settings.
    #[serde(rename = "settings.write")]
    WriteSettings,
    /// Reads the app's monitoring tables row by row, through the project's own API.
    #[serde(rename = "rows.read")]
    ReadRows,
    /// Reads who did what that has to be answered for.
    #[serde(rename = "audit.read")]
    ReadAudit,
}

impl Role {
    /// Every role, the one that may least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Responder, Self::Admin];

    /// The word that stands in `app_metadata.role`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Responder => "responder",
            Self::Admin => "admin",
        }
    }

    /// The role of that word; an app may give its users others, which are none here.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// Whether it allows that.
    #[must_use]
    pub fn may(self, permission: Permission) -> bool {
        permission.roles().contains(&self)
    }

    /// Everything that it allows.
    #[must_use]
    pub fn permissions(self) -> Vec<Permission> {
        let all = Permission::ALL.into_iter();
        all.filter(|permission| self.may(*permission)).collect()
    }
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 7] = [
        Self::ReadDashboard,
        Self::AnswerAlerts,
        Self::WriteStatus,
        Self::ManagePeople,
        Self::WriteSettings,
        Self::ReadRows,
        Self::ReadAudit,
    ];

    /// The word that pages and the database use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadDashboard => "dashboard.read",
            Self::AnswerAlerts => "alerts.answer",
            Self::WriteStatus => "status.write",
            Self::ManagePeople => "people.manage",
            Self::WriteSettings => "settings.write",
            Self::ReadRows => "rows.read",
            Self::ReadAudit => "audit.read",
        }
    }

    /// The table: which roles have it.
    fn roles(self) -> &'static [Role] {
        match self {
            Self::ReadDashboard => &[Role::Viewer, Role::Responder, Role::Admin],
            Self::AnswerAlerts | Self::WriteStatus => &[Role::Responder, Role::Admin],
            Self::ManagePeople | Self::WriteSettings | Self::ReadRows | Self::ReadAudit => {
                &[Role::Admin]
            }
        }
    }
}

/// The text of `migrations/seeds/role_permissions.sql`.
#[must_use]
pub fn seed() -> String {
    let rows: Vec<_> = Role::ALL
        .into_iter()
        .flat_map(|role| {
            let permissions = role.permissions().into_iter();
            permissions
                .map(move |permission| format!("('{}', '{}')", role.as_str(), permission.as_str()))
        })
        .collect();
    let mut text = String::from(
        "-- What each role may do. This file is written by `pourtrait docs`; edit\n\
         -- `lib/src/auth/roles.rs` instead, by which requests are judged before they come here.\n\n",
    );
    let listed = rows.join(",\n    ");
    let _ = write!(
        text,
        "insert into ops.role_permissions (role, permission)\nvalues\n    {listed}\n\
         on conflict (role, permission) do nothing;\n\n\
         delete from ops.role_permissions\nwhere (role, permission) not in (\n    {listed}\n);\n"
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written out once more, pair by pair, so that a change of the table is seen.
    #[test]
    fn each_role_may_do_what_the_table_says_and_nothing_else() {
        for (permission, expected) in [
            ("dashboard.read", [true, true, true]),
            ("alerts.answer", [false, true, true]),
            ("status.write", [false, true, true]),
            ("people.manage", [false, false, true]),
            ("settings.write", [false, false, true]),
            ("rows.read", [false, false, true]),
            ("audit.read", [false, false, true]),
        ] {
            let mut all = Permission::ALL.into_iter();
            let found = all.find(|known| known.as_str() == permission).unwrap();
            assert_eq!(
                Role::ALL.map(|role| role.may(found)),
                expected,
                "{permission}"
            );
            assert_eq!(serde_json::to_value(found).unwrap(), permission);
        }
        assert_eq!(Permission::ALL.len(), 7, "a permission is missing above");
    }

    #[test]
    fn a_role_is_one_of_three_words_exactly() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
        }
        for word in ["", "Admin", "admin ", "user", "operator", "service_role"] {
            assert_eq!(Role::parse(word), None, "{word}");
        }
    }
}
