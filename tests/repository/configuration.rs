//! `vercel.json` as types that refuse what they do not know: the builder
//! passes unknown keys over in silence, the platform's upload then fails.

use std::collections::BTreeMap;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};

use crate::files;

/// The keys that this project uses, all of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct VercelJson {
    #[serde(rename = "$schema")]
    pub(crate) schema: String,
    pub(crate) framework: Option<String>,
    pub(crate) build_command: Option<String>,
    pub(crate) output_directory: String,
    pub(crate) regions: Vec<String>,
    pub(crate) functions: Functions,
    pub(crate) crons: Vec<Cron>,
    pub(crate) rewrites: Vec<Rewrite>,
    pub(crate) headers: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Function {
    pub(crate) memory: u32,
    pub(crate) max_duration: u32,
}

#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cron {
    pub(crate) path: String,
    pub(crate) schedule: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rewrite {
    pub(crate) source: String,
    pub(crate) destination: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    pub(crate) source: String,
    pub(crate) headers: Vec<Header>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// Patterns and limits in the order of the file, for the first match wins.
#[derive(Debug)]
pub(crate) struct Functions(pub(crate) Vec<(String, Function)>);

impl<'de> Deserialize<'de> for Functions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Functions;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("patterns with limits")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Functions, M::Error> {
                let mut functions = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    functions.push(entry);
                }
                Ok(Functions(functions))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// `vercel.json` of the repository.
pub(crate) fn read() -> VercelJson {
    serde_json::from_str(&files::text("vercel.json")).unwrap()
}

#[test]
fn the_builder_is_told_all_that_it_would_guess() {
    let configuration = read();
    assert_eq!(
        configuration.schema,
        "https://openapi.vercel.sh/vercel.json"
    );
    assert_eq!(configuration.framework, None, "no framework builds this");
    assert_eq!(
        configuration.regions.len(),
        1,
        "functions run beside the database, nowhere else"
    );
}

#[test]
fn unknown_keys_are_refused() {
    let mut configuration: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(&files::text("vercel.json")).unwrap();
    configuration.insert("cron".into(), serde_json::json!([]));
    let text = serde_json::to_string(&configuration).unwrap();
    assert!(serde_json::from_str::<VercelJson>(&text).is_err());
}
