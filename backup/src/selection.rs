//! What of a backup is restored or exported: all of it, or what was named, with
//! everything that it needs.
//!
//! An object is left out where it was not chosen, or where it needs something that
//! was left out by name. Tables, types, defaults, keys and indexes bring along what they
//! need, even another table, whose rows then stay behind. A view, function, trigger,
//! policy or foreign key that needs a table which was not chosen is left out instead,
//! and told. Owners, grants and row security come with what they are about.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    format::{Computed, ComputedKind, Manifest, Script, ScriptObject, SequenceState, TableData},
    schema::{self, Name, Scope, Stage},
};

/// What was chosen by name. The default is everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Objects, rows or both.
    pub parts: Parts,
    /// Everything in these schemas.
    pub schemas: Vec<String>,
    /// These tables with their partitions, and views and sequences by the same names.
    pub tables: Vec<Name>,
    /// None of these tables and their partitions, whatever else was chosen.
    pub exclude_tables: Vec<Name>,
    /// None of these objects, each by its kind and its name: `index public.wine_name`.
    pub skip: Vec<String>,
    /// The rows of these tables alone, while everything that was chosen is made.
    pub rows_of: Option<Vec<Name>>,
    /// Whether everything stays with the role that restores it.
    pub without_owners: bool,
    /// Whether no privileges are given.
    pub without_privileges: bool,
}

/// What of the chosen tables.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Parts {
    /// Objects and rows.
    #[default]
    All,
    /// Objects alone.
    Schema,
    /// Rows and the state of sequences alone.
    Data,
}

/// Names that a backup does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the backup has no {what} {name}{}", nearest(.near))]
pub struct UnknownName {
    /// Of what: `table`, `schema`, `object`.
    what: &'static str,
    name: String,
    /// The names that it has and that are most like this one.
    near: Vec<String>,
}

/// What was left out although it is a part of something chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// What, by its kind and name.
    pub what: String,
    /// What it needs that is not there.
    pub why: String,
}

/// What of a backup is chosen.
#[derive(Debug)]
pub struct Chosen<'a> {
    /// Of which backup.
    pub manifest: &'a Manifest,
    /// The tables whose rows are chosen, in the manifest's order.
    pub tables: Vec<&'a TableData>,
    /// The sequences whose state is chosen.
    pub sequences: Vec<&'a SequenceState>,
    /// What was left out although it is a part of something chosen.
    pub left_out: Vec<LeftOut>,
    /// Tables that are made and not filled, because something chosen needs them.
    pub unfilled: Vec<Name>,
    /// Whether nothing was left out by name.
    pub whole: bool,
    /// Objects, rows or both.
    pub parts: Parts,
    objects: BTreeSet<usize>,
}

/// A script and the objects of it that are chosen.
#[derive(Debug)]
pub struct ChosenScript<'a> {
    /// The script.
    pub script: &'a Script,
    /// Some of its objects, or all, in order.
    pub objects: Vec<&'a ScriptObject>,
    /// Where each stands among all objects of the backup.
    pub places: Vec<usize>,
}

impl<'a> Chosen<'a> {
    /// Chooses of a backup.
    ///
    /// # Errors
    /// [`UnknownName`] for the first name that the backup does not have.
    pub fn of(manifest: &'a Manifest, selection: &Selection) -> Result<Self, UnknownName> {
        let objects: Vec<_> = manifest
            .scripts
            .iter()
            .flat_map(|script| &script.objects)
            .collect();
        let choice = Choice::new(manifest, objects, selection);
        choice.check_names()?;
        Ok(choice.choose())
    }

    /// The scripts of a stage with what is chosen of them, in order.
    pub fn scripts(&self, stage: Stage) -> impl Iterator<Item = ChosenScript<'a>> + '_ {
        let mut places = 0..;
        let scripts = self.manifest.scripts.iter().map(move |script| {
            let numbered: Vec<_> = script.objects.iter().zip(places.by_ref()).collect();
            (script, numbered)
        });
        scripts
            .filter(move |(script, _)| script.stage == stage)
            .map(|(script, numbered)| {
                let chosen = numbered.into_iter();
                let chosen = chosen.filter(|(_, place)| self.objects.contains(place));
                let (objects, places) = chosen.unzip();
                ChosenScript {
                    script,
                    objects,
                    places,
                }
            })
            .filter(|chosen| !chosen.objects.is_empty())
    }

