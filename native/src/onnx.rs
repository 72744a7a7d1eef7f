//! A file of ONNX, as far as convolutional networks need it read.
//!
//! The file is a message of Protocol Buffers: fields, each with a number and a value; what the numbers mean stands in
//! <https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>. Fields that are not needed are passed over.

use std::collections::HashMap;

/// A network as its file has it.
pub(crate) struct Graph<'a> {
    pub(crate) nodes: Vec<Node<'a>>,
    /// Weights by name.
    pub(crate) weights: HashMap<String, Value<'a>>,
    /// Name and shape of the first input.
    pub(crate) input: (String, Vec<usize>),
    /// The name of the first output.
    pub(crate) output: String,
}

/// One operator.
pub(crate) struct Node<'a> {
    pub(crate) operator: String,
    pub(crate) inputs: Vec<String>,
    /// The name of the first output.
    pub(crate) output: String,
    pub(crate) attributes: HashMap<String, Attribute<'a>>,
}

/// What an operator is told beside its inputs.
pub(crate) enum Attribute<'a> {
    Number(i64),
    Numbers(Vec<i64>),
    Text(String),
    Tensor(Value<'a>),
}

/// Numbers with a shape.
pub(crate) enum Value<'a> {
    /// Each of four bytes, the lowest first.
    Floats {
        shape: Vec<usize>,
        data: &'a [[u8; 4]],
    },
    Integers(Vec<i64>),
}

type Read<T> = Result<T, String>;

impl<'a> Graph<'a> {
    /// # Errors
    /// What is wrong with the file, for people.
    pub(crate) fn read(bytes: &'a [u8]) -> Read<Self> {
        let graph = fields(bytes)?.into_iter().find_map(|field| field.bytes_of(7)).ok_or("there is no graph")?;
        let fields = fields(graph)?;
        let of = |number| fields.iter().filter_map(move |field| field.bytes_of(number));
        let weights = of(5).map(named_tensor).collect::<Read<HashMap<_, _>>>()?;
        let nodes = of(1).map(node).collect::<Read<_>>()?;
        let inputs = of(11).map(described).collect::<Read<Vec<_>>>()?;
        // Older files list the weights among the inputs too.
        let input = inputs.into_iter().find(|(name, _)| !weights.contains_key(name)).ok_or("there is no input")?;
        let (output, _) = of(12).map(described).next().ok_or("there is no output")??;
        Ok(Self { nodes, weights, input, output })
    }
}

impl Node<'_> {
    pub(crate) fn numbers(&self, name: &str) -> Option<&[i64]> {
        match self.attributes.get(name)? {
            Attribute::Numbers(numbers) => Some(numbers),
            _ => None,
        }
    }

    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        match self.attributes.get(name)? {
            Attribute::Number(number) => Some(*number),
            _ => None,
        }
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.attributes.get(name)? {
            Attribute::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// One field of a message.
#[derive(Clone, Copy)]
struct Field<'a> {
    number: u64,
    content: Content<'a>,
}

#[derive(Clone, Copy)]
enum Content<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Other,
}

impl<'a> Field<'a> {
    fn bytes_of(&self, number: u64) -> Option<&'a [u8]> {
        match self.content {
            Content::Bytes(bytes) if self.number == number => Some(bytes),
            _ => None,
        }
    }

    fn number_of(&self, number: u64) -> Option<u64> {
        match self.content {
            Content::Number(value) if self.number == number => Some(value),
            _ => None,
        }
    }
}

fn fields(mut bytes: &[u8]) -> Read<Vec<Field<'_>>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        let content = match key & 7 {
            0 => Content::Number(varint(&mut bytes)?),
            1 => taken(&mut bytes, 8).map(|_| Content::Other)?,
            2 => {
                let length = varint(&mut bytes)?;
                Content::Bytes(taken(&mut bytes, usize::try_from(length).unwrap_or(usize::MAX))?)
            }
            5 => taken(&mut bytes, 4).map(|_| Content::Other)?,
            _ => return Err("a field has an unknown type".to_owned()),
        };
        fields.push(Field { number: key >> 3, content });
    }
    Ok(fields)
}

fn taken<'a>(bytes: &mut &'a [u8], count: usize) -> Read<&'a [u8]> {
    let (head, rest) = bytes.split_at_checked(count).ok_or("it ends too early")?;
    *bytes = rest;
    Ok(head)
}

/// Seven bits a byte, the lowest first; the highest bit says that more follow.
fn varint(bytes: &mut &[u8]) -> Read<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = taken(bytes, 1)?.first().copied().unwrap_or(0);
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err("a number is too long".to_owned())
}

