//! Brings an assembly into the order in which its objects are made.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Name, Object, Schema, SchemaError, Scope, Stage, Table,
    assembly::{Assembly, Item},
    catalog::{Found, Key},
    dependency_order,
    object_kind::Kind,
};

impl Assembly<'_> {
    /// Orders the objects and ends the assembly.
    pub(super) fn arrange(
        mut self,
        tables: Vec<Table>,
        sequences: Vec<Name>,
    ) -> Result<Schema, SchemaError> {
        let needs = self.needs();
        self.require_extensions(&needs);
        let mut stages: Vec<Stage> = self
            .items
            .iter()
            .map(|item| item.found.kind.stage())
            .collect();
        dependency_order::pull_forward(&mut stages, &needs);
        let ranks: Vec<_> = self
            .items
            .iter()
            .zip(&stages)
            .map(|(item, stage)| rank(item, *stage))
            .collect();
        let ordered = dependency_order::order(&ranks, &needs).map_err(|circle| {
            let named = circle.into_iter().map(|index| &self.items[index].found);
            SchemaError::Circular(named.map(Found::described).collect())
        })?;
        let objects = ordered
            .into_iter()
            .filter(|&index| !self.items[index].found.sql.is_empty())
            .map(|index| object(&self.items[index], stages[index]))
            .collect();
        Ok(Schema {
            objects,
            tables,
            sequences,
            extensions: self.catalog.extensions.clone(),
            roles: self.roles.into_iter().collect(),
            excluded: self.excluded,
            gaps: self.gaps,
        })
    }

    /// Which item needs which: as the catalogs say, and what the statements add.
    fn needs(&self) -> BTreeSet<(usize, usize)> {
        let mut needs = BTreeSet::new();
        let mut add = |item: Option<usize>, needed: Option<usize>| {
            needs.extend(item.zip(needed).filter(|(item, needed)| item != needed));
        };
        for &(item, needed) in &self.catalog.dependencies {
            add(self.made_by(item), self.made_by(needed));
        }
        for (index, item) in self.items.iter().enumerate() {
            if item.found.kind.is_addition() {
                add(Some(index), self.made_by(item.found.key));
            }
            if let Some(relation) = item.found.needs {
                add(Some(index), self.made_by(Key::relation(relation)));
            }
        }
        self.add_fillings(&mut needs);
        self.add_domain_constraints(&mut needs);
        needs
    }

    /// A domain is whole before anything uses it, but for what its own constraints
    /// need: since the minor releases of November 2026 a server lets nobody add a
    /// constraint to a domain that a function's default rests on.
    fn add_domain_constraints(&self, needs: &mut BTreeSet<(usize, usize)>) {
        for (constraint, item) in self.items.iter().enumerate() {
            if item.found.kind != Kind::DomainConstraint {
                continue;
            }
            let needed = dependency_order::reachable(constraint, needs);
            let domains = needs.range((constraint, 0)..=(constraint, usize::MAX));
            let Some(domain) = domains
                .map(|&(_, needed)| needed)
                .find(|&needed| is_domain_of(&self.items[needed].found, &item.found))
            else {
                continue;
            };
            let users: Vec<usize> = needs
                .iter()
                .filter(|(user, used)| *used == domain && *user != constraint)
                .map(|&(user, _)| user)
                .filter(|user| self.items[*user].found.kind != Kind::DomainConstraint)
                .filter(|user| !needed.contains(user))
                .collect();
            needs.extend(users.into_iter().map(|user| (user, constraint)));
        }
    }

    /// A materialised view is filled after those it reads, through whatever
    /// views it reads them.
    fn add_fillings(&self, needs: &mut BTreeSet<(usize, usize)>) {
        let fillings: BTreeMap<usize, usize> = self
            .items
            .iter()
            .enumerate()
            .filter(|(_, item)| item.found.kind == Kind::MaterializedViewData)
            .filter_map(|(index, item)| Some((self.made_by(item.found.key)?, index)))
            .collect();
        for (view, filling) in &fillings {
            for needed in dependency_order::reachable(*view, needs) {
                if let Some(other) = fillings.get(&needed) {
                    needs.insert((*filling, *other));
                }
            }
        }
    }

    /// An extension of the platform that something kept is made of has to be
    /// there, as any other.
    fn require_extensions(&mut self, needs: &BTreeSet<(usize, usize)>) {
        for &(item, needed) in needs {
            let required = self.items[item].scope != Scope::Attached;
            if required && self.items[needed].found.kind == Kind::Extension {
                self.items[needed].scope = Scope::App;
            }
        }
    }
}

/// Whether a constraint is one of that domain: it is named after it and itself.
fn is_domain_of(domain: &Found, constraint: &Found) -> bool {
    let own = constraint.name.strip_prefix(&domain.name);
    domain.kind == Kind::Domain
        && domain.schema == constraint.schema
        && own.is_some_and(|rest| rest.starts_with(' '))
}

/// By what objects are ordered where their needs leave a choice.
fn rank(item: &Item, stage: Stage) -> (Stage, bool, u8, Kind, String) {
    let scope = match item.scope {
        Scope::Managed(_) => 0,
        Scope::App => 1,
        Scope::Attached => 2,
    };
    let found = &item.found;
    let foundation = found.kind.is_foundation();
    (stage, !foundation, scope, found.kind, found.called())
}

fn object(item: &Item, stage: Stage) -> Object {
    let found = &item.found;
    Object {
        stage,
        scope: item.scope.clone(),
        kind: found.kind.as_str(),
        name: found.called(),
        table: found.table.clone(),
        refers_to: found.refers_to.clone(),
        sql: found.sql.clone(),
    }
}
