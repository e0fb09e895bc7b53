//! The ONNX files say of real pictures what our own forward pass says: in onnxruntime.

mod networks;

use std::path::Path;
use std::process::Command;

use cellwright::data::Source;
use cellwright::export::{Exporter, Model, Onnx};
use cellwright::nn::forward;

const PICTURES: usize = 48;

#[test]
fn onnxruntime_says_what_we_say() {
    let data = Source::Digits.load().expect("the embedded digits");
    let pictures = networks::normalised(&data, PICTURES);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("onnx");
    std::fs::create_dir_all(&folder).expect("a folder");
    for network in networks::all() {
        let weights = network.weights();
        let model = Model {
            weights: Some(&weights),
            classes: &data.classes,
            mean: &data.mean,
            deviation: &data.deviation,
            ..network.model()
        };
        let mut file = Vec::new();
        Onnx::default().export(&model, &mut file).expect("an export");
        let logits = forward(&network.graph, &weights, &pictures).expect("our own logits");
        let write = |ending: &str, bytes: &[u8]| {
            std::fs::write(folder.join(format!("{}.{ending}", network.name)), bytes).expect("a file");
        };
        write("onnx", &file);
        write("input.f32", &bytes(&pictures));
        write("output.f32", &bytes(&logits));
    }
    check(&folder);
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// Compares in Python; says so and goes on where Python or its packages are missing.
fn check(folder: &Path) {
    let output = match Command::new("python3").arg("tests/onnx_check.py").arg(folder).output() {
        Ok(output) => output,
        Err(error) => return eprintln!("skipped: python3: {error}"),
    };
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(77) => eprintln!("skipped: {said}"),
        code => assert_eq!(code, Some(0), "{said}"),
    }
    eprintln!("{said}");
}