fn text(bytes: &[u8]) -> Read<String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| "a name is not text".to_owned())
}

/// Numbers that a field repeats, one by one or packed into one.
fn repeated(fields: &[Field<'_>], number: u64) -> Read<Vec<i64>> {
    let mut numbers = Vec::new();
    for field in fields.iter().filter(|field| field.number == number) {
        match field.content {
            Content::Number(value) => numbers.push(value as i64),
            Content::Bytes(mut packed) => {
                while !packed.is_empty() {
                    numbers.push(varint(&mut packed)? as i64);
                }
            }
            Content::Other => {}
        }
    }
    Ok(numbers)
}

fn sizes(numbers: &[i64]) -> Read<Vec<usize>> {
    let size = |number: &i64| usize::try_from(*number).map_err(|_| format!("a size is {number}"));
    numbers.iter().map(size).collect()
}

fn node(bytes: &[u8]) -> Read<Node<'_>> {
    let fields = fields(bytes)?;
    let of = |number| fields.iter().filter_map(move |field| field.bytes_of(number));
    Ok(Node {
        operator: of(4).next().map(text).ok_or("an operator has no name")??,
        inputs: of(1).map(text).collect::<Read<_>>()?,
        output: of(2).next().map(text).ok_or("an operator has no output")??,
        attributes: of(5).map(attribute).collect::<Read<Vec<_>>>()?.into_iter().flatten().collect(),
    })
}

/// `None` for one of a kind that no operator here has.
fn attribute(bytes: &[u8]) -> Read<Option<(String, Attribute<'_>)>> {
    let fields = fields(bytes)?;
    let bytes_of = |number| fields.iter().find_map(|field| field.bytes_of(number));
    let name = bytes_of(1).map(text).ok_or("an attribute has no name")??;
    let numbers = repeated(&fields, 8)?;
    let attribute = if let Some(number) = fields.iter().find_map(|field| field.number_of(3)) {
        Attribute::Number(number as i64)
    } else if let Some(bytes) = bytes_of(4) {
        Attribute::Text(text(bytes)?)
    } else if let Some(bytes) = bytes_of(5) {
        Attribute::Tensor(named_tensor(bytes)?.1)
    } else if numbers.is_empty() {
        return Ok(None);
    } else {
        Attribute::Numbers(numbers)
    };
    Ok(Some((name, attribute)))
}

fn named_tensor(bytes: &[u8]) -> Read<(String, Value<'_>)> {
    let fields = fields(bytes)?;
    let name = fields.iter().find_map(|field| field.bytes_of(8)).map_or(Ok(String::new()), text)?;
    let shape = sizes(&repeated(&fields, 1)?)?;
    let raw = fields.iter().find_map(|field| field.bytes_of(9)).unwrap_or_default();
    let kind = fields.iter().find_map(|field| field.number_of(2));
    let count = shape.iter().try_fold(1_usize, |count, size| count.checked_mul(*size));
    let value = match kind {
        Some(1) => {
            let (data, _) = raw.as_chunks::<4>();
            // Those of some files stand beside them, or in another field.
            if count != Some(data.len()) {
                return Err(format!("the weights '{name}' are not as many as their shape says"));
            }
            Value::Floats { shape, data }
        }
        Some(7) => {
            let (numbers, _) = raw.as_chunks::<8>();
            Value::Integers(numbers.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect())
        }
        _ => return Err(format!("the tensor '{name}' is neither of 32-bit floats nor of 64-bit integers")),
    };
    Ok((name, value))
}

/// Name and shape of an input or an output; a size that is not fixed is 0.
fn described(bytes: &[u8]) -> Read<(String, Vec<usize>)> {
    let message = fields(bytes)?;
    let name = message.iter().find_map(|field| field.bytes_of(1)).map(text).ok_or("an input has no name")??;
    let inner = |bytes: Option<&'_ [u8]>, number| -> Read<Option<Vec<u8>>> {
        let Some(bytes) = bytes else { return Ok(None) };
        Ok(fields(bytes)?.iter().find_map(|field| field.bytes_of(number)).map(<[u8]>::to_vec))
    };
    let kind = message.iter().find_map(|field| field.bytes_of(2));
    let tensor = inner(kind, 1)?;
    let shape = inner(tensor.as_deref(), 2)?.unwrap_or_default();
    let dimensions = fields(&shape)?;
    let dimensions = dimensions.iter().filter_map(|field| field.bytes_of(1));
    let size = |bytes| Ok(fields(bytes)?.iter().find_map(|field| field.number_of(1)).unwrap_or(0) as usize);
    Ok((name, dimensions.map(size).collect::<Read<_>>()?))
}