    /// The schemas that the chosen make, or make objects in, but for the platform's.
    #[must_use]
    pub fn app_schemas(&self) -> Vec<&'a str> {
        let of_objects = self.app_objects().filter_map(|object| {
            let table = object.table.as_ref().map(|table| table.schema.as_str());
            match object.kind.as_str() {
                "schema" => Some(object.name.as_str()),
                _ => table.or(object.schema.as_deref()),
            }
        });
        let of_tables = self.app_tables().map(|data| data.table.schema.as_str());
        distinct(of_objects.chain(of_tables))
    }

    /// The schemas that the chosen make: all of their own but `public`, which every
    /// database has.
    #[must_use]
    pub fn made_schemas(&self) -> Vec<&'a str> {
        let schemas = self.app_objects();
        let schemas = schemas.filter(|object| object.kind == "schema" && object.name != "public");
        distinct(schemas.map(|object| object.name.as_str()))
    }

    /// The extensions that the chosen need.
    #[must_use]
    pub fn needed_extensions(&self) -> Vec<&'a str> {
        let extensions = self.app_objects();
        let extensions = extensions.filter(|object| object.kind == "extension");
        distinct(extensions.map(|object| object.name.as_str()))
    }

    /// The roles that the chosen name and that are made where they are missing.
    #[must_use]
    pub fn roles(&self) -> Vec<&'a str> {
        let roles = self.app_objects().filter(|object| object.kind == ROLE);
        distinct(roles.map(|object| object.name.as_str()))
    }

    /// The platform's schemas that are made where they are absent.
    #[must_use]
    pub fn managed_schemas(&self) -> Vec<&'a str> {
        distinct(
            self.all_scripts()
                .filter_map(|chosen| match &chosen.script.scope {
                    Scope::Managed(schema) => Some(schema.as_str()),
                    Scope::App | Scope::Attached => None,
                }),
        )
    }

    /// The platform's tables among them, each after those that it refers to: not every role can
    /// keep their foreign keys from being checked row by row.
    #[must_use]
    pub fn managed_tables(&self) -> Vec<&'a TableData> {
        let tables = self.tables.iter().copied();
        let mut managed: Vec<_> = tables.filter(|data| data.scope != Scope::App).collect();
        managed.sort_by_key(|data| schema::managed_place(&data.table).unwrap_or(usize::MAX));
        managed
    }

    /// The application's tables among them.
    pub fn app_tables(&self) -> impl Iterator<Item = &'a TableData> {
        let tables = self.tables.iter().copied();
        tables.filter(|data| data.scope == Scope::App)
    }

    /// What the server computes of the chosen rows. A view may read any table.
    #[must_use]
    pub fn computed(&self) -> Vec<&'a Computed> {
        let has_rows = |relation: &Name| self.tables.iter().any(|data| data.table == *relation);
        let has_all = self.tables.len() == self.manifest.tables.len();
        let computed = self.manifest.computed.iter();
        computed
            .filter(|computed| match computed.kind {
                ComputedKind::Generated => has_rows(&computed.relation),
                ComputedKind::View => has_all,
            })
            .collect()
    }

    fn app_objects(&self) -> impl Iterator<Item = &'a ScriptObject> + '_ {
        self.all_scripts()
            .filter(|chosen| chosen.script.scope == Scope::App)
            .flat_map(|chosen| chosen.objects)
    }

    fn all_scripts(&self) -> impl Iterator<Item = ChosenScript<'a>> + '_ {
        let before = self.scripts(Stage::Before);
        before.chain(self.scripts(Stage::After))
    }
}

impl ScriptObject {
    /// The kind and the name, as people name it.
    #[must_use]
    pub fn described(&self) -> String {
        format!("{} {}", self.kind, self.name)
    }
}

const ROLE: &str = "role";
const TABLE: &str = "table";
const FOREIGN_KEY: &str = "foreign key";
const PARTITION: &str = "partition";

