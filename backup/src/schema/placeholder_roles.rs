//! Roles that the app's objects name. A placeholder without login stands for
//! each: passwords and memberships are no part of a database.

use super::quoted;

/// The statement that makes a role where it is missing.
pub(super) fn render(role: &str) -> String {
    block(&format!(
        "begin if not exists (select from pg_catalog.pg_roles where rolname = {}) then \
         create role {} nologin; end if; end",
        literal(role),
        quoted(role)
    ))
}

/// The statement that lets whoever restores make objects for a role.
pub(super) fn render_membership(role: &str) -> String {
    block(&format!(
        "begin if not pg_catalog.pg_has_role(current_user, {}, 'usage') then \
         grant {} to current_user; end if; end",
        literal(role),
        quoted(role)
    ))
}

/// The statement that makes something a role's own for which that has to be let make
/// objects in the database: if it is not, it is for a moment.
pub(super) fn render_with_create(role: &str, statement: &str) -> String {
    let name = quoted(role);
    let change = |how: &str, to: &str| {
        let escaped = name.replace('%', "%%");
        let text = literal(&format!("{how} create on database %I {to} {escaped}"));
        format!("execute pg_catalog.format({text}, pg_catalog.current_database());")
    };
    let may = format!(
        "pg_catalog.has_database_privilege({}, pg_catalog.current_database(), 'create')",
        literal(role)
    );
    for_a_moment(
        &may,
        [change("grant", "to"), change("revoke", "from")],
        statement,
    )
}

/// The same of what lies in a schema.
pub(super) fn render_with_create_in(schema: &str, role: &str, statement: &str) -> String {
    let may = format!(
        "pg_catalog.has_schema_privilege({}, {}, 'create')",
        literal(role),
        literal(schema)
    );
    let change = |how: &str, to: &str| {
        let (schema, role) = (quoted(schema), quoted(role));
        format!("{how} create on schema {schema} {to} {role};")
    };
    for_a_moment(
        &may,
        [change("grant", "to"), change("revoke", "from")],
        statement,
    )
}

/// The statement between the two changes, which are made where it may not be done without.
fn for_a_moment(may: &str, [grant, revoke]: [String; 2], statement: &str) -> String {
    block(&format!(
        "declare may constant boolean := {may}; begin if not may then {grant} end if; \
         {statement} if not may then {revoke} end if; end"
    ))
}

/// A statement that runs the block, whatever its characters.
pub(super) fn block(body: &str) -> String {
    format!("do {};\n", literal(body))
}

pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_end_the_block() {
        let sql = render("o'hara \"x\"");
        assert_eq!(
            sql,
            "do 'begin if not exists (select from pg_catalog.pg_roles where rolname = ''o''''hara \"x\"'') \
             then create role \"o''hara \"\"x\"\"\" nologin; end if; end';\n"
        );
    }
}
