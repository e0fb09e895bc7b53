//! A folder to run the command in, and what the command said there.

use std::fmt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// 24 candidates, searched by what they cost.
pub const SMALL: &str = r#"Space(
    name: "small",
    program: (
        task: (input: (1, 8, 8), classes: 10),
        architecture: Stacked(
            cell: Blocks([Block(
                left: Branch(input: OneOf([CellBefore, PreviousCell]), op: OneOf([SepConv(kernel: 3), MaxPool(kernel: 3), SkipConnect])),
                right: Branch(input: PreviousCell, op: OneOf([SepConv(kernel: 5), AvgPool(kernel: 3)])),
            )]),
            stages: 2, repeats: 1, channels: OneOf([8, 16]),
        ),
        training: (learning_rate: 0.1),
    ),
    experiment: (evaluator: Cost, algorithm: Random, objectives: [Minimize("params"), Maximize("depth")], trials: 6, seed: 1),
)
"#;

/// A working folder with `small.ron` in it.
pub struct Home(tempfile::TempDir);

impl Home {
    pub fn new() -> Home {
        let home = Home(tempfile::tempdir().expect("a temporary folder"));
        home.write("small.ron", SMALL);
        home
    }

    /// With the search of `small.ron` done in `run`.
    pub fn searched() -> Home {
        let home = Home::new();
        home.run("search small.ron --run run").succeeded();
        home
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file, and the folders that it is in.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("it is in the home")).expect("a folder");
        std::fs::write(path, content).expect("a file");
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// `small.ron` with a word replaced, under another name.
    pub fn small_but(&self, name: &str, word: &str, other: &str) {
        assert!(SMALL.contains(word), "`{word}` is not in small.ron");
        self.write(name, SMALL.replace(word, other));
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cellwright"));
        command.args(words).current_dir(self.0.path()).stdin(Stdio::null()).env("NO_COLOR", "1");
        command
    }

    /// Runs a command whose words hold no spaces.
    pub fn run(&self, line: &str) -> Said {
        self.run_words(&line.split_whitespace().collect::<Vec<_>>())
    }

    pub fn run_words(&self, words: &[&str]) -> Said {
        self.said(self.command(words).output().expect("the command starts"))
    }

    pub fn said(&self, output: Output) -> Said {
        let home = self.0.path().display().to_string();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8").replace(&home, "HOME");
        Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// All files under a folder with their bytes, but for what SQLite and the lock leave when they are looked at.
    pub fn contents(&self, folder: &str) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        let mut folders = vec![self.path(folder)];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                let passing = ["study.lock", "study.sqlite-shm", "study.sqlite-wal"];
                if path.is_dir() {
                    folders.push(path);
                } else if !passing.iter().any(|name| path.ends_with(name)) {
                    found.push((path.clone(), std::fs::read(&path).expect("a file")));
                }
            }
        }
        found.sort();
        found
    }
}

/// What a command said, and what it exited with: `None` after a signal.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Said {
    /// The standard output of a command that must have succeeded.
    #[track_caller]
    pub fn succeeded(self) -> String {
        assert_eq!(self.code, Some(0), "{self}");
        self.out
    }

    /// The standard error of a command that must have refused what it was given, and have printed no result.
    #[track_caller]
    pub fn refused(self) -> String {
        assert_eq!((self.code, self.out.as_str()), (Some(2), ""), "{self}");
        assert!(!self.err.contains("panicked"), "{self}");
        self.err
    }

    /// Standard error, without what the clock says.
    pub fn told(&self) -> String {
        timeless(&self.err)
    }

    /// Standard output, a JSON value a line.
    #[track_caller]
    pub fn json(self) -> Vec<serde_json::Value> {
        let lines = self.succeeded();
        lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
            .collect()
    }
}

/// All of it, without what the clock says.
impl fmt::Display for Said {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        let code = self.code.map_or("none".into(), |code| code.to_string());
        writeln!(out, "exit code {code}")?;
        for (name, text) in [("stdout", &self.out), ("stderr", &self.err)] {
            if !text.is_empty() {
                write!(out, "--- {name}\n{}", timeless(text))?;
            }
        }
        Ok(())
    }
}

/// Tables without what is in their column of seconds by the clock, sentences without durations.
fn timeless(text: &str) -> String {
    const WALL: &str = "wall_seconds";
    let mut seconds = None;
    let line = |line: &str| {
        if line.starts_with("rank  ") || line.starts_with("trial  ") {
            seconds = line.find(WALL).map(|start| start + WALL.len());
        }
        seconds.and_then(|end| without_cell(line, end)).unwrap_or_else(|| without_duration(line)) + "\n"
    };
    text.lines().map(line).collect()
}

/// A row with `_` for the number that ends at a column, if one does.
fn without_cell(line: &str, end: usize) -> Option<String> {
    let (row, rest) = line.split_at_checked(end)?;
    let number = |letter: char| letter.is_ascii_digit() || letter == '.';
    let kept = row.trim_end_matches(number);
    let ends_here = kept.ends_with("  ") && kept.len() < end && (rest.is_empty() || rest.starts_with("  "));
    ends_here.then(|| format!("{kept}{:>1$}{rest}", "_", end - kept.len()))
}

/// `about 3 s left` and `in 3 s` at a line's end as `about _ left` and `in _`.
fn without_duration(line: &str) -> String {
    let duration = |text: &str| text.ends_with(" s") || text.ends_with(" min");
    if let Some((told, _)) = line.rsplit_once("about ").filter(|(_, rest)| rest.ends_with(" left")) {
        return format!("{told}about _ left");
    }
    match line.rsplit_once(" in ").filter(|(_, rest)| duration(rest)) {
        Some((told, _)) => format!("{told} in _"),
        None => line.into(),
    }
}