/// What relations can be named like a table.
const RELATIONS: [&str; 4] = [TABLE, "foreign table", "view", "materialized view"];

/// Kinds that hold rows, or stand for those that do.
const FILLED: [&str; 2] = [TABLE, "foreign table"];

/// Kinds that come with what they are about, and with nothing else.
const ATTENDANTS: [&str; 5] = [
    "owner",
    "grants",
    "schema grants",
    "row security",
    "sequence owner",
];

const PRIVILEGES: [&str; 4] = [
    "grants",
    "schema grants",
    "default privileges",
    "privileges",
];

/// Kinds that are left out rather than bring a table along that was not chosen.
const LIGHT: [&str; 18] = [
    "view columns",
    "view",
    "materialized view",
    "materialized view data",
    "function signature",
    "function",
    "procedure",
    "aggregate",
    "operator",
    "cast",
    FOREIGN_KEY,
    "rule",
    "trigger",
    "policy",
    PARTITION,
    "index partition",
    "publication table",
    "publication schema",
];

/// A choice under way.
struct Choice<'a, 's> {
    manifest: &'a Manifest,
    /// All objects of the backup, by their places.
    objects: Vec<&'a ScriptObject>,
    selection: &'s Selection,
    /// Named tables and their partitions.
    tables: BTreeSet<Name>,
    excluded: BTreeSet<Name>,
    left_out: Vec<LeftOut>,
}

impl<'a, 's> Choice<'a, 's> {
    fn new(
        manifest: &'a Manifest,
        objects: Vec<&'a ScriptObject>,
        selection: &'s Selection,
    ) -> Self {
        let parents = parents(&objects);
        Self {
            manifest,
            selection,
            tables: with_partitions(&selection.tables, &parents),
            excluded: with_partitions(&selection.exclude_tables, &parents),
            objects,
            left_out: Vec::new(),
        }
    }

    fn check_names(&self) -> Result<(), UnknownName> {
        let relations = self.relations();
        for table in self
            .selection
            .tables
            .iter()
            .chain(&self.selection.exclude_tables)
        {
            check("table", &plain(table), &relations)?;
        }
        let schemas = self.schemas();
        for schema in &self.selection.schemas {
            check("schema", schema, &schemas)?;
        }
        let objects = self.objects.iter().map(|object| object.described());
        let objects: BTreeSet<_> = objects.collect();
        for object in &self.selection.skip {
            check("object", object, &objects)?;
        }
        Ok(())
    }

    fn relations(&self) -> BTreeSet<String> {
        let of_objects = self.objects.iter();
        let of_objects = of_objects.filter(|object| RELATIONS.contains(&object.kind.as_str()));
        let of_objects = of_objects.filter_map(|object| object.table.as_ref());
        let of_tables = self.manifest.tables.iter().map(|data| &data.table);
        of_objects.chain(of_tables).map(plain).collect()
    }

    fn schemas(&self) -> BTreeSet<String> {
        let of_objects = self
            .objects
            .iter()
            .filter_map(|object| object.schema.clone());
        let tables = self.manifest.tables.iter();
        let of_tables = tables.map(|data| data.table.schema.clone());
        of_objects.chain(of_tables).collect()
    }

