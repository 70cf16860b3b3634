//! A strict reader of what scrapers are answered, written from OpenMetrics 1.0.0 and from the
//! text format 0.0.4: it refuses whatever either of them does.

use std::collections::{BTreeMap, BTreeSet};

/// Labels in the order in which they stand.
pub(crate) type Labels = Vec<(String, String)>;

/// Everything that was said, by family.
pub(crate) type Families = BTreeMap<String, Family>;

/// What was said of one family.
#[derive(Debug, Default)]
pub(crate) struct Family {
    pub(crate) kind: String,
    pub(crate) unit: String,
    pub(crate) help: String,
    /// Name, labels and value of each sample.
    pub(crate) samples: Vec<(String, Labels, f64)>,
}

impl Family {
    /// The value of the sample that has such a label, or none at all.
    pub(crate) fn value(&self, label: Option<(&str, &str)>) -> Option<f64> {
        let fits = |labels: &Labels| match label {
            None => labels.is_empty(),
            Some((name, value)) => labels
                .iter()
                .any(|(known, is)| known == name && is == value),
        };
        let found = self.samples.iter().find(|(_, labels, _)| fits(labels));
        found.map(|(_, _, value)| *value)
    }
}

/// Reads OpenMetrics 1.0.0.
pub(crate) fn openmetrics(text: &str) -> Result<Families, String> {
    let body = text
        .strip_suffix("# EOF\n")
        .ok_or("it does not end with # EOF and a line feed")?;
    let families = read(body, true)?;
    for (name, family) in &families {
        open_family(name, family).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(families)
}

/// Reads the text format 0.0.4.
pub(crate) fn text(text: &str) -> Result<Families, String> {
    let families = read(text, false)?;
    for (name, family) in &families {
        if !family.unit.is_empty() {
            return Err(format!(
                "{name} has a unit, of which this form knows nothing"
            ));
        }
        let own = |sample: &str| sample == name;
        let known = match family.kind.as_str() {
            "counter" => name.ends_with("_total") && family.samples.iter().all(|s| own(&s.0)),
            "gauge" => family.samples.iter().all(|s| own(&s.0)),
            "histogram" => histogram(name, family).map(|()| true)?,
            kind => return Err(format!("{name} is of kind {kind}")),
        };
        if !known {
            return Err(format!("{name}: a sample of another name"));
        }
    }
    Ok(families)
}

fn read(text: &str, open: bool) -> Result<Families, String> {
    let mut families = Families::new();
    let mut current = String::new();
    let mut seen = BTreeSet::new();
    if !text.is_empty() && !text.ends_with('\n') {
        return Err("the last line does not end".into());
    }
    for line in text.split_terminator('\n') {
        if line.is_empty() || line.contains('\r') {
            return Err(format!("an empty line, or a carriage return: {line:?}"));
        }
        if let Some(said) = line.strip_prefix("# ") {
            metadata(said, &mut families, &mut current, open)?;
            continue;
        }
        let (name, labels, value) = sample(line)?;
        let family = families.get_mut(&current).ok_or("a sample before all")?;
        if !name.starts_with(current.as_str()) {
            return Err(format!("{name} among the samples of {current}"));
        }
        let mut sorted = labels.clone();
        sorted.sort();
        if !seen.insert((name.clone(), sorted)) {
            return Err(format!("twice: {line}"));
        }
        family.samples.push((name, labels, value));
    }
    Ok(families)
}

/// A line that describes a family. All of these come before its samples, each once.
fn metadata(
    said: &str,
    families: &mut Families,
    current: &mut String,
    open: bool,
) -> Result<(), String> {
    let mut words = said.splitn(3, ' ');
    let (Some(what), Some(name), Some(rest)) = (words.next(), words.next(), words.next()) else {
        return Err(format!("no description: {said}"));
    };
    if !is_name(name, true) {
        return Err(format!("no name of a metric: {name}"));
    }
    if *current != name {
        if families.contains_key(name) {
            return Err(format!("the family {name} comes in two pieces"));
        }
        name.clone_into(current);
    }
    let family = families.entry(name.to_owned()).or_default();
    if !family.samples.is_empty() {
        return Err(format!("{name} is described after its samples"));
    }
    let field = match what {
        "TYPE" => &mut family.kind,
        "HELP" => &mut family.help,
        "UNIT" if open => &mut family.unit,
        _ => return Err(format!("no such description: {what}")),
    };
    if !field.is_empty() || rest.is_empty() {
        return Err(format!("{what} of {name} is empty, or comes twice"));
    }
    rest.clone_into(field);
    Ok(())
}

fn sample(line: &str) -> Result<(String, Labels, f64), String> {
    let broken = || format!("no sample: {line}");
    let end = line.find(['{', ' ']).ok_or_else(broken)?;
    let (name, mut rest) = line.split_at(end);
    let mut labels = Labels::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, after) = rest.split_once("=\"").ok_or_else(broken)?;
            let (value, after) = quoted(after).ok_or_else(broken)?;
            if !is_name(label, false) || labels.iter().any(|(known, _)| known == label) {
                return Err(format!("the label {label} in {line}"));
            }
            labels.push((label.to_owned(), value));
            match after.split_at_checked(1) {
                Some((",", after)) => rest = after,
                Some(("}", after)) => {
                    rest = after;
                    break;
                }
                _ => return Err(broken()),
            }
        }
    }
    let number = rest.strip_prefix(' ').ok_or_else(broken)?;
    let is_number = number
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b".+-eE".contains(&byte));
    let value = number.parse().ok().filter(|_| is_number);
    match value {
        Some(value) if is_name(name, true) => Ok((name.to_owned(), labels, value)),
        _ => Err(broken()),
    }
}

