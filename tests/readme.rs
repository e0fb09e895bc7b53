//! The README is true: its spaces load, its commands parse or run, and the files that it names are there.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use cellwright::symbolic::Value;
use cellwright::{Experiment, Space};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The fenced blocks of a language.
fn blocks(language: &str) -> Vec<String> {
    let text = read("README.md");
    let fence = format!("\n```{language}\n");
    let blocks = text.split(&fence).skip(1).map(|rest| rest.split("\n```").next().unwrap_or_default().into());
    let blocks: Vec<String> = blocks.collect();
    assert!(!blocks.is_empty(), "the README has no {language}");
    blocks
}

/// What stands behind `cellwright` in the shell's lines, without their comments.
fn commands() -> Vec<Vec<String>> {
    let blocks = blocks("sh").join("\n");
    let lines = blocks.lines().map(|line| line.split(" #").next().unwrap_or_default());
    let typed = lines.filter_map(|line| {
        line.strip_prefix("cellwright ").or_else(|| line.strip_prefix("cargo run --release -- "))
    });
    typed.map(|line| line.split_whitespace().map(String::from).collect()).collect()
}

fn cellwright(folder: &Path, words: &[String]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cellwright"));
    command.args(words).current_dir(folder).output().expect("it starts")
}

/// The words with `--help` behind them: everything before it is parsed, nothing is done.
fn parses(words: &[String]) -> Result<(), String> {
    let asked = [words, &["--help".to_owned()]].concat();
    let output = cellwright(root(), &asked);
    let usage = format!("Usage: cellwright {} ", words[0]);
    match String::from_utf8_lossy(&output.stdout).contains(&usage) && output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

#[test]
fn its_spaces_load_with_their_experiments() {
    for block in blocks("ron") {
        let space = Space::from_ron("README.md", &block).unwrap_or_else(|error| panic!("{error}"));
        let experiment = space.experiment_as::<Experiment>().unwrap_or_else(|error| panic!("{error}"));
        assert!(experiment.is_some(), "it says how it is searched");
    }
}

#[test]
fn its_examples_of_the_space_language_are_ron() {
    let text = read("README.md");
    let rows = text.lines().skip_while(|line| !line.starts_with("| word |")).skip(2);
    let rows: Vec<&str> = rows.take_while(|line| line.starts_with('|')).collect();
    assert!(rows.len() >= 8, "{rows:?}");
    for row in rows {
        let example = row.rsplit('`').nth(1).unwrap_or_else(|| panic!("no example in {row}"));
        works(example).unwrap_or_else(|error| panic!("{example}: {error}"));
    }
    assert!(
        works("ManyOf(2, [1, 2, 3], distinct: true)").is_err()
            && works("constraints: [Parms(max: 1)]").is_err()
    );
}

/// A hyper value makes a space of its own, a piece is one of quickstart's, a section is added to quickstart.
fn works(example: &str) -> cellwright::Result<()> {
    let beside = root().join("search_spaces/readme.ron").display().to_string();
    let section = |section: &str| format!("Space(extends: \"quickstart.ron\", {section})");
    if example.starts_with("Fresh(") || example.starts_with("Ref(") {
        let branch = format!("Branch(input: PreviousCell, op: {example})");
        let cell = format!("Blocks([Block(left: {branch}, right: {branch})])");
        let set = format!("patch: [Set(\"architecture.cell\", {cell})]");
        Space::from_ron(&beside, &section(&set))?;
    } else if example.split_once(": [").is_some_and(|(name, _)| name.chars().all(char::is_alphabetic)) {
        Space::from_ron(&beside, &section(example))?;
    } else {
        let value: Value = example.parse()?;
        assert!(!Space::untyped(&value)?.decisions().is_empty(), "{example} leaves something open");
    }
    Ok(())
}

#[test]
fn its_commands_parse() {
    let commands = commands();
    for name in ["check", "show", "sample", "search", "rank", "retrain", "export", "data"] {
        assert!(commands.iter().any(|words| words[0] == name), "the README does not show `{name}`");
    }
    for words in &commands {
        parses(words).unwrap_or_else(|error| panic!("{words:?}: {error}"));
    }
    let [unknown, wrong] = ["search a.ron --trails 3", "retrain runs/a --top many"]
        .map(|line| parses(&line.split(' ').map(String::from).collect::<Vec<_>>()));
    assert!(unknown.is_err() && wrong.is_err(), "what is no command is seen");
}

#[test]
fn its_quick_commands_run() {
    let home = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(home.path().join("search_spaces")).expect("a folder");
    for path in files("search_spaces") {
        let name = path.file_name().expect("a name");
        std::fs::copy(&path, home.path().join("search_spaces").join(name)).expect("a copy");
    }
    let quick = |words: &&Vec<String>| ["check", "show", "sample", "data"].contains(&words[0].as_str());
    for words in commands().iter().filter(quick) {
        let output = cellwright(home.path(), words);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !output.stdout.is_empty(), "{words:?}: {said}");
    }
}

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).expect("a folder");
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

#[test]
fn its_mistake_is_shown_as_the_program_shows_it() {
    let file = r#"Space(
    let: { "op": OneOf([SepConv(kernel: 3), MaxPool(kernel: 2)]) },
    program: (
        task: (input: (1, 8, 8), classes: 10),
        architecture: Sequential([Fresh("ob"), SepConv(kernal: 5)]),
        training: (learning_rate: Float(0.3, 0.01, Log)),
    ),
)
"#;
    let home = tempfile::tempdir().expect("a folder");
    std::fs::write(home.path().join("bad.ron"), file).expect("a file");
    let output = cellwright(home.path(), &["check".into(), "bad.ron".into()]);
    let said = String::from_utf8_lossy(&output.stderr);
    let shown = blocks("text")
        .into_iter()
        .find(|block| block.contains("kernal"))
        .expect("the README shows a mistake");
    assert!(said.contains(shown.trim_end()), "{said}");
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("`let` has \"op\"") && said.contains("swap the two"), "all at once: {said}");
}

