//! A source map as a file: read however large and odd it is, and asked for places.
//!
//! One in sections (Turbopack writes them so) is several maps, each from a place of the
//! built file on; any other is one section. Read by hand and not by a crate, because what
//! reads them for others keeps every mapping in memory and adds numbers of the file
//! without looking.

use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::mappings::{self, Bounds, Place};

/// A source map.
#[derive(Debug)]
pub(super) struct SourceMap {
    /// The id that the build gave the map and its file.
    pub(super) debug_id: Option<Uuid>,
    sections: Vec<Section>,
}

#[derive(Debug)]
struct Section {
    begins: Place,
    map: RawSection,
}

/// Where a place comes from.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Origin<'a> {
    /// The source as the map names it.
    pub(super) source: String,
    pub(super) place: Place,
    /// What the place was called there.
    pub(super) name: Option<&'a str>,
    /// The text of the source, where the map has it.
    pub(super) text: Option<&'a str>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawMap {
    version: Option<Value>,
    debug_id: Option<Value>,
    #[serde(rename = "debug_id")]
    former_debug_id: Option<Value>,
    sections: Option<Vec<OffsetSection>>,
    source_root: Option<String>,
    #[serde(default)]
    sources: Vec<Option<String>>,
    sources_content: Option<Vec<Option<String>>>,
    #[serde(default)]
    names: Vec<Value>,
    mappings: Option<String>,
}

#[derive(Debug, Deserialize)]
struct OffsetSection {
    offset: Offset,
    map: Option<RawSection>,
}

#[derive(Debug, Deserialize)]
struct Offset {
    line: u32,
    column: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawSection {
    source_root: Option<String>,
    sources: Vec<Option<String>>,
    sources_content: Option<Vec<Option<String>>>,
    names: Vec<Value>,
    mappings: Option<String>,
}

impl SourceMap {
    /// Reads a source map.
    ///
    /// # Errors
    /// Why it is none.
    pub(super) fn read(text: &[u8]) -> Result<Self, String> {
        let raw: RawMap =
            serde_json::from_slice(without_guard(text)).map_err(|error| error.to_string())?;
        if raw.version != Some(Value::from(3)) {
            return Err("it is not of version 3".to_owned());
        }
        let id = |id: Option<Value>| Uuid::parse_str(id?.as_str()?).ok();
        let mut sections = Vec::new();
        match raw.sections {
            None => sections.push(Section {
                begins: Place { line: 0, column: 0 },
                map: RawSection {
                    source_root: raw.source_root,
                    sources: raw.sources,
                    sources_content: raw.sources_content,
                    names: raw.names,
                    mappings: raw.mappings,
                },
            }),
            Some(given) => {
                for OffsetSection { offset, map } in given {
                    let Offset { line, column } = offset;
                    let map = map.ok_or("a section of it lies elsewhere, or in no map at all")?;
                    let begins = Place { line, column };
                    sections.push(Section { begins, map });
                }
            }
        }
        sections.sort_by_key(|section| (section.begins.line, section.begins.column));
        if sections
            .iter()
            .any(|section| section.map.mappings.is_none())
        {
            return Err("it, or a section of it, has no mappings".to_owned());
        }
        Ok(Self {
            debug_id: id(raw.debug_id).or_else(|| id(raw.former_debug_id)),
            sections,
        })
    }

    /// Finds where those places of the built file come from; none where the map knows no
    /// source.
    ///
    /// # Errors
    /// What is wrong with the map, in whichever section.
    pub(super) fn find(&self, wanted: &[Place]) -> Result<Vec<Option<Origin<'_>>>, String> {
        let mut found: Vec<_> = wanted.iter().map(|_| None).collect();
        for (nth, section) in self.sections.iter().enumerate() {
            let end = self.sections.get(nth + 1).map(|next| next.begins);
            let within: Vec<(usize, Place)> = wanted
                .iter()
                .enumerate()
                .filter_map(|(asked, place)| Some((asked, section.within(*place, end)?)))
                .collect();
            let places: Vec<_> = within.iter().map(|(_, place)| *place).collect();
            let origins = section.map.find(&places)?;
            for ((asked, _), origin) in within.into_iter().zip(origins) {
                found[asked] = origin;
            }
        }
        Ok(found)
    }
}