    fn choose(mut self) -> Chosen<'a> {
        let dropped = self.drop_named();
        let mut chosen = if self.is_restricted() {
            self.choose_named(&dropped)
        } else {
            self.choose_all(&dropped)
        };
        self.drop_keys_to_rows_elsewhere(&mut chosen);
        let tables = self.tables(&dropped);
        let made: BTreeSet<&Name> = self.made_tables(&chosen).collect();
        let filled = |table: &Name| self.is_chosen(table);
        let unfilled = made.into_iter().filter(|table| !filled(table)).cloned();
        Chosen {
            manifest: self.manifest,
            unfilled: unfilled.collect(),
            sequences: self.sequences(&chosen, &dropped),
            tables,
            left_out: self.left_out,
            whole: *self.selection == Selection::default(),
            parts: self.selection.parts,
            objects: match self.selection.parts {
                Parts::Data => BTreeSet::new(),
                Parts::All | Parts::Schema => chosen,
            },
        }
    }

    /// Whether only some schemas or tables were named.
    fn is_restricted(&self) -> bool {
        !self.selection.schemas.is_empty() || !self.tables.is_empty()
    }

    /// Whether a table is chosen with its rows.
    fn is_chosen(&self, table: &Name) -> bool {
        let named = self.tables.contains(table) || self.selection.schemas.contains(&table.schema);
        (named || !self.is_restricted()) && !self.excluded.contains(table)
    }

    /// Whether rows of the table are wanted, if it has any.
    fn wants_rows_of(&self, table: &Name) -> bool {
        let rows_of = self.selection.rows_of.as_ref();
        rows_of.is_none_or(|tables| tables.contains(table))
    }

    /// Foreign keys of rows that are here to rows that are not. A table that has no
    /// rows of its own in the backup is a partitioned one: some of its rows may be
    /// here, and others not.
    fn drop_keys_to_rows_elsewhere(&mut self, chosen: &mut BTreeSet<usize>) {
        let Some(rows_of) = &self.selection.rows_of else {
            return;
        };
        let has_rows = |table: &&Name| {
            self.manifest
                .tables
                .iter()
                .any(|data| data.table == **table)
        };
        let may_have_rows = |table: &Name| self.wants_rows_of(table) || !has_rows(&table);
        let keys = chosen.iter().filter(|place| {
            let object = self.objects[**place];
            let refers_to = object.refers_to.as_ref();
            object.kind == FOREIGN_KEY
                && object.table.as_ref().is_none_or(may_have_rows)
                && refers_to.is_some_and(|table| !rows_of.contains(table))
        });
        let keys: Vec<usize> = keys.copied().collect();
        for place in keys {
            chosen.remove(&place);
            let key = self.objects[place];
            let table = key.refers_to.as_ref().map(plain).unwrap_or_default();
            self.left_out.push(LeftOut {
                what: key.described(),
                why: format!("it needs the rows of {table}, which were not chosen"),
            });
        }
    }

    /// What is left out by name, and what needs it.
    fn drop_named(&mut self) -> BTreeSet<usize> {
        let mut dropped = BTreeSet::new();
        for place in 0..self.objects.len() {
            let object = self.objects[place];
            if self.is_unwanted(object) {
                dropped.insert(place);
            } else if let Some(needed) = object.needs.iter().find(|need| dropped.contains(need)) {
                let needed = *needed;
                self.leave_out(place, needed);
                dropped.insert(place);
            }
        }
        dropped
    }

    fn is_unwanted(&self, object: &ScriptObject) -> bool {
        let kind = object.kind.as_str();
        let excluded = |table: &Name| self.excluded.contains(table);
        self.selection.skip.contains(&object.described())
            || (self.selection.without_owners && kind == "owner")
            || (self.selection.without_privileges && PRIVILEGES.contains(&kind))
            || object.table.as_ref().is_some_and(excluded)
            || self
                .state_of(object)
                .and_then(|state| state.table.as_ref())
                .is_some_and(excluded)
    }

    /// Where the sequence stood that an object makes.
    fn state_of(&self, object: &ScriptObject) -> Option<&'a SequenceState> {
        if object.kind != "sequence" {
            return None;
        }
        let mut sequences = self.manifest.sequences.iter();
        sequences.find(|state| object.name == plain(&state.sequence))
    }

    /// Says that one object is left out because of another. Nobody asks for an owner
    /// or for grants of what is not there.
    fn leave_out(&mut self, place: usize, needed: usize) {
        let (object, needed) = (self.objects[place], self.objects[needed]);
        if self.selection.parts != Parts::Data && !is_attendant(object) {
            self.left_out.push(LeftOut {
                what: object.described(),
                why: format!("it needs {}, which was not chosen", needed.described()),
            });
        }
    }

    /// Everything but what was left out. A role that only owners and grants name is not
    /// made for nothing.
    fn choose_all(&self, dropped: &BTreeSet<usize>) -> BTreeSet<usize> {
        let places = 0..self.objects.len();
        let mut chosen: BTreeSet<_> = places.filter(|place| !dropped.contains(place)).collect();
        if self.selection.without_owners && self.selection.without_privileges {
            let needed = |place: &usize| {
                let mut others = chosen.iter();
                others.any(|other| self.objects[*other].needs.contains(place))
            };
            let idle = chosen
                .iter()
                .filter(|place| self.objects[**place].kind == ROLE);
            let idle: Vec<_> = idle.filter(|place| !needed(place)).copied().collect();
            for place in idle {
                chosen.remove(&place);
            }
        }
        chosen
    }

    /// What was named, with everything that it needs.
    fn choose_named(&mut self, dropped: &BTreeSet<usize>) -> BTreeSet<usize> {
        let roots: Vec<usize> = (0..self.objects.len())
            .filter(|place| !dropped.contains(place) && self.is_root(self.objects[*place]))
            .collect();
        let light = |place: &usize| LIGHT.contains(&self.objects[*place].kind.as_str());
        let (light, heavy): (Vec<_>, Vec<_>) = roots.into_iter().partition(light);
        let mut chosen = BTreeSet::new();
        for place in heavy {
            chosen.extend(self.closure(place));
        }
        for place in light {
            let closure = self.closure(place);
            match self.missing_table(place, &closure, &chosen) {
                Some(why) => self.left_out.push(LeftOut {
                    what: self.objects[place].described(),
                    why,
                }),
                None => chosen.extend(closure),
            }
        }
        for place in self.attendants(dropped, &chosen) {
            chosen.extend(self.closure(place));
        }
        chosen
    }

    fn is_root(&self, object: &ScriptObject) -> bool {
        let in_schema = |schema: &String| self.selection.schemas.contains(schema);
        match &object.table {
            Some(table) => self.is_chosen(table),
            None => object.schema.as_ref().is_some_and(in_schema),
        }
    }

    /// Why a light object stays behind: a table that it needs does.
    fn missing_table(
        &self,
        place: usize,
        closure: &BTreeSet<usize>,
        chosen: &BTreeSet<usize>,
    ) -> Option<String> {
        let object = self.objects[place];
        let because = |what: String| format!("it needs {what}, which was not chosen");
        let refers_to = object
            .refers_to
            .as_ref()
            .filter(|_| object.kind == FOREIGN_KEY);
        if let Some(table) = refers_to
            && !self.is_chosen(table)
        {
            return Some(because(format!("table {}", plain(table))));
        }
        let mut tables = closure
            .difference(chosen)
            .map(|place| self.objects[*place])
            .filter(|object| FILLED.contains(&object.kind.as_str()));
        tables.next().map(|table| because(table.described()))
    }

    /// An object and everything that it needs.
    fn closure(&self, place: usize) -> BTreeSet<usize> {
        let mut found = BTreeSet::from([place]);
        let mut open = vec![place];
        while let Some(next) = open.pop() {
            let needs = self.objects[next].needs.iter();
            open.extend(needs.copied().filter(|needed| found.insert(*needed)));
        }
        found
    }

    /// Owners, grants and the like of what is chosen.
    fn attendants(&self, dropped: &BTreeSet<usize>, chosen: &BTreeSet<usize>) -> Vec<usize> {
        let attends = |place: &usize| {
            let object = self.objects[*place];
            let subjects = object.needs.iter();
            let is_subject = |needed: &&usize| self.objects[**needed].kind != ROLE;
            let subjects: Vec<_> = subjects.filter(is_subject).collect();
            is_attendant(object)
                && !subjects.is_empty()
                && subjects.iter().all(|subject| chosen.contains(*subject))
        };
        let places = 0..self.objects.len();
        let places = places.filter(|place| !dropped.contains(place));
        places.filter(attends).collect()
    }

    fn tables(&self, dropped: &BTreeSet<usize>) -> Vec<&'a TableData> {
        if self.selection.parts == Parts::Schema {
            return Vec::new();
        }
        let skipped: BTreeSet<&Name> = self.made_tables(dropped).collect();
        let tables = self.manifest.tables.iter();
        tables
            .filter(|data| self.is_chosen(&data.table) && !skipped.contains(&data.table))
            .filter(|data| self.wants_rows_of(&data.table))
            .collect()
    }

    fn sequences(
        &self,
        chosen: &BTreeSet<usize>,
        dropped: &BTreeSet<usize>,
    ) -> Vec<&'a SequenceState> {
        if self.selection.parts == Parts::Schema {
            return Vec::new();
        }
        let skipped: BTreeSet<&Name> = self.made_tables(dropped).collect();
        let made = |among: &BTreeSet<usize>, state: &SequenceState| {
            let mut objects = among.iter().map(|place| self.objects[*place]);
            objects.any(|object| self.state_of(object) == Some(state))
        };
        let is_of_chosen = |state: &SequenceState| match &state.table {
            Some(table) => self.is_chosen(table) && !skipped.contains(table),
            None => !self.is_restricted(),
        };
        let sequences = self.manifest.sequences.iter();
        sequences
            .filter(|state| is_of_chosen(state) || made(chosen, state))
            .filter(|state| !made(dropped, state))
            .collect()
    }

    /// The tables that some of the objects make.
    fn made_tables<'b>(
        &'b self,
        places: &'b BTreeSet<usize>,
    ) -> impl Iterator<Item = &'a Name> + 'b {
        let objects = places.iter().map(|place| self.objects[*place]);
        let tables = objects.filter(|object| object.kind == TABLE);
        tables.filter_map(|object| object.table.as_ref())
    }
}

