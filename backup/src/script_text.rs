//! Objects written together as scripts, in the order in which they are made.

use super::{
    format::ScriptObject,
    schema::{Object, Scope, Stage},
};

/// One script, before it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptText {
    /// Before or after the rows.
    pub stage: Stage,
    /// Whose objects they are.
    pub scope: Scope,
    /// The statements.
    pub sql: String,
    /// Where each object's statements stand in it.
    pub objects: Vec<ScriptObject>,
}

/// Writes objects as scripts, one for each run of objects of one stage and
/// scope: their order within a stage is not touched.
#[must_use]
pub fn write(objects: &[Object]) -> Vec<ScriptText> {
    let mut scripts: Vec<ScriptText> = Vec::new();
    for stage in [Stage::Before, Stage::After] {
        for object in objects.iter().filter(|object| object.stage == stage) {
            match scripts.last_mut() {
                Some(script) if script.stage == stage && script.scope == object.scope => {
                    script.push(object);
                }
                _ => {
                    let mut script = ScriptText {
                        stage,
                        scope: object.scope.clone(),
                        sql: String::new(),
                        objects: Vec::new(),
                    };
                    script.push(object);
                    scripts.push(script);
                }
            }
        }
    }
    scripts
}

impl ScriptText {
    fn push(&mut self, object: &Object) {
        self.objects.push(ScriptObject {
            kind: object.kind.to_owned(),
            name: object.name.clone(),
            table: object.table.clone(),
            refers_to: object.refers_to.clone(),
            schema: object.schema.clone(),
            needs: object.needs.iter().copied().collect(),
            offset: self.sql.len() as u64,
            length: object.sql.len() as u64,
        });
        self.sql.push_str(&object.sql);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn object(stage: Stage, scope: Scope, name: &str) -> Object {
        Object {
            stage,
            scope,
            kind: "table",
            name: name.into(),
            table: None,
            refers_to: None,
            schema: None,
            needs: BTreeSet::new(),
            sql: format!("create {name};\n"),
        }
    }

    #[test]
    fn objects_keep_their_order_and_scripts_change_with_stage_and_scope() {
        let auth = || Scope::Managed("auth".into());
        let scripts = write(&[
            object(Stage::Before, auth(), "a"),
            object(Stage::After, Scope::App, "é"),
            object(Stage::Before, Scope::App, "b"),
            object(Stage::Before, Scope::App, "c"),
            object(Stage::Before, auth(), "d"),
            object(Stage::After, Scope::Attached, "e"),
        ]);
        let written: Vec<(Stage, &str)> = scripts
            .iter()
            .map(|script| (script.stage, script.sql.as_str()))
            .collect();
        assert_eq!(
            written,
            [
                (Stage::Before, "create a;\n"),
                (Stage::Before, "create b;\ncreate c;\n"),
                (Stage::Before, "create d;\n"),
                (Stage::After, "create é;\n"),
                (Stage::After, "create e;\n"),
            ]
        );
    }

    #[test]
    fn the_places_of_objects_cover_their_script_without_gaps() {
        let names = ["é", "b", "long name"];
        let objects = names.map(|name| object(Stage::Before, Scope::App, name));
        let [script] = write(&objects).try_into().unwrap();
        let mut end = 0;
        for (place, object) in script.objects.iter().zip(&objects) {
            assert_eq!(place.offset, end);
            end += place.length;
            let range = place.offset.try_into().unwrap()..end.try_into().unwrap();
            assert_eq!(script.sql[range], object.sql);
        }
        assert_eq!(end, script.sql.len() as u64);
    }
}
