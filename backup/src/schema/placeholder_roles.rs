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
