//! `check`, `show` and `sample`: what they say of good spaces.

use cellwright::symbolic::Value;
use insta::assert_snapshot;

use crate::support::Home;

/// The shipped spaces' files.
fn shipped() -> Vec<String> {
    let folder = format!("{}/search_spaces", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(folder).expect("shipped").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<String> = files.map(|path| path.display().to_string()).collect();
    files.sort();
    files
}

#[test]
fn check_says_how_large_a_space_is_and_how_it_is_searched() {
    assert_snapshot!(Home::new().run("check small.ron"), @"
    exit code 0
    --- stdout
    small.ron: ok, `small` has 24 candidates; 6 trials of random by cost
    ");
}

#[test]
fn every_shipped_space_is_checked_shown_and_sampled() {
    let home = Home::new();
    let files = shipped();
    let words: Vec<&str> = std::iter::once("check").chain(files.iter().map(String::as_str)).collect();
    let checked = home.run_words(&words).succeeded();
    assert_eq!(checked.lines().filter(|line| line.contains(": ok, ")).count(), files.len(), "{checked}");
    for file in &files {
        let shown = home.run_words(&["show", file, "--layers"]).succeeded();
        assert!(shown.contains("\ndecisions\n"), "{file}: {shown}");
        // Programs of any type are no networks, and have no figures of one.
        let is_network = !home.read(file).contains("program_type: Any");
        assert_eq!(shown.contains(" multiply-adds, "), is_network, "{file}: {shown}");
        let sampled = home.run_words(&["sample", file, "-n", "3", "--json"]).json();
        assert_eq!(sampled.len(), 3);
        let genotype = sampled[0]["genotype"].as_str().expect("a string");
        let again = home.run_words(&["show", file, "--json", "--genotype", genotype]).json();
        for figure in ["genotype", "params", "macs"] {
            assert_eq!(again[0][figure], sampled[0][figure], "{file}: {figure}");
        }
    }
}

#[test]
fn show_describes_a_space_and_one_of_its_candidates() {
    let home = Home::new();
    assert_snapshot!(home.run("show small.ron --genotype 1,2,0,1"), @"
    exit code 0
    --- stdout
    small: 24 candidates, 4 decisions

    decisions
      architecture.cell[0][0].left.input  CellBefore | PreviousCell
      architecture.cell[0][0].left.op     SepConv(kernel: 3) | MaxPool(kernel: 3) | SkipConnect
      architecture.cell[0][0].right.op    SepConv(kernel: 5) | AvgPool(kernel: 3)
      architecture.channels               8 | 16

    candidate 1,2,0,1
    (
        task: (input: (1, 8, 8), classes: 10),
        architecture: Stacked(
            cell: Blocks(
                [
                    Block(
                        left: Branch(input: PreviousCell, op: SkipConnect),
                        right: Branch(input: PreviousCell, op: SepConv(kernel: 5)),
                    ),
                ],
            ),
            stages: 2,
            repeats: 1,
            channels: 16,
        ),
        training: (learning_rate: 0.1),
    )

    13.9 k params, 350 k multiply-adds, 205 kB of activations a picture, 17 layers deep
    ");
    assert_snapshot!(home.run("show small.ron --genotype 1,2,0,1 --json"), @r#"
    exit code 0
    --- stdout
    {"activation_bytes":205224,"decisions":[{"choices":["CellBefore","PreviousCell"],"id":"architecture.cell[0][0].left.input"},{"choices":["SepConv(kernel: 3)","MaxPool(kernel: 3)","SkipConnect"],"id":"architecture.cell[0][0].left.op"},{"choices":["SepConv(kernel: 5)","AvgPool(kernel: 3)"],"id":"architecture.cell[0][0].right.op"},{"choices":["8","16"],"id":"architecture.channels"}],"depth":17,"genotype":"1,2,0,1","macs":349504,"name":"small","params":13914,"searched":"24","size":"24"}
    "#);
}

#[test]
fn show_tells_the_ends_of_numbers() {
    let home = Home::new();
    home.write(
        "numbers.ron",
        "Space(program_type: Any, program: (a: Int(1, 3), b: Float(0.0, 0.5), c: Float(1e-4, 1e-1, Log), \
         d: ManyOf(2, [4, 5, 6]), e: ManyOf(2, [7, 8], distinct)))",
    );
    assert_snapshot!(home.run("show numbers.ron --genotype #2,0.5,0.01,[0,1],[1,0]"), @"
    exit code 0
    --- stdout
    space: continuously many candidates, 5 decisions

    decisions
      a  1 to 3
      b  0 to 0.5
      c  0.0001 to 0.1, Log
      d  2 of 4 | 5 | 6
      e  2 different of 7 | 8

    candidate #2,0.5,0.01,[0,1],[1,0]
    (a: 2, b: 0.5, c: 0.01, d: [4, 5], e: [8, 7])
    ");
    let all = home.run("show numbers.ron --json").json().remove(0);
    let rate = serde_json::json!({"id": "c", "choices": [], "low": 1e-4, "high": 0.1, "scale": "Log"});
    assert_eq!(all["decisions"][2], rate);
}

#[test]
fn show_draws_a_cell() {
    let home = Home::new();
    assert_snapshot!(home.run("show small.ron --json --svg new/folder/cell.svg").err, @"wrote new/folder/cell.svg");
    assert!(home.read("new/folder/cell.svg").trim_start().starts_with("<svg"));
}

#[test]
fn samples_repeat_and_follow_the_seed() {
    let home = Home::new();
    assert_snapshot!(home.run("sample small.ron -n 3"), @"
    exit code 0
    --- stdout
    genotype  params    macs
    0,2,0,1   13.9 k   350 k
    1,0,1,1   10.3 k   268 k
    1,0,1,0    3.2 k  78.5 k
    ");
    let draw = |seed: &str| home.run(&format!("sample small.ron -n 20 --seed {seed}")).succeeded();
    assert_eq!(draw("7"), draw("7"));
    assert_ne!(draw("7"), draw("8"));
}

#[test]
fn sampled_programs_are_programs() {
    let home = Home::new();
    let programs = home.run("sample small.ron -n 3 --programs").succeeded();
    let parsed: Vec<Value> = programs.split("// ").skip(1).map(program).collect();
    assert_eq!(parsed.len(), 3);
    for value in &parsed {
        home.write("one.ron", format!("Space(program: {})", value.pretty()));
        let shown = home.run("show one.ron").succeeded();
        assert!(shown.starts_with("space: 1 candidate, 0 decisions\n\ncandidate\n"), "{shown}");
    }
}

/// The program after a comment with its genotype.
fn program(text: &str) -> Value {
    let (_, program) = text.split_once('\n').expect("the genotype has a line of its own");
    program.parse().unwrap_or_else(|error| panic!("{error}:\n{program}"))
}

#[test]
fn names_and_paths_may_be_in_any_script_and_hold_spaces() {
    let home = Home::new();
    home.small_but("ein Ordner/größte Zelle 细胞.ron", "\"small\"", "\"../../größte Zelle 细胞\"");
    let file = "ein Ordner/größte Zelle 细胞.ron";
    home.run_words(&["check", file]).succeeded();
    home.run_words(&["search", file]).succeeded();
    assert!(home.path("runs/..-..-größte-Zelle-细胞/study.sqlite").is_file(), "no name leads out of `runs`");
    home.run_words(&["search", file, "--run", "dort hin"]).succeeded();
    assert_snapshot!(home.run_words(&["export", "dort hin", "--format", "dot"]), @"
    exit code 0
    --- stdout
    wrote ..-..-größte-Zelle-细胞-5.dot
    ");
}

#[test]
fn data_is_described_and_read() {
    let home = Home::new();
    let formats = home.run("data").succeeded();
    for format in ["Digits", "Cifar10(", "Cifar100(", "Idx(", "Folders("] {
        assert!(formats.lines().any(|line| line.starts_with(format)), "{formats}");
    }
    assert_snapshot!(home.run("data Digits"), @"
    exit code 0
    --- stdout
    pictures of 1x8x8 in 10 classes: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
    mean [0.3045], deviation [0.3756] of the training pixels in [0, 1]

    split       pictures  fewest a class  most a class
    train           1200             116           122
    validation       300              29            31
    test             297              29            30
    ");
}
