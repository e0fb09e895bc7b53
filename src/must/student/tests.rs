//! Students of all families of architectures.

use super::*;
use crate::ir::Role;

fn classes() -> Classes {
    let names = |count: usize| (0..count).map(|class| class.to_string()).collect::<Vec<_>>();
    Classes { pictures: names(6), objects: names(6), segmentation: names(9) }
}

fn student(backbone: &str, size: (usize, usize)) -> Student {
    let extensions =
        ron::extensions::Extensions::UNWRAP_VARIANT_NEWTYPES | ron::extensions::Extensions::IMPLICIT_SOME;
    let backbone = ron::Options::default().with_default_extension(extensions).from_str(backbone);
    Student::new(backbone.expect("a network"), size, Label::ALL.to_vec(), classes())
}

const STACKED: &str = "Stacked(stem: (stride: 2), cell: Edges([[(from: PreviousCell, op: ConvBnRelu())]]),
    stages: 3, repeats: 1, channels: 8)";
const STAGED: &str = "Staged(stages: [(op: ConvBnRelu(), repeats: 1, channels: 8, stride: 2),
    (op: ConvBnRelu(), repeats: 2, channels: 16, stride: 2)])";
const SEQUENTIAL: &str =
    "Sequential([ConvBnRelu(channels: 8), MaxPool(kernel: 2, stride: 2), ConvBnRelu(channels: 16),
    MaxPool(kernel: 2, stride: 2), ConvBnRelu(channels: 16)])";

#[test]
fn every_family_has_all_heads_at_any_size() {
    for backbone in [STACKED, STAGED, SEQUENTIAL] {
        for size in [(64, 64), (65, 47), (33, 96)] {
            let student = student(backbone, size);
            let network = student.network().expect("it can be built");
            let shape =
                |name: &str| network.graph.output_named(name).map(|output| network.graph.shape(output));
            assert_eq!(shape("class"), Some(Shape::Flat(6)));
            for (name, channels) in [("segmentation", 9), ("depth", 1), ("normals", 3)] {
                assert_eq!(shape(name), Some(Shape::Map { channels, height: size.1, width: size.0 }));
            }
            assert_eq!(network.grids.len(), 3, "{backbone}");
            assert!(network.grids[0].stride.0 > 3.5);
            for (level, grid) in network.grids.iter().enumerate() {
                let map = |channels| Some(Shape::Map { channels, height: grid.height, width: grid.width });
                let shapes = ObjectPart::ALL.map(|part| shape(&part.output(level)));
                assert_eq!(shapes, [map(6), map(4), map(1)]);
            }
        }
    }
}

#[test]
fn the_convolutions_before_answers_about_objects_are_the_same_on_all_levels() {
    let graph = student(STACKED, (64, 64)).graph().expect("it can be built");
    let parameters = graph.parameters();
    let of = |start: &str, role: Role| {
        parameters.iter().filter(|one| one.name.starts_with(start) && one.role == role).count()
    };
    assert_eq!(of("heads/objects/", Role::Weight), 2 + 2 + 3, "two towers of two, three answers");
    assert_eq!(of("heads/objects/", Role::Scale), 2 * 2 * 3, "norms for each level");
    let sharing = graph.nodes().iter().filter(|node| node.shares.is_some()).count();
    assert_eq!(sharing, 7 * 2);
    let macs = |level: usize| {
        let output = graph.output_named(&ObjectPart::Class.output(level)).expect("it is there");
        graph.macs_of(output.index())
    };
    assert_eq!(macs(0), 4 * macs(1), "each level costs what it computes");
}

#[test]
fn the_backbone_has_the_names_that_it_has_as_a_classifier() {
    let student = student(STAGED, (64, 64));
    let task = crate::candidate::Task { input: (3, 64, 64), classes: 6 };
    let own = student.backbone.graph(&task).expect("fits").parameters();
    let all = student.graph().expect("it can be built").parameters();
    let same = |one: &crate::ir::Parameter| {
        all.iter().any(|other| (&other.name, &other.shape) == (&one.name, &one.shape))
    };
    assert!(own.iter().all(same), "so that one can start from the other");
    assert!(
        own.iter().filter(|one| !Student::is_backbone(&one.name)).all(|one| one.name.starts_with("head/"))
    );
    let features = student.feature_graph().expect("it can be built");
    assert_eq!(features.outputs().len(), 3);
    assert!(features.parameters().iter().all(|one| Student::is_backbone(&one.name) && same(one)));
}

#[test]
fn only_what_is_asked_for_is_built() {
    let one = |tasks: Vec<Label>| Student { tasks, ..student(STACKED, (64, 64)) };
    let class = one(vec![Label::Class]).network().expect("it can be built");
    assert!(class.grids.is_empty() && class.graph.outputs().len() == 1);
    assert_eq!(class.graph.shape(class.graph.output()), Shape::Flat(6));
    let depth = one(vec![Label::Depth]).graph().expect("it can be built");
    assert_eq!(depth.outputs().iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["depth"]);
    assert!(depth.live().iter().all(|live| *live), "nothing is built for nobody");
}

#[test]
fn what_cannot_be_built_says_why() {
    let said = |student: Student| student.graph().unwrap_err().to_string();
    let base = student(STACKED, (64, 64));
    assert_eq!(said(Student { tasks: vec![], ..base.clone() }), "student: it has no task: `tasks` is empty");
    let twice = vec![Label::Depth, Label::Depth];
    assert_eq!(said(Student { tasks: twice, ..base.clone() }), "student: the task `depth` is listed twice");
    let unnamed = Student { classes: Classes::default(), ..base.clone() };
    assert_eq!(said(unnamed), "student: the task `class` has 0 classes: there is nothing to tell apart");
    assert_eq!(said(Student { size: (0, 4), ..base }), "student: pictures of 0x4 have no pixels");
    let flat = student("Sequential([Flatten(), Linear(features: 4)])", (8, 8));
    assert_eq!(said(flat), "network: the backbone hands on no map: a student needs one");
}

#[test]
fn a_student_reads_back_as_it_was_written() {
    let student = student(SEQUENTIAL, (48, 40));
    let text = ron::to_string(&student).expect("plain data");
    assert_eq!(ron::from_str::<Student>(&text).expect("its own text"), student);
}
