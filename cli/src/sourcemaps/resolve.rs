//! The frames of errors, led back through the source maps of their builds. It is done when
//! somebody looks at an error, never when one comes in: most are never looked at.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use ops::rpc::{Call, Retry};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{
    kept_map::KeptMap,
    mappings::Place,
    original::Original,
    packing,
    source_map::SourceMap,
    stack::{self, BuiltPlace, Frame},
};
use crate::{answered::Answered, project::Project};

/// A frame as it was sent, and as it was written.
#[derive(Debug, Serialize)]
pub(crate) struct ShownFrame {
    pub(crate) said: String,
    pub(crate) original: Option<Original>,
    /// Why there is no original; null of what no build made.
    pub(crate) unresolved: Option<String>,
}

/// An error whose frames are looked for.
#[derive(Debug)]
pub(crate) struct Looked<'a> {
    pub(crate) release: Option<&'a str>,
    pub(crate) detail: &'a Value,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
struct BuiltFile {
    debug_id: Option<Uuid>,
    release: Option<String>,
    file: String,
}

#[derive(Debug, Serialize)]
struct FindSourceMaps<'a> {
    p_files: &'a [BuiltFile],
}

#[derive(Debug, Deserialize)]
struct FoundMaps {
    found: Vec<FoundMap>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FoundMap {
    map: Option<Answered<KeptMap>>,
    maps_of_release: u64,
}

impl Call for FindSourceMaps<'_> {
    const NAME: &'static str = "ops_find_source_maps";
    const RETRY: Retry = Retry::Read;
    type Output = FoundMaps;
}

#[derive(Debug, Serialize)]
struct ReadSourceMap<'a> {
    p_content: &'a str,
    p_part: u32,
}

#[derive(Debug, Deserialize)]
struct Part {
    bytes: Option<String>,
}

impl Call for ReadSourceMap<'_> {
    const NAME: &'static str = "ops_read_source_map";
    const RETRY: Retry = Retry::Read;
    type Output = Part;
}

/// What became of a place: where it was written, or why nobody knows.
type Outcome = Result<Original, String>;

