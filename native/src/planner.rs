//! From the graph of an ONNX file to a [`Plan`].

use std::collections::HashMap;

use crate::fuse::fused;
use crate::memory::{Memory, arranged};
use crate::onnx::{Attribute, Graph, Node, Value};
use crate::plan::{Convolution, Draft, Plan, Shape, Step, Tensor, Work};

/// Numbers of all tensors together: 4 GB.
const MOST: usize = 1 << 30;

type Made<T> = Result<T, String>;

/// What a name in the graph stands for.
#[derive(Clone)]
enum Known {
    /// One tensor that is computed.
    Tensor(usize),
    /// Several side by side.
    Joined(Vec<usize>),
    /// Known without a picture: sizes.
    Integers(Vec<i64>),
    Floats,
}

struct Planner<'a> {
    graph: &'a Graph<'a>,
    known: HashMap<&'a str, Known>,
    /// How many operators read a name.
    readers: HashMap<&'a str, usize>,
    shapes: Vec<Shape>,
    drafts: Vec<Draft>,
}

impl Plan {
    /// # Errors
    /// What of the network cannot be run, for people.
    pub(crate) fn new(graph: &Graph<'_>) -> Made<Self> {
        let &[1, channels, height, width] = &*graph.input.1 else {
            return Err(format!("its input has the shape {:?}", graph.input.1));
        };
        if [channels, height, width].iter().any(|size| !(1..=4096).contains(size)) {
            return Err("its input has no fixed size".to_owned());
        }
        let mut planner = Planner {
            graph,
            known: HashMap::from([(graph.input.0.as_str(), Known::Tensor(0))]),
            readers: HashMap::new(),
            shapes: vec![Shape { height, width, channels }],
            drafts: Vec::new(),
        };
        for name in graph.nodes.iter().flat_map(|node| &node.inputs) {
            *planner.readers.entry(name).or_default() += 1;
        }
        for node in &graph.nodes {
            let known = planner.add(node).map_err(|why| format!("{} '{}': {why}", node.operator, node.output))?;
            planner.known.insert(&node.output, known);
            if node.output == graph.output {
                break;
            }
        }
        let output = planner.tensor(&graph.output)?;
        let plan = planner.finished(output);
        if plan.slots.iter().sum::<usize>() > MOST { Err("it needs too much memory".to_owned()) } else { Ok(plan) }
    }
}

impl<'a> Planner<'a> {
    fn add(&mut self, node: &'a Node<'a>) -> Made<Known> {
        Ok(match node.operator.as_str() {
            "Constant" => match node.attributes.get("value") {
                Some(Attribute::Tensor(Value::Integers(numbers))) => Known::Integers(numbers.clone()),
                Some(Attribute::Tensor(Value::Floats { .. })) => Known::Floats,
                _ => return Err("its value is missing".to_owned()),
            },
            "Shape" => {
                let Shape { height, width, channels } = self.joined_shape(input(node, 0)?)?;
                Known::Integers([1, channels, height, width].map(|size| size as i64).to_vec())
            }
            "Gather" => Known::Integers(self.gathered(node)?),
            "Unsqueeze" | "Cast" => Known::Integers(self.integers(input(node, 0)?)?),
            "Slice" => Known::Integers(self.sliced(node)?),
            "Concat" => self.concatenated(node)?,
            "Conv" => Known::Tensor(self.convolution(node)?),
            "Relu" => Known::Tensor(self.relu(node)?),
            "MaxPool" => Known::Tensor(self.max_pool(node)?),
            "Resize" => Known::Tensor(self.resize(node)?),
            "Add" => Known::Tensor(self.sum(node)?),
            "Sigmoid" => {
                let tensor = self.tensor(input(node, 0)?)?;
                let shape = self.shape(tensor)?;
                Known::Tensor(self.draft(Work::Sigmoid, vec![tensor], shape))
            }
            _ => return Err("it is not known".to_owned()),
        })
    }

    fn draft(&mut self, work: Work, inputs: Vec<usize>, shape: Shape) -> usize {
        let output = self.shapes.len();
        self.shapes.push(shape);
        self.drafts.push(Draft { work, inputs, output, pooled: None, added: None });
        output
    }

    fn shape(&self, tensor: usize) -> Made<Shape> {
        self.shapes.get(tensor).copied().ok_or_else(|| "there is no such tensor".to_owned())
    }

    fn find(&self, name: &str) -> Made<&Known> {
        self.known.get(name).ok_or_else(|| format!("its input '{name}' is missing"))
    }