fn is_attendant(object: &ScriptObject) -> bool {
    ATTENDANTS.contains(&object.kind.as_str())
}

/// Partitions, and the tables that they are parts of.
fn parents<'a>(objects: &[&'a ScriptObject]) -> BTreeMap<&'a Name, BTreeSet<&'a Name>> {
    let mut parents: BTreeMap<&Name, BTreeSet<&Name>> = BTreeMap::new();
    for object in objects.iter().filter(|object| object.kind == PARTITION) {
        let needed = object.needs.iter().map(|needed| objects[*needed]);
        let tables = needed.filter(|needed| needed.kind == TABLE);
        let tables = tables.filter_map(|needed| needed.table.as_ref());
        if let Some(part) = &object.table {
            let whole = tables.filter(|table| *table != part);
            parents.entry(part).or_default().extend(whole);
        }
    }
    parents
}

fn with_partitions(tables: &[Name], parents: &BTreeMap<&Name, BTreeSet<&Name>>) -> BTreeSet<Name> {
    let mut all: BTreeSet<Name> = tables.iter().cloned().collect();
    loop {
        let is_part = |wholes: &BTreeSet<&Name>| wholes.iter().any(|whole| all.contains(*whole));
        let parts = parents
            .iter()
            .filter(|(part, wholes)| is_part(wholes) && !all.contains(**part));
        let parts: Vec<Name> = parts.map(|(part, _)| (*part).clone()).collect();
        if parts.is_empty() {
            return all;
        }
        all.extend(parts);
    }
}

