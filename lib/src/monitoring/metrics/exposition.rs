//! The text that scrapers read, in its two forms: OpenMetrics 1.0.0, and the text format
//! 0.0.4 of Prometheus, which lacks units, infos and an end. Pure.

use std::fmt::{self, Write};

use http::{HeaderMap, header};

/// In which form a scraper is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// OpenMetrics 1.0.0.
    OpenMetrics,
    /// Prometheus' text format 0.0.4.
    Text,
}

/// Metrics of one name.
#[derive(Debug)]
pub(super) struct Family {
    /// Without the suffixes that its kind adds; it ends with the unit.
    name: &'static str,
    kind: Kind,
    unit: &'static str,
    help: &'static str,
    samples: Vec<Sample>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
    Info,
}

#[derive(Debug)]
struct Sample {
    suffix: &'static str,
    labels: Vec<(&'static str, String)>,
    value: f64,
}

impl Form {
    /// The form that a scraper prefers; the text format unless it names the other.
    pub(super) fn wanted(headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::ACCEPT).iter();
        let ranges: Vec<_> = values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(Range::parse)
            .collect();
        let quality = |wanted: &dyn Fn(&Range<'_>) -> bool| {
            let found = ranges.iter().filter(|range| wanted(range));
            found.map(|range| range.quality).fold(0.0, f64::max)
        };
        let open = quality(&|range| {
            range.essence == "application/openmetrics-text"
                && matches!(range.version, None | Some("1.0.0" | "0.0.1"))
        });
        let text = quality(&|range| range.essence == "text/plain");
        if open > 0.0 && open >= text {
            Self::OpenMetrics
        } else {
            Self::Text
        }
    }

    /// What the answer says it is.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// Everything, as text. Families without samples are left out.
    pub(super) fn write(self, families: &[Family]) -> String {
        let mut text = String::new();
        for family in families.iter().filter(|family| !family.samples.is_empty()) {
            // Writing into a string cannot fail.
            let _written = family.write(self, &mut text);
        }
        if self == Self::OpenMetrics {
            text.push_str("# EOF\n");
        }
        text
    }
}

/// One of the types that a scraper takes.
struct Range<'a> {
    essence: String,
    version: Option<&'a str>,
    quality: f64,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let mut range = Self {
            essence: parts.next()?.to_ascii_lowercase(),
            version: None,
            quality: 1.0,
        };
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            match name {
                "version" => range.version = Some(value.trim_matches('"')),
                "q" => range.quality = value.parse().ok().filter(|quality| *quality <= 1.0)?,
                _ => {}
            }
        }
        Some(range)
    }
}

impl Family {
    /// What only grows.
    pub(super) fn counter(name: &'static str, help: &'static str) -> Self {
        Self::of(Kind::Counter, name, "", help)
    }

    /// What goes up and down.
    pub(super) fn gauge(name: &'static str, unit: &'static str, help: &'static str) -> Self {
        Self::of(Kind::Gauge, name, unit, help)
    }

    /// How numbers spread: those up to each bound, ascending, then all of them, and their sum.
    pub(super) fn histogram(
        name: &'static str,
        unit: &'static str,
        help: &'static str,
        up_to: &[(f64, f64)],
        count: f64,
        sum: f64,
    ) -> Self {
        let mut family = Self::of(Kind::Histogram, name, unit, help);
        for (bound, counted) in up_to {
            // Whole numbers keep their fraction, so that both forms name the same series.
            family.add("_bucket", vec![("le", format!("{bound:?}"))], *counted);
        }
        family.add("_bucket", vec![("le", "+Inf".to_owned())], count);
        family.add("_count", Vec::new(), count);
        family.add("_sum", Vec::new(), sum);
        family
    }