    fn tensor(&self, name: &str) -> Made<usize> {
        match self.find(name)? {
            Known::Tensor(tensor) => Ok(*tensor),
            _ => Err(format!("its input '{name}' is no tensor")),
        }
    }

    fn tensors(&self, name: &str) -> Made<Vec<usize>> {
        match self.find(name)? {
            Known::Tensor(tensor) => Ok(vec![*tensor]),
            Known::Joined(tensors) => Ok(tensors.clone()),
            _ => Err(format!("its input '{name}' is no tensor")),
        }
    }

    fn integers(&self, name: &str) -> Made<Vec<i64>> {
        match self.find(name)? {
            Known::Integers(numbers) => Ok(numbers.clone()),
            _ => Err(format!("its input '{name}' is not known beforehand")),
        }
    }

    fn joined_shape(&self, name: &str) -> Made<Shape> {
        let shapes = self.tensors(name)?.into_iter().map(|tensor| self.shape(tensor)).collect::<Made<Vec<_>>>()?;
        let first = *shapes.first().ok_or("it has no inputs")?;
        if shapes.iter().any(|shape| (shape.height, shape.width) != (first.height, first.width)) {
            return Err("its inputs have different sizes".to_owned());
        }
        Ok(Shape { channels: shapes.iter().map(|shape| shape.channels).sum(), ..first })
    }

    fn gathered(&self, node: &Node<'_>) -> Made<Vec<i64>> {
        let (from, which) = (self.integers(input(node, 0)?)?, self.integers(input(node, 1)?)?);
        let of = |index: &i64| usize::try_from(*index).ok().and_then(|index| from.get(index).copied());
        which.iter().map(|index| of(index).ok_or_else(|| "it asks for too much".to_owned())).collect()
    }

    fn sliced(&self, node: &Node<'_>) -> Made<Vec<i64>> {
        let from = self.integers(input(node, 0)?)?;
        let end = |number| Ok(self.integers(input(node, number)?)?.first().copied().unwrap_or(0).max(0) as usize);
        let (start, end): (usize, usize) = (end(1)?, Made::<usize>::map(end(2), |end| end.min(from.len()))?);
        from.get(start..end).map(<[i64]>::to_vec).ok_or_else(|| "it asks for too much".to_owned())
    }

    fn concatenated(&self, node: &Node<'_>) -> Made<Known> {
        if let Ok(numbers) = node.inputs.iter().map(|name| self.integers(name)).collect::<Made<Vec<_>>>() {
            return Ok(Known::Integers(numbers.concat()));
        }
        if node.number("axis") != Some(1) {
            return Err("it does not join channels".to_owned());
        }
        let tensors = node.inputs.iter().map(|name| self.tensors(name)).collect::<Made<Vec<_>>>()?;
        Ok(Known::Joined(tensors.concat()))
    }

    fn convolution(&mut self, node: &'a Node<'a>) -> Made<usize> {
        let name = input(node, 0)?;
        let (inputs, shape) = (self.tensors(name)?, self.joined_shape(name)?);
        let (sizes, weights) = self.weights(input(node, 1)?)?;
        let &[outputs, channels, kernel, wide] = sizes else { return Err("its weights have no four sizes".to_owned()) };
        let (bias_size, bias) = self.weights(input(node, 2)?)?;
        let dilation = node.numbers("dilations").and_then(|all| all.first().copied()).unwrap_or(1);
        let reach = dilation * (kernel as i64 - 1) / 2;
        let is = |name: &str, all: &[i64]| node.numbers(name).is_none_or(|numbers| numbers == all);
        let is_known = matches!(kernel, 1 | 3)
            && kernel == wide
            && (1..=64).contains(&dilation)
            && is("dilations", &[dilation; 2])
            && node.numbers("pads").unwrap_or(&[0; 4]) == [reach; 4]
            && pads_as_told(node)
            && is("strides", &[1; 2])
            && node.number("group").unwrap_or(1) == 1;
        let is_known = is_known && [outputs, channels].iter().all(|size| (1..=4096).contains(size));
        if !is_known || channels != shape.channels || bias_size != [outputs] {
            return Err("it is of a kind that is not known".to_owned());
        }
        let convolution = Convolution {
            kernel,
            dilation: dilation as usize,
            outputs,
            weights: floats(weights),
            bias: floats(bias),
            has_relu: false,
            adds: false,
            slides: None,
        };
        Ok(self.draft(Work::Convolution(convolution), inputs, Shape { channels: outputs, ..shape }))
    }

    fn weights(&self, name: &str) -> Made<(&'a [usize], &'a [[u8; 4]])> {
        match self.graph.weights.get(name) {
            Some(Value::Floats { shape, data }) => Ok((shape, data)),
            _ => Err(format!("its weights '{name}' are missing")),
        }
    }