/// The words of a table's rows, but for what the clock says.
fn rows(table: &str) -> Vec<Vec<&str>> {
    let lines = table.lines().skip_while(|line| !line.starts_with("rank  ")).map(str::split_whitespace);
    let mut rows: Vec<Vec<&str>> =
        lines.map(Iterator::collect).take_while(|row: &Vec<_>| row.len() > 2).collect();
    let clock = rows[0].iter().position(|word| *word == "wall_seconds").expect("a column");
    for row in &mut rows {
        row.remove(clock);
    }
    rows
}

#[test]
fn its_table_is_searched_as_it_says() {
    let home = tempfile::tempdir().expect("a folder");
    let table = blocks("csv").remove(0);
    std::fs::write(home.path().join("measured.csv"), table).expect("a file");
    let spaces = blocks("ron");
    let space = spaces.iter().find(|space| space.contains("measured.csv")).expect("a space");
    std::fs::write(home.path().join("measured.ron"), space).expect("a file");
    let told = blocks("text");
    let told = told.iter().find(|block| block.contains("measured.ron")).expect("its ranking");
    let typed = told.lines().next().and_then(|line| line.strip_prefix("$ cellwright ")).expect("a command");
    let words: Vec<String> = typed.split(' ').map(String::from).collect();
    let output = cellwright(home.path(), &words);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(rows(&said), rows(told), "{said}");
}

#[test]
fn its_programs_are_those_that_are_shipped() {
    let stands_in = |block: &str, shipped: &str| {
        let lines: Vec<&str> = shipped.lines().map(|line| line.trim_start_matches("/// ").trim()).collect();
        for line in block.lines() {
            assert!(lines.contains(&line.trim()), "`{line}` is not there");
        }
    };
    stands_in(&blocks("python").concat(), &read("examples/sklearn_mlp.py"));
    stands_in(&blocks("rust").concat(), &read("src/search/ask_tell.rs"));
}

#[test]
fn its_figures_of_search_are_those_that_were_measured() {
    let measured = read("results/search/nasbench201.md");
    let text = read("README.md");
    let figures: Vec<&str> = text.lines().filter(|line| line.contains(" ± ")).collect();
    assert!(figures.len() > 3);
    for line in figures {
        assert!(measured.lines().any(|other| other == line), "{line}");
    }
}

#[test]
fn every_algorithm_is_named_once() {
    let text = read("README.md");
    let rows = text.lines().skip_while(|line| !line.starts_with("| `algorithm` |")).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    let mut named: Vec<&str> = rows.filter_map(|row| row.split('`').nth(1)).collect();
    let mut known = cellwright::search::Algorithm::LABELS.to_vec();
    named.sort_unstable();
    known.sort_unstable();
    assert_eq!(named, known);
}

#[test]
fn every_shipped_space_is_named() {
    let text = read("README.md");
    for path in files("search_spaces") {
        let name = path.file_stem().expect("a name").display().to_string();
        assert!(text.contains(&name), "the README does not name {name}");
    }
}

#[test]
fn its_course_is_the_one_that_is_shipped() {
    let shipped = read("examples/must/solids.ron");
    assert!(blocks("text").iter().any(|block| shipped.ends_with(&format!("\n{}\n", block.trim_end()))));
}

#[test]
fn its_courses_name_candidates() {
    let text = read("README.md");
    let named: Vec<(&str, &str)> = text
        .split("Space(file: \"")
        .skip(1)
        .filter_map(|rest| {
            Some((rest.split('"').next()?, rest.split("genotype: \"").nth(1)?.split('"').next()?))
        })
        .collect();
    assert!(!named.is_empty(), "no course names a candidate");
    for (file, genotype) in named {
        let space = Space::load(root().join(file)).unwrap_or_else(|error| panic!("{error}"));
        let genotype = genotype.parse().unwrap_or_else(|error| panic!("`{genotype}`: {error}"));
        space.validate(&genotype).unwrap_or_else(|error| panic!("`{genotype}` of {file}: {error}"));
    }
}

/// The targets of links and pictures, and whatever looks like a file of the folders that are shipped.
fn paths(text: &str) -> Vec<String> {
    let between = |start: &str, end: char| -> Vec<String> {
        let parts = text.split(start).skip(1);
        parts.filter_map(|part| Some(part.split_once(end)?.0.to_owned())).collect()
    };
    let mut paths = [between("](", ')'), between("src=\"", '"'), between("href=\"", '"')].concat();
    paths.retain(|path| !path.contains("://") && !path.starts_with('#'));
    let part_of_a_path = |letter: char| letter.is_ascii_alphanumeric() || "/._-".contains(letter);
    let words = text.split(|letter| !part_of_a_path(letter)).map(|word| word.trim_end_matches('.'));
    let shipped = ["results/", "search_spaces/", "benches/", "src/", "tests/", "./"];
    paths.extend(words.filter(|word| shipped.iter().any(|start| word.starts_with(start))).map(String::from));
    paths
}

#[test]
fn the_files_that_it_names_are_there() {
    for page in ["README.md", "CHANGELOG.md"] {
        let missing: Vec<String> =
            paths(&read(page)).into_iter().filter(|path| !root().join(path).exists()).collect();
        assert!(missing.is_empty(), "{page} names {missing:?}");
    }
    let seen =
        paths("[a](none.md), `results/none.csv` and <img src=\"none.svg\"> at https://x.org/src/a, ./none.");
    assert_eq!(seen, ["none.md", "none.svg", "results/none.csv", "./none"]);
}
