//! Measurements as a picture, and the same figures as a table. The picture is SVG within the page: it needs no script, and
//! its colours are those of the style sheet.

use std::{fmt::Write as _, iter};

use chrono::{NaiveDateTime, TimeDelta};
use maud::{Markup, html};

use super::{
    layout::scrolling,
    scale::{duration, instant, number, round_duration, round_number, rounded},
};
use crate::database::Instant;

/// The most points that are drawn one by one. Of more, each point stands for a time, with its lowest and highest value.
const MOST_POINTS: usize = 750;

/// The size of the picture, in its own units. It is as wide as the page.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 360.0;
/// The space around the plot for its labels.
const TOP: f64 = 52.0;
const RIGHT: f64 = 48.0;
const BOTTOM: f64 = 44.0;
/// The width of a digit, as they are written on a narrow screen.
const DIGIT: f64 = 15.0;

/// The measurements of a sensor within some days.
pub(super) struct Series<'a> {
    /// The measured quantity, for readers who do not see the picture.
    pub(super) title: &'a str,
    pub(super) unit: &'a str,
    /// How long one measured event lasts.
    pub(super) resolution: TimeDelta,
    pub(super) begin: NaiveDateTime,
    /// Later than the begin.
    pub(super) end: NaiveDateTime,
    /// By time, from the begin until before the end.
    pub(super) points: &'a [(Instant, f64)],
}

/// One point of the picture, and one row of the table.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Point {
    at: NaiveDateTime,
    low: f64,
    high: f64,
}

/// The points, and how far they are apart.
struct Points {
    all: Vec<Point>,
    apart: TimeDelta,
    /// Whether each stands for several measurements.
    merged: bool,
}

