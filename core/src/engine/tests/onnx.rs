//! Writes the smallest ONNX models: `y = Identity(x)`, and one to which what is not green is subject.
//!
//! Field numbers are those of `onnx.proto`.

/// `TensorProto.DataType.FLOAT`.
pub(crate) const FLOAT: u8 = 1;

/// A model with these inputs, all of one type and shape, that gives the first
/// one back. A negative dimension may have any size.
#[allow(dead_code, reason = "some who share this file need the other model")]
pub(crate) fn identity(kind: u8, inputs: &[&str], dimensions: &[i8]) -> Vec<u8> {
    let node = [text(1, inputs[0]), text(2, "out"), text(4, "Identity")].concat();
    let inputs: Vec<u8> = inputs.iter().flat_map(|name| bytes(11, &value(name, kind, dimensions))).collect();
    model(&[bytes(1, &node), inputs, bytes(12, &value("out", kind, dimensions))].concat())
}

/// A model that gives its input of 32-bit floats as numbers of another type.
#[allow(dead_code, reason = "some who share this file need the other model")]
pub(crate) fn cast(to: u8, dimensions: &[i8]) -> Vec<u8> {
    // The field 20 says that it is a whole number.
    let attribute = [text(1, "to"), number(3, to), vec![0xa0, 1, 2]].concat();
    let node = [text(1, "x"), text(2, "out"), text(4, "Cast"), bytes(5, &attribute)].concat();
    let values = [bytes(11, &value("x", FLOAT, dimensions)), bytes(12, &value("out", to, dimensions))];
    model(&[bytes(1, &node), values.concat()].concat())
}

/// A model of pictures of any size: `y = Sigmoid(1.2 − 4 · green)`, a convolution of 1×1.
/// Of a picture that is normalised as for U²-Net, 1 is what has little green.
#[allow(dead_code, reason = "some who share this file need the other model")]
pub(super) fn not_green() -> Vec<u8> {
    let inputs = ["in", "weights", "bias"].map(|name| text(1, name)).concat();
    let attributes = [("strides", &[1, 1][..]), ("dilations", &[1, 1]), ("pads", &[0; 4])];
    let attributes = attributes.map(|(name, values)| bytes(5, &whole_numbers(name, values))).concat();
    let convolution = [inputs, text(2, "sum"), text(4, "Conv"), attributes].concat();
    let sigmoid = [text(1, "sum"), text(2, "out"), text(4, "Sigmoid")].concat();
    let weights = constant("weights", &[1, 3, 1, 1], &[0.0, -4.0, 0.0]);
    let bias = constant("bias", &[1], &[1.2]);
    let values = [bytes(11, &value("in", FLOAT, &[1, 3, -1, -1])), bytes(12, &value("out", FLOAT, &[1, 1, -1, -1]))];
    model(&[bytes(1, &convolution), bytes(1, &sigmoid), bytes(5, &weights), bytes(5, &bias), values.concat()].concat())
}

/// The file of [`not_green`] under that name in a folder. Other runs may read it meanwhile: it is there whole or not at all.
#[allow(dead_code, reason = "some who share this file need the other model")]
pub(super) fn not_green_in(folder: &str, name: &str) -> std::path::PathBuf {
    let path = std::path::Path::new(folder).join(name);
    let beside = path.with_extension(format!("{}-{:?}", std::process::id(), std::thread::current().id()));
    std::fs::write(&beside, not_green())
        .and_then(|()| std::fs::rename(&beside, &path))
        .expect("the model can be written");
    path
}

/// A model of opset 13 with this graph.
fn model(graph: &[u8]) -> Vec<u8> {
    let graph = [&text(2, "graph"), graph].concat();
    [number(1, 8), bytes(7, &graph), bytes(8, &number(2, 13))].concat()
}

/// An attribute that is a list.
fn whole_numbers(name: &str, values: &[u8]) -> Vec<u8> {
    let values: Vec<u8> = values.iter().flat_map(|&value| number(8, value)).collect();
    // Field 20, the attribute's type: INTS.
    [text(1, name), values, vec![0xa0, 0x01, 7]].concat()
}

fn constant(name: &str, shape: &[u8], values: &[f32]) -> Vec<u8> {
    let shape: Vec<u8> = shape.iter().flat_map(|&size| number(1, size)).collect();
    let values: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    [shape, number(2, FLOAT), text(8, name), bytes(9, &values)].concat()
}

fn value(name: &str, kind: u8, dimensions: &[i8]) -> Vec<u8> {
    let dimension = |size: &i8| u8::try_from(*size).map_or_else(|_| text(2, "any"), |size| number(1, size));
    let shape: Vec<u8> = dimensions.iter().flat_map(|size| bytes(1, &dimension(size))).collect();
    let tensor = [number(1, kind), bytes(2, &shape)].concat();
    [text(1, name), bytes(2, &bytes(1, &tensor))].concat()
}

fn number(field: u8, value: u8) -> Vec<u8> {
    assert!(value < 128, "one byte is enough");
    vec![field << 3, value]
}

fn text(field: u8, value: &str) -> Vec<u8> {
    bytes(field, value.as_bytes())
}

fn bytes(field: u8, value: &[u8]) -> Vec<u8> {
    let length = value.len();
    assert!(length < 1 << 14, "two bytes are enough");
    let mut out = vec![field << 3 | 2];
    if length >= 128 {
        out.push((length & 127) as u8 | 128);
        out.push((length >> 7) as u8);
    } else {
        out.push(length as u8);
    }
    out.extend(value);
    out
}
