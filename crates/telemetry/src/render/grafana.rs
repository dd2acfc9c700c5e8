//! A dashboard for Grafana 11 and later.
//!
//! [`rows`] says what is shown, [`panel`] how Grafana wants to be told, this puts both on the page. What comes from
//! recorded series falls back on what Maré itself says, so the page is of use before the rules are loaded.

mod panel;
mod rows;

use mare_manifest::Manifest;
use serde_json::{Value, json};

use super::series::Scope;
use panel::{Panel, datasource};

/// Of the dashboard model as Grafana 11.0 writes it; later ones migrate it when they load it.
const SCHEMA_VERSION: u32 = 39;

/// The grid of every dashboard.
const COLUMNS: u32 = 24;

/// The longest that Grafana takes.
const UID_LENGTH_MAX: usize = 40;

/// Panels under one heading.
struct Row {
    title: &'static str,
    /// The variable for each of whose values the row is there once.
    repeat: Option<&'static str>,
    panels: Vec<Panel>,
}

/// The dashboard as a JSON document to import or to provision.
pub fn dashboard(manifest: &Manifest) -> String {
    let app = &manifest.app.name;
    let rows = rows::all(Scope { app, job: None }, manifest);
    let mut uid = format!("mare-{app}");
    uid.truncate(UID_LENGTH_MAX);
    let dashboard = json!({
        "uid": uid,
        "title": format!("Maré: {app}"),
        "description": "Made by `mare render grafana` from mare.toml; make it again when an objective changes.",
        "tags": ["mare"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": true,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": { "from": "now-6h", "to": "now" },
        "timezone": "browser",
        "annotations": { "list": [] },
        "links": [],
        "templating": { "list": variables(!manifest.objectives.is_empty()) },
        "panels": laid_out(&rows),
    });
    format!("{dashboard:#}\n")
}

/// Places rows below one another, and their panels from left to right as long as they fit.
fn laid_out(rows: &[Row]) -> Vec<Value> {
    let mut placed: Vec<Value> = Vec::new();
    let mut top = 0;
    for row in rows {
        let id = placed.len() + 1;
        placed.push(json!({
            "id": id,
            "type": "row",
            "title": row.title,
            "repeat": row.repeat,
            "collapsed": false,
            "panels": [],
            "gridPos": { "x": 0, "y": top, "w": COLUMNS, "h": 1 },
        }));
        top += 1;
        let mut left = 0;
        for panel in &row.panels {
            if left + panel.width > COLUMNS {
                (left, top) = (0, top + Panel::HEIGHT);
            }
            let at = json!({ "x": left, "y": top, "w": panel.width, "h": Panel::HEIGHT });
            placed.push(panel.json(placed.len() + 1, &at));
            left += panel.width;
        }
        top += Panel::HEIGHT;
    }
    placed
}

/// What is chosen at the head of the page.
fn variables(objectives: bool) -> Vec<Value> {
    let query = |name: &str, label: &str, query: &str| {
        json!({
            "type": "query",
            "name": name,
            "label": label,
            "datasource": datasource(),
            "definition": query,
            "query": { "query": query, "refId": name },
            // On every change of the time range.
            "refresh": 2,
            "sort": 1,
            "multi": true,
            "includeAll": true,
            "current": { "text": ["All"], "value": ["$__all"] },
        })
    };
    let source = json!({
        "type": "datasource",
        "name": "datasource",
        "label": "Data source",
        "query": "prometheus",
        "current": {},
        "refresh": 1,
    });
    let mut list = vec![source, query("job", "Job", "label_values(mare_instances, job)")];
    if objectives {
        let values = r#"label_values(mare_objective_requests_total{job=~"$job"}, objective)"#;
        list.push(query("objective", "Objective", values));
    }
    list.push(query("service", "Service", r#"label_values(mare_instances{job=~"$job"}, service)"#));
    list.push(query("route", "Route", r#"label_values(mare_requests_total{job=~"$job"}, route)"#));
    list
}

#[cfg(test)]
mod tests;