/// A text up to its quotation mark, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match letters.next()?.1 {
                'n' => '\n',
                same @ ('\\' | '"') => same,
                _ => return None,
            }),
            letter => value.push(letter),
        }
    }
    None
}

fn is_name(name: &str, of_a_metric: bool) -> bool {
    let begins =
        |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || of_a_metric && byte == b':';
    name.bytes().next().is_some_and(begins)
        && name
            .bytes()
            .all(|byte| begins(byte) || byte.is_ascii_digit())
        && (of_a_metric || !name.starts_with("__"))
}

/// What OpenMetrics asks of a family beside its form.
fn open_family(name: &str, family: &Family) -> Result<(), String> {
    if family.help.is_empty() {
        return Err("no help".into());
    }
    if !family.unit.is_empty() && !name.ends_with(&format!("_{}", family.unit)) {
        return Err(format!("the name does not end with {}", family.unit));
    }
    let reserved = ["_total", "_created", "_count", "_sum", "_bucket", "_info"];
    if reserved.iter().any(|suffix| name.ends_with(suffix)) {
        return Err("a suffix that is none of a family's name".into());
    }
    let suffix = match family.kind.as_str() {
        "counter" => "_total",
        "gauge" => "",
        "info" => "_info",
        "histogram" => return histogram(name, family),
        kind => return Err(format!("the kind {kind}")),
    };
    for (sample, _, value) in &family.samples {
        if *sample != format!("{name}{suffix}") {
            return Err(format!("the sample {sample}"));
        }
        if family.kind == "counter" && *value < 0.0 {
            return Err(format!("a count of {value}"));
        }
        if family.kind == "info" && (value - 1.0).abs() > 0.0 {
            return Err(format!("an info of {value}"));
        }
    }
    Ok(())
}

/// One histogram without other labels: bounds ascend, counts do not decline, the last bound is
/// infinite and counts all.
fn histogram(name: &str, family: &Family) -> Result<(), String> {
    let mut buckets = Vec::new();
    let (mut count, mut sum) = (None, None);
    for (sample, labels, value) in &family.samples {
        match (sample.strip_prefix(name), labels.as_slice()) {
            (Some("_bucket"), [(le, bound)]) if le == "le" => {
                let bound: f64 = match bound.as_str() {
                    "+Inf" => f64::INFINITY,
                    bound if bound.contains('.') => bound.parse().map_err(|_| bound.to_owned())?,
                    bound => return Err(format!("the bound {bound}")),
                };
                buckets.push((bound, *value));
            }
            (Some("_count"), []) => count = Some(*value),
            (Some("_sum"), []) => sum = Some(*value),
            _ => return Err(format!("the sample {sample}")),
        }
    }
    let ascends = buckets
        .windows(2)
        .all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
    let last = buckets.last().copied();
    let whole = last.is_some_and(|(bound, counted)| bound.is_infinite() && Some(counted) == count);
    if !ascends || !whole || sum.is_none_or(|sum| sum < 0.0) {
        return Err(format!("no histogram: {buckets:?}, {count:?}, {sum:?}"));
    }
    Ok(())
}

#[test]
fn what_the_formats_refuse_is_refused() {
    let head = "# HELP x X.\n# TYPE x gauge\n";
    assert!(openmetrics(&format!("{head}x{{a=\"\\n\\\"\\\\\"}} 1\nx 2\n# EOF\n")).is_ok());
    for broken in [
        "x 1\n# EOF\n",
        "# HELP x X.\n# TYPE x gauge\nx 1\n",
        "# HELP x X.\n# TYPE x gauge\nx 1\n# EOF",
        "# HELP x X.\n# TYPE x gauge\nx 1\nx 1\n# EOF\n",
        "# HELP x X.\n# TYPE x gauge\nx 1\n\n# EOF\n",
        "# HELP x X.\n# TYPE x gauge\nx one\n# EOF\n",
        "# HELP x X.\n# TYPE x gauge\nx NaN\n# EOF\n",
        "# HELP x X.\n# TYPE x gauge\nx{a=\"1\",a=\"2\"} 1\n# EOF\n",
        "# HELP x X.\n# TYPE x gauge\nx{a=\"1} 1\n# EOF\n",
        "# HELP x X.\n# TYPE x gauge\nx{a=\"\\t\"} 1\n# EOF\n",
        "# HELP x X.\n# TYPE x gauge\nx_total 1\n# EOF\n",
        "# HELP x X.\n# TYPE x counter\nx 1\n# EOF\n",
        "# HELP x X.\n# TYPE x counter\nx_total -1\n# EOF\n",
        "# HELP x X.\n# TYPE x gauge\n# UNIT x seconds\nx 1\n# EOF\n",
        "# HELP x X.\n# TYPE x histogram\nx_bucket{le=\"+Inf\"} 1\nx_count 2\nx_sum 1\n# EOF\n",
        "# HELP x X.\n# TYPE x histogram\nx_bucket{le=\"0.1\"} 3\nx_bucket{le=\"+Inf\"} 2\nx_count 2\nx_sum 1\n# EOF\n",
        "# HELP x X.\n# TYPE x gauge\nx 1\n# HELP y Y.\n# TYPE y gauge\ny 1\n# HELP x X.\n# EOF\n",
    ] {
        assert!(openmetrics(broken).is_err(), "{broken}");
    }
    assert!(text("# TYPE x_total counter\nx_total 1\n").is_ok());
    for broken in ["# TYPE x counter\nx 1\n", "# TYPE x_info info\nx_info 1\n"] {
        assert!(text(broken).is_err(), "{broken}");
    }
}
