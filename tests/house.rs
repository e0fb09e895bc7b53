//! Who may name whom: reads `src/` and the table of rooms in `ARCHITECTURE.md`, and keeps one true to the other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What every room may name.
const COMMON: [&str; 3] = ["error", "family", "random"];
/// What may name every room: the sum of their errors, the list of public names, and the program.
const FREE: [&str; 3] = ["error", "lib", "main"];
/// Crates that only one place may name.
const CRATES: [(&str, &str); 4] =
    [("burn", "nn"), ("clap", "cli"), ("cudarc", "device"), ("rusqlite", "study/store")];

#[test]
fn every_room_names_only_what_the_table_allows() {
    let house = House::read();
    let broken: Vec<String> =
        house.files().iter().flat_map(|(file, text)| house.violations(file, text)).collect();
    assert!(broken.is_empty(), "ARCHITECTURE.md is not kept:\n{}", broken.join("\n"));
}

#[test]
fn every_room_is_in_the_table() {
    let house = House::read();
    let rooms: BTreeSet<String> = house.files().into_iter().map(|(file, _)| room(&file)).collect();
    let named = |room: &&String| {
        let room = room.as_str();
        house.table.contains_key(room) || COMMON.contains(&room) || FREE.contains(&room)
    };
    let missing: Vec<&String> = rooms.iter().filter(|room| !named(room)).collect();
    assert!(missing.is_empty(), "rooms without a line in ARCHITECTURE.md: {missing:?}");
}

#[test]
fn a_broken_rule_is_seen_with_its_line() {
    let house = House::read();
    let seen = |file: &str, text: &str| house.violations(file, text);
    assert_eq!(seen("op/x.rs", "\nuse crate::nn::Bank;"), ["src/op/x.rs:2: `op` may not name `nn`"]);
    assert_eq!(seen("op/x.rs", "use crate::{\n    ir::Graph, trial::Trial};").len(), 1);
    assert_eq!(seen("op/x.rs", "fn f(seed: crate::Candidate) {}").len(), 1);
    assert_eq!(seen("op/x.rs", "use super::super::search::Random;").len(), 1);
    assert_eq!(seen("op/mod.rs", "use super::search::Random;").len(), 1);
    assert_eq!(seen("evaluate/cost.rs", "use crate::nn::train;").len(), 1);
    assert_eq!(
        seen("search/x.rs", "let x = burn::tensor::Tensor::new();"),
        ["src/search/x.rs:1: only `nn` may name burn"]
    );
    assert_eq!(seen("study/rank.rs", "use rusqlite::Connection;").len(), 1);
}

#[test]
fn what_the_table_allows_passes() {
    let house = House::read();
    let passes = |file: &str, text: &str| {
        assert_eq!(house.violations(file, text), Vec::<String>::new(), "{file}: {text}")
    };
    passes("op/x.rs", "use crate::ir::{Graph, Shape};\nuse super::Site;\nuse crate::random::Seed;");
    passes("op/x.rs", "/// See [`crate::search::Random`].\n// burn::Tensor is not named here.");
    passes("op/x.rs", "#[cfg(test)]\nmod tests {\n    use crate::search::Random;\n}");
    passes("evaluate/train/trainer.rs", "use crate::nn::train;");
    passes("nn/bank.rs", "use burn::tensor::Tensor;");
    passes("cli/mod.rs", "use crate::study::Study;\nuse clap::Parser;");
}

/// The source and its rules.
struct House {
    /// By room: what it may name, each perhaps only in one file.
    table: BTreeMap<String, Vec<(String, Option<String>)>>,
    /// By name at the crate's root: the room that it is from.
    exports: BTreeMap<String, String>,
    source: PathBuf,
}

impl House {
    fn read() -> House {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let read = |name: &str| fs::read_to_string(root.join(name)).unwrap();
        House {
            table: table(&read("ARCHITECTURE.md")),
            exports: exports(&read("src/lib.rs")),
            source: root.join("src"),
        }
    }

    /// Every source file that is not only for tests: its path under `src` and its text.
    fn files(&self) -> Vec<(String, String)> {
        let mut files = Vec::new();
        let mut folders = vec![self.source.clone()];
        while let Some(folder) = folders.pop() {
            for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let name = path.strip_prefix(&self.source).unwrap().to_string_lossy().replace('\\', "/");
                    files.push((name, fs::read_to_string(&path).unwrap()));
                }
            }
        }
        let tests: BTreeSet<String> = files.iter().flat_map(|(file, text)| test_files(file, text)).collect();
        // What belongs to a module of tests is for tests, too.
        let is_test = |file: &str| {
            let within = |test: &String| file.starts_with(&format!("{}/", test.trim_end_matches(".rs")));
            tests.contains(file) || tests.iter().any(within)
        };
        files.retain(|(file, _)| !is_test(file));
        files.sort();
        files
    }

    fn violations(&self, file: &str, text: &str) -> Vec<String> {
        let room = room(file);
        let code = without_tests_and_comments(text);
        let mut broken = Vec::new();
        for (line, name) in named(file, &code) {
            let other = self.exports.get(&name).cloned().unwrap_or(name);
            if self.table.contains_key(&other) && !self.allowed(&room, file, &other) {
                broken.push(format!("src/{file}:{line}: `{room}` may not name `{other}`"));
            }
        }
        for (name, place) in CRATES {
            let here = file.starts_with(&format!("{place}/")) || file == format!("{place}.rs");
            let lines = code.lines().enumerate().filter(|(_, line)| !here && starts_path(line, name));
            broken.extend(
                lines.map(|(line, _)| format!("src/{file}:{}: only `{place}` may name {name}", line + 1)),
            );
        }
        broken
    }

    fn allowed(&self, room: &str, file: &str, other: &str) -> bool {
        let listed = |(name, only): &(String, Option<String>)| {
            name == other && only.as_ref().is_none_or(|only| file.ends_with(&format!("/{only}")))
        };
        room == other
            || COMMON.contains(&other)
            || FREE.contains(&room)
            || self.table.get(room).is_some_and(|names| names.iter().any(listed))
    }
}

