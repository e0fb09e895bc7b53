"""Checks a folder of exports from outside: onnx_check.py FOLDER

Every NAME.onnx must pass the ONNX checker with full shape inference, load in onnxruntime and run at any batch size.
Where there are NAME.input.f32 and NAME.output.f32 (raw little-endian floats), it must yield that output to 1e-4.
Where there is NAME.safetensors, its tensors must be the initializers of NAME.onnx.
Exits with 77 and a reason where a package that this needs is not installed.
"""

import json
import pathlib
import sys

try:
    import numpy
    import onnx
    import onnx.checker
    import onnx.numpy_helper
    import onnxruntime
    import safetensors.numpy
except ImportError as missing:
    print(missing)
    sys.exit(77)


def check(path):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    about = {entry.key: entry.value for entry in model.metadata_props}
    assert isinstance(json.loads(about["classes"]), list), about["classes"]
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 2
    session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    (source,), (sink,) = session.get_inputs(), session.get_outputs()
    assert (source.name, sink.name) == ("pictures", "logits"), (source.name, sink.name)
    assert isinstance(source.shape[0], str) and isinstance(sink.shape[0], str), (source.shape, sink.shape)
    sizes = source.shape[1:]
    for batch in (1, 3):
        logits = session.run(None, {"pictures": numpy.ones([batch, *sizes], numpy.float32)})[0]
        assert logits.shape == (batch, *sink.shape[1:]), logits.shape
    return model, session, sizes


def compare(path, session, sizes):
    source, sink = path.with_suffix(".input.f32"), path.with_suffix(".output.f32")
    if not source.exists():
        return
    pictures = numpy.fromfile(source, "<f4").reshape(-1, *sizes)
    wanted = numpy.fromfile(sink, "<f4").reshape(len(pictures), -1)
    logits = session.run(None, {"pictures": pictures})[0]
    spread = numpy.ptp(wanted, axis=0).max()
    assert spread > 1e-2, "the network says the same of every picture"
    worst = numpy.abs(logits - wanted).max()
    assert worst <= 1e-4, f"differs by {worst}"
    print(f"{path.stem}: {len(pictures)} pictures, at most {worst:.1e} apart, logits over {spread:.1e}")


def same_weights(path, model):
    twin = path.with_suffix(".safetensors")
    if not twin.exists():
        return
    held = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    weights = safetensors.numpy.load_file(twin)
    assert weights, "no weights"
    for name, values in weights.items():
        assert numpy.array_equal(values, held[name]), name


def main(folder):
    paths = sorted(pathlib.Path(folder).glob("*.onnx"))
    assert paths, f"no .onnx in {folder}"
    for path in paths:
        try:
            model, session, sizes = check(path)
            compare(path, session, sizes)
            same_weights(path, model)
        except Exception as problem:
            sys.exit(f"{path.name}: {problem}")


main(sys.argv[1])
