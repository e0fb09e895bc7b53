//! Words on the command line that mean nothing: each is refused with what could be written instead.

use insta::assert_snapshot;

use crate::support::Home;

#[test]
fn numbers_that_count_nothing() {
    let home = Home::searched();
    let before = home.contents("");
    for (line, option) in [
        ("search small.ron --trials", "--trials <TRIALS>"),
        ("search small.ron --workers", "--workers <WORKERS>"),
        ("search small.ron --fidelity", "--fidelity <FIDELITY>"),
        ("retrain run --top", "--top <TOP>"),
        ("retrain run --fidelity", "--fidelity <FIDELITY>"),
        ("rank run --top", "--top <TOP>"),
        ("sample small.ron -n", "--number <NUMBER>"),
    ] {
        for value in ["0", "-1", "1.5", "many", "nan"] {
            let said = home.run(&format!("{line} {value}")).refused();
            let words = format!("'{value}' for '{option}': a whole number of at least 1 is needed");
            assert!(said.contains(&words), "{line} {value}: {said}");
        }
        let said = home.run(&format!("{line} 99999999999999999999")).refused();
        assert!(said.contains("that is too large"), "{line}: {said}");
    }
    assert_eq!(home.contents(""), before);
}

#[test]
fn seeds_and_trials_that_are_no_numbers() {
    let home = Home::searched();
    for line in ["search small.ron --seed", "show small.ron --seed", "sample small.ron --seed"] {
        let said = home.run(&format!("{line} -1")).refused();
        assert!(said.contains("a whole number is needed: 0, 1, 2, .."), "{line}: {said}");
    }
    for line in ["retrain run --trial", "export run --format svg --trial"] {
        let said = home.run(&format!("{line} first")).refused();
        assert!(said.contains("a whole number is needed: 0, 1, 2, .."), "{line}: {said}");
    }
}

