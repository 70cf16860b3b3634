//! `docs/access.md`: who may do what, pair by pair, from the table that the tests try.

use std::fmt::Write;

use ops::{
    access::{
        doors::{self, Proof},
        tables::{APP_TABLES, Caller, Rows, TABLES},
    },
    auth::roles::{Permission, Role},
};

const DOORS: &str = "# Who may do what\n\n\
Every pair of somebody and something, from the one table of it (`lib/src/access`). A test knocks at each door with \
each proof, and asks the database for each table under each role; a pair that is missing here fails it. What is \
behind it, and what is not stopped, is in [security.md](security.md).\n\n\
## Doors\n\n\
Who is let in at which endpoint and method, by what they send. Where `nobody` is let in no proof is needed, and one \
that is sent as a bearer has to be right all the same. Whoever is not let in gets 401, or 403 if it is known who \
they are; the latter is in the [audit log](audit.md).\n\n";

const PERMISSIONS: &str = "\n## Permissions\n\n\
What a person's role allows behind a door, and in the database where it is done.\n\n";

const TABLES_OF_OURS: &str = "\n## Tables of ours\n\n\
Schema `ops`, which the project's API does not expose. What each role of the database may do with a table and its \
partitions: select, insert, update, delete. Nobody may truncate one. People who are signed in, whatever their role, \
may do as much as strangers: nothing. `version` of `migrations` is read by the server alone, and the key and the \
waiting rows of the audit log by its own functions.\n\n";

const TABLES_OF_THE_APP: &str = "\n## Tables of the app\n\n\
Schema `public`: the nine monitoring tables. People read their own rows where the table names a user.\n\n";

/// The page.
pub(super) fn markdown() -> String {
    let mut text = DOORS.to_owned();
    doors_of(&mut text);
    text.push_str("\n| proof | what is sent |\n| --- | --- |\n");
    for proof in Proof::ALL {
        let _ = writeln!(text, "| {} | {} |", proof.as_str(), proof.what());
    }
    text.push_str(PERMISSIONS);
    permissions(&mut text);
    text.push_str(TABLES_OF_OURS);
    tables_of_ours(&mut text);
    text.push_str(TABLES_OF_THE_APP);
    tables_of_the_app(&mut text);
    text
}

/// The two first lines of a table.
fn head(text: &mut String, first: &str, columns: &[&str]) {
    let _ = writeln!(text, "| {first} | {} |", columns.join(" | "));
    let _ = writeln!(text, "| --- |{}", " --- |".repeat(columns.len()));
}

fn row(text: &mut String, first: &str, cells: &[&str]) {
    let _ = writeln!(text, "| {first} | {} |", cells.join(" | "));
}

fn yes(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "" }
}

fn doors_of(text: &mut String) {
    head(text, "door", &Proof::ALL.map(Proof::as_str));
    for door in doors::all() {
        let cells = Proof::ALL.map(|proof| yes(door.may.contains(&proof)));
        let name = format!("`{} {}`", door.method, door.path);
        row(text, &name, &cells);
    }
}

fn permissions(text: &mut String) {
    head(text, "permission", &Role::ALL.map(Role::as_str));
    for permission in Permission::ALL {
        let cells = Role::ALL.map(|role| yes(role.may(permission)));
        row(text, &format!("`{}`", permission.as_str()), &cells);
    }
}

fn tables_of_ours(text: &mut String) {
    head(text, "table", &Caller::ALL.map(Caller::as_str));
    for (table, server) in TABLES {
        let words = Caller::ALL.map(|caller| operations(caller.may(*server)));
        let cells: Vec<&str> = words.iter().map(String::as_str).collect();
        row(text, &format!("`{table}`"), &cells);
    }
}

fn tables_of_the_app(text: &mut String) {
    head(text, "table", &Caller::ALL.map(Caller::as_str));
    for table in APP_TABLES {
        let words = Caller::ALL.map(|caller| {
            let rows = match caller.rows() {
                Rows::Refused => return String::new(),
                Rows::Own => "own rows",
                Rows::All => "every row",
            };
            format!("{}: {rows}", operations(caller.may_in_app()))
        });
        let cells: Vec<&str> = words.iter().map(String::as_str).collect();
        row(text, &format!("`{table}`"), &cells);
    }
}

/// The operations that letters stand for.
fn operations(letters: &str) -> String {
    let words = letters.chars().filter_map(|letter| match letter {
        's' => Some("select"),
        'i' => Some("insert"),
        'u' => Some("update"),
        'd' => Some("delete"),
        't' => Some("truncate"),
        _ => None,
    });
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_found_by_its_row_and_its_column() {
        let page = markdown();
        let line = |start: &str| {
            let found = page.lines().find(|line| line.starts_with(start));
            found.unwrap_or_else(|| panic!("no {start}")).to_owned()
        };
        assert_eq!(
            line("| `POST /api/alerts/dispatch`"),
            "| `POST /api/alerts/dispatch` |  |  |  |  |  |  |  |  |  |  | yes |"
        );
        assert_eq!(line("| `audit.read`"), "| `audit.read` |  |  | yes |");
        assert_eq!(line("| `audit_key`"), "| `audit_key` |  |  |  |  |  |  |");
        assert_eq!(
            line("| `error_logs`"),
            "| `error_logs` |  | select: own rows | select: own rows | select: own rows \
             | select: every row | select, insert, update, delete: every row |"
        );
    }
}