    /// How many operators read a tensor, under all of its names; what gives it another name does not.
    fn readers_of(&self, tensor: usize) -> usize {
        let names = self.known.iter().filter(|(_, known)| matches!(known, Known::Tensor(other) if *other == tensor));
        let (mut count, mut readers) = (0, 0);
        for (name, _) in names {
            (count, readers) = (count + 1, readers + self.readers.get(name).copied().unwrap_or(0));
        }
        (readers + 1).saturating_sub(count)
    }

    /// A ReLU belongs to the convolution whose output nobody else reads.
    fn relu(&mut self, node: &'a Node<'a>) -> Made<usize> {
        let tensor = self.tensor(input(node, 0)?)?;
        let is_alone = self.readers_of(tensor) == 1;
        match self.drafts.last_mut() {
            Some(Draft { work: Work::Convolution(convolution), output, .. }) if *output == tensor && is_alone => {
                convolution.has_relu = true;
                Ok(tensor)
            }
            _ => Err("it does not follow a convolution".to_owned()),
        }
    }

    fn max_pool(&mut self, node: &'a Node<'a>) -> Made<usize> {
        let tensor = self.tensor(input(node, 0)?)?;
        let is = |name: &str, all: &[i64]| node.numbers(name).is_none_or(|numbers| numbers == all);
        let is_known = node.numbers("kernel_shape") == Some(&[2; 2])
            && node.numbers("strides") == Some(&[2; 2])
            && is("pads", &[0; 4])
            && pads_as_told(node)
            && is("dilations", &[1; 2])
            && node.number("ceil_mode") == Some(1);
        if !is_known {
            return Err("it is of a kind that is not known".to_owned());
        }
        let Shape { height, width, channels } = self.shape(tensor)?;
        let shape = Shape { height: height.div_ceil(2), width: width.div_ceil(2), channels };
        Ok(self.draft(Work::MaxPool, vec![tensor], shape))
    }

    fn resize(&mut self, node: &'a Node<'a>) -> Made<usize> {
        let tensor = self.tensor(input(node, 0)?)?;
        let is_known = node.text("mode") == Some("linear")
            && node.text("coordinate_transformation_mode") == Some("pytorch_half_pixel")
            && node.number("antialias").unwrap_or(0) == 0
            && node.numbers("axes").is_none();
        let sizes = self.integers(input(node, 3)?)?;
        let from = self.shape(tensor)?;
        let &[1, channels, height, width] = &*sizes else { return Err("its sizes are not four".to_owned()) };
        if !is_known
            || channels != from.channels as i64
            || [height, width].iter().any(|size| !(1..=4096).contains(size))
        {
            return Err("it is of a kind that is not known".to_owned());
        }
        let shape = Shape { height: height as usize, width: width as usize, channels: from.channels };
        Ok(if shape == from { tensor } else { self.draft(Work::Resize, vec![tensor], shape) })
    }

    fn sum(&mut self, node: &'a Node<'a>) -> Made<usize> {
        let names = [input(node, 0)?, input(node, 1)?];
        let [one, other] = [self.tensor(names[0])?, self.tensor(names[1])?];
        let shape = self.shape(one)?;
        if shape != self.shape(other)? {
            return Err("its inputs have different shapes".to_owned());
        }
        Ok(self.draft(Work::Sum, vec![one, other], shape))
    }

    fn finished(self, output: usize) -> Plan {
        let Self { shapes, drafts, .. } = self;
        let mut drafts = fused(drafts, &shapes, output);
        let Memory { slots, places } = arranged(&mut drafts, &shapes, output);
        let tensor = |tensor: usize| {
            let (slot, start) = places[tensor];
            Tensor { shape: shapes[tensor], slot, start }
        };
        let steps = drafts.into_iter().map(|Draft { work, inputs, output, pooled, .. }| Step {
            work,
            inputs: inputs.into_iter().map(tensor).collect(),
            output: tensor(output),
            pooled: pooled.map(tensor),
        });
        Plan { input: tensor(0), output: tensor(output), steps: steps.collect(), slots }
    }
}

fn input<'a>(node: &'a Node<'_>, number: usize) -> Made<&'a str> {
    node.inputs.get(number).map(String::as_str).ok_or_else(|| "it has too few inputs".to_owned())
}

/// Whether its `pads` count, rather than a rule that makes them.
fn pads_as_told(node: &Node<'_>) -> bool {
    matches!(node.text("auto_pad"), None | Some("NOTSET"))
}

fn floats(bytes: &[[u8; 4]]) -> Vec<f32> {
    bytes.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}
