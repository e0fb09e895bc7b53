//! The ONNX files say of real pictures what our own forward pass says: in tract, a runtime of pure Rust.

mod networks;

use cellwright::architecture::Architecture;
use cellwright::data::{Label, Scenes, Source};
use cellwright::export::{Exporter, Model, Onnx, write_onnx};
use cellwright::must::student::{DEVIATION, MEAN, Student};
use cellwright::nn::{Bank, forward, predict};
use cellwright::{Device, Seed};
use tract_onnx::prelude::*;

const PICTURES: usize = 16;

#[test]
fn tract_says_what_we_say() {
    let data = Source::Digits.load().expect("the embedded digits");
    let pictures = networks::normalised(&data, PICTURES);
    for network in networks::all() {
        let weights = network.weights();
        let mut file = Vec::new();
        let model = Model { weights: Some(&weights), ..network.model() };
        Onnx::default().export(&model, &mut file).expect("an export");
        let ours = forward(&network.graph, &weights, &pictures).expect("our own logits");
        let theirs = run(&file, &pictures).unwrap_or_else(|error| panic!("{}: {error:?}", network.name));
        assert_eq!(ours.len(), theirs.len());
        let apart = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart <= 1e-4, "{} differs by {apart}", network.name);
    }
}

/// The batch stays the symbol that it is in the file until the pictures come.
fn run(file: &[u8], pictures: &[f32]) -> TractResult<Vec<f32>> {
    let model = tract_onnx::onnx().model_for_read(&mut &*file)?.into_optimized()?.into_runnable()?;
    let pictures = Tensor::from_shape(&[PICTURES, 1, 8, 8], pictures)?;
    let logits = model.run(tvec!(pictures.into()))?;
    Ok(logits[0].to_plain_array_view::<f32>()?.iter().copied().collect())
}

/// Several outputs, parameters that nodes share, and maps that grow by whole and by other factors.
#[test]
fn tract_says_of_students_what_we_say() {
    let stage =
        |channels: usize| format!("(op: ConvBnRelu(()), repeats: 1, channels: {channels}, stride: 2)");
    let text = format!("Staged((stages: [{}]))", [4, 8, 8].map(stage).join(", "));
    let backbone: Architecture = ron::from_str(&text).expect("a network");
    for size in [(32, 32), (27, 21)] {
        let classes = Scenes::default().classes();
        let student =
            Student { pyramid: 8, ..Student::new(backbone.clone(), size, Label::ALL.to_vec(), classes) };
        let graph = student.graph().expect("it can be built");
        let weights = Bank::new(Seed(4)).export(&graph);
        let scene = Scenes { width: size.0, height: size.1, ..Scenes::default() }.sample(3).picture;
        let said = predict(&student, &weights, std::slice::from_ref(&scene), Device::Cpu)
            .expect("it answers")
            .remove(0);

        let mut file = Vec::new();
        write_onnx("student", &graph, &weights, &[], &mut file).expect("an export");
        let channel = |channel: usize| {
            let number = move |colour: &[u8; 3]| {
                (f32::from(colour[channel]) / 255.0 - MEAN[channel]) / DEVIATION[channel]
            };
            scene.values().iter().map(number).collect::<Vec<f32>>()
        };
        let input: Vec<f32> = (0..3).flat_map(channel).collect();
        let input = Tensor::from_shape(&[1, 3, size.1, size.0], &input).expect("a picture");
        let model = tract_onnx::onnx().model_for_read(&mut &*file).expect("a file that tract reads");
        let names: Vec<String> = graph.outputs().iter().map(|(name, _)| name.clone()).collect();
        let model =
            model.into_optimized().and_then(|model| model.into_runnable()).expect("a network that runs");
        let theirs = model.run(tvec!(input.into())).expect("answers");
        assert_eq!(theirs.len(), names.len());
        let depth = names.iter().position(|name| name == "depth").expect("it is there");
        let depth = theirs[depth].to_plain_array_view::<f32>().expect("numbers");
        let ours = said.depth.expect("it is there");
        let apart = depth.iter().zip(ours.values()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart < 1e-4, "depth differs by {apart} at {size:?}");
        let class = theirs[0].to_plain_array_view::<f32>().expect("numbers");
        let shares: Vec<f32> = class.iter().map(|logit| logit.exp()).collect();
        let sum: f32 = shares.iter().sum();
        let ours = said.class.expect("it is there");
        assert!(shares.iter().zip(ours).all(|(share, ours)| (share / sum - ours).abs() < 1e-5));
    }
}
