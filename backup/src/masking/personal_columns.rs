//! Columns that look as if they were about somebody: by their names, their types, and some of
//! their values. It finds what is called by its name, and cannot find all: a person has to look.

use std::net::IpAddr;

use super::{
    ColumnName, MaskKind,
    mask_kind::{is_dated, is_text},
};

/// A column that looks personal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonalColumn {
    /// Which.
    pub column: ColumnName,
    /// Why.
    pub why: &'static str,
    /// What may be made of it.
    pub proposal: MaskKind,
}

/// How a type is masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Json,
    Dated,
    Uuid,
    Network,
}

/// What words in the name of a column say, the first that stands in it.
const WORDS: [(&[&str], &str); 7] = [
    (&["email", "mail"], "email"),
    (&["phone", "telephone", "tel", "mobile", "fax"], "phone"),
    (
        &[
            "token",
            "secret",
            "password",
            "passwd",
            "otp",
            "nonce",
            "apikey",
            "credential",
        ],
        "secret",
    ),
    (
        &[
            "address",
            "street",
            "city",
            "zip",
            "zipcode",
            "postcode",
            "postal",
            "iban",
            "ssn",
            "passport",
            "gender",
            "latitude",
            "longitude",
        ],
        "address",
    ),
    (&["ip", "useragent", "agent"], "network"),
    (&["birth", "birthday", "birthdate", "dob", "born"], "birth"),
    (
        &[
            "firstname",
            "lastname",
            "surname",
            "fullname",
            "username",
            "nickname",
            "displayname",
        ],
        "name",
    ),
];

/// Words that make a `name` one of a person.
const PEOPLE: [&str; 14] = [
    "user",
    "users",
    "profile",
    "profiles",
    "person",
    "people",
    "contact",
    "contacts",
    "customer",
    "customers",
    "member",
    "members",
    "account",
    "subscriber",
];

/// Whether a column looks personal, by its name, its type and some of its values.
pub(super) fn look<'v>(
    column: &ColumnName,
    sql: &str,
    mut values: impl Iterator<Item = &'v str>,
) -> Option<PersonalColumn> {
    let form = form(sql)?;
    let why = by_name(column, form)
        .or_else(|| (form == Form::Network).then_some("its type is that of addresses of networks"))
        .or_else(|| values.find_map(by_value))?;
    let proposal = proposal(column, form, why);
    let fits = proposal.refuses(sql).is_none();
    Some(PersonalColumn {
        column: column.clone(),
        why,
        proposal: if fits { proposal } else { MaskKind::Null },
    })
}

fn form(sql: &str) -> Option<Form> {
    match sql {
        "json" | "jsonb" => Some(Form::Json),
        "uuid" => Some(Form::Uuid),
        "inet" | "cidr" | "macaddr" | "macaddr8" => Some(Form::Network),
        _ if is_dated(sql) => Some(Form::Dated),
        _ if is_text(sql) || sql.starts_with("character(") => Some(Form::Text),
        _ => None,
    }
}

const EMAIL: &str = "its name is that of an address of mail";
const PHONE: &str = "its name is that of a telephone";
const SECRET: &str = "its name is that of a secret";
const ADDRESS: &str = "its name is that of where somebody lives, or who they are";
const NETWORK: &str = "its name is that of somebody's network or browser";
const BIRTH: &str = "its name is that of a birth";
const NAME: &str = "its name is that of a person's name";
const META: &str = "Auth keeps there what it knows of somebody";

fn by_name(column: &ColumnName, form: Form) -> Option<&'static str> {
    let words = words(&column.column);
    if column.table.schema == "auth"
        && ["raw_user_meta_data", "identity_data"].contains(&column.column.as_str())
    {
        return Some(META);
    }
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
    let found = WORDS.iter().find(|(wanted, _)| has(wanted));
    let why = found.map(|(_, what)| match *what {
        "email" => EMAIL,
        "phone" => PHONE,
        "secret" => SECRET,
        "address" => ADDRESS,
        "network" => NETWORK,
        "birth" => BIRTH,
        _ => NAME,
    });
    let why = why.or_else(|| {
        let of_people = words_of_people(&column.table.name)
            || words.len() > 1 && has(&["first", "last", "full", "display", "user", "nick"]);
        (has(&["name"]) && of_people).then_some(NAME)
    })?;
    // When an address was confirmed is no address; a birth is what dates are personal for.
    let fits = match form {
        Form::Dated => why == BIRTH,
        Form::Uuid => why == SECRET,
        Form::Text | Form::Json | Form::Network => true,
    };
    fits.then_some(why)
}

fn words_of_people(table: &str) -> bool {
    words(table)
        .iter()
        .any(|word| PEOPLE.contains(&word.as_str()))
}

