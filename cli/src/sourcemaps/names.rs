//! What files are called: those that a build made, and those that somebody wrote.

/// Where files lie of which everybody knows that Next.js made them.
const BUILT: [&str; 2] = ["/_next/", "/.next/"];

/// The name by which a built file is known, wherever it is served from or lies:
/// `~/_next/static/chunks/app.js`. None of what no build made.
pub(super) fn of_built(file: &str) -> Option<String> {
    let file = file.split(['?', '#']).next().unwrap_or_default();
    let path = match file.split_once("://") {
        Some(("http" | "https" | "app" | "file", rest)) => {
            rest.find('/').map(|start| &rest[start..])?
        }
        Some(_) => return None,
        None => file.strip_prefix('~').unwrap_or(file),
    };
    if path.is_empty() || path.starts_with('<') || path.starts_with("node:") || path == "native" {
        return None;
    }
    let path = decoded(path).replace('\\', "/");
    let path = format!("/{}", path.trim_start_matches('/'));
    let built = BUILT
        .iter()
        .filter_map(|folder| Some(path.rfind(folder)? + folder.len()))
        .max();
    let name = match built {
        Some(end) => format!("~/_next/{}", &path[end..]),
        // What was installed was not built, and nobody has maps of it.
        None if path.contains("/node_modules/") => return None,
        None => format!("~{path}"),
    };
    Some(name).filter(|name| name.chars().count() <= 300 && !name.contains(char::is_control))
}

/// A source as people call it: `src/app/page.tsx`, without what a bundler puts before it.
pub(super) fn of_source(source: &str) -> String {
    let path = match source.split_once("://") {
        // The host is the bundler's name for the app: _N_E, or nothing.
        Some((_, rest)) => rest.split_once('/').map_or(rest, |(_, path)| path),
        None => source,
    };
    let path = path.split('?').next().unwrap_or_default();
    let path = decoded(path);
    let mut parts: Vec<&str> = Vec::new();
    for (nth, part) in path.split('/').enumerate() {
        match part {
            "" | "." | "[project]" => {}
            ".." => drop(parts.pop()),
            // The layer of a bundle, such as (app-pages-browser).
            layer if nth == 0 && layer.starts_with('(') && layer.ends_with(')') => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// A text without `%5B` and its like; one that does not decode stays as it is.
pub(super) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let value = (*first == b'%').then(|| {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            // A sign would be read as part of a number.
            digits
                .bytes()
                .all(|digit| digit.is_ascii_hexdigit())
                .then(|| u8::from_str_radix(digits, 16).ok())?
        });
        if let Some(byte) = value.flatten() {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_built_file_has_one_name_wherever_it_lies() {
        for (file, name) in [
            (
                "https://wine.example/_next/static/chunks/app/%5Bid%5D/page-1a.js?dpl=x",
                Some("~/_next/static/chunks/app/[id]/page-1a.js"),
            ),
            (
                "https://cdn.example/base/_next/static/a.js",
                Some("~/_next/static/a.js"),
            ),
            (
                "app:///_next/server/chunks/1.js",
                Some("~/_next/server/chunks/1.js"),
            ),
            (
                "/var/task/.next/server/chunks/ssr/[root]__0.js",
                Some("~/_next/server/chunks/ssr/[root]__0.js"),
            ),
            ("file:///srv/.next/server/a.js", Some("~/_next/server/a.js")),
            ("C:\\app\\.next\\server\\a.js", Some("~/_next/server/a.js")),
            ("~/assets/app.js", Some("~/assets/app.js")),
            ("assets/app.js", Some("~/assets/app.js")),
            // Next.js traces what it needs into its own folder.
            ("/srv/.next/node_modules/.next/a.js", Some("~/_next/a.js")),
            ("https://wine.example", None),
            ("/var/task/node_modules/next/dist/a.js", None),
            ("node:internal/process/task_queues", None),
            ("<anonymous>", None),
            ("native", None),
            ("webpack-internal:///./src/a.ts", None),
            ("chrome-extension://abc/a.js", None),
            ("", None),
            ("/a\0b.js", None),
        ] {
            assert_eq!(of_built(file).as_deref(), name, "{file}");
        }
        assert_eq!(of_built(&"x/".repeat(1_000)), None);
    }

    #[test]
    fn a_source_is_called_as_in_the_repository() {
        for (source, name) in [
            ("webpack://_N_E/./src/app/page.tsx", "src/app/page.tsx"),
            ("webpack://_N_E/src/app/page.tsx?1a2b", "src/app/page.tsx"),
            (
                "webpack-internal:///(app-pages-browser)/./src/a.ts",
                "src/a.ts",
            ),
            ("turbopack:///[project]/lib/store.js", "lib/store.js"),
            (
                "../../../../app/wines/%5Bid%5D/(shop)/page.js",
                "app/wines/[id]/(shop)/page.js",
            ),
            ("src/../lib/a.ts", "lib/a.ts"),
            ("", ""),
        ] {
            assert_eq!(of_source(source), name, "{source}");
        }
    }

    #[test]
    fn what_does_not_decode_stays() {
        for (text, expected) in [
            ("%5Bid%5d", "[id]"),
            ("%", "%"),
            ("%5", "%5"),
            ("%+5%zz%é", "%+5%zz%é"),
            ("%ff", "%ff"),
        ] {
            assert_eq!(decoded(text), expected);
        }
    }
}
