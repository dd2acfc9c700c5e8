//! The arrows of DESIGN.md, enforced from the manifests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What each crate may name; all may name `mare-manifest`. A crate that is not here is new: say what it may.
const ALLOWED: &[(&str, &[&str])] = &[
    ("mare-cache", &[]),
    ("mare-channels", &[]),
    ("mare-console", &[]),
    ("mare-fleet", &["mare-scaling"]),
    ("mare-gateway", &["mare-cache", "mare-fleet"]),
    ("mare-load", &["mare-slo"]),
    ("mare-manifest", &[]),
    ("mare-plan", &["mare-scaling", "mare-slo"]),
    ("mare-scaling", &[]),
    ("mare-slo", &[]),
    ("mare-tasks", &[]),
    ("mare-telemetry", &["mare-slo"]),
];

/// Crates without a clock, a socket or a runtime.
const PURE: [&str; 3] = ["mare-manifest", "mare-scaling", "mare-slo"];

const IMPURE: [&str; 8] =
    ["hyper", "hyper-util", "reqwest", "rusqlite", "socket2", "sqlx", "tokio", "tokio-util"];

struct Package {
    folder: PathBuf,
    /// Normal and build dependencies, by the package's own name.
    dependencies: BTreeSet<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

fn read(path: &Path) -> toml::Table {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn members() -> Vec<PathBuf> {
    let workspace = read(&root().join("Cargo.toml"));
    let members = workspace["workspace"]["members"].as_array().expect("a list").clone();
    let mut folders = Vec::new();
    for member in members.iter().map(|member| member.as_str().expect("text")) {
        match member.strip_suffix("/*") {
            Some(parent) => {
                let entries = std::fs::read_dir(root().join(parent)).expect("a folder").flatten();
                folders.extend(
                    entries.map(|entry| entry.path()).filter(|path| path.join("Cargo.toml").exists()),
                );
            }
            None => folders.push(root().join(member)),
        }
    }
    folders
}

/// The names in a table that has dependencies, renamed ones by their real name.
fn dependencies(table: &toml::Table, into: &mut BTreeSet<String>) {
    for section in ["dependencies", "build-dependencies"] {
        for (name, value) in table.get(section).and_then(toml::Value::as_table).into_iter().flatten() {
            let real = value.get("package").and_then(toml::Value::as_str).unwrap_or(name);
            into.insert(real.to_owned());
        }
    }
    for target in table.get("target").and_then(toml::Value::as_table).into_iter().flatten() {
        dependencies(target.1.as_table().expect("a table"), into);
    }
}

fn packages() -> BTreeMap<String, Package> {
    let package = |folder: PathBuf| {
        let table = read(&folder.join("Cargo.toml"));
        let mut names = BTreeSet::new();
        dependencies(&table, &mut names);
        let name = table["package"]["name"].as_str().expect("text").to_owned();
        (name, Package { folder, dependencies: names })
    };
    members().into_iter().map(package).collect()
}

#[test]
fn crates_name_only_what_is_below_them() {
    let packages = packages();
    assert!(packages.contains_key("mare-gateway"), "the workspace was read");
    let allowed: BTreeMap<_, _> = ALLOWED.iter().copied().collect();
    for (name, package) in packages.iter().filter(|(name, _)| name.starts_with("mare-")) {
        let may = allowed.get(name.as_str()).unwrap_or_else(|| panic!("{name} is not in ALLOWED"));
        for other in package.dependencies.iter().filter(|other| packages.contains_key(*other)) {
            let fine = other == "mare-manifest" || may.contains(&other.as_str());
            assert!(fine, "{name} must not name {other}");
        }
    }
}

#[test]
fn only_the_command_names_the_command() {
    for (name, package) in packages() {
        assert!(!package.dependencies.contains("mare"), "{name} must not name mare");
    }
}

#[test]
fn pure_crates_name_no_runtime() {
    let packages = packages();
    for name in PURE {
        for impure in IMPURE {
            assert!(!packages[name].dependencies.contains(impure), "{name} must not name {impure}");
        }
    }
}

#[test]
fn applications_link_nothing_of_the_platform() {
    let packages = packages();
    let apps = root().join("apps");
    let mut seen = 0;
    for (name, package) in packages.iter().filter(|(_, package)| package.folder.starts_with(&apps)) {
        seen += 1;
        for other in &package.dependencies {
            let platform = other == "mare" || other.starts_with("mare-");
            assert!(!platform, "{name} must not name {other}");
        }
    }
    assert!(seen > 0, "there are applications");
}