impl Series<'_> {
    /// The picture with its table.
    pub(super) fn figure(&self) -> Markup {
        let points = self.points();
        let picture = Picture::of(self, &points);
        html! {
            figure {
                @match &picture {
                    Some(picture) => (picture.draw(self, &points)),
                    None => p { "These values are too far apart to be drawn." },
                }
                figcaption {
                    @match self.points.len() {
                        1 => "One measurement.",
                        count => { (count) " measurements." },
                    }
                    " Times are in UTC."
                    @if points.merged {
                        " Each point shows the lowest and the highest value of " (duration(points.apart)) "."
                    }
                }
            }
            details {
                summary { "The figures as a table" }
                (scrolling("figures", &self.table(&points)))
            }
        }
    }

    /// One for each measurement, or for each hour, say, that has measurements.
    fn points(&self) -> Points {
        let one = |&(Instant(at), value)| Point { at, low: value, high: value };
        if self.points.len() <= MOST_POINTS {
            let all = self.points.iter().map(one).collect();
            return Points { all, apart: self.resolution, merged: false };
        }
        let apart = round_duration(self.end - self.begin, MOST_POINTS);
        let width = apart.num_milliseconds().max(1);
        let mut all: Vec<Point> = Vec::new();
        for (Instant(at), value) in self.points {
            let since = (*at - self.begin).num_milliseconds();
            let at = self.begin + TimeDelta::milliseconds(since - since % width);
            match all.last_mut() {
                Some(last) if last.at == at => {
                    last.low = last.low.min(*value);
                    last.high = last.high.max(*value);
                }
                _ => all.push(Point { at, low: *value, high: *value }),
            }
        }
        Points { all, apart, merged: true }
    }

    fn table(&self, points: &Points) -> Markup {
        let unit = if self.unit.is_empty() { String::new() } else { format!(" ({})", self.unit) };
        html! {
            table {
                caption id="figures" { (self.title) }
                thead {
                    tr {
                        @if points.merged {
                            th scope="col" { "From (UTC)" }
                            th.number scope="col" { "Lowest" (unit) }
                            th.number scope="col" { "Highest" (unit) }
                        } @else {
                            th scope="col" { "Time (UTC)" }
                            th.number scope="col" { "Value" (unit) }
                        }
                    }
                }
                tbody {
                    @for point in &points.all {
                        tr {
                            th scope="row" { (instant(point.at)) }
                            td.number { (number(point.low)) }
                            @if points.merged {
                                td.number { (number(point.high)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Where things are in the picture.
struct Picture {
    left: f64,
    /// The values at the bottom and at the top.
    low: f64,
    high: f64,
    /// Values with a line across the picture.
    values: Vec<f64>,
    times: Vec<NaiveDateTime>,
    /// How far the times are apart.
    apart: TimeDelta,
    begin: NaiveDateTime,
    end: NaiveDateTime,
}

impl Picture {
    /// `None` where numbers are too large or too small to calculate with.
    fn of(series: &Series<'_>, points: &Points) -> Option<Self> {
        let mut low = points.all.iter().map(|point| point.low).fold(f64::INFINITY, f64::min);
        let mut high = points.all.iter().map(|point| point.high).fold(f64::NEG_INFINITY, f64::max);
        // From zero on, unless that would leave half of the picture empty.
        if low > 0.0 && low <= high / 2.0 || low >= high {
            low = low.min(0.0);
        }
        if high < 0.0 && high >= low / 2.0 || low >= high {
            high = high.max(0.0);
        }
        if low >= high {
            high = 1.0;
        }
        let step = round_number((high - low) / 5.0)?;
        low = (low / step).floor() * step;
        high = (high / step).ceil() * step;
        let values: Vec<f64> = iter::successors(Some(low), |value| Some(value + step))
            .take_while(|value| *value <= high + step / 2.0)
            .take(9)
            .collect();
        if !(high - low).is_finite() || values.len() < 2 {
            return None;
        }
        let longest = values.iter().map(|value| number(rounded(*value, step)).chars().count()).max()?;
        let apart = round_duration(series.end - series.begin, 7);
        let times = iter::successors(Some(series.begin), |time| time.checked_add_signed(apart));
        Some(Self {
            // A number of a few digits.
            left: 20.0 + DIGIT * f64::from(u32::try_from(longest).unwrap_or(u32::MAX)),
            low,
            high,
            values: values.into_iter().map(|value| rounded(value, step)).collect(),
            times: times.take_while(|time| *time <= series.end).take(9).collect(),
            apart,
            begin: series.begin,
            end: series.end,
        })
    }

    fn x(&self, time: NaiveDateTime) -> f64 {
        let (since, whole) = (time - self.begin, self.end - self.begin);
        self.left + (WIDTH - RIGHT - self.left) * since.as_seconds_f64() / whole.as_seconds_f64()
    }

    fn y(&self, value: f64) -> f64 {
        // The part first: a product of the largest numbers is infinite.
        HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * ((value - self.low) / (self.high - self.low))
    }

    fn draw(&self, series: &Series<'_>, points: &Points) -> Markup {
        let digits = |coordinate: f64| format!("{coordinate:.1}");
        html! {
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-labelledby="chart-title chart-description" {
                title id="chart-title" { (series.title) }
                desc id="chart-description" { (description(series, points)) " The table has the figures." }
                g.grid {
                    @for value in &self.values {
                        @let y = digits(self.y(*value));
                        line x1=(digits(self.left)) x2=(WIDTH - RIGHT) y1=(y) y2=(y) {}
                    }
                }
                g.values {
                    @for value in &self.values {
                        text x=(digits(self.left - 10.0)) y=(digits(self.y(*value))) dy="0.35em" text-anchor="end" {
                            (number(*value))
                        }
                    }
                    text x="4" y=(TOP - 22.0) { (series.unit) }
                }
                g.times {
                    @for time in &self.times {
                        @let x = digits(self.x(*time));
                        line x1=(x) x2=(x) y1=(HEIGHT - BOTTOM) y2=(HEIGHT - BOTTOM + 6.0) {}
                        text x=(x) y=(HEIGHT - BOTTOM + 28.0) text-anchor="middle" { (self.moment(*time)) }
                    }
                }
                @for part in parts(&points.all, points.apart) {
                    @match part {
                        [only] if !points.merged => circle cx=(digits(self.x(only.at))) cy=(digits(self.y(only.low))) r="3" {},
                        _ => path d=(self.path(part, points)) class=(if points.merged { "band" } else { "line" }) {},
                    }
                }
            }
        }
    }

    /// Through the points; of merged ones, through the highest values and back through the lowest.
    fn path(&self, part: &[Point], points: &Points) -> String {
        let mut path = String::new();
        let mut command = 'M';
        let mut to = |at, value| {
            // Writing to a string does not fail.
            let _ = write!(path, "{command}{:.1} {:.1}", self.x(at), self.y(value));
            command = 'L';
        };
        if points.merged {
            // As wide as the time that a point stands for.
            let end = |point: &Point| (point.at + points.apart).min(self.end);
            for point in part {
                to(point.at, point.high);
                to(end(point), point.high);
            }
            for point in part.iter().rev() {
                to(end(point), point.low);
                to(point.at, point.low);
            }
            path.push('Z');
        } else {
            for point in part {
                to(point.at, point.low);
            }
        }
        path
    }

    /// As short as it is clear.
    fn moment(&self, time: NaiveDateTime) -> String {
        let format = if self.apart >= TimeDelta::days(60) {
            "%b %Y"
        } else if time.time() == NaiveDateTime::default().time() {
            "%-d %b"
        } else {
            "%H:%M"
        };
        time.format(format).to_string()
    }
}

/// The picture in words.
fn description(series: &Series<'_>, points: &Points) -> String {
    let lowest = points.all.iter().min_by(|one, other| one.low.total_cmp(&other.low));
    let highest = points.all.iter().max_by(|one, other| one.high.total_cmp(&other.high));
    let with_unit = |value| format!("{} {}", number(value), series.unit);
    match (lowest, highest) {
        (Some(lowest), Some(highest)) => format!(
            "The lowest value is {}, at {}, and the highest {}, at {}.",
            with_unit(lowest.low).trim_end(),
            instant(lowest.at),
            with_unit(highest.high).trim_end(),
            instant(highest.at),
        ),
        _ => "There are no measurements.".to_owned(),
    }
}

/// The points without a gap between them: a line across a gap would show values that were not measured.
fn parts(points: &[Point], apart: TimeDelta) -> impl Iterator<Item = &[Point]> {
    points.chunk_by(move |one, next| next.at - one.at <= apart + apart / 2)
}

#[cfg(test)]
mod tests {
    use chrono::{NaiveDate, NaiveDateTime, TimeDelta};

    use super::{Instant, Series, parts};

    fn begin() -> NaiveDateTime {
        NaiveDate::from_ymd_opt(2026, 11, 19).unwrap().into()
    }

    fn series(points: &[(Instant, f64)], days: i64) -> Series<'_> {
        Series {
            title: "power",
            unit: "kW",
            resolution: TimeDelta::minutes(15),
            begin: begin(),
            end: begin() + TimeDelta::days(days),
            points,
        }
    }

    fn points(values: impl IntoIterator<Item = f64>) -> Vec<(Instant, f64)> {
        let times = (0..).map(|index| Instant(begin() + TimeDelta::minutes(15 * index)));
        times.zip(values).collect()
    }

    #[test]
    fn many_points_become_the_lowest_and_the_highest_of_a_time_each() {
        let few = points((0..672).map(f64::from));
        let shown = series(&few, 7).points();
        assert!(!shown.merged && shown.all.len() == 672);
        let many = points((0..2880).map(f64::from));
        let shown = series(&many, 30).points();
        assert!(shown.merged);
        assert_eq!((shown.apart, shown.all.len()), (TimeDelta::hours(1), 720));
        let last = shown.all.last().unwrap();
        assert_eq!((last.at, last.low, last.high), (begin() + TimeDelta::hours(719), 2876.0, 2879.0));
        let lowest = shown.all.iter().map(|point| point.low).fold(f64::INFINITY, f64::min);
        let highest = shown.all.iter().map(|point| point.high).fold(0.0, f64::max);
        assert_eq!((lowest, highest), (0.0, 2879.0), "none is lost");
    }

    #[test]
    fn a_line_ends_at_a_gap() {
        let mut gap = points([1.0, 2.0, 3.0, 4.0, 5.0]);
        gap.remove(2);
        let shown = series(&gap, 1).points();
        let lengths: Vec<_> = parts(&shown.all, shown.apart).map(<[_]>::len).collect();
        assert_eq!(lengths, [2, 2]);
        let svg = series(&gap, 1).figure().0;
        assert_eq!(svg.matches("<path").count(), 2, "{svg}");
    }

    #[test]
    fn whatever_was_measured_there_is_a_page() {
        let most = f64::MAX;
        for values in [
            vec![0.0],
            vec![-0.0, 0.0],
            vec![1.0],
            vec![-1.0],
            vec![1e15, 1e15 + 1.0],
            vec![most],
            vec![-most, most],
            vec![f64::MIN_POSITIVE],
            vec![5e-324],
            vec![5e-324, most],
            vec![-most; 1000],
            (0..1000).map(|index| f64::from(index % 7) * 1e-300).collect(),
        ] {
            let page = series(&points(values.clone()), 7).figure().0;
            for wrong in ["NaN", "inf"] {
                assert!(!page.contains(wrong), "{wrong} of {values:?}: {page}");
            }
            assert!(page.contains("<table>"), "{page}");
        }
        let years = series(&points([1.0, 2.0]), 3_600_000).figure().0;
        assert!(years.contains("<svg"), "{years}");
    }

    #[test]
    fn values_of_any_size_are_drawn_or_said() {
        for exponent in -323..=308 {
            let value: f64 = format!("1e{exponent}").parse().unwrap();
            for values in [vec![value], vec![-value], vec![value, 3.0 * value], vec![-value, value]] {
                if values.iter().any(|value| value.is_infinite()) {
                    continue;
                }
                let page = series(&points(values.clone()), 7).figure().0;
                for wrong in ["NaN", "inf"] {
                    assert!(!page.contains(wrong), "{wrong} of {values:?}: {page}");
                }
                let is_drawn = page.contains("<svg");
                assert!(is_drawn || page.contains("too far apart to be drawn"), "{values:?}: {page}");
                assert!(is_drawn || !(-300..=307).contains(&exponent), "{values:?} could be drawn");
            }
        }
    }
}
