//! One picture as SVG that belongs into the page: its colours are the page's variables, so it follows dark mode and
//! print; its text is text.

use kuva::backend::svg::SvgBackend;
use kuva::plot::scatter::ScatterPlot;
use kuva::plot::{LinePlot, LineStyle};
use kuva::render::annotations::{ReferenceLine, ShadedRegion};
use kuva::render::layout::{Layout, TickFormat};
use kuva::render::plots::Plot;
use kuva::render::render::render_multiple;
use kuva::render::theme::Theme;

use super::format;

/// All are as wide as this and keep the same margins, so that pictures below one another share their time axis.
const WIDTH: f64 = 720.0;
const MARGIN_LEFT: f64 = 62.0;
const MARGIN_RIGHT: f64 = 14.0;

/// As many labels as fit below it on a phone, where text is drawn twice as large.
const X_LABELS_MAX: f64 = 7.0;

#[derive(Clone)]
pub(super) struct Chart {
    /// The figure's caption.
    pub(super) title: String,
    /// What to look for, in one sentence.
    pub(super) note: String,
    pub(super) x: X,
    pub(super) y: Y,
    pub(super) height: f64,
    pub(super) lines: Vec<Line>,
    /// A single line's name says more than the title.
    pub(super) names_matter: bool,
    /// Horizontal lines: limits, with what they are.
    pub(super) limits: Vec<(f64, String)>,
    pub(super) bands: Vec<Band>,
}

/// The x axis, from 0 to this.
#[derive(Clone, Copy)]
pub(super) enum X {
    Seconds(f64),
    Level(f64),
}

#[derive(Clone, Copy)]
pub(super) enum Y {
    /// Of things that come whole.
    Count,
    Number,
    /// On a logarithmic axis: they span orders of magnitude.
    Milliseconds,
    Percent,
    Bytes,
}

#[derive(Clone)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) stroke: Stroke,
    /// A CSS variable of the page.
    pub(super) colour: &'static str,
    /// `None` interrupts the line.
    pub(super) points: Vec<(f64, Option<f64>)>,
}

/// A part of the x axis that is told apart.
#[derive(Clone, Copy)]
pub(super) struct Band {
    pub(super) from: f64,
    pub(super) until: f64,
    pub(super) colour: &'static str,
}

#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Stroke {
    Thick,
    Thin,
    Dashed,
    /// With a mark at every point.
    Marked,
}

impl Chart {
    /// Nothing to draw?
    pub(super) fn is_empty(&self) -> bool {
        self.lines.iter().all(|line| line.points.iter().all(|(_, y)| y.is_none()))
    }

    /// `number` is different for every picture of a page: it keeps their clip paths apart.
    pub(super) fn svg(&self, number: usize) -> String {
        let plots: Vec<Plot> = self.lines.iter().flat_map(|line| line.plots(self.x)).collect();
        let layout = self.layout(&plots);
        let svg = SvgBackend::new().render_scene(&render_multiple(plots, layout));
        self.embedded(&svg, number)
    }

    fn layout(&self, plots: &[Plot]) -> Layout {
        let (x_max, x_format) = match self.x {
            X::Seconds(max) => (max, TickFormat::Custom(std::sync::Arc::new(clock))),
            X::Level(max) => (max, TickFormat::Custom(std::sync::Arc::new(format::level))),
        };
        let mut layout = Layout::auto_from_plots(plots)
            .with_theme(theme())
            .with_width(WIDTH)
            .with_height(self.height)
            .with_force_margins(MARGIN_LEFT, MARGIN_RIGHT)
            .with_force_margins_y(12.0, 24.0)
            .with_tick_size(11)
            .with_ticks(4)
            .with_x_axis_min(0.0)
            .with_x_axis_max(x_max)
            .with_x_tick_step(self.x.step())
            .with_x_tick_format(x_format)
            .with_y_tick_format(TickFormat::Custom(std::sync::Arc::new(self.y.label())));
        layout = match self.y {
            Y::Milliseconds => {
                let (low, high) = self.decades();
                layout.with_log_y().with_y_axis_min(low).with_y_axis_max(high)
            }
            Y::Count | Y::Number | Y::Percent | Y::Bytes => {
                // A little room, or the highest line would be cut in half.
                let top = if self.highest() > 0.0 { self.highest() * 1.06 } else { 1.0 };
                layout.with_y_axis_min(0.0).with_y_axis_max(top).with_y_tick_step(self.step())
            }
        };
        for (value, what) in &self.limits {
            let line = ReferenceLine::horizontal(*value).with_color("var(--fail)").with_label(what.clone());
            layout = layout.with_reference_line(line);
        }
        for band in &self.bands {
            let region =
                ShadedRegion::vertical(band.from, band.until).with_color(band.colour).with_opacity(0.14);
            layout = layout.with_shaded_region(region);
        }
        layout
    }

    fn values(&self) -> impl Iterator<Item = f64> {
        let limits = self.limits.iter().map(|(value, _)| *value);
        self.lines.iter().flat_map(|line| line.points.iter().filter_map(|(_, y)| *y)).chain(limits)
    }

    fn highest(&self) -> f64 {
        self.values().fold(0.0, f64::max)
    }

