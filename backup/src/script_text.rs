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

/// The columns of the primary key that an object's statements make, if they make one.
pub(crate) fn primary_key(sql: &str) -> Option<Vec<String>> {
    let definition = constraint(sql)?.strip_prefix("PRIMARY KEY (")?;
    Some(columns(definition)?.0)
}

/// The columns that refer, and those that they refer to, if an object's statements make a
/// foreign key.
pub(crate) fn foreign_key(sql: &str) -> Option<(Vec<String>, Vec<String>)> {
    let definition = constraint(sql)?.strip_prefix("FOREIGN KEY (")?;
    let (referring, rest) = columns(definition)?;
    let (_schema, rest) = identifier(rest.strip_prefix(" REFERENCES ")?)?;
    let (_table, rest) = identifier(rest.strip_prefix('.')?)?;
    let (referred, _) = columns(rest.strip_prefix('(')?)?;
    (referring.len() == referred.len()).then_some((referring, referred))
}

/// The definition of the constraint that a statement adds.
fn constraint(sql: &str) -> Option<&str> {
    let rest = sql.strip_prefix("alter table ")?;
    let rest = rest.strip_prefix("only ").unwrap_or(rest);
    let (_schema, rest) = identifier(rest)?;
    let (_table, rest) = identifier(rest.strip_prefix('.')?)?;
    let (_name, rest) = identifier(rest.strip_prefix(" add constraint ")?)?;
    rest.strip_prefix(' ')
}

/// A list of columns up to its closing parenthesis, and what follows that.
fn columns(mut rest: &str) -> Option<(Vec<String>, &str)> {
    let mut columns = Vec::new();
    loop {
        let (column, after) = identifier(rest)?;
        columns.push(column);
        match after.strip_prefix(", ") {
            Some(more) => rest = more,
            None => return Some((columns, after.strip_prefix(')')?)),
        }
    }
}

/// The identifier that a text begins with, as the server quotes it, and what follows it.
fn identifier(text: &str) -> Option<(String, &str)> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$' || !c.is_ascii();
        let end = text.find(|c| !is_plain(c)).unwrap_or(text.len());
        return (end > 0).then(|| (text[..end].to_owned(), &text[end..]));
    };
    let mut name = String::new();
    loop {
        let (part, after) = rest.split_once('"')?;
        name += part;
        let Some(more) = after.strip_prefix('"') else {
            return Some((name, after));
        };
        name.push('"');
        rest = more;
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

    #[test]
    fn a_primary_key_is_read_from_the_statement_that_makes_it() {
        for (sql, expected) in [
            (
                "alter table only public.wines add constraint wines_pkey PRIMARY KEY (id);\n",
                Some(vec!["id"]),
            ),
            (
                "alter table only public.\"a.b\" add constraint \"x PRIMARY KEY (y)\" PRIMARY KEY (\"Größe \"\"1\"\"\", nth) INCLUDE (z);\n",
                Some(vec!["Größe \"1\"", "nth"]),
            ),
            (
                "alter table only public.wines add constraint \"x PRIMARY KEY (y)\" UNIQUE (id);\n",
                None,
            ),
            ("create index i on public.wines (id);\n", None),
        ] {
            let expected: Option<Vec<String>> =
                expected.map(|names| names.into_iter().map(Into::into).collect());
            assert_eq!(primary_key(sql), expected, "{sql}");
        }
    }

    #[test]
    fn a_foreign_key_is_read_from_the_statement_that_makes_it() {
        let read = |sql| foreign_key(sql).map(|(from, to)| (from.join(","), to.join(",")));
        let pair = |from: &str, to: &str| Some((from.to_owned(), to.to_owned()));
        for (sql, expected) in [
            (
                "alter table public.notes add constraint k FOREIGN KEY (wine, \"n th\") REFERENCES public.\"Tast(ings\"(wine, nth) MATCH FULL ON DELETE CASCADE;\n",
                pair("wine,n th", "wine,nth"),
            ),
            (
                "alter table public.profiles add constraint k FOREIGN KEY (id) REFERENCES auth.users(id) NOT VALID;\n",
                pair("id", "id"),
            ),
            (
                "alter table public.stays add constraint k FOREIGN KEY (room, PERIOD during) REFERENCES public.rooms(room, PERIOD during);\n",
                None,
            ),
            (
                "alter table only public.wines add constraint wines_pkey PRIMARY KEY (id);\n",
                None,
            ),
        ] {
            assert_eq!(read(sql), expected, "{sql}");
        }
    }
}
