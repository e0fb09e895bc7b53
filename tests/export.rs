//! Every format on every kind of network.

mod networks;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use cellwright::export::{ExportError, Format, Model};
use cellwright::ir::{Activation, Primitive, Weights};
use cellwright::symbolic::Value;

fn export(label: &str, model: &Model) -> Result<Vec<u8>, ExportError> {
    let mut out = Vec::new();
    label.parse::<Format>().expect("a format").export(model, &mut out).map(|()| out)
}

fn text(label: &str, model: &Model) -> String {
    String::from_utf8(export(label, model).expect("an export")).expect("text")
}

#[test]
fn the_networks_are_made_of_every_primitive() {
    let mut met: BTreeSet<&str> = BTreeSet::new();
    for network in networks::all() {
        met.extend(network.graph.nodes().iter().map(|node| node.primitive.kind()));
    }
    let plain = [
        "input",
        "conv",
        "linear",
        "batch_norm",
        "max_pool",
        "avg_pool",
        "global_avg_pool",
        "flatten",
        "add",
    ];
    let rare = ["mul", "concat", "slice", "shift", "zero", "dropout", "drop_path"];
    let activations = Activation::ALL.map(|activation| Primitive::Activation(activation).kind());
    let missing: Vec<_> =
        plain.iter().chain(&rare).chain(&activations).filter(|kind| !met.contains(**kind)).collect();
    assert!(missing.is_empty(), "no network has {missing:?}");
}

#[test]
fn every_format_writes_every_network() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("export");
    std::fs::create_dir_all(&folder).expect("a folder");
    let classes: Vec<String> = (0..10).map(|digit| digit.to_string()).collect();
    for network in networks::all() {
        let weights = network.weights();
        let model = Model {
            weights: Some(&weights),
            classes: &classes,
            mean: &[0.305],
            deviation: &[0.376],
            accuracy: Some(0.9812),
            genotype: Some("0,1(2)"),
            ..network.model()
        };
        for label in Format::LABELS {
            let bytes =
                export(label, &model).unwrap_or_else(|error| panic!("{label} of {}: {error}", network.name));
            assert_eq!(bytes, export(label, &model).expect("again"), "{label} is the same every time");
            std::fs::write(folder.join(format!("{}.{label}", network.name)), bytes).expect("a file");
        }
    }
    python(&["tests/onnx_check.py", &folder.display().to_string()]);
}

/// Runs a script; says so and goes on where Python or its packages are missing.
fn python(arguments: &[&str]) {
    let output = match Command::new("python3").args(arguments).output() {
        Ok(output) => output,
        Err(error) => return eprintln!("skipped: python3: {error}"),
    };
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(77) => eprintln!("skipped: {said}"),
        code => assert_eq!(code, Some(0), "{said}"),
    }
}

#[test]
fn ron_parses_to_the_program_it_was_written_from() {
    for network in networks::all() {
        let hostile = Model { name: "\"}\n*/ <&>", genotype: Some("a\nb"), ..network.model() };
        for model in [network.model(), hostile] {
            let file: Value = text("ron", &model).parse().expect("RON");
            assert_eq!(file.field("program"), Some(&network.program));
            assert_eq!(file.field("name").and_then(Value::as_str), Some(model.name));
        }
    }
}

#[test]
fn drawings_show_what_there_is() {
    let all = networks::all();
    let drawing = |name: &str| {
        let network = all.iter().find(|network| network.name == name).expect("a network");
        (text("svg", &network.model()), text("dot", &network.model()))
    };
    let (svg, dot) = drawing("pnas");
    for label in ["sep conv 5x5", "max pool 3x3", "cell before", "previous cell", "concat", "10 classes"] {
        assert!(svg.contains(label) && dot.contains(label), "{label}");
    }
    assert!(drawing("darts").0.contains("reduction cell"));
    assert!(drawing("mobile").0.contains("3 × mbconv"), "stages are one box each");
    assert!(drawing("nasbench201").0.contains("residual block"));
}

#[test]
fn drawings_and_metadata_survive_hostile_names() {
    let all = networks::all();
    let network = all.iter().find(|network| network.name == "plain").expect("a network");
    let weights = network.weights();
    let name = "\"</svg><script>&\u{1}\\ \u{1f980}";
    let classes = [name.to_string(), "a,b".to_string(), String::new()];
    let model = Model { name, classes: &classes, weights: Some(&weights), ..network.model() };
    let svg = text("svg", &model);
    assert!(!svg.contains("<script") && svg.contains("&lt;script&gt;&amp;") && !svg.contains('\u{1}'));
    assert!(text("dot", &model).contains(r#"digraph "\"</svg><script>&\\ 🦀""#));
    let bytes = export("safetensors", &model).expect("an export");
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).expect("a header");
    let about = header.metadata().as_ref().and_then(|entries| entries.get("cellwright")).expect("an entry");
    let about: serde_json::Value = serde_json::from_str(about).expect("JSON");
    let read: Vec<String> = serde_json::from_str(about["classes"].as_str().expect("text")).expect("a list");
    assert_eq!(read, classes);
    assert_eq!(about["name"], name);
    let program: Value = about["program"].as_str().expect("text").parse().expect("RON");
    assert_eq!(program, network.program);
}

#[test]
fn safetensors_hold_every_parameter_under_its_name() {
    for network in networks::all() {
        let weights = network.weights();
        let bytes =
            export("safetensors", &Model { weights: Some(&weights), ..network.model() }).expect("an export");
        let read = safetensors::SafeTensors::deserialize(&bytes).expect("a file");
        assert_eq!(read.len(), weights.len());
        for (name, (shape, values)) in &weights {
            let tensor = read.tensor(name).expect("the parameter");
            let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            assert_eq!((tensor.shape(), tensor.data()), (shape.as_slice(), bytes.as_slice()), "{name}");
        }
    }
}

#[test]
fn weights_that_are_not_the_networks_are_refused() {
    let all = networks::all();
    let (network, other) = (&all[0], &all[1]);
    let refusal = |weights: Option<&Weights>| {
        let refused =
            |label| export(label, &Model { weights, ..network.model() }).expect_err("a refusal").to_string();
        assert_eq!(
            refused("onnx").replace("onnx", ""),
            refused("safetensors").replace("safetensors", ""),
            "both formats refuse alike"
        );
        refused("onnx")
    };
    insta::assert_snapshot!(refusal(None), @"onnx holds trained weights, and `pnas` has none: train it with `cellwright retrain` first, or export ron, dot or svg, which need no weights");
    insta::assert_snapshot!(refusal(Some(&other.weights())), @"the weights do not hold `cells.0/block1/left/sep_conv_5x5/depthwise/weight`: they are of another network; train this one with `cellwright retrain`");
    let mut wrong = network.weights();
    wrong["stem/conv/weight"].0 = vec![8, 1, 9];
    insta::assert_snapshot!(refusal(Some(&wrong)), @"the weights hold `stem/conv/weight` as [8, 1, 9] (72 values), the network needs [8, 1, 3, 3]: they are of another network; train this one with `cellwright retrain`");
    let mut short = network.weights();
    short["stem/conv/weight"].1.pop();
    insta::assert_snapshot!(refusal(Some(&short)), @"the weights hold `stem/conv/weight` as [8, 1, 3, 3] (71 values), the network needs [8, 1, 3, 3]: they are of another network; train this one with `cellwright retrain`");
    let mut diverged = network.weights();
    diverged["head/linear/bias"].1[3] = f32::NAN;
    insta::assert_snapshot!(refusal(Some(&diverged)), @"the weights hold NaN in `head/linear/bias`: the training diverged; train again with a lower learning rate");
}
