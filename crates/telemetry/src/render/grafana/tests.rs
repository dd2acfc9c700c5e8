use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::*;

fn dashboard_of(objectives: &str) -> Value {
    let source = format!(
        "[app]\nname = \"shop\"\n[services.api]\nrun = \"x\"\nenv = {{ KEY = \"${{KEY}}\" }}\n\
         [[routes]]\nmatch = \"/*\"\nservice = \"api\"\n{objectives}"
    );
    let env = |_: &str| Some("hush".to_owned());
    let manifest = mare_manifest::load(&source, Path::new("mare.toml"), PathBuf::from("/a"), &env);
    let text = dashboard(&manifest.unwrap_or_else(|mistakes| panic!("{mistakes}")));
    assert!(!text.contains("hush"));
    serde_json::from_str(&text).expect("JSON")
}

const READ: &str = "[objectives.read]\nservice = \"api\"\np95 = \"300ms\"\nerrors = \"0.5%\"\n";

fn panels(dashboard: &Value) -> &[Value] {
    dashboard["panels"].as_array().expect("a list")
}

#[test]
fn panels_fill_the_grid_without_overlap() {
    let dashboard = dashboard_of(READ);
    let mut taken = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for panel in panels(&dashboard) {
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|key| panel["gridPos"][key].as_u64().expect("a number"));
        assert!(x + w <= 24, "{panel}");
        for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert!(taken.insert(cell), "{panel}");
        }
        assert!(ids.insert(panel["id"].as_u64()), "{panel}");
    }
}

#[test]
fn every_panel_says_what_it_shows_and_in_which_unit() {
    let dashboard = dashboard_of(READ);
    for panel in panels(&dashboard).iter().filter(|panel| panel["type"] != "row") {
        assert!(panel["description"].as_str().is_some_and(|text| text.len() > 10), "{panel}");
        assert!(!panel["targets"].as_array().expect("a list").is_empty(), "{panel}");
        let unit = match panel["type"].as_str() {
            Some("heatmap") => &panel["options"]["yAxis"]["unit"],
            _ => &panel["fieldConfig"]["defaults"]["unit"],
        };
        assert!(unit.is_string(), "{panel}");
    }
}

#[test]
fn without_objectives_there_is_nothing_about_them() {
    let rows = |dashboard: &Value| {
        let rows = panels(dashboard).iter().filter(|panel| panel["type"] == "row");
        rows.map(|row| row["title"].as_str().expect("text").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(rows(&dashboard_of(READ)), ["Objective $objective", "Alerts", "Traffic", "Services"]);
    let without = dashboard_of("");
    assert_eq!(rows(&without), ["Alerts", "Traffic", "Services"]);
    assert!(!without.to_string().contains("$objective"));
}

#[test]
fn a_limit_is_a_line() {
    let dashboard = dashboard_of(READ);
    let targets = panels(&dashboard).iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let limits =
        targets.filter(|target| target["legendFormat"].as_str().is_some_and(|it| it.ends_with(" limit")));
    let lines: Vec<String> = limits.map(|it| it["expr"].as_str().expect("text").replace('\n', " ")).collect();
    assert_eq!(lines.len(), 2);
    for (line, start) in
        lines.iter().zip(["vector(0.005), \"clause\", \"errors\"", "vector(0.3), \"clause\", \"p95\""])
    {
        assert!(line.starts_with(&format!("label_replace({start}")), "{lines:?}");
    }
}
