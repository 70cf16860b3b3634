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
    let (name, literal_name) = (quoted(role), literal(role));
    let change = |how: &str, to: &str| {
        let escaped = name.replace('%', "%%");
        literal(&format!("{how} create on database %I {to} {escaped}"))
    };
    block(&format!(
        "declare may constant boolean := pg_catalog.has_database_privilege({literal_name}, \
         pg_catalog.current_database(), 'create'); begin if not may then \
         execute pg_catalog.format({}, pg_catalog.current_database()); end if; {statement} \
         if not may then execute pg_catalog.format({}, pg_catalog.current_database()); end if; end",
        change("grant", "to"),
        change("revoke", "from"),
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
