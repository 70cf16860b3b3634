//! Adds who may do what to an assembly, and the roles that this takes.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Name, Scope,
    assembly::{Assembly, Item},
    catalog::{Found, NOWHERE},
    database::Database,
    exclusions,
    grants::{self, Access, Defaults},
    object_kind::Kind,
    ownership::Whose,
    placeholder_roles,
    settings::Setting,
    supabase,
};

impl Assembly<'_> {
    /// Gives every kept object its privileges: a schema's at once, because new
    /// owners need them, all others at the end.
    pub(super) fn grant(&mut self, access: &[Access]) {
        for access in access {
            if self.ownership.is_member(access.key) {
                self.grant_on_member(access);
            } else if let Some(index) = self.made_by(access.key) {
                self.grant_on(index, access);
            }
        }
    }

    /// What was changed on an extension's own object, by whoever may.
    fn grant_on_member(&mut self, access: &Access) {
        let made = self.made_by(access.key);
        if let (true, Some(_)) = (access.changed, made) {
            let named = exclusions::privileges_of_member(&access.address);
            if self.excluded.last() != Some(&named) {
                self.excluded.push(named);
            }
            let sql = grants::render_member(access);
            self.add_grants(access, Scope::Attached, None, sql);
        }
    }

    fn grant_on(&mut self, index: usize, access: &Access) {
        let Item { found, scope } = &self.items[index];
        let (scope, table) = (scope.clone(), found.table.clone());
        match scope {
            Scope::Managed(_) if !supabase::is_platform_owner(&access.owner) => {
                self.give(index, access, scope, grants::render(access));
            }
            Scope::Managed(_) => {
                self.give(index, access, scope, grants::render_managed(access));
                let sql = grants::render_attached(access);
                if !sql.is_empty() {
                    self.add_grants(access, Scope::Attached, table, sql);
                }
            }
            Scope::App | Scope::Attached if supabase::is_platform_owner(&access.owner) => {
                let sql = grants::render_managed(access) + &grants::render_attached(access);
                self.give(index, access, scope, sql);
            }
            Scope::App | Scope::Attached => {
                self.give(index, access, scope, grants::render(access));
            }
        }
    }

    fn give(&mut self, index: usize, access: &Access, scope: Scope, sql: String) {
        let found = &self.items[index].found;
        if found.kind == Kind::Schema {
            let found = Found {
                schema: Some(found.name.clone()),
                ..Found::bare(access.key, Kind::SchemaGrants, access.address.clone(), sql)
            };
            self.items.push(Item { found, scope });
        } else {
            let table = found.table.clone();
            self.add_grants(access, scope, table, sql);
        }
    }

    /// A column's privileges follow its table's.
    fn add_grants(&mut self, access: &Access, scope: Scope, table: Option<Name>, sql: String) {
        let earlier = self.items.iter_mut().rev().take(2).find(|item| {
            item.found.kind == Kind::Grants && item.found.key == access.key && item.scope == scope
        });
        if let Some(earlier) = earlier {
            earlier.found.sql += &sql;
        } else {
            let found = Found {
                table,
                ..Found::bare(access.key, Kind::Grants, access.address.clone(), sql)
            };
            self.items.push(Item { found, scope });
        }
    }

    /// The default privileges of the app's roles in the app's schemas. Those of
    /// a fresh project are left alone; where the source lost them they go.
    pub(super) fn grant_defaults(&mut self, defaults: &[Defaults]) {
        let mut lost = vec!["tables", "sequences", "functions"];
        for entry in defaults {
            let schema = entry.schema.as_deref();
            let place = self.ownership.of_place(schema, &entry.role);
            if place != Whose::App || supabase::is_platform_owner(&entry.role) {
                let exclusion = exclusions::default_privileges(&entry.role, schema);
                if self.excluded.last() != Some(&exclusion) {
                    self.excluded.push(exclusion);
                }
                continue;
            }
            let known = schema == Some("public") && entry.role == "postgres";
            if known {
                lost.retain(|of| *of != entry.of);
            }
            if !(known && grants::is_baseline(entry)) {
                self.items.push(default_privileges(entry));
            }
        }
        for of in lost {
            self.items.push(default_privileges(&Defaults {
                role: "postgres".to_owned(),
                schema: Some("public".to_owned()),
                of: of.to_owned(),
                whole: Vec::new(),
                grants: Vec::new(),
            }));
        }
    }

    /// Keeps the settings of the database, and of roles that are the project's own.
    pub(super) fn set(&mut self, settings: &[Setting]) {
        let named: BTreeSet<&str> = self
            .catalog
            .roles
            .iter()
            .map(|it| it.role.as_str())
            .collect();
        let of_app = |role: &str| named.contains(role) && !supabase::is_platform_role(role);
        for setting in settings.iter().filter(|setting| setting.is_kept(of_app)) {
            let found = Found::bare(NOWHERE, Kind::Setting, setting.called(), setting.sql());
            self.items.push(Item {
                found,
                scope: Scope::Attached,
            });
        }
    }

    /// Keeps what the database says of itself and lets others do with it.
    pub(super) fn describe_itself(&mut self, database: &Database) {
        let items = database.found.iter().map(|found| Item {
            found: found.clone(),
            scope: Scope::Attached,
        });
        self.items.extend(items);
    }

    /// Makes the roles that kept objects name. The platform's are made only
    /// where the platform is missing.
    pub(super) fn name_roles(
        &mut self,
        access: &[Access],
        defaults: &[Defaults],
        database: &Database,
    ) {
        let mut named = self.named_roles(access, defaults);
        let of_settings = database.settings.iter().filter_map(Setting::role_it_needs);
        let of_database = database.roles.iter().map(String::as_str);
        for role in of_settings.chain(of_database) {
            named.entry(role.to_owned()).or_default();
        }
        for (role, acts) in named {
            if role.starts_with("pg_") {
                continue;
            }
            let mut sql = placeholder_roles::render(&role);
            let scope = if supabase::is_platform_role(&role) {
                Scope::Managed(supabase::MANAGED_SCHEMAS[0].to_owned())
            } else {
                if acts {
                    sql += &placeholder_roles::render_membership(&role);
                }
                self.roles.insert(role.clone());
                Scope::App
            };
            let found = Found::bare(NOWHERE, Kind::Role, role, sql);
            self.items.push(Item { found, scope });
        }
    }

    /// Roles, and whether whoever restores has to act for them: to make what
    /// they own, or to give what they gave.
    fn named_roles(&self, access: &[Access], defaults: &[Defaults]) -> BTreeMap<String, bool> {
        let mut named: BTreeMap<String, bool> = supabase::API_ROLES
            .iter()
            .map(|role| ((*role).to_owned(), false))
            .collect();
        for role in &self.catalog.roles {
            let own = !self.ownership.is_member(role.key);
            let Some(index) = self.made_by(role.key).filter(|_| own) else {
                continue;
            };
            let managed = matches!(self.items[index].scope, Scope::Managed(_))
                && supabase::is_platform_owner(&role.role);
            if !(managed && role.owns) {
                *named.entry(role.role.clone()).or_default() |= role.owns;
            }
        }
        for entry in defaults {
            if !supabase::is_platform_owner(&entry.role) {
                named.insert(entry.role.clone(), true);
            }
        }
        for grant in access.iter().flat_map(|access| &access.grants) {
            named
                .entry(grant.grantor.clone())
                .and_modify(|acts| *acts = true);
        }
        named
    }
}

fn default_privileges(entry: &Defaults) -> Item {
    let place = entry.schema.as_deref().unwrap_or("all schemas");
    let name = format!("{} on {} in {place}", entry.role, entry.of);
    let sql = grants::render_defaults(entry);
    Item {
        found: Found::bare(NOWHERE, Kind::DefaultPrivileges, name, sql),
        scope: Scope::App,
    }
}
