//! Keeping the source maps of a build. What cannot be taken is told, and the others go on.

use base64::{Engine, prelude::BASE64_STANDARD};
use ops::rpc::{Call, Retry};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{
    arguments::Upload,
    build_files::{self, Found},
    packing::{self, Packed},
    source_map::SourceMap,
};
use crate::project::{Project, author};
use ops::messages::plain_text;
use terminal::{
    failure::{Misuse, Verdict},
    output::Output,
};

/// How many maps are in memory at once.
const AT_ONCE: usize = 40;

#[derive(Debug, Serialize)]
struct MissingSourceMaps<'a> {
    p_contents: Vec<&'a str>,
}

#[derive(Debug, Deserialize)]
struct Missing {
    missing: Vec<String>,
}

impl Call for MissingSourceMaps<'_> {
    const NAME: &'static str = "ops_missing_source_maps";
    const RETRY: Retry = Retry::Read;
    type Output = Missing;
}

#[derive(Debug, Serialize)]
struct PutPart<'a> {
    p_content: &'a str,
    p_part: usize,
    p_bytes: String,
}

#[derive(Debug, Deserialize)]
struct Put {}

impl Call for PutPart<'_> {
    const NAME: &'static str = "ops_put_source_map_part";
    // The same part twice is there once.
    const RETRY: Retry = Retry::Idempotent;
    type Output = Put;
}

#[derive(Debug, Serialize)]
struct NameSourceMaps<'a> {
    p_release: &'a str,
    p_maps: Vec<NamedMap<'a>>,
    p_by: String,
}

#[derive(Debug, Serialize)]
struct NamedMap<'a> {
    file: &'a str,
    content: &'a str,
    debug_id: Option<Uuid>,
    parts: usize,
    size: usize,
}

#[derive(Debug, Deserialize)]
struct Named {
    refused: Vec<Refused>,
}

impl Call for NameSourceMaps<'_> {
    const NAME: &'static str = "ops_name_source_maps";
    const RETRY: Retry = Retry::Idempotent;
    type Output = Named;
}

/// A map that was not taken.
#[derive(Debug, Serialize, Deserialize)]
struct Refused {
    file: String,
    reason: String,
}

/// What became of an upload.
#[derive(Debug, Default)]
struct Outcome {
    kept: Vec<String>,
    /// How many of them were not there before.
    fresh: usize,
    /// How much was sent, in bytes.
    sent: usize,
    refused: Vec<Refused>,
}

/// A map that can be kept.
struct Ready {
    file: String,
    debug_id: Option<Uuid>,
    packed: Packed,
}

pub(super) async fn run(
    project: &Project,
    upload: Upload,
    output: Output,
) -> anyhow::Result<Verdict> {
    let Upload {
        paths,
        release,
        url_prefix,
    } = upload;
    let found = build_files::find(&paths, url_prefix.as_deref()).map_err(Misuse)?;
    if found.is_empty() {
        anyhow::bail!(
            "no source maps lie there: a build makes them if it is told so, Next.js by \
             productionBrowserSourceMaps in next.config"
        );
    }
    let mut outcome = Outcome::default();
    for found in found.chunks(AT_ONCE) {
        let ready = outcome.read(found);
        outcome.keep(project, &release, &ready).await?;
    }
    let document = json!({
        "release": release,
        "kept": outcome.kept,
        "new": outcome.fresh,
        "bytesSent": outcome.sent,
        "refused": outcome.refused,
    });
    output.result(&document, &outcome.describe(&release));
    Ok(if outcome.refused.is_empty() {
        Verdict::Good
    } else {
        Verdict::Bad
    })
}

impl Outcome {
    /// Those of the maps that can be kept.
    fn read(&mut self, found: &[Found]) -> Vec<Ready> {
        let mut ready = Vec::new();
        for found in found {
            match prepared(found) {
                Ok(map) => ready.push(map),
                Err(reason) => self.refused.push(Refused {
                    file: found.path.display().to_string(),
                    reason,
                }),
            }
        }
        ready
    }

    async fn keep(
        &mut self,
        project: &Project,
        release: &str,
        ready: &[Ready],
    ) -> anyhow::Result<()> {
        let contents = ready.iter().map(|map| map.packed.content.as_str());
        let call = MissingSourceMaps {
            p_contents: contents.collect(),
        };
        let mut missing = project.call(&call).await?.missing;
        for Ready { packed, .. } in ready {
            let Some(at) = missing
                .iter()
                .position(|content| *content == packed.content)
            else {
                continue;
            };
            missing.swap_remove(at);
            for (part, bytes) in packed.parts.iter().enumerate() {
                let call = PutPart {
                    p_content: &packed.content,
                    p_part: part,
                    p_bytes: BASE64_STANDARD.encode(bytes),
                };
                project.call(&call).await?;
                self.sent += bytes.len();
            }
            self.fresh += 1;
        }
        let maps = ready.iter().map(|map| NamedMap {
            file: &map.file,
            content: &map.packed.content,
            debug_id: map.debug_id,
            parts: map.packed.parts.len(),
            size: map.packed.size,
        });
        let call = NameSourceMaps {
            p_release: release,
            p_maps: maps.collect(),
            p_by: author(),
        };
        let refused = project.call(&call).await?.refused;
        let is_kept = |map: &&Ready| !refused.iter().any(|refused| refused.file == map.file);
        let kept = ready.iter().filter(is_kept).map(|map| map.file.clone());
        self.kept.extend(kept);
        self.refused.extend(refused);
        Ok(())
    }

    fn describe(&self, release: &str) -> String {
        let maps = match self.kept.len() {
            1 => "1 source map".to_owned(),
            count => format!("{count} source maps"),
        };
        let mut lines = vec![format!(
            "{maps} of {} kept, {} of them new ({} kB sent)",
            plain_text::line(release),
            self.fresh,
            self.sent.div_ceil(1_000)
        )];
        lines.extend(self.refused.iter().map(|Refused { file, reason }| {
            let line = format!("not taken: {file}: {reason}");
            plain_text::line(&line)
        }));
        lines.join("\n")
    }
}

/// Reads a map through, so that what nobody could use is told now and not once it is needed.
fn prepared(found: &Found) -> Result<Ready, String> {
    let file = found.file.clone();
    let file = file.ok_or("the file that it is of has a name that no frame could have")?;
    let text = packing::read(&found.path)?;
    let map = SourceMap::read(&text)?;
    map.find(&[])?;
    Ok(Ready {
        file,
        debug_id: found.debug_id.or(map.debug_id),
        packed: packing::pack(&text)?,
    })
}