    /// What describes the whole.
    pub(super) fn info(
        name: &'static str,
        help: &'static str,
        labels: Vec<(&'static str, String)>,
    ) -> Self {
        let mut family = Self::of(Kind::Info, name, "", help);
        family.add("_info", labels, 1.0);
        family
    }

    /// With a sample. What is no real number is left out.
    pub(super) fn with(
        mut self,
        labels: impl IntoIterator<Item = (&'static str, String)>,
        value: impl Into<Option<f64>>,
    ) -> Self {
        self.push(labels, value);
        self
    }

    /// The same, in place.
    pub(super) fn push(
        &mut self,
        labels: impl IntoIterator<Item = (&'static str, String)>,
        value: impl Into<Option<f64>>,
    ) {
        let suffix = match self.kind {
            Kind::Counter => "_total",
            Kind::Gauge | Kind::Histogram | Kind::Info => "",
        };
        if let Some(value) = value.into() {
            self.add(suffix, labels.into_iter().collect(), value);
        }
    }

    fn of(kind: Kind, name: &'static str, unit: &'static str, help: &'static str) -> Self {
        Self {
            name,
            kind,
            unit,
            help,
            samples: Vec::new(),
        }
    }

    fn add(&mut self, suffix: &'static str, labels: Vec<(&'static str, String)>, value: f64) {
        if value.is_finite() {
            self.samples.push(Sample {
                suffix,
                labels,
                value,
            });
        }
    }

    fn write(&self, form: Form, text: &mut String) -> fmt::Result {
        let name = match (form, self.kind) {
            (Form::Text, Kind::Counter) => format!("{}_total", self.name),
            (Form::Text, Kind::Info) => format!("{}_info", self.name),
            _ => self.name.to_owned(),
        };
        writeln!(text, "# HELP {name} {}", self.help)?;
        writeln!(text, "# TYPE {name} {}", self.kind.word(form))?;
        if form == Form::OpenMetrics && !self.unit.is_empty() {
            writeln!(text, "# UNIT {name} {}", self.unit)?;
        }
        for sample in &self.samples {
            write!(text, "{}{}", self.name, sample.suffix)?;
            for (nth, (label, value)) in sample.labels.iter().enumerate() {
                let before = if nth == 0 { '{' } else { ',' };
                write!(text, "{before}{label}=\"{}\"", escaped(value))?;
            }
            if !sample.labels.is_empty() {
                text.push('}');
            }
            writeln!(text, " {}", sample.value)?;
        }
        Ok(())
    }
}

impl Kind {
    fn word(self, form: Form) -> &'static str {
        match (self, form) {
            (Self::Counter, _) => "counter",
            (Self::Gauge, _) | (Self::Info, Form::Text) => "gauge",
            (Self::Histogram, _) => "histogram",
            (Self::Info, Form::OpenMetrics) => "info",
        }
    }
}

/// A label's value between its quotation marks.
fn escaped(value: &str) -> String {
    value
        .replace('\\', r"\\")
        .replace('"', "\\\"")
        .replace('\n', r"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_names_openmetrics_gets_it_unless_text_is_preferred() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;\
                          version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        let newer = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                     text/plain;version=1.0.0;q=0.4, text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        for (accept, expected) in [
            (prometheus, Form::OpenMetrics),
            (newer, Form::OpenMetrics),
            ("application/openmetrics-text", Form::OpenMetrics),
            (
                "Application/OpenMetrics-Text; version=\"1.0.0\"",
                Form::OpenMetrics,
            ),
            (
                "text/plain;version=0.0.4;q=0.5, application/openmetrics-text;q=0.4",
                Form::Text,
            ),
            ("application/openmetrics-text;q=0", Form::Text),
            ("application/openmetrics-text;version=2.0.0", Form::Text),
            ("application/openmetrics-text;q=2", Form::Text),
            ("application/openmetrics-text;q=x", Form::Text),
            ("*/*", Form::Text),
            ("text/html", Form::Text),
            (";;;,,,=", Form::Text),
            ("", Form::Text),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
            assert_eq!(Form::wanted(&headers), expected, "{accept}");
        }
        assert_eq!(Form::wanted(&HeaderMap::new()), Form::Text);
    }

    fn families() -> [Family; 5] {
        let label = |value: &str| [("name", value.to_owned())];
        [
            Family::counter("x_calls", "Calls.")
                .with(label("a\\\"b\n# EOF"), 3.0)
                .with(label("none"), None),
            Family::gauge("x_age_seconds", "seconds", "Age.").with([], 0.25),
            Family::gauge("x_unknown", "", "Left out.").with([], f64::NAN),
            Family::histogram(
                "x_time_seconds",
                "seconds",
                "Time.",
                &[(0.1, 1.0), (1.0, 2.0)],
                4.0,
                7.5,
            ),
            Family::info("x_build", "Build.", vec![("version", "1".to_owned())]),
        ]
    }

    #[test]
    fn openmetrics_has_units_infos_and_an_end() {
        assert_eq!(
            Form::OpenMetrics.write(&families()),
            "# HELP x_calls Calls.\n# TYPE x_calls counter\n\
             x_calls_total{name=\"a\\\\\\\"b\\n# EOF\"} 3\n\
             # HELP x_age_seconds Age.\n# TYPE x_age_seconds gauge\n# UNIT x_age_seconds seconds\n\
             x_age_seconds 0.25\n\
             # HELP x_time_seconds Time.\n# TYPE x_time_seconds histogram\n# UNIT x_time_seconds seconds\n\
             x_time_seconds_bucket{le=\"0.1\"} 1\nx_time_seconds_bucket{le=\"1.0\"} 2\n\
             x_time_seconds_bucket{le=\"+Inf\"} 4\nx_time_seconds_count 4\nx_time_seconds_sum 7.5\n\
             # HELP x_build Build.\n# TYPE x_build info\nx_build_info{version=\"1\"} 1\n# EOF\n"
        );
    }

    #[test]
    fn the_text_format_names_metrics_as_their_samples() {
        let text = Form::Text.write(&families());
        for line in [
            "# TYPE x_calls_total counter",
            "# HELP x_build_info Build.",
            "# TYPE x_build_info gauge",
        ] {
            assert!(text.contains(&format!("{line}\n")), "{line} in {text}");
        }
        assert!(
            !text.contains("UNIT") && !text.ends_with("# EOF\n"),
            "{text}"
        );
        assert!(!text.contains("x_unknown"), "{text}");
    }
}