    /// From the 1, 2 or 5 below the lowest value to the one above the highest.
    fn decades(&self) -> (f64, f64) {
        let low = self.values().fold(f64::INFINITY, f64::min).clamp(0.001, 1e7);
        let high = self.highest().max(low * 1.01);
        let decade = |value: f64| 10_f64.powf(value.log10().floor());
        let below = [5.0, 2.0, 1.0].map(|step| step * decade(low)).into_iter().find(|&edge| edge <= low);
        let above =
            [1.0, 2.0, 5.0, 10.0].map(|step| step * decade(high)).into_iter().find(|&edge| edge > high);
        (below.unwrap_or(low), above.unwrap_or(high))
    }

    /// Two to four ticks of a linear axis above its 0.
    fn step(&self) -> f64 {
        let highest = self.highest();
        if highest <= 0.0 {
            return 1.0;
        }
        let rough = highest / 4.0;
        let decade = 10_f64.powf(rough.log10().floor());
        let fits = |step: &f64| *step >= rough && (!matches!(self.y, Y::Count) || step.fract() == 0.0);
        let step = [1.0, 2.0, 2.5, 5.0, 10.0].map(|step| step * decade).into_iter().find(fits);
        step.unwrap_or_else(|| rough.ceil())
    }

    /// kuva writes a file of its own; in the page it scales with its column and is described by its caption.
    fn embedded(&self, svg: &str, number: usize) -> String {
        let content = svg.split_once("fill=\"none\" />").map_or(svg, |(_, content)| content);
        let content = content.replace("kuva-clip-", &format!("clip-{number}-"));
        format!(
            "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-labelledby=\"figure-{number}\">{}",
            self.height,
            short_numbers(&content)
        )
    }
}

impl X {
    fn step(self) -> f64 {
        const SECONDS: [f64; 13] =
            [1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 180.0, 300.0, 600.0, 1200.0, 1800.0];
        match self {
            Self::Seconds(max) => {
                let fits = |step: &&f64| max / **step <= X_LABELS_MAX;
                SECONDS
                    .iter()
                    .find(fits)
                    .copied()
                    .unwrap_or_else(|| (max / X_LABELS_MAX / 3600.0).ceil() * 3600.0)
            }
            Self::Level(max) => {
                let rough = (max / X_LABELS_MAX).max(f64::MIN_POSITIVE);
                let decade = 10_f64.powf(rough.log10().floor());
                let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * decade);
                steps.into_iter().find(|&step| step >= rough).unwrap_or(rough)
            }
        }
    }
}

impl Y {
    fn label(self) -> fn(f64) -> String {
        match self {
            Self::Count | Self::Number => |value| match value {
                value if value >= 10_000.0 => format!("{}k", format::trimmed(value / 1000.0, 1)),
                value if value >= 1000.0 => format::level(value),
                value => format::trimmed(value, 2),
            },
            Self::Milliseconds => |value| match value {
                value if value >= 1000.0 => format!("{} s", format::trimmed(value / 1000.0, 1)),
                value => format!("{} ms", format::trimmed(value, 2)),
            },
            Self::Percent => |value| format!("{} %", format::trimmed(value * 100.0, 3)),
            Self::Bytes => |value| {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a tick from 0 up"
                )]
                format::bytes(value as u64)
            },
        }
    }
}

impl Line {
    /// One plot for each stretch without a gap.
    fn plots(&self, x: X) -> Vec<Plot> {
        let mut plots = Vec::new();
        for stretch in self.points.split(|(_, y)| y.is_none()).filter(|stretch| !stretch.is_empty()) {
            let mut points: Vec<(f64, f64)> = stretch.iter().filter_map(|&(x, y)| Some((x, y?))).collect();
            if self.stroke == Stroke::Marked {
                let marks =
                    ScatterPlot::new().with_data(points.clone()).with_color(self.colour).with_size(3.5);
                plots.push(Plot::Scatter(marks));
            } else if let [(at, y)] = points[..] {
                // A line of one point would not be seen.
                points.push((at + x.step() / 30.0, y));
            }
            let line = LinePlot::new().with_data(points).with_color(self.colour);
            plots.push(Plot::Line(match self.stroke {
                Stroke::Thick | Stroke::Marked => line.with_stroke_width(2.0),
                Stroke::Thin => line.with_stroke_width(1.2),
                Stroke::Dashed => line.with_stroke_width(1.4).with_line_style(LineStyle::Dashed),
            }));
        }
        plots
    }
}

fn theme() -> Theme {
    Theme {
        background: "none".to_owned(),
        axis_color: "var(--axis)".to_owned(),
        grid_color: "var(--grid)".to_owned(),
        tick_color: "var(--axis)".to_owned(),
        text_color: "var(--soft)".to_owned(),
        ..Theme::light()
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a tick from 0 up")]
fn clock(seconds: f64) -> String {
    format::clock(seconds.round() as u64)
}

/// kuva writes `61.300000000000004`; a tenth of a pixel is enough. Numbers of text are not touched: theirs are short.
fn short_numbers(svg: &str) -> String {
    let mut short = String::with_capacity(svg.len());
    let mut rest = svg;
    while let Some(dot) = rest.find('.') {
        let digits = rest[dot + 1..].bytes().take_while(u8::is_ascii_digit).count();
        let keep = if digits > 1 { 1 } else { digits };
        short.push_str(&rest[..=dot + keep]);
        rest = &rest[dot + 1 + digits..];
    }
    short + rest
}
