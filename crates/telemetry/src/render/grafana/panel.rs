//! One panel, and how Grafana writes it.

use serde_json::{Value, json};

/// What one panel shows.
#[derive(Clone, Debug)]
pub(super) struct Panel {
    pub(super) title: &'static str,
    /// What it means, for who has not read the manual.
    pub(super) description: &'static str,
    pub(super) kind: Kind,
    /// One of Grafana's: `s`, `percentunit`, `reqps`.
    pub(super) unit: &'static str,
    /// Out of 24 columns.
    pub(super) width: u32,
    pub(super) targets: Vec<Target>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Lines,
    /// Lines upon one another: what adds up.
    Stacked,
    /// One number each, red when nothing is left.
    Budget,
    /// Buckets of a histogram over time.
    HeatMap,
    /// One bar for each value of this label.
    Bars(&'static str),
    /// The labels of what there is now.
    Table,
}

/// One query, and what its series are called.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) expr: String,
    pub(super) legend: String,
}

impl Target {
    pub(super) fn new(expr: impl Into<String>, legend: impl Into<String>) -> Self {
        Self { expr: expr.into(), legend: legend.into() }
    }
}

impl Panel {
    pub(super) const HEIGHT: u32 = 8;

    pub(super) fn json(&self, id: usize, at: &Value) -> Value {
        let (kind, options) = self.options();
        let targets = self.targets.iter().zip('A'..).map(|(target, letter)| self.target(target, letter));
        json!({
            "id": id,
            "type": kind,
            "title": self.title,
            "description": self.description,
            "datasource": datasource(),
            "gridPos": at,
            "fieldConfig": { "defaults": self.defaults(), "overrides": [limit_line()] },
            "options": options,
            "targets": targets.collect::<Vec<_>>(),
            "transformations": self.transformations(),
        })
    }

    /// Grafana's name of the panel, and what it is told.
    fn options(&self) -> (&'static str, Value) {
        let legend = json!({ "showLegend": true, "displayMode": "list", "placement": "bottom", "calcs": [] });
        match self.kind {
            Kind::Lines | Kind::Stacked => {
                ("timeseries", json!({ "legend": legend, "tooltip": { "mode": "multi", "sort": "desc" } }))
            }
            Kind::Budget => (
                "stat",
                json!({
                    "reduceOptions": { "values": false, "calcs": ["lastNotNull"], "fields": "" },
                    "colorMode": "value", "graphMode": "area", "textMode": "value_and_name",
                }),
            ),
            Kind::HeatMap => (
                "heatmap",
                json!({
                    "calculate": false,
                    "cellGap": 1,
                    "color": { "mode": "scheme", "scheme": "Oranges", "exponent": 0.5, "steps": 64 },
                    "filterValues": { "le": 1e-9 },
                    "legend": { "show": true },
                    "rowsFrame": { "layout": "auto" },
                    "tooltip": { "mode": "single", "yHistogram": false },
                    "yAxis": { "axisPlacement": "left", "unit": "s" },
                }),
            ),
            Kind::Bars(label) => (
                "barchart",
                json!({
                    "xField": label, "showValue": "never", "legend": { "showLegend": false },
                    "tooltip": { "mode": "single" },
                }),
            ),
            Kind::Table => ("table", json!({ "showHeader": true })),
        }
    }

    fn defaults(&self) -> Value {
        let stacking = if self.kind == Kind::Stacked { "normal" } else { "none" };
        let fill = if self.kind == Kind::Stacked { 30 } else { 0 };
        match self.kind {
            Kind::Lines | Kind::Stacked => json!({
                "unit": self.unit,
                "custom": {
                    "drawStyle": "line", "lineWidth": 1, "fillOpacity": fill, "showPoints": "never",
                    "stacking": { "mode": stacking, "group": "A" },
                },
            }),
            Kind::Budget => json!({
                "unit": self.unit,
                "thresholds": {
                    "mode": "absolute",
                    "steps": [
                        { "color": "red", "value": null },
                        { "color": "orange", "value": 0.0001 },
                        { "color": "green", "value": 0.25 },
                    ],
                },
            }),
            Kind::HeatMap => json!({}),
            Kind::Bars(_) | Kind::Table => json!({ "unit": self.unit }),
        }
    }

    fn target(&self, target: &Target, letter: char) -> Value {
        let now = matches!(self.kind, Kind::Bars(_) | Kind::Table);
        let format = match self.kind {
            Kind::Lines | Kind::Stacked | Kind::Budget => "time_series",
            Kind::HeatMap => "heatmap",
            Kind::Bars(_) | Kind::Table => "table",
        };
        json!({
            "refId": letter.to_string(),
            "datasource": datasource(),
            "editorMode": "code",
            "expr": target.expr,
            "legendFormat": target.legend,
            "format": format,
            "instant": now,
            "range": !now,
        })
    }

    fn transformations(&self) -> Value {
        let without = |names: &[&str]| {
            let names: serde_json::Map<_, _> =
                names.iter().map(|name| ((*name).to_owned(), json!(true))).collect();
            json!({ "id": "organize", "options": { "excludeByName": names } })
        };
        match self.kind {
            Kind::Lines | Kind::Stacked | Kind::Budget | Kind::HeatMap => json!([]),
            Kind::Bars(label) => json!([
                without(&["Time"]),
                { "id": "sortBy", "options": { "sort": [{ "field": label }] } },
            ]),
            Kind::Table => json!([without(&["Time", "Value"])]),
        }
    }
}

/// The data source chosen at the head of the page.
pub(super) fn datasource() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

/// What is called a limit is drawn as one.
fn limit_line() -> Value {
    json!({
        "matcher": { "id": "byRegexp", "options": "/ limit$/" },
        "properties": [
            { "id": "color", "value": { "mode": "fixed", "fixedColor": "red" } },
            { "id": "custom.lineStyle", "value": { "fill": "dash", "dash": [8, 8] } },
            { "id": "custom.lineWidth", "value": 2 },
        ],
    })
}
