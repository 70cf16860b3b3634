//! What a manifest tells without any of its pieces.

use crate::schema::{Name, Scope};

use super::{Manifest, ScriptObject};

impl Manifest {
    /// The schemas that the backup makes, or makes objects in, but for the
    /// platform's.
    #[must_use]
    pub fn app_schemas(&self) -> Vec<&str> {
        let of_objects = self
            .app_objects()
            .filter_map(|object| match object.kind.as_str() {
                "schema" => Some(object.name.as_str()),
                _ => object.table.as_ref().map(|table| table.schema.as_str()),
            });
        let tables = self.tables.iter().filter(|data| data.scope == Scope::App);
        let of_tables = tables.map(|data| data.table.schema.as_str());
        distinct(of_objects.chain(of_tables))
    }

    /// The schemas that the backup makes: all of its own but `public`, which every
    /// database has.
    #[must_use]
    pub fn made_schemas(&self) -> Vec<&str> {
        let schemas = self
            .app_objects()
            .filter(|object| object.kind == "schema" && object.name != "public");
        distinct(schemas.map(|object| object.name.as_str()))
    }

    /// The extensions that the backup's other objects need.
    #[must_use]
    pub fn needed_extensions(&self) -> Vec<&str> {
        let extensions = self
            .app_objects()
            .filter(|object| object.kind == "extension");
        distinct(extensions.map(|object| object.name.as_str()))
    }

    /// The platform's schemas that a restore makes where they are absent.
    #[must_use]
    pub fn managed_schemas(&self) -> Vec<&str> {
        let scopes = self.scripts.iter().map(|script| &script.scope);
        distinct(scopes.filter_map(|scope| match scope {
            Scope::Managed(schema) => Some(schema.as_str()),
            Scope::App | Scope::Attached => None,
        }))
    }

    fn app_objects(&self) -> impl Iterator<Item = &ScriptObject> {
        let scripts = self
            .scripts
            .iter()
            .filter(|script| script.scope == Scope::App);
        scripts.flat_map(|script| &script.objects)
    }
}

impl ScriptObject {
    /// Its own name, if it is called after its table and itself, as constraints are.
    #[must_use]
    pub fn name_in_table(&self) -> Option<&str> {
        let Name { schema, name } = self.table.as_ref()?;
        self.name.strip_prefix(&format!("{schema}.{name} "))
    }

    /// The object's statements within its script's text, if they lie in it.
    #[must_use]
    pub fn within<'a>(&self, text: &'a [u8]) -> Option<&'a [u8]> {
        let start = usize::try_from(self.offset).ok()?;
        let end = start.checked_add(usize::try_from(self.length).ok()?)?;
        text.get(start..end)
    }
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
