//! A model that takes a millisecond: what is bright is subject.
//!
//! Field numbers are those of `onnx.proto`.

const FLOAT: u8 = 1;
const INTS: u8 = 7;

/// `1 × 3 × 32 × 32` in, the mean of the channels out.
pub(crate) fn brightness() -> Vec<u8> {
    let axes = [text(1, "axes"), number(20, INTS), number(8, 1)].concat();
    let node = [text(1, "in"), text(2, "out"), text(4, "ReduceMean"), bytes(5, &axes)].concat();
    let (input, output) = (value("in", [1, 3, 32, 32]), value("out", [1, 1, 32, 32]));
    let graph = [bytes(1, &node), text(2, "brightness"), bytes(11, &input), bytes(12, &output)].concat();
    [number(1, 8), bytes(7, &graph), bytes(8, &number(2, 13))].concat()
}

fn value(name: &str, dimensions: [u8; 4]) -> Vec<u8> {
    let shape: Vec<u8> = dimensions.iter().flat_map(|&size| bytes(1, &number(1, size))).collect();
    let tensor = [number(1, FLOAT), bytes(2, &shape)].concat();
    [text(1, name), bytes(2, &bytes(1, &tensor))].concat()
}

fn number(field: u8, value: u8) -> Vec<u8> {
    [tag(field, 0), vec![value]].concat()
}

fn text(field: u8, value: &str) -> Vec<u8> {
    bytes(field, value.as_bytes())
}

fn bytes(field: u8, value: &[u8]) -> Vec<u8> {
    [tag(field, 2), varint(value.len()), value.to_vec()].concat()
}

fn tag(field: u8, kind: u8) -> Vec<u8> {
    varint(usize::from(field) << 3 | usize::from(kind))
}

fn varint(value: usize) -> Vec<u8> {
    let low = (value & 127) as u8;
    if value < 128 { vec![low] } else { [vec![low | 128], varint(value >> 7)].concat() }
}
