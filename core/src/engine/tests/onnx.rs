//! Writes the smallest ONNX models: `y = Identity(x)`.
//!
//! Field numbers are those of `onnx.proto`.

/// `TensorProto.DataType.FLOAT`.
pub(super) const FLOAT: u8 = 1;

/// A model with these inputs, all of one type and shape, that gives the first
/// one back. A negative dimension may have any size.
pub(super) fn identity(kind: u8, inputs: &[&str], dimensions: &[i8]) -> Vec<u8> {
    let node = [text(1, inputs[0]), text(2, "out"), text(4, "Identity")].concat();
    let mut graph = [bytes(1, &node), text(2, "graph")].concat();
    for name in inputs {
        graph.extend(bytes(11, &value(name, kind, dimensions)));
    }
    graph.extend(bytes(12, &value("out", kind, dimensions)));
    let opset = number(2, 13);
    [number(1, 8), bytes(7, &graph), bytes(8, &opset)].concat()
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