#[test]
fn unknown_words() {
    let home = Home::searched();
    assert_snapshot!(home.run("serach small.ron"), @"
    exit code 2
    --- stderr
    error: unrecognized subcommand 'serach'

      tip: some similar subcommands exist: 'bench', 'search'

    Usage: cellwright <COMMAND>

    For more information, try '--help'.
    ");
    assert_snapshot!(home.run("export run --format onxx"), @"
    exit code 2
    --- stderr
    error: invalid value 'onxx' for '--format <FORMAT>'
      [possible values: ron, dot, svg, onnx, safetensors]

      tip: a similar value exists: 'onnx'

    For more information, try '--help'.
    ");
    assert_snapshot!(home.run("rank run --by acuracy"), @"
    exit code 2
    --- stderr
    error: no trial of this study has the metric `acuracy`
      hint: its metrics are params, macs, activation_bytes, depth
    ");
    assert_snapshot!(home.run("rank run --by -acuracy"), @"
    exit code 2
    --- stderr
    error: no trial of this study has the metric `acuracy`
      hint: its metrics are params, macs, activation_bytes, depth
    ");
    assert_snapshot!(home.run("export run --format svg --trial 99"), @"
    exit code 2
    --- stderr
    error: there is no trial 99: the study has 6 trials, numbered from 0; `cellwright rank` shows the best
    ");
    assert_snapshot!(home.run("retrain run --trial 99"), @"
    exit code 2
    --- stderr
    error: there is no trial 99: the study has 6 trials, numbered from 0; `cellwright rank` shows the best
    ");
    assert_snapshot!(home.run("data Digit"), @r#"
    exit code 2
    --- stderr
    error: `Digit` is no data source: Unexpected variant named `Digit` in enum `Source`, expected one of `Digits`, `Cifar10`, `Cifar100`, `Idx`, `Folders`, or `Stream` instead
      hint: write it as a space file does, such as `Digits` or `Cifar10("folder")`; `cellwright data` lists all
    "#);
}

#[test]
fn genotypes_of_another_space() {
    let home = Home::new();
    assert_snapshot!(home.run("show small.ron --genotype 1,2,0"), @"
    exit code 2
    --- stderr
    error: architecture.channels: its gene is missing
      hint: a genotype belongs to one space: `cellwright sample small.ron` prints some of this one
    ");
    for (genotype, words) in [
        ("9,0,0,0", "choice 9 is not in 0..=1"),
        ("0,0,0,0,0", "1 gene too many after 4 decisions, from `0` on"),
        ("0,#3,0,0", "architecture.cell[0][0].left.op"),
        ("0,0.5,0,0", "architecture.cell[0][0].left.op"),
        ("0(1),0,0,0", "architecture.cell[0][0].left.input"),
        ("-1,0,0,0", "`-1`, up to character 2, is no choice"),
        ("99999999999,0,0,0", "`99999999999`, up to character 11, is no choice"),
        ("0;1;2", "character 2 should be `,` or the end, not `;`"),
        ("0,,1", "character 3 should be a gene, not `,`"),
        ("zelle", "character 1 should be a gene, not `z`"),
        ("细胞", "character 1 should be a gene, not `细`"),
        ("1e999,0,0,0", "is no finite number"),
        ("", "its gene is missing"),
    ] {
        let said = home.run_words(&["show", "small.ron", "--genotype", genotype]).refused();
        assert!(said.contains(words), "{genotype}: {said}");
        assert!(said.contains("`cellwright sample small.ron` prints some of this one"), "{genotype}: {said}");
    }
    let deep = "0(".repeat(50_000);
    let said = home.run_words(&["show", "small.ron", "--genotype", &deep]).refused();
    assert!(said.contains("should be nested less") && said.len() < 1000, "{said}");
}

#[test]
fn trained_weights_where_none_are() {
    let home = Home::searched();
    assert_snapshot!(home.run("export run --format onnx -o out.onnx"), @"
    exit code 2
    --- stderr
    error: onnx holds trained weights, and `small trial 5` has none: train it with `cellwright retrain` first, or export ron, dot or svg, which need no weights
    ");
    assert!(!home.path("out.onnx").exists() && !home.path("out.onnx.part").exists());
    home.run("export run --format safetensors").refused();
}

#[test]
fn files_that_cannot_be_written_and_are_left_alone() {
    let home = Home::searched();
    home.write("folder/kept", "kept");
    let before = home.contents("");
    assert_snapshot!(home.run("export run --format svg -o folder"), @"
    exit code 2
    --- stderr
    error: folder: Is a directory (os error 21)
      hint: name a file, not a folder
    ");
    assert_snapshot!(home.run("export run --format svg -o small.ron/cell.svg"), @"
    exit code 2
    --- stderr
    error: small.ron/cell.svg: File exists (os error 17)
      hint: a part of the path is a file, not a folder: check it
    ");
    assert_snapshot!(home.run("show small.ron --svg folder"), @"
    exit code 2
    --- stderr
    error: folder: Is a directory (os error 21)
      hint: name a file, not a folder
    ");
    assert_eq!(home.contents(""), before);
}

#[test]
fn workers_chosen_by_the_program() {
    let home = Home::new();
    let said = home.run("search small.ron --run run --workers auto --no-retrain");
    assert!(said.err.contains(" on cpu\n"), "{said}");
    said.succeeded();
    // The study keeps its number, whatever this machine would choose.
    home.run("search small.ron --run run --workers auto --no-retrain").succeeded();
}

#[test]
fn devices_that_are_none_or_not_in_this_binary() {
    let home = Home::searched();
    for command in ["search small.ron", "retrain run"] {
        let said = home.run(&format!("{command} --device gpu")).refused();
        assert!(said.contains("unknown device `gpu`; the devices are `cpu`, `cuda`, `cuda:1`"), "{said}");
        if cfg!(not(feature = "cuda")) {
            for device in ["cuda", "cuda:3", "all"] {
                let said = home.run(&format!("{command} --device {device}")).refused();
                assert!(said.contains("this binary was built without CUDA"), "{said}");
                assert!(
                    said.contains("hint: build it with `--features cuda`, or use `--device cpu`"),
                    "{said}"
                );
            }
        }
    }
    home.run("search small.ron --run run --device cpu").succeeded();
    home.small_but("gpu.ron", "trials: 6", "device: \"gpu\", trials: 6");
    assert!(home.run("check gpu.ron").refused().contains("unknown device `gpu`"));
}