impl Section {
    /// A place of the whole file as the section counts it; none of another section.
    fn within(&self, place: Place, end: Option<Place>) -> Option<Place> {
        let order = |place: Place| (place.line, place.column);
        if end.is_some_and(|end| order(place) >= order(end)) {
            return None;
        }
        let line = place.line.checked_sub(self.begins.line)?;
        let column = match line {
            0 => place.column.checked_sub(self.begins.column)?,
            _ => place.column,
        };
        Some(Place { line, column })
    }
}

impl RawSection {
    fn find(&self, wanted: &[Place]) -> Result<Vec<Option<Origin<'_>>>, String> {
        let bounds = Bounds {
            sources: self.sources.len(),
            names: self.names.len(),
        };
        let mappings = self.mappings.as_deref().unwrap_or_default();
        let found = mappings::find(mappings, bounds, wanted)?;
        let origins = found.into_iter().map(|mapping| {
            let mapping = mapping?;
            let texts = self.sources_content.as_deref().unwrap_or_default();
            Some(Origin {
                source: self.source(mapping.source)?,
                place: mapping.place,
                name: mapping.name.and_then(|name| self.names.get(name)?.as_str()),
                text: texts.get(mapping.source).and_then(Option::as_deref),
            })
        });
        Ok(origins.collect())
    }

    /// The name of a source; one may have none, as what a bundler itself adds.
    fn source(&self, nth: usize) -> Option<String> {
        let source = self.sources.get(nth)?.as_deref()?;
        let root = self.source_root.as_deref().unwrap_or_default();
        if root.is_empty() || source.contains("://") || source.starts_with('/') {
            return Some(source.to_owned());
        }
        Some(format!("{}/{source}", root.trim_end_matches('/')))
    }
}

/// The text without the line that keeps browsers from running it as a script.
fn without_guard(text: &[u8]) -> &[u8] {
    if !text.starts_with(b")]}") {
        return text;
    }
    let end = text.iter().position(|byte| *byte == b'\n');
    end.map_or(&[], |end| &text[end..])
}

#[cfg(test)]
mod tests {
    use local_supabase::chance::Dice;
    use serde_json::json;

    use super::*;
    use crate::sourcemaps::original::Original;

    fn map(fields: &Value) -> Result<SourceMap, String> {
        let mut map = json!({
            "version": 3, "sources": ["a.ts", null], "sourcesContent": ["let a;\nlet b;"],
            "names": ["b", 7], "mappings": "AAAA;AACIA,ACAA",
        });
        map.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        SourceMap::read(map.to_string().as_bytes())
    }

    fn at(line: u32, column: u32) -> Place {
        Place { line, column }
    }

    #[test]
    fn a_place_leads_to_its_source_with_name_and_text() {
        let map = map(&json!({"sourceRoot": "src/"})).unwrap();
        let found = map.find(&[at(1, 0), at(0, 9), at(5, 0)]).unwrap();
        assert_eq!(found[0], None, "a source without a name");
        let origin = found[1].as_ref().unwrap();
        assert_eq!(
            (origin.source.as_str(), origin.place, origin.name),
            ("src/a.ts", at(0, 0), None)
        );
        assert_eq!(origin.text, Some("let a;\nlet b;"));
        assert_eq!(found[2], None);
    }

    #[test]
    fn sections_are_maps_of_their_own() {
        let section = |line: u32, column: u32, source: &str| {
            json!({"offset": {"line": line, "column": column},
                   "map": {"version": 3, "sources": [source], "names": ["n"], "mappings": "AAAA;AACAA"}})
        };
        let sections = [section(2, 10, "c"), section(0, 0, "a"), section(1, 5, "b")];
        let map = map(&json!({"sections": sections, "mappings": null})).unwrap();
        let sources = |place| {
            let found = map.find(&[place]).unwrap().pop().unwrap();
            found.map(|origin| (origin.source, origin.place.line, origin.name))
        };
        for (place, expected) in [
            (at(0, 7), Some(("a".to_owned(), 0, None))),
            (at(1, 4), Some(("a".to_owned(), 1, Some("n")))),
            (at(1, 5), Some(("b".to_owned(), 0, None))),
            (at(2, 9), Some(("b".to_owned(), 1, Some("n")))),
            (at(2, 10), Some(("c".to_owned(), 0, None))),
            (at(9, 0), None),
        ] {
            assert_eq!(sources(place), expected, "{place:?}");
        }
    }

