//! Metrics: of gauges and sums the last value of each series is kept; histograms and
//! summaries are counted and left out.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    attributes::Attributes,
    messages::{Data, Metric, Metrics, Number, Point},
    sender::Sender,
};
use crate::ingest::{
    batch::Batch,
    detail::Details,
    item::{Item, Kind},
    moment,
};

/// What tells one series from another.
type Series = String;

/// Makes items of metrics.
pub(super) fn take(metrics: &Metrics, batch: &mut Batch) {
    for part in &metrics.resource_metrics {
        let sender = Sender::new(part.resource.as_ref());
        for metric in part.scope_metrics.iter().flat_map(|scope| &scope.metrics) {
            take_one(&sender, metric, batch);
        }
    }
}

fn take_one(sender: &Sender, metric: &Metric, batch: &mut Batch) {
    let points = match &metric.data {
        Some(Data::Gauge(numbers) | Data::Sum(numbers)) => &numbers.data_points,
        Some(
            Data::Histogram(left_out)
            | Data::ExponentialHistogram(left_out)
            | Data::Summary(left_out),
        ) => {
            let points = left_out.data_points.len() as u64;
            return batch.drop("kind of metric that is not kept", points);
        }
        None => return batch.drop(super::UNUSABLE, 1),
    };
    let mut last: BTreeMap<Series, (&Point, f64, Map<String, Value>)> = BTreeMap::new();
    for point in points {
        let Some(value) = value(point).filter(|_| !metric.name.is_empty()) else {
            batch.drop(super::UNUSABLE, 1);
            continue;
        };
        let of = Attributes(&point.attributes).all();
        let series = Value::Object(of.clone()).to_string();
        let is_later = |(known, ..): &(&Point, f64, Map<String, Value>)| {
            known.time_unix_nano > point.time_unix_nano
        };
        let later = last.get(&series).is_some_and(is_later);
        if later || last.insert(series, (point, value, of)).is_some() {
            batch.drop("earlier value of a series", 1);
        }
    }
    for (series, (point, value, of)) in last {
        let same = format!(
            "otlp metric {} {series} {}",
            metric.name, point.time_unix_nano
        );
        let item = Item::new(Kind::Metric, &metric.name, None, same.as_bytes());
        let details = Details::default()
            .with("unit", Some(metric.unit.as_str()))
            .with("attributes", (!of.is_empty()).then_some(Value::Object(of)));
        let item = sender.sign(item, Attributes(&point.attributes));
        batch.add(
            item.at(moment::of_nanoseconds(point.time_unix_nano))
                .value(Some(value))
                .detail(details.all()),
        );
    }
}

/// What was measured, if it is a number.
fn value(point: &Point) -> Option<f64> {
    let value = match point.value.as_ref()? {
        Number::Double(value) => *value,
        #[expect(
            clippy::cast_precision_loss,
            reason = "a count beyond what a float holds exactly is still about as large"
        )]
        Number::Integer(value) => *value as f64,
    };
    value.is_finite().then_some(value)
}
