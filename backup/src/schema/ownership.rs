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
        Self {
            catalog,
            platform_made: only_platform
                .into_iter()
                .filter(|(schema, only)| *only && !supabase::is_managed_schema(schema))
                .map(|(schema, _)| schema)
                .collect(),
        }
    }

    /// Whose an object with statements is.
    pub(super) fn of(&self, found: &Found) -> Whose {
        if self.is_of_extension(found) {
            return Whose::Extension;
        }
        let home = self.of_place(found.schema.as_deref(), &found.owner);
        match found.kind {
            Kind::Extension if supabase::is_platform_extension(&found.name) => Whose::Attached,
            Kind::Policy => match home {
                Whose::Managed(_) => Whose::Attached,
                other => other,
            },
            Kind::Trigger => self.of_trigger(home, found.calls.as_deref()),
            Kind::EventTrigger => match home {
                Whose::App if !self.is_platform(found.calls.as_deref()) => Whose::Attached,
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

    /// Whose a schema's objects of one owner are.
    pub(super) fn of_place(&self, schema: Option<&str>, owner: &str) -> Whose {
        match schema {
            None if supabase::is_platform_owner(owner) => Whose::Platform,
            Some(schema) if supabase::is_managed_schema(schema) => {
                if supabase::is_platform_owner(owner) {
                    Whose::Managed(schema.to_owned())
                } else {
                    Whose::Attached
                }
            }
            _ if self.is_platform(schema) => Whose::Platform,
            _ => Whose::App,
        }
    }

    fn is_platform(&self, schema: Option<&str>) -> bool {
        schema.is_some_and(|schema| {
            supabase::is_platform_schema(schema) || self.platform_made.contains(schema)
        })
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
            Whose::App if self.is_platform(calls) => Whose::Attached,
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
