//! Whose an object is: the app's, the platform's, or an extension's.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    catalog::{Catalog, Found, Key, Stranger},
    object_kind::Kind,
    supabase,
};

/// Whose an object is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Whose {
    /// The app's, or ours.
    App,
    /// The platform's, in the managed schema of that name.
    Managed(String),
    /// The app's, on something that is the platform's.
    Attached,
    /// The platform's.
    Platform,
    /// An extension brought it along.
    Extension,
}

/// The oid of `pg_extension`, the same in every version.
const EXTENSIONS: u32 = 3079;

/// Tells whose objects are.
#[derive(Debug)]
pub(super) struct Ownership<'a> {
    catalog: &'a Catalog,
    /// Schemas that are not on the list but belong to the platform's roles, and
    /// so does everything in them.
    platform_made: BTreeSet<&'a str>,
    /// Schemas on the list that belong to the team and are more than a fresh
    /// project's.
    team_made: BTreeSet<&'a str>,
}

impl<'a> Ownership<'a> {
    pub(super) fn of_catalog(catalog: &'a Catalog) -> Self {
        let mut only_platform: BTreeMap<&str, bool> = BTreeMap::new();
        for found in &catalog.found {
            if let Some(schema) = &found.schema {
                *only_platform.entry(schema).or_insert(true) &=
                    supabase::is_platform_owner(&found.owner);
            }
        }
        let mut ownership = Self {
            catalog,
            platform_made: only_platform
                .into_iter()
                .filter(|(schema, only)| *only && !supabase::is_managed_schema(schema))
                .map(|(schema, _)| schema)
                .collect(),
            team_made: BTreeSet::new(),
        };
        ownership.team_made = ownership.schemas_of_the_team();
        ownership
    }

    /// The schemas that are called like the platform's and are the team's, unless
    /// they are given to it and it made nothing there.
    fn schemas_of_the_team(&self) -> BTreeSet<&'a str> {
        let theirs = |owner: &str| !supabase::is_platform_owner(owner);
        let found = self.catalog.found.iter();
        let objects = found
            .filter(|found| found.kind != Kind::Schema && !self.is_of_extension(found))
            .map(|found| (found.schema.as_deref(), found.owner.as_str()));
        let strangers = self.catalog.strangers.iter();
        let strangers = strangers
            .filter(|stranger| !self.is_member(stranger.key))
            .map(|stranger| (stranger.schema.as_deref(), stranger.owner.as_str()));
        let filled: BTreeSet<&str> = objects
            .chain(strangers)
            .filter(|(_, owner)| theirs(owner))
            .filter_map(|(schema, _)| schema)
            .collect();
        let schemas = self.catalog.found.iter();
        schemas
            .filter(|found| found.kind == Kind::Schema && theirs(&found.owner))
            .filter(|found| !self.is_member(found.key))
            .map(|found| found.name.as_str())
            .filter(|name| supabase::is_platform_schema(name))
            .filter(|name| !supabase::is_given_schema(name) || filled.contains(name))
            .collect()
    }

    /// Whose an object with statements is.
    pub(super) fn of(&self, found: &Found) -> Whose {
        if self.is_of_extension(found) {
            return Whose::Extension;
        }
        let home = self.of_place(found.schema.as_deref(), &found.owner);
        match found.kind {
            Kind::Extension if supabase::is_platform_extension(&found.name) => Whose::Attached,
            Kind::Schema if self.is_left_out(&found.name) => Whose::Platform,
            // Another project may have it already.
            Kind::Schema if self.team_made.contains(found.name.as_str()) => {
                Whose::Managed(found.name.clone())
            }
            // Only a superuser may own one, whoever wanted it.
            Kind::ForeignDataWrapper => Whose::App,
            // Between types of the server's own, which only a superuser makes.
            Kind::Cast if found.schema.is_none() => Whose::Attached,
            Kind::Policy => match home {
                Whose::Managed(_) => Whose::Attached,
                other => other,
            },
            Kind::Trigger => self.of_trigger(home, found.calls.as_deref()),
            Kind::EventTrigger => match home {
                Whose::App => Whose::Attached,
                _ => Whose::Platform,
            },
            Kind::Publication | Kind::PublicationTable | Kind::PublicationSchema => {
                Self::of_publication(home, found)
            }
            _ => home,
        }
    }

    /// Whose something is that no statement makes.
    pub(super) fn of_stranger(&self, stranger: &Stranger) -> Whose {
        if self.is_member(stranger.key) {
            Whose::Extension
        } else {
            self.of_place(stranger.schema.as_deref(), &stranger.owner)
        }
    }

    /// Whether an extension brought the object along.
    pub(super) fn is_member(&self, mut key: Key) -> bool {
        while let Some(&whole) = self.catalog.aliases.get(&key) {
            if whole.class == EXTENSIONS {
                return true;
            }
            key = whole;
        }
        false
    }

    /// Whose a schema's objects of one owner are: the owner decides, and where the
    /// schema is another's they can only be attached to it.
    pub(super) fn of_place(&self, schema: Option<&str>, owner: &str) -> Whose {
        let platforms = supabase::is_platform_owner(owner);
        match schema {
            Some(schema) if supabase::is_managed_schema(schema) && platforms => {
                Whose::Managed(schema.to_owned())
            }
            Some(schema) if supabase::is_managed_schema(schema) => Whose::Attached,
            None if platforms => Whose::Platform,
            Some(schema) if platforms && self.is_platforms_place(schema) => Whose::Platform,
            Some(schema) if !platforms && self.is_left_out(schema) => Whose::Attached,
            _ => Whose::App,
        }
    }

    /// Whether the platform fills the schema, whoever else has something there.
    fn is_platforms_place(&self, schema: &str) -> bool {
        supabase::is_platform_schema(schema) || self.platform_made.contains(schema)
    }

    /// Whether the schema as a whole is the platform's.
    pub(super) fn is_left_out(&self, schema: &str) -> bool {
        self.is_platforms_place(schema) && !self.team_made.contains(schema)
    }

    /// An extension's member, or a part of one. That a table is published is a
    /// part of the publication.
    fn is_of_extension(&self, found: &Found) -> bool {
        let part_of = match found.kind {
            Kind::PublicationTable => None,
            _ => found.relation.map(Key::relation),
        };
        self.is_member(found.key) || part_of.is_some_and(|key| self.is_member(key))
    }

    /// A trigger on a managed table is the platform's where its function is. On
    /// a table of the app it may call the platform, which another server lacks.
    fn of_trigger(&self, table: Whose, calls: Option<&str>) -> Whose {
        let managed = calls
            .is_some_and(|schema| supabase::is_managed_schema(schema) || schema == "pg_catalog");
        match table {
            Whose::Managed(_) if !managed => Whose::Attached,
            Whose::App if calls.is_some_and(|schema| self.is_left_out(schema)) => Whose::Attached,
            other => other,
        }
    }

    /// A table joins a publication that the platform makes, or leaves one of the
    /// app's to a superuser.
    fn of_publication(home: Whose, found: &Found) -> Whose {
        let platform = found
            .publication
            .as_deref()
            .is_some_and(supabase::is_platform_publication);
        let member = found.kind != Kind::Publication;
        match home {
            Whose::App if platform && !member => Whose::Platform,
            Whose::App if platform || found.wide => Whose::Attached,
            Whose::Platform if member && !platform => Whose::Attached,
            Whose::Managed(_) => Whose::Platform,
            other => other,
        }
    }
}
