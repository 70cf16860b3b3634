//! Puts what was read together: which objects are kept, and what follows the
//! statements that make them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    Exclusion, Schema, SchemaError, Scope, Sequence, Table,
    catalog::{Catalog, Found, Key},
    database::Database,
    exclusions::{self, Leftovers},
    grants::Privileges,
    large_objects::LargeObjects,
    object_kind::Kind,
    ownership::{Ownership, Whose},
    placeholder_roles, quoted,
    relations::{self, FoundSequence},
    supabase,
};

/// An object on its way into the schema.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) found: Found,
    pub(super) scope: Scope,
}

/// What makes an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Maker {
    /// The item at this place.
    Item(usize),
    /// Nothing: it is left out.
    None,
    /// Nothing: it is a gap.
    Gap,
}

/// What has been put together so far.
#[derive(Debug)]
pub(super) struct Assembly<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) ownership: Ownership<'a>,
    pub(super) items: Vec<Item>,
    pub(super) excluded: Vec<Exclusion>,
    pub(super) gaps: Vec<Exclusion>,
    /// The app's roles that objects name.
    pub(super) roles: BTreeSet<String>,
    makers: HashMap<Key, Maker>,
}

/// Puts a database's schema together.
///
/// # Errors
/// [`SchemaError::Circular`].
pub(super) fn assemble(
    catalog: &Catalog,
    large_objects: &LargeObjects,
    Privileges { access, defaults }: &Privileges,
    database: &Database,
    tables: Vec<Table>,
    sequences: Vec<FoundSequence>,
    leftovers: &Leftovers,
) -> Result<Schema, SchemaError> {
    let mut assembly = Assembly {
        catalog,
        ownership: Ownership::of_catalog(catalog),
        items: Vec::new(),
        excluded: Vec::new(),
        gaps: Vec::new(),
        roles: BTreeSet::new(),
        makers: HashMap::new(),
    };
    assembly.name_strangers();
    for found in &catalog.found {
        assembly.take(found);
    }
    assembly.take_large_objects(large_objects);
    assembly.append_additions();
    assembly.grant(access);
    assembly.grant_defaults(defaults);
    assembly.set(&database.settings);
    assembly.describe_itself(database);
    assembly.name_roles(access, defaults, database);
    let tables = assembly.tables(tables);
    let sequences = assembly.sequences(sequences);
    let excluded = leftovers.excluded(&assembly.ownership);
    assembly.excluded.extend(excluded);
    let gaps = leftovers.gaps(&assembly.ownership);
    assembly.gaps.extend(gaps);
    assembly.arrange(tables, sequences)
}