/// Leads the frames of each of these errors back. Whatever cannot be says why; nothing of
/// it keeps an error from being shown.
pub(crate) async fn resolve(project: &Project, errors: &[Looked<'_>]) -> Vec<Vec<ShownFrame>> {
    let frames: Vec<Vec<Frame>> = errors
        .iter()
        .map(|error| stack::of_detail(error.detail))
        .collect();
    let mut wanted: BTreeMap<BuiltFile, Vec<Place>> = BTreeMap::new();
    for (error, frames) in errors.iter().zip(&frames) {
        for place in frames.iter().filter_map(|frame| frame.place.as_ref()) {
            let places = wanted.entry(of(place, error)).or_default();
            places.push(counted_from_zero(place));
        }
    }
    let outcomes = look_up(project, &wanted).await;
    let shown = errors.iter().zip(frames).map(|(error, frames)| {
        let outcomes: Vec<_> = frames
            .iter()
            .map(|frame| {
                let place = frame.place.as_ref()?;
                let places = outcomes.get(&of(place, error))?;
                places.get(&order(counted_from_zero(place))).cloned()
            })
            .collect();
        named(frames, outcomes)
    });
    shown.collect()
}

fn of(place: &BuiltPlace, error: &Looked<'_>) -> BuiltFile {
    BuiltFile {
        debug_id: place.debug_id,
        release: error.release.map(str::to_owned),
        file: place.file.clone(),
    }
}

fn counted_from_zero(place: &BuiltPlace) -> Place {
    Place {
        line: place.line.saturating_sub(1),
        column: place.column.saturating_sub(1),
    }
}

fn order(place: Place) -> (u32, u32) {
    (place.line, place.column)
}

/// The outcomes of the places of each file.
type Outcomes = BTreeMap<BuiltFile, BTreeMap<(u32, u32), Outcome>>;

async fn look_up(project: &Project, wanted: &BTreeMap<BuiltFile, Vec<Place>>) -> Outcomes {
    let files: Vec<_> = wanted.keys().cloned().collect();
    if files.is_empty() {
        return Outcomes::new();
    }
    let found = match project.call(&FindSourceMaps { p_files: &files }).await {
        Ok(FoundMaps { found }) => found,
        Err(error) => return unasked(wanted, &error),
    };
    let mut outcomes = Outcomes::new();
    // One map at a time: some are large.
    for ((file, places), found) in wanted.iter().zip(found) {
        let originals = match the_one(found, file) {
            Ok(map) => originals(project, &map, places).await,
            Err(reason) => vec![Err(reason); places.len()],
        };
        let places = places.iter().map(|place| order(*place));
        outcomes.insert(file.clone(), places.zip(originals).collect());
    }
    outcomes
}

/// The outcomes where the database could not be asked.
fn unasked(wanted: &BTreeMap<BuiltFile, Vec<Place>>, error: &anyhow::Error) -> Outcomes {
    let outcomes = wanted.iter().map(|(file, places)| {
        let outcome = |place: &Place| {
            let reason = format!("source maps cannot be asked for: {error:#}");
            (order(*place), Err(reason))
        };
        (file.clone(), places.iter().map(outcome).collect())
    });
    outcomes.collect()
}

/// The map that was found, or why there is none.
fn the_one(found: FoundMap, file: &BuiltFile) -> Result<KeptMap, String> {
    if let Some(map) = found.map {
        return map
            .into_known()
            .ok_or_else(|| "the database is newer than this build".to_owned());
    }
    Err(match (&file.release, found.maps_of_release) {
        (None, _) if file.debug_id.is_none() => {
            "the error names no release, and its file has no debug id".to_owned()
        }
        (None, _) => format!("no source map has the debug id of {}", file.file),
        (Some(release), 0) => format!("no source map of the release {release} is kept"),
        (Some(release), _) => {
            format!("the release {release} has no source map of {}", file.file)
        }
    })
}

async fn originals(project: &Project, map: &KeptMap, places: &[Place]) -> Vec<Outcome> {
    let read = async {
        let mut bytes = Vec::new();
        for part in 0..map.parts {
            let call = ReadSourceMap {
                p_content: &map.content,
                p_part: part,
            };
            let part = project
                .call(&call)
                .await
                .map_err(|error| error.to_string())?;
            let part = part.bytes.ok_or("a part of it is gone")?;
            let part = BASE64_STANDARD.decode(part);
            bytes.extend(part.map_err(|error| error.to_string())?);
        }
        in_map(&bytes, places)
    };
    let read: Result<Vec<Outcome>, String> = read.await;
    read.unwrap_or_else(|reason| {
        let reason = format!("the source map of {} cannot be read: {reason}", map.file);
        vec![Err(reason); places.len()]
    })
}

fn in_map(bytes: &[u8], places: &[Place]) -> Result<Vec<Outcome>, String> {
    let text = packing::unpack(bytes)?;
    let map = SourceMap::read(&text)?;
    let origins = map.find(places)?;
    let outcome = |origin: Option<_>| {
        let origin = origin.as_ref().map(Original::of);
        origin.ok_or_else(|| "the source map knows of no source there".to_owned())
    };
    Ok(origins.into_iter().map(outcome).collect())
}

/// The frames with what became of them. A function goes by the name that it was sent with,
/// or if a build has shortened that, by what its caller calls.
fn named(frames: Vec<Frame>, outcomes: Vec<Option<Outcome>>) -> Vec<ShownFrame> {
    let callers: Vec<Option<String>> = (1..=frames.len())
        .map(|from| {
            let callers = frames.iter().zip(&outcomes).skip(from);
            let mut callers = callers.filter(|(frame, _)| !is_between(&frame.function));
            let (_, outcome) = callers.next()?;
            outcome.as_ref()?.as_ref().ok()?.calls.clone()
        })
        .collect();
    let frames = frames.into_iter().zip(outcomes).zip(callers);
    let shown = frames.map(|((frame, outcome), by_caller)| {
        let own = Some(frame.function).filter(|name| !is_shortened(name));
        let (original, unresolved) = match outcome {
            None => (None, None),
            Some(Err(reason)) => (None, Some(reason)),
            Some(Ok(original)) => {
                let function = own.or(by_caller);
                (
                    Some(Original {
                        function,
                        ..original
                    }),
                    None,
                )
            }
        };
        ShownFrame {
            said: frame.said,
            original,
            unresolved,
        }
    });
    shown.collect()
}

/// Whether a function stands between another one and whoever awaits that, and calls neither.
fn is_between(name: &str) -> bool {
    name.rsplit('.').next() == Some("processTicksAndRejections")
}

/// Whether a name says nothing: a build makes them a letter or two.
fn is_shortened(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    last.chars().count() <= 2 || last == "<anonymous>"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn packed(map: &Value) -> Vec<u8> {
        packing::pack(map.to_string().as_bytes())
            .unwrap()
            .parts
            .concat()
    }

    fn place(line: u32, column: u32) -> Place {
        Place { line, column }
    }

    #[test]
    fn what_a_map_does_not_know_and_what_is_no_map_say_so() {
        let map = json!({"version": 3, "sources": ["a.ts"], "names": [], "mappings": "AAAA"});
        let outcomes = in_map(&packed(&map), &[place(0, 3), place(1, 0)]).unwrap();
        assert_eq!(outcomes[0].as_ref().unwrap().file, "a.ts");
        assert_eq!(
            outcomes[1],
            Err("the source map knows of no source there".to_owned())
        );
        assert!(in_map(&packed(&json!(7)), &[]).is_err());
        assert!(in_map(b"odd", &[]).is_err());
    }

    #[test]
    fn a_missing_map_says_what_is_missing() {
        let reason = |release: Option<&str>, id: Option<Uuid>, maps_of_release| {
            let file = BuiltFile {
                debug_id: id,
                release: release.map(str::to_owned),
                file: "~/a.js".to_owned(),
            };
            let found = FoundMap {
                map: None,
                maps_of_release,
            };
            the_one(found, &file).unwrap_err()
        };
        let id = Some(Uuid::nil());
        for (release, id, count, words) in [
            (None, None, 0, "names no release"),
            (None, id, 0, "has the debug id of ~/a.js"),
            (
                Some("1.4"),
                id,
                0,
                "no source map of the release 1.4 is kept",
            ),
            (Some("1.4"), None, 3, "1.4 has no source map of ~/a.js"),
        ] {
            let reason = reason(release, id, count);
            assert!(reason.contains(words), "{reason}");
        }
    }

    #[test]
    fn a_shortened_name_is_replaced_by_what_the_caller_calls() {
        let frame = |function: &str| Frame {
            said: function.to_owned(),
            function: function.to_owned(),
            place: None,
        };
        let original = |calls: Option<&str>| {
            let map = json!({"version": 3, "sources": ["a.ts"], "names": [], "mappings": "AAAA"});
            let mut outcomes = in_map(&packed(&map), &[place(0, 0)]).unwrap();
            let original = outcomes.remove(0).unwrap();
            Some(Ok(Original {
                calls: calls.map(str::to_owned),
                ..original
            }))
        };
        let frames = vec![
            frame("a"),
            frame("process.processTicksAndRejections"),
            frame("Cellar.b"),
            frame("openBottle"),
            frame(""),
        ];
        let outcomes = vec![
            original(None),
            None,
            original(Some("drinkWine")),
            original(None),
            original(None),
        ];
        let shown = named(frames, outcomes);
        let originals = shown.iter().filter_map(|frame| frame.original.as_ref());
        let functions: Vec<_> = originals.map(|one| one.function.as_deref()).collect();
        assert_eq!(
            functions,
            [Some("drinkWine"), None, Some("openBottle"), None]
        );
    }
}