fn check(what: &'static str, name: &str, known: &BTreeSet<String>) -> Result<(), UnknownName> {
    if known.contains(name) {
        return Ok(());
    }
    Err(UnknownName {
        what,
        name: name.to_owned(),
        near: near(name, known),
    })
}

/// The names most like one, at most three, the most alike first.
fn near(name: &str, known: &BTreeSet<String>) -> Vec<String> {
    const ALIKE: f64 = 0.8;
    let likeness = |other: &String| strsim::jaro_winkler(name, other);
    let mut alike: Vec<_> = known.iter().map(|other| (likeness(other), other)).collect();
    alike.retain(|(likeness, _)| *likeness >= ALIKE);
    alike.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    alike
        .into_iter()
        .take(3)
        .map(|(_, other)| other.clone())
        .collect()
}

fn nearest(near: &[String]) -> String {
    match near {
        [] => String::new(),
        near => format!("; it has {}", near.join(", ")),
    }
}

/// A name as objects are called by it: unquoted.
fn plain(name: &Name) -> String {
    format!("{}.{}", name.schema, name.name)
}

/// Every name once, in the order of their first appearance.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    names.fold(Vec::new(), |mut distinct, name| {
        if !distinct.contains(&name) {
            distinct.push(name);
        }
        distinct
    })
}

#[cfg(test)]
mod tests;