impl Assembly<'_> {
    /// The item that makes an object, which may be a part of that item; `None`
    /// where the object is left out or the catalogs know of none.
    pub(super) fn made_by(&self, key: Key) -> Option<usize> {
        match self.maker(key) {
            Some(Maker::Item(index)) => Some(index),
            Some(Maker::None | Maker::Gap) | None => None,
        }
    }

    /// The oids of the relations that are gaps.
    pub(super) fn relations_in_gaps(&self) -> BTreeSet<u32> {
        let gaps = self
            .makers
            .iter()
            .filter(|(_, maker)| **maker == Maker::Gap);
        let relations = gaps.filter(|(key, _)| **key == Key::relation(key.oid));
        relations.map(|(key, _)| key.oid).collect()
    }

    fn maker(&self, mut key: Key) -> Option<Maker> {
        loop {
            if let Some(maker) = self.makers.get(&key) {
                return Some(*maker);
            }
            key = *self.catalog.aliases.get(&key)?;
        }
    }

    /// Keeps an object or leaves it out.
    fn take(&mut self, found: &Found) {
        if self.belongs_to_gap(found) {
            return;
        }
        let maker = match self.ownership.of(found) {
            Whose::App => self.keep(found, Scope::App),
            Whose::Managed(schema) => self.keep(found, Scope::Managed(schema)),
            // It would need a place to go.
            Whose::Attached if found.kind.holds_rows() => {
                self.gaps.push(exclusions::rows_among_the_platforms(found));
                Maker::Gap
            }
            Whose::Attached => self.keep(found, Scope::Attached),
            Whose::Extension => Maker::None,
            Whose::Platform => {
                let named = exclusions::platform_object(found, &self.ownership);
                self.excluded.extend(named);
                Maker::None
            }
        };
        // An extension's members are made by the extension.
        if !found.kind.is_addition() && !self.ownership.is_member(found.key) {
            self.makers.insert(found.key, maker);
        }
    }

    /// Whoever owns a large object: only the app has any.
    fn take_large_objects(&mut self, large_objects: &LargeObjects) {
        for found in &large_objects.found {
            let maker = self.keep(found, Scope::App);
            self.makers.insert(found.key, maker);
        }
        for (key, gap) in &large_objects.gaps {
            self.gaps.push(gap.clone());
            self.makers.insert(*key, Maker::Gap);
        }
    }

    /// Whether it is a gap already, or a part of one.
    fn belongs_to_gap(&self, found: &Found) -> bool {
        let whole = found.relation.map(Key::relation);
        let mut keys = [Some(found.key), whole].into_iter().flatten();
        keys.any(|key| self.maker(key) == Some(Maker::Gap))
    }

    fn keep(&mut self, found: &Found, scope: Scope) -> Maker {
        let made = self.items.len();
        self.items.push(Item {
            found: found.clone(),
            scope: scope.clone(),
        });
        if let Some(address) = &found.address {
            self.keep_owner(found, address, scope);
        }
        Maker::Item(made)
    }

    /// Whose an object is, as an object of its own: a restore may do without.
    fn keep_owner(&mut self, found: &Found, address: &str, scope: Scope) {
        let platforms = supabase::is_platform_owner(&found.owner);
        if platforms && !matches!(scope, Scope::Managed(_)) {
            self.excluded.push(exclusions::owner(found));
        } else if !platforms && !is_public_as_ever(found) {
            let found = Found {
                kind: Kind::Owner,
                name: address.to_owned(),
                sql: self.owner_sql(found, address),
                ..found.clone()
            };
            self.items.push(Item { found, scope });
        }
    }

    /// An owner has to be let make objects where one becomes its own. One that is not,
    /// any more, is let for a moment.
    fn owner_sql(&self, found: &Found, address: &str) -> String {
        let alter = format!("alter {address} owner to {};", quoted(&found.owner));
        match &found.schema {
            Some(schema) if found.kind != Kind::Schema => {
                let place = (schema.clone(), found.owner.clone());
                if self.catalog.shut_out.contains(&place) {
                    placeholder_roles::render_with_create_in(schema, &found.owner, &alter)
                } else {
                    alter + "\n"
                }
            }
            _ if supabase::is_platform_role(&found.owner) => alter + "\n",
            _ => placeholder_roles::render_with_create(&found.owner, &alter),
        }
    }

    /// What no query covers is a gap where it is the app's.
    fn name_strangers(&mut self) {
        for stranger in &self.catalog.strangers {
            match self.ownership.of_stranger(stranger) {
                Whose::App | Whose::Attached => {
                    let gap = exclusions::stranger(stranger);
                    if self.gaps.last() != Some(&gap) {
                        self.gaps.push(gap);
                    }
                    self.makers.insert(stranger.key, Maker::Gap);
                }
                Whose::Managed(_) => {
                    let named = exclusions::managed_stranger(stranger.described());
                    self.excluded.push(named);
                }
                Whose::Platform | Whose::Extension => {}
            }
        }
    }

    /// Appends comments and settings to what they are about. An extension brings
    /// its own.
    fn append_additions(&mut self) {
        for addition in &self.catalog.additions {
            if self.ownership.is_member(addition.key) {
                continue;
            }
            match self.maker(addition.key) {
                Some(Maker::Item(index)) => {
                    let found = &mut self.items[index].found;
                    if found.kind != Kind::Extension {
                        found.sql += &addition.sql;
                    }
                }
                Some(Maker::None | Maker::Gap) => {}
                None => self.gaps.push(exclusions::comment_on(&addition.of)),
            }
        }
    }

    /// The tables whose rows are backed up, the platform's first.
    fn tables(&mut self, all: Vec<Table>) -> Vec<Table> {
        let mut tables = Vec::new();
        let mut managed = BTreeMap::new();
        for mut table in all {
            let key = Key::relation(table.oid);
            let Some(index) = self.made_by(key).filter(|_| !self.ownership.is_member(key)) else {
                continue;
            };
            table.scope = self.items[index].scope.clone();
            match (&table.scope, relations::managed_place(&table.name)) {
                (Scope::App | Scope::Attached, _) => tables.push(table),
                (Scope::Managed(_), Some(place)) => {
                    managed.insert(place, table);
                }
                (Scope::Managed(_), None) => {
                    self.excluded.push(exclusions::managed_rows(&table.name));
                }
            }
        }
        managed.into_values().chain(tables).collect()
    }

    fn sequences(&self, all: Vec<FoundSequence>) -> Vec<Sequence> {
        all.into_iter()
            .filter(|found| !self.ownership.is_member(found.key))
            .filter(|found| {
                self.made_by(found.key)
                    .is_some_and(|index| self.items[index].scope == Scope::App)
            })
            .map(|found| found.sequence)
            .collect()
    }
}

/// Whether it is `public` with the owner that it has in every new database: whoever
/// owns the database.
fn is_public_as_ever(found: &Found) -> bool {
    found.kind == Kind::Schema && found.name == "public" && found.owner == "pg_database_owner"
}
