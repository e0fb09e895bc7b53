//! Every shipped space loads, and its size is the one that its header gives.

use std::collections::HashSet;

use cellwright::Seed;
use cellwright::candidate::Candidate;
use cellwright::evaluate::Pupil;
use cellwright::experiment::Experiment;
use cellwright::space::{Size, Space};
use rayon::prelude::*;

/// The shipped spaces, with the number that follows `Size:` in each header.
const SPACES: [(&str, &str); 13] = [
    ("quickstart", "86,632"),
    ("pnas_cifar10", "556,869,504,614,656"),
    ("nasbench101", "509,607,936"),
    ("nasbench201", "15,625"),
    ("darts", "1,076,746,950,455,072,400"),
    ("mobilenet_v2", "16,529,940,864"),
    ("resnet_recipe", "4,536"),
    ("imagenet_recipe", "288"),
    ("joint_cifar10", "13,364,868,110,751,744"),
    ("joint_digits", "173,264"),
    ("must_scenes", "20,736"),
    ("must_coco", "279,936"),
    ("self_training_scenes", "16"),
];

fn path(name: &str) -> String {
    format!("{}/search_spaces/{name}.ron", env!("CARGO_MANIFEST_DIR"))
}

fn load(name: &str) -> Space {
    Space::load(path(name)).unwrap_or_else(|error| panic!("{error:?}"))
}

#[test]
fn every_file_in_the_folder_is_tested() {
    let folder = std::fs::read_dir(format!("{}/search_spaces", env!("CARGO_MANIFEST_DIR"))).expect("shipped");
    let mut files: Vec<_> =
        folder.map(|entry| entry.expect("readable").file_name().into_string().unwrap()).collect();
    let mut tested: Vec<_> = SPACES.iter().map(|(name, _)| format!("{name}.ron")).collect();
    files.sort();
    tested.sort();
    assert_eq!(files, tested);
}

#[test]
fn sizes_are_those_of_the_headers() {
    for (name, size) in SPACES {
        let text = std::fs::read_to_string(path(name)).expect("shipped");
        let header = text.split("Space(").next().unwrap_or_default();
        assert!(header.contains(size), "{name} does not name its size {size}");
        let space = load(name);
        assert_eq!(space.discrete_size().to_string(), size.replace(',', ""), "{name}");
        assert_eq!(space.size() == Size::Continuous, header.contains("Size: continuous"), "{name}");
    }
}

#[test]
fn draws_from_every_space_are_networks_with_an_experiment_to_run_them_in() {
    for (name, _) in SPACES {
        let space = load(name);
        let experiment =
            space.experiment_as::<Experiment>().unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert!(experiment.is_some(), "{name} says nothing of how it is searched");
        let mut rng = Seed(5).stream(0, "spaces");
        for _ in 0..8 {
            let genotype = space.random(&mut rng).unwrap_or_else(|error| panic!("{name}: {error}"));
            let program = space.materialize(&genotype).expect("a program");
            if space.candidate(&program).expect("a program").is_none() {
                let pupil: Pupil = space.decode(&genotype).unwrap_or_else(|error| panic!("{name}: {error}"));
                let problem = pupil.lesson.expect("a lesson of its own").problem();
                assert_eq!(problem, None, "{name}");
                continue;
            }
            let candidate: Candidate =
                space.decode(&genotype).unwrap_or_else(|error| panic!("{name}: {error}"));
            candidate.graph().unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
}

#[test]
fn the_space_knows_which_cells_are_one() {
    let space = load("nasbench201");
    let genotypes: Vec<_> = space.genotypes().collect();
    let keys: HashSet<_> = genotypes.par_iter().map(|genotype| space.key(genotype).expect("valid")).collect();
    assert_eq!((genotypes.len(), keys.len()), (15_625, 5_425));
}

#[test]
fn quickstart_is_short() {
    let lines = std::fs::read_to_string(path("quickstart")).expect("shipped").lines().count();
    assert!(lines <= 28, "the first space that anyone sees has {lines} lines");
}