/// The words of a name, in small letters: `userName`, `user_name` and `user-name` have two.
/// What stands together in a known way is one word more.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for character in name.chars() {
        let begins = character.is_uppercase() && before.is_lowercase();
        if !character.is_alphanumeric() || begins {
            words.push(String::new());
        }
        if character.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(character.to_lowercase());
        }
        before = character;
    }
    words.retain(|word| !word.is_empty());
    let pairs: Vec<String> = words.windows(2).map(<[String]>::concat).collect();
    words.extend(pairs);
    words
}

/// Whether a value shows what its column's name does not say.
fn by_value(value: &str) -> Option<&'static str> {
    let is_email = |word: &str| {
        let parts = word.split_once('@');
        parts.is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
    };
    let is_phone = |word: &str| {
        word.strip_prefix('+').is_some_and(|digits| {
            digits.len() >= 8 && digits.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    let ends = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '<' | '>' | '"' | '(' | ')');
    value.split(ends).find_map(|word| {
        if is_email(word) {
            Some("a value holds an address of mail")
        } else if is_phone(word) {
            Some("a value holds a telephone number")
        } else if word.contains(['.', ':']) && word.parse::<IpAddr>().is_ok() {
            Some("a value holds an address of a network")
        } else {
            None
        }
    })
}

/// What keeps an app going with it: Auth reads its tokens as texts, which must not be null.
fn proposal(column: &ColumnName, form: Form, why: &str) -> MaskKind {
    match form {
        Form::Json => MaskKind::Fixed("{}".to_owned()),
        Form::Dated => MaskKind::Date,
        Form::Uuid => MaskKind::Hash,
        Form::Network => MaskKind::Null,
        Form::Text => match why {
            EMAIL => MaskKind::Email,
            PHONE => MaskKind::Phone,
            NAME => MaskKind::Name,
            SECRET if column.table.schema == "auth" => MaskKind::Fixed(String::new()),
            SECRET => MaskKind::Hash,
            _ => MaskKind::Text,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Name;

    fn column(text: &str) -> ColumnName {
        let parts: Vec<&str> = text.split('.').collect();
        ColumnName {
            table: Name {
                schema: parts[0].into(),
                name: parts[1].into(),
            },
            column: parts[2].into(),
        }
    }

    fn proposed(name: &str, sql: &str, values: &[&str]) -> Option<String> {
        let found = look(&column(name), sql, values.iter().copied());
        found.map(|found| found.proposal.to_string())
    }

    #[test]
    fn columns_are_known_by_their_names() {
        for (name, sql, expected) in [
            ("auth.users.email", "character varying(255)", Some("email")),
            (
                "auth.users.email_confirmed_at",
                "timestamp with time zone",
                None,
            ),
            (
                "auth.users.encrypted_password",
                "character varying(255)",
                Some("fixed:"),
            ),
            (
                "auth.users.recovery_token",
                "character varying(255)",
                Some("fixed:"),
            ),
            ("auth.users.raw_user_meta_data", "jsonb", Some("fixed:{}")),
            ("auth.users.phone", "text", Some("phone")),
            ("public.profiles.name", "text", Some("name")),
            ("public.wines.name", "text", None),
            ("public.wines.first_name", "text", Some("name")),
            ("public.orders.lastName", "text", Some("name")),
            ("public.wines.token_count", "integer", None),
            ("public.keys.token", "uuid", Some("hash")),
            ("public.people.born", "date", Some("date")),
            ("public.orders.shipping_address", "jsonb", Some("fixed:{}")),
            ("public.orders.zip", "text", Some("text")),
            ("public.orders.postal_code", "character(5)", Some("null")),
            ("public.orders.email", "character varying(20)", Some("null")),
            ("public.visits.seen_from", "inet", Some("null")),
            ("public.visits.userAgent", "text", Some("text")),
            ("public.wines.description", "text", None),
            ("public.wines.ship_date", "date", None),
        ] {
            assert_eq!(proposed(name, sql, &[]).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn columns_are_known_by_what_they_hold() {
        for (value, is_personal) in [
            ("written by Ada <ada@example.org>", true),
            ("call +4930123456", true),
            ("from 192.0.2.7, twice", true),
            ("2001:db8::1", true),
            ("{\"mail\": \"ada@example.org\"}", true),
            ("a rate of 12.5 @ 3", false),
            ("version 1.2", false),
            ("", false),
        ] {
            let found = proposed("public.wines.note", "text", &["nothing", value]);
            assert_eq!(found.as_deref(), is_personal.then_some("text"), "{value}");
        }
        assert_eq!(
            proposed("public.wines.data", "jsonb", &["{\"a\": \"b@c.d\"}"]).as_deref(),
            Some("fixed:{}")
        );
        assert_eq!(
            proposed("public.wines.stock", "integer", &["+4930123456"]),
            None
        );
    }
}
