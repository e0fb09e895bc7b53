//! Multi-task self-training: what is refused, and all of it on a handful of rendered scenes.

use insta::assert_snapshot;

use crate::support::Home;

const COURSE: &str = "Course(
    name: \"solids\",
    backbone: Staged(
        stem: (channels: 8, stride: 2),
        stages: [(op: ConvBnRelu(kernel: 3), repeats: 1, channels: 12, stride: 2)],
    ),
    size: (16, 16), pyramid: 8, tasks: [Class, Depth],
    sources: [Labelled(set: Part(of: Scenes(count: 12, width: 16, height: 16), labels: [Class, Depth]))],
    validation: Scenes(count: 6, width: 16, height: 16, seed: 1),
    lesson: (steps: 4, batch: 4),
)";

fn course(home: &Home, name: &str, from: &str, to: &str) {
    assert!(COURSE.contains(from), "{from}");
    home.write(name, COURSE.replace(from, to));
}

#[test]
fn courses_that_cannot_be_taught_are_refused_before_anything_is_trained() {
    let home = Home::new();
    let said = |from: &str, to: &str| {
        course(&home, "course.ron", from, to);
        home.run("must teach course.ron").refused()
    };
    assert_snapshot!(said("labels: [Class, Depth]", "labels: [Class]"), @"
    error: no sample of the sets to learn from (Scenes) of course `solids` has depth, so that there is nothing to learn it from
      hint: add a set that has it, or leave the task out
    ");
    assert_snapshot!(said("name: \"solids\"", "name: \"a/b\""), @"
    error: course.ron: `a/b` names no folder
      hint: use letters, digits, `-`, `_` and `.`
    ");
    assert_snapshot!(said("steps: 4", "steps: 0"), @"
    error: course.ron: `lesson`: `steps` is 0; at least 1 is needed
      hint: mend the lesson
    ");
    assert_snapshot!(said("Labelled(set:", "PseudoLabelled(store: \"labels\"), Labelled(set:"), @"
    error: course.ron: a teacher learns from people, and `sources` names pseudo labels
      hint: use `cellwright must train` for students
    ");
    let misspelt = said("validation: Scenes(", "validation: Scenez(");
    assert!(
        misspelt.contains("course.ron:9:17") && misspelt.contains("did you mean `Scenes`?"),
        "{misspelt}"
    );
    let unread = said(
        "Part(of: Scenes(count: 12, width: 16, height: 16), labels: [Class, Depth])",
        "Pictures(folder: \"none\")",
    );
    assert_snapshot!(unread, @"
    error: none: No such file or directory (os error 2)
      hint: `cellwright data` shows the layout that is expected
    ");
    assert!(!home.path("teachers/solids/teacher.ron").exists());
}

/// Pictures of two classes, of which one is no picture.
fn photographs(home: &Home) {
    for (name, level) in [("ant/1", 10), ("ant/2", 90), ("cat/1", 150), ("cat/3", 220)] {
        home.write(&format!("pics/{name}.png"), "");
        let picture = image::RgbImage::from_pixel(16, 16, image::Rgb([level; 3]));
        picture.save(home.path(&format!("pics/{name}.png"))).expect("a picture");
    }
    home.write("pics/cat/2.png", b"\x89PNG\r\n\x1a\n and then nothing");
}

#[test]
fn a_broken_picture_is_told_before_anything_is_trained_or_counted() {
    let home = Home::new();
    photographs(&home);
    let pictures = |more: &str| format!("Pictures(folder: \"pics\", labels: [ByFolder]{more})");
    let course = COURSE
        .replace("Part(of: Scenes(count: 12, width: 16, height: 16), labels: [Class, Depth])", &pictures(""))
        .replace("tasks: [Class, Depth]", "tasks: [Class]")
        .replace("    validation: Scenes(count: 6, width: 16, height: 16, seed: 1),\n", "");
    home.write("course.ron", &course);
    let broken = home.run("must teach course.ron").refused();
    assert!(broken.starts_with("error: pics/cat/2.png: "), "{broken}");
    home.write("course.ron", course.replace(&pictures(""), &pictures(", skip_broken: true")));
    let taught = home.run("must teach course.ron");
    let line = "left out 1 of 5 in pics, the first `cat/2`: pics/cat/2.png: ";
    assert_eq!(taught.err.matches(line).count(), 1, "{taught}");
    assert_eq!(taught.code, Some(if cfg!(feature = "train") { 0 } else { 2 }), "{taught}");
    let show = ["must", "show", &pictures(", skip_broken: true")];
    assert!(home.run_words(&show).succeeded().starts_with(line));
    let none = home.run_words(&["must", "show", "Scenes(count: 2)", "--threshold", "7"]).refused();
    assert!(none.starts_with("error: the threshold is 7"), "{none}");
}

#[test]
fn teachers_that_are_none_are_refused() {
    let home = Home::new();
    let said = |teacher: &str| {
        home.run_words(&["must", "label", "Scenes(count: 2)", "--teacher", teacher]).refused()
    };
    home.write("folder/notes.txt", "no teacher");
    assert_snapshot!(said("folder"), @"
    error: folder/teacher.ron: it is not there
      hint: name a folder that `must teach` or `must train` wrote
    ");
    assert_snapshot!(said("none"), @"
    error: none: No such file or directory (os error 2)
      hint: check the path, its permissions and the space left
    ");
    home.write("depth.onnx", "no network");
    assert_snapshot!(said("depth.onnx"), @"
    error: depth.onnx: an ONNX file alone does not say what its numbers mean
      hint: write a RON file that says how it is read (`cellwright must label --help`), and name that
    ");
    home.write(
        "depth.ron",
        "Foreign(name: \"depth\", file: \"depth.onnx\", input: (size: (8, 8)), outputs: [])",
    );
    assert_snapshot!(said("depth.ron"), @"
    error: depth.ron: `outputs` is empty
      hint: say of at least one output what it means
    ");
    home.write(
        "depth.ron",
        "Foreign(name: \"depth\", file: \"depth.onnx\", input: (size: (8, 8)), outputs: [Depth(output: 0)])",
    );
    let run = said("depth.ron");
    match cfg!(feature = "tract") {
        true => assert!(run.starts_with("error: depth.onnx: it cannot be run: "), "{run}"),
        false => assert_snapshot!(run, @"
        error: this binary was built without a runtime for ONNX files
          hint: build it with `--features tract`
        "),
    }
    assert!(!home.path("labels").exists());
    assert_snapshot!(home.run("must score folder").refused(), @"
    error: there is nothing to measure it by
      hint: name a set with `--on`, or a file with `--transfer`
    ");
}

#[cfg(feature = "train")]
#[test]
#[cfg_attr(debug_assertions, ignore = "trains: run with --release")]
fn a_teacher_labels_a_student_learns_and_everything_goes_on_where_it_stopped() {
    let home = Home::new();
    home.write("course.ron", COURSE);
    let first = home.run("must teach course.ron").succeeded();
    for name in ["accuracy", "depth_delta", "depth_rmse", "depth_relative", "in teachers/solids"] {
        assert!(first.contains(name), "{first}");
    }
    let again = home.run("must teach course.ron");
    assert!(again.err.contains("solids is there"), "{again}");
    assert_eq!(again.succeeded(), first);
    course(&home, "other.ron", "channels: 12", "channels: 16");
    let refused = home.run("must teach other.ron").refused();
    assert!(refused.contains("teachers/solids/teacher.ron: this is another teacher"), "{refused}");

    let pictures = "Part(of: Scenes(count: 9, width: 16, height: 16, seed: 2), labels: [])";
    let label = ["must", "label", pictures, "--teacher", "teachers/solids", "--out", "labels"];
    assert_eq!(home.run_words(&label).succeeded(), "labelled 9 pictures, in labels\n");
    assert_eq!(home.run_words(&label).succeeded(), "labelled 0 pictures, in labels\n");
    let others = home.run_words(&[&label[..], &["--threshold", "0.7"]].concat()).refused();
    assert!(others.contains("above the threshold 0.5, not 0.7"), "{others}");
    assert!(home.run("must show labels --out labels.png").succeeded().contains("9 pictures labelled"));

    let sources = "sources: [PseudoLabelled(store: \"labels\", share: 3), ";
    home.write("student.ron", COURSE.replace("sources: [", sources).replace("\"solids\"", "\"student\""));
    home.run("must train student.ron").succeeded();
    assert!(home.read("students/student/losses.csv").starts_with("step,class,depth\n1,"));
    let score =
        ["must", "score", "students/student", "--on", "Scenes(count: 6, width: 16, height: 16, seed: 1)"];
    assert!(home.run_words(&score).succeeded().contains("accuracy"));
    let drawn = ["must", "show", "Scenes(count: 2, width: 20, height: 12)", "--by", "students/student"];
    assert_eq!(home.run_words(&drawn).succeeded(), "wrote samples.png: 2 of 2 pictures\n");
    home.write(
        "transfer.ron",
        "Transfer(
            sets: [(tasks: [Segmentation, Objects], train: Scenes(count: 6, width: 16, height: 16, seed: 3),
                    test: Scenes(count: 4, width: 16, height: 16, seed: 4))],
            lesson: (steps: 2, batch: 4, frozen: true),
            reference: Scratch(backbone: Sequential([Conv(channels: 8, stride: 4)]), size: (16, 16), pyramid: 8),
        )",
    );
    let worth = home.run("must score students/student --transfer transfer.ron --json").json();
    let metrics = worth[0]["metrics"].as_object().expect("metrics");
    assert_eq!(metrics.keys().collect::<Vec<_>>(), ["transfer", "transfer_ap50", "transfer_miou"]);

    // Cut in half, the store is gone on with; a teacher's weights of another network are refused.
    let bytes = std::fs::read(home.path("labels/labels.bin")).expect("labels");
    home.write("labels/labels.bin", &bytes[..bytes.len() / 2]);
    let cut = home.run("must train student.ron --out others").refused();
    assert!(cut.contains("labels/labels.bin: ") && cut.contains("of 9 pictures are labelled"), "{cut}");
    assert!(home.run_words(&label).succeeded().starts_with("labelled "));
    assert_eq!(std::fs::read(home.path("labels/labels.bin")).expect("labels").len(), bytes.len());
    home.write("teachers/solids/weights.safetensors", "no weights");
    let broken = home.run_words(&label).refused();
    assert!(broken.contains("teachers/solids/weights.safetensors: these are no weights"), "{broken}");
}

#[cfg(feature = "train")]
#[test]
#[cfg_attr(debug_assertions, ignore = "trains: run with --release")]
fn a_search_makes_teachers_and_labels_once_and_ranks_students() {
    let home = Home::new();
    let space = "Space(
        name: \"students\",
        program: (
            task: (input: (3, 16, 16), classes: 6),
            architecture: Staged(
                stem: (channels: OneOf([8, 12, 16]), stride: 2),
                stages: [(op: OneOf([ConvBnRelu(kernel: 3), SepConv(kernel: 3)]), repeats: 1, channels: 12, stride: 2)],
            ),
        ),
        experiment: (
            evaluator: Must(
                tasks: [Class, Depth], unit: 2, pyramid: 8, rounds: ROUNDS, lesson: (batch: 4),
                teachers: [Taught(TEACHER)],
                pictures: Part(of: Scenes(count: 9, width: 16, height: 16, seed: 2), labels: []),
                labelled: [Labelled(set: Scenes(count: 4, width: 16, height: 16, seed: 3))],
                validation: Scenes(count: 6, width: 16, height: 16, seed: 1),
                test: Scenes(count: 6, width: 16, height: 16, seed: 5),
                transfer: (
                    sets: [(tasks: [Normals], train: Scenes(count: 6, width: 16, height: 16, seed: 3),
                            test: Scenes(count: 4, width: 16, height: 16, seed: 4))],
                    lesson: (steps: 2, batch: 4), reference: Scores({\"normals_within\": 0.1}),
                ),
            ),
            algorithm: Random, objectives: [Maximize(\"transfer\"), Minimize(\"macs\")], trials: 4, fidelity: 2, workers: 2,
            retrain: (top: 1, fidelity: 3),
        ),
    )";
    let teacher = COURSE.strip_prefix("Course(").and_then(|text| text.strip_suffix(")")).expect("a course");
    let space = space.replace("TEACHER", teacher);
    home.write("students.ron", space.replace("ROUNDS", "1"));
    let told = home.run("search students.ron --run run");
    assert!(told.err.contains("solids is taught: accuracy"), "{told}");
    let table = told.succeeded();
    assert!(table.contains("transfer") && table.contains("depth_delta"), "{table}");
    assert!(home.path("run/must/labels/labels.bin").exists());
    let students = std::fs::read_dir(home.path("run/must/students")).expect("a student").count();
    assert_eq!(students, 1);
    let more = home.run("search students.ron --run run --trials 5");
    assert!(more.err.contains("solids is there"), "{more}");
    more.succeeded();
    // Nothing is left to do: nobody is called in.
    assert!(!home.run("search students.ron --run run").err.contains("solids"));

    home.write("rounds.ron", space.replace("ROUNDS", "2"));
    let rounds = home.run("search rounds.ron --run rounds --trials 1 --no-retrain").succeeded();
    assert!(rounds.contains("transfer"), "{rounds}");

    let recipe = space
        .replace("ROUNDS", "1")
        .replace("architecture: Staged", "training: (batch: 7), architecture: Staged");
    home.write("recipe.ron", recipe);
    let failed = home.run("search recipe.ron --run recipe --trials 1 --no-retrain").err;
    assert!(failed.contains("`training` says how classification is trained"), "{failed}");
    let bare = space
        .replace("ROUNDS", "1")
        .replace("pictures: Part(of: Scenes(count: 9, width: 16, height: 16, seed: 2), labels: []),", "");
    home.write("bare.ron", bare);
    let bare = home.run("search bare.ron --run bare").refused();
    assert!(bare.contains("`teachers` have nothing to label"), "{bare}");

    // What cannot end well is told before the first teacher is taught.
    let once = space.replace("ROUNDS", "1");
    let refused = |name: &str, from: &str, to: &str| {
        assert!(once.contains(from), "{from}");
        home.write("wrong.ron", once.replacen(from, to, 1));
        let said = home.run(&format!("search wrong.ron --run {name}")).refused();
        assert!(!home.path(&format!("{name}/must/teachers")).exists(), "{said}");
        said
    };
    let twice = format!("teachers: [Taught({}), Taught(", teacher.replace("\"solids\"", "\"others\""));
    assert!(
        refused("twice", "teachers: [Taught(", &twice).contains("both `others` and `solids` label class")
    );
    assert!(refused("sure", "unit: 2", "threshold: 7, unit: 2").contains("the threshold is 7"));
    let unmeasured =
        "validation: Part(of: Scenes(count: 6, width: 16, height: 16), labels: [Class]),\n test:";
    let from = "validation: Scenes(count: 6, width: 16, height: 16, seed: 1),\n                test:";
    let blind = refused("blind", from, unmeasured);
    assert!(blind.contains("the pictures to measure on (Scenes) has depth"), "{blind}");
    photographs(&home);
    let broken = refused("broken", "labelled: [", "labelled: [Labelled(set: Pictures(folder: \"pics\")), ");
    assert!(broken.contains("pics/cat/2.png: "), "{broken}");
    home.write("pics/cat/2.png", std::fs::read(home.path("pics/cat/1.png")).expect("a picture"));
    home.run("search wrong.ron --run broken --trials 1 --no-retrain").succeeded();
}

#[cfg(feature = "train")]
#[test]
#[cfg_attr(debug_assertions, ignore = "trains: run with --release")]
fn self_training_goes_in_rounds() {
    let home = Home::new();
    let teacher = COURSE.strip_prefix("Course").expect("a course");
    let plan = format!(
        "SelfTraining(teacher: {teacher}, pictures: Part(of: Scenes(count: 9, width: 16, height: 16, seed: 2), labels: []), rounds: 2)"
    );
    home.write("plan.ron", plan);
    let first = home.run("must self-train plan.ron").succeeded();
    assert_eq!(first.lines().count(), 4, "{first}");
    assert_eq!(home.run("must self-train plan.ron").succeeded(), first);
    assert!(home.path("self-training/round-2/student/teacher.ron").exists());
}