/// The rooms of `ARCHITECTURE.md`: rows of names, purpose, and what they may import.
fn table(text: &str) -> BTreeMap<String, Vec<(String, Option<String>)>> {
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split('|').collect())
        .filter(|cells: &Vec<&str>| cells.len() == 3)
        .collect();
    let every: Vec<String> = rows.iter().flat_map(|cells| quoted(cells[0])).collect();
    let mut table = BTreeMap::new();
    for cells in &rows {
        let rooms = quoted(cells[0]);
        let plain = |names: &[String]| names.iter().map(|name| (name.clone(), None)).collect::<Vec<_>>();
        let before = every.iter().position(|name| *name == rooms[0]).unwrap();
        let names = match cells[2].trim() {
            "everything" => plain(&every),
            "the above" => plain(&every[..before]),
            listed => listed.split(", ").filter_map(allowance).collect(),
        };
        // Rooms that share a line may name each other.
        for room in &rooms {
            table.insert(room.clone(), [names.clone(), plain(&rooms)].concat());
        }
    }
    assert!(table.len() > 10, "the table of rooms was not found in ARCHITECTURE.md");
    table
}

/// `` `nn` (only `trainer.rs`) `` as `nn` in that file only.
fn allowance(item: &str) -> Option<(String, Option<String>)> {
    let mut names = quoted(item).into_iter();
    let name = names.next()?;
    Some((name, names.next().filter(|_| item.contains("(only"))))
}

fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(String::from).collect()
}

/// The names that `lib.rs` re-exports, by room.
fn exports(text: &str) -> BTreeMap<String, String> {
    let mut exports = BTreeMap::new();
    for item in text.split(';').filter_map(|item| item.trim().strip_prefix("pub use ")) {
        let Some((path, names)) = item.rsplit_once("::") else { continue };
        let room = path.split("::").next().unwrap_or(path);
        for name in names.trim_matches(['{', '}']).split(',') {
            exports.insert(name.trim().to_string(), room.to_string());
        }
    }
    exports
}

/// The room that a file under `src` belongs to.
fn room(file: &str) -> String {
    file.split('/').next().unwrap().trim_end_matches(".rs").to_string()
}

/// The files of modules that are compiled for tests only.
fn test_files(file: &str, text: &str) -> Vec<String> {
    let folder = match file.strip_suffix("/mod.rs") {
        Some(folder) => folder.to_string(),
        None => file.trim_end_matches(".rs").to_string(),
    };
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let modules = lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]");
    let names = modules.filter_map(|pair| pair[1].strip_prefix("mod ")?.strip_suffix(';'));
    names.flat_map(|name| [format!("{folder}/{name}.rs"), format!("{folder}/{name}/mod.rs")]).collect()
}

/// The code up to the tests at the file's end, every line kept so that line numbers hold.
fn without_tests_and_comments(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let tests = lines.windows(2).position(|pair| pair[0] == "#[cfg(test)]" && pair[1].ends_with('{'));
    let code = lines.iter().take(tests.unwrap_or(lines.len()));
    code.map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

/// Every name at the crate's root that the code mentions, by `crate::` or by enough `super::`, with its line.
fn named(file: &str, code: &str) -> Vec<(usize, String)> {
    let depth = file.trim_end_matches(".rs").trim_end_matches("/mod").split('/').count();
    let to_root = "super::".repeat(depth);
    let mut named = Vec::new();
    for root in ["crate::", to_root.as_str()] {
        for (at, _) in code.match_indices(root).filter(|(at, _)| !code[..*at].ends_with(is_word)) {
            let line = code[..at].matches('\n').count() + 1;
            named.extend(first_names(&code[at + root.len()..]).into_iter().map(|name| (line, name)));
        }
    }
    named
}

/// The first word of a path, or of every path of a `{..}` group.
fn first_names(path: &str) -> Vec<String> {
    let word = |text: &str| text.trim_start().chars().take_while(|c| is_word(*c)).collect::<String>();
    let Some(group) = path.strip_prefix('{') else { return vec![word(path)] };
    let (mut names, mut depth) = (vec![word(group)], 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(word(&group[at + 1..])),
            _ => {}
        }
    }
    names
}

/// Whether a line has a path that starts with the crate of this name.
fn starts_path(line: &str, name: &str) -> bool {
    let path = format!("{name}::");
    let used =
        [format!("use {name};"), format!("extern crate {name}")].iter().any(|form| line.contains(form));
    used || line.match_indices(&path).any(|(at, _)| !line[..at].ends_with(|c| is_word(c) || c == ':'))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
