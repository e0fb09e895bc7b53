//! The ONNX files say of real pictures what our own forward pass says: in tract, a runtime of pure Rust.

mod networks;

use cellwright::data::Source;
use cellwright::export::{Exporter, Model, Onnx};
use cellwright::nn::forward;
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