    #[test]
    fn an_id_is_read_by_either_name_and_an_odd_one_is_none() {
        let id = "00000000-0000-4000-8000-000000000001";
        for (fields, expected) in [
            (json!({ "debugId": id }), Some(id)),
            (json!({ "debug_id": id }), Some(id)),
            (json!({ "debugId": 7, "debug_id": id }), Some(id)),
            (json!({ "debugId": "x" }), None),
        ] {
            let read = map(&fields).unwrap().debug_id;
            assert_eq!(read, expected.map(|id| id.parse().unwrap()), "{fields}");
        }
    }

    #[test]
    fn what_is_no_map_is_told_in_words() {
        for (fields, word) in [
            (json!({"version": 4}), "version 3"),
            (json!({"mappings": null}), "no mappings"),
            (json!({"sources": 7}), "invalid type"),
            (
                json!({"sections": [{"offset": {"line": 0, "column": 0}, "url": "x"}]}),
                "elsewhere",
            ),
            (
                json!({"sections": [{"offset": {"line": -1, "column": 0}}]}),
                "invalid value",
            ),
            // Sections in sections.
            (
                json!({"sections": [{"offset": {"line": 0, "column": 0},
                                     "map": {"version": 3, "sections": []}}]}),
                "no mappings",
            ),
        ] {
            let wrong = map(&fields).unwrap_err();
            assert!(wrong.contains(word), "{fields}: {wrong}");
        }
        let deep = "[".repeat(1_000_000);
        for text in ["", "[]", "null", "\0", "<!doctype html>", deep.as_str()] {
            assert!(SourceMap::read(text.as_bytes()).is_err(), "{text:.20}");
        }
        let deep = format!("{{\"version\":3,\"mappings\":\"\",\"x\":{deep}");
        assert!(SourceMap::read(deep.as_bytes()).is_err());
    }

    #[test]
    fn a_guard_before_it_is_left_out() {
        let text = b")]}'\n{\"version\":3,\"sources\":[],\"names\":[],\"mappings\":\"\"}";
        assert!(SourceMap::read(text).is_ok());
        assert!(SourceMap::read(b")]}'").is_err());
    }

    #[test]
    fn no_map_however_odd_is_our_fault() {
        const ODD: [&[u8]; 12] = [
            b"4294967295",
            b"-1",
            b"1e400",
            b"null",
            b"[[[[",
            b"\\u0000",
            b"\xff",
            b";;;;",
            b",",
            b"ggggggD",
            b"AAAA",
            b"\"sections\":",
        ];
        let section = json!({"offset": {"line": 1, "column": 2}, "map": {
            "version": 3, "sources": ["a.ts", null], "sourcesContent": ["x(y)\nz\u{1f600}", null], "names": ["b"],
            "mappings": "AAAA,CACEA;;ACDF",
        }});
        let map = json!({"version": 3, "sections": [section, section], "debugId": "x"}).to_string();
        let mut dice = Dice(0x5eed_5eed_5eed_5eed);
        let mut below = |bound: usize| usize::try_from(dice.roll(bound.max(1) as u64)).unwrap();
        let mut found = 0;
        for _ in 0..20_000 {
            let mut text = map.clone().into_bytes();
            for _ in 0..=below(3) {
                let at = below(text.len());
                match below(4) {
                    0 => text.truncate(at),
                    1 => drop(text.splice(at..at, ODD[below(ODD.len())].iter().copied())),
                    2 => drop(text.drain(at..(at + below(30)).min(text.len()))),
                    _ => {
                        if let Some(byte) = text.get_mut(at) {
                            *byte = u8::try_from(below(256)).unwrap();
                        }
                    }
                }
            }
            let Ok(map) = SourceMap::read(&text) else {
                continue;
            };
            let places = [at(1, 2), at(1, 3), at(3, 9), at(u32::MAX, u32::MAX)];
            if let Ok(origins) = map.find(&places) {
                found += origins.iter().flatten().map(Original::of).count();
            }
        }
        assert!(found > 1_000, "{found}");
    }
}
