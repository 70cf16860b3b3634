//! What one object tells of itself.

use super::ScriptObject;
use crate::schema::Name;

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
