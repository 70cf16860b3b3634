//! Brings an assembly into the order in which its objects are made.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    Object, Schema, SchemaError, Scope, Sequence, Stage, Table,
    assembly::{Assembly, Item},
    catalog::{Found, Key, NamedRole},
    dependency_order,
    object_kind::Kind,
    supabase::API_ROLES,
};

impl Assembly<'_> {
    /// Orders the objects and ends the assembly.
    pub(super) fn arrange(
        mut self,
        tables: Vec<Table>,
        sequences: Vec<Sequence>,
    ) -> Result<Schema, SchemaError> {
        let mut needs = self.needs();
        self.begin_circles(&mut needs, Kind::View, Kind::ViewColumns);
        self.begin_circles(&mut needs, Kind::Function, Kind::FunctionSignature);
        self.require_extensions(&needs);
        let mut stages: Vec<Stage> = self
            .items
            .iter()
            .map(|item| item.found.kind.stage())
            .collect();
        if tables.iter().any(names_objects) {
            self.make_views_early(&mut stages);
        }
        dependency_order::pull_forward(&mut stages, &needs);
        self.follow_subjects(&mut stages);
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
        let made: Vec<usize> = ordered
            .into_iter()
            .filter(|&index| self.is_made(index))
            .collect();
        let places: BTreeMap<usize, usize> = made.iter().copied().zip(0..).collect();
        let needed = |index| self.needed_by(index, &needs);
        let places_of = |items: BTreeSet<usize>| items.iter().map(|item| places[item]).collect();
        let objects = made
            .iter()
            .map(|&index| object(&self.items[index], stages[index], places_of(needed(index))))
            .collect();
        Ok(Schema {
            relations_in_gaps: self.relations_in_gaps(),
            objects,
            tables,
            sequences,
            extensions: self.catalog.extensions.clone(),
            roles: self.roles.into_iter().collect(),
            excluded: self.excluded,
            gaps: self.gaps,
        })
    }

    /// Whether an item has statements.
    fn is_made(&self, index: usize) -> bool {
        !self.items[index].found.sql.is_empty()
    }

    /// The items with statements that one needs. What another without statements needs
    /// is needed by whatever needs that. An owner or a grant is about one object, and
    /// needs roles besides.
    fn needed_by(&self, index: usize, needs: &BTreeSet<(usize, usize)>) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        for &(_, needed) in needs.range((index, 0)..=(index, usize::MAX)) {
            if self.is_made(needed) {
                found.insert(needed);
            } else {
                found.extend(self.needed_by(needed, needs));
            }
        }
        found
    }

    /// An owner comes with the object it is of.
    fn follow_subjects(&self, stages: &mut [Stage]) {
        for (index, item) in self.items.iter().enumerate() {
            if item.found.kind == Kind::Owner
                && let Some(subject) = self.made_by(item.found.key)
            {
                stages[index] = stages[subject];
            }
        }
    }

    /// Rows that name objects load only where those are there.
    fn make_views_early(&self, stages: &mut [Stage]) {
        for (stage, item) in stages.iter_mut().zip(&self.items) {
            if matches!(item.found.kind, Kind::View | Kind::MaterializedView) {
                *stage = Stage::Before;
            }
        }
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
        self.add_roles(&mut needs);
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
                .filter(|user| !self.items[*user].found.kind.is_addition())
                .filter(|user| !needed.contains(user))
                .collect();
            needs.extend(users.into_iter().map(|user| (user, constraint)));
        }
    }

    /// Makes what needs itself in two steps: its beginning is what the others in the
    /// circle need.
    fn begin_circles(
        &mut self,
        needs: &mut BTreeSet<(usize, usize)>,
        whole: Kind,
        beginning: Kind,
    ) {
        for (item, circle) in dependency_order::circles(self.items.len(), needs) {
            if self.items[item].found.kind == whole {
                self.begin(item, beginning, &circle, needs);
            }
        }
    }

    fn begin(
        &mut self,
        item: usize,
        kind: Kind,
        circle: &BTreeSet<usize>,
        needs: &mut BTreeSet<(usize, usize)>,
    ) {
        let Item { found, scope } = &mut self.items[item];
        let Some(sql) = found.beginning.take() else {
            return;
        };
        let scope = scope.clone();
        let beginning = Found {
            kind,
            sql,
            ..found.clone()
        };
        if let Some(definition) = found.sql.strip_prefix("create view ") {
            found.sql = format!("create or replace view {definition}");
        }
        let first = self.items.len();
        self.items.push(Item {
            found: beginning,
            scope,
        });
        let others: Vec<usize> = circle
            .iter()
            .copied()
            .filter(|other| *other != item)
            .collect();
        for other in others {
            if needs.remove(&(other, item)) {
                needs.insert((other, first));
            }
        }
        let needed = needs
            .range((item, 0)..=(item, usize::MAX))
            .map(|&(_, needed)| needed);
        let is_outside =
            |needed: &usize| !circle.contains(needed) && self.items[*needed].found.kind != kind;
        let outside: Vec<usize> = needed.filter(is_outside).collect();
        needs.extend(outside.into_iter().map(|needed| (first, needed)));
        needs.insert((item, first));
    }

    /// Roles are needed by what names them: an owner, grants, a policy. Whatever gives
    /// privileges takes them from the roles of every project first.
    fn add_roles(&self, needs: &mut BTreeSet<(usize, usize)>) {
        let is_role = |(_, item): &(usize, &Item)| item.found.kind == Kind::Role;
        let items = || self.items.iter().enumerate();
        let roles: HashMap<&str, usize> = items()
            .filter(is_role)
            .map(|(index, item)| (item.found.name.as_str(), index))
            .collect();
        let mut named: HashMap<Key, Vec<&NamedRole>> = HashMap::new();
        for role in &self.catalog.roles {
            named.entry(role.key).or_default().push(role);
        }
        for (index, item) in items() {
            let of_object = named.get(&item.found.key).into_iter().flatten();
            let of_object = of_object.filter(|role| match item.found.kind {
                Kind::Owner => role.owns,
                Kind::Grants | Kind::SchemaGrants => true,
                Kind::Policy => !role.owns,
                _ => false,
            });
            let everywhere = API_ROLES.iter().filter(|_| item.found.kind.is_privileges());
            let all = of_object
                .map(|role| role.role.as_str())
                .chain(everywhere.copied());
            needs.extend(all.filter_map(|name| Some((index, *roles.get(name)?))));
        }
    }

    /// A materialised view is filled after those it reads, through whatever
    /// views it reads them, and before it is indexed: rows that an index does not take
    /// are worth more than the index.
    fn add_fillings(&self, needs: &mut BTreeSet<(usize, usize)>) {
        let fillings: BTreeMap<usize, usize> = self
            .items
            .iter()
            .enumerate()
            .filter(|(_, item)| item.found.kind == Kind::MaterializedViewData)
            .filter_map(|(index, item)| Some((self.made_by(item.found.key)?, index)))
            .collect();
        for (index, item) in self.items.iter().enumerate() {
            let view = item
                .found
                .relation
                .and_then(|relation| self.made_by(Key::relation(relation)));
            let filling = view.and_then(|view| fillings.get(&view));
            if let (Kind::Index, Some(filling)) = (item.found.kind, filling) {
                needs.insert((index, *filling));
            }
        }
        for (view, filling) in &fillings {
            let mut needed = dependency_order::reachable(*view, needs);
            // By way of others it may need itself.
            needed.remove(view);
            for needed in needed {
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

/// Whether a table has a column of a type like `regclass`, whose values are names. No
/// type of anybody else is written without its schema.
fn names_objects(table: &Table) -> bool {
    let mut columns = table.columns.iter();
    columns.any(|column| column.type_sql.starts_with("reg"))
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

fn object(item: &Item, stage: Stage, needs: BTreeSet<usize>) -> Object {
    let found = &item.found;
    Object {
        stage,
        scope: item.scope.clone(),
        kind: found.kind.as_str(),
        name: found.called(),
        table: found.table.clone(),
        refers_to: found.refers_to.clone(),
        schema: found.schema.clone(),
        needs,
        sql: found.sql.clone(),
    }
}
