//! Where each tensor lies: a few slots, which tensors use one after the other.

use crate::fuse::can_fuse;
use crate::plan::{Draft, Shape, Work};
use crate::waves::{SLIDE, WAVE};

/// Where tensors lie.
pub(crate) struct Memory {
    /// How many numbers each slot holds.
    pub(crate) slots: Vec<usize>,
    /// The slot of each tensor, and where in it the tensor begins.
    pub(crate) places: Vec<(usize, usize)>,
}

/// Tensors that lie in one place, one made over the other.
struct Object {
    size: usize,
    /// From the step that makes the first to the last that reads one.
    first: usize,
    last: usize,
}

/// Convolutions that can are told to [slide](crate::plan::Convolution::slides). The largest objects choose first: each takes
/// the first slot that is free for as long as it needs one ("Efficient Memory Management for Deep Neural Net Inference",
/// arXiv 2001.03288, section 4.3).
pub(crate) fn arranged(drafts: &mut [Draft], shapes: &[Shape], output: usize) -> Memory {
    let mut last_read = vec![0; shapes.len()];
    for (number, draft) in drafts.iter().enumerate() {
        draft.inputs.iter().chain(&draft.added).for_each(|tensor| last_read[*tensor] = number);
    }
    last_read[output] = usize::MAX;
    let starts = starts(drafts, shapes, &last_read);
    let (of, objects) = objects(drafts, shapes, &starts, &last_read);
    let mut order: Vec<_> = (0..objects.len()).collect();
    order.sort_by_key(|object| std::cmp::Reverse(objects[*object].size));
    let (mut slots, mut slot_of) = (Vec::<Vec<usize>>::new(), vec![0; objects.len()]);
    for object in order {
        let is_free = |slot: &Vec<usize>| slot.iter().all(|other| objects[*other].is_apart(&objects[object]));
        let slot = slots.iter().position(is_free).unwrap_or_else(|| {
            slots.push(Vec::new());
            slots.len() - 1
        });
        slots[slot].push(object);
        slot_of[object] = slot;
    }
    let size = |slot: &Vec<usize>| slot.iter().map(|object| objects[*object].size).max().unwrap_or(0);
    let places = of.into_iter().zip(starts).map(|(object, start)| (slot_of[object], start)).collect();
    Memory { slots: slots.iter().map(size).collect(), places }
}

impl Object {
    fn is_apart(&self, other: &Self) -> bool {
        self.last < other.first || other.last < self.first
    }
}

/// The object of each tensor, and the objects.
fn objects(drafts: &[Draft], shapes: &[Shape], starts: &[usize], last_read: &[usize]) -> (Vec<usize>, Vec<Object>) {
    let object = |tensor: usize, first: usize| Object {
        size: starts[tensor] + shapes[tensor].count(),
        first,
        last: last_read[tensor].max(first),
    };
    // The input of the network is tensor 0.
    let (mut of, mut objects) = (vec![0; shapes.len()], vec![object(0, 0)]);
    for (number, draft) in drafts.iter().enumerate() {
        for tensor in [Some(draft.output), draft.pooled].into_iter().flatten() {
            let made = object(tensor, number);
            match draft.added.or(slid(draft)).filter(|_| tensor == draft.output) {
                Some(shared) => {
                    of[tensor] = of[shared];
                    let object = &mut objects[of[shared]];
                    (object.size, object.last) = (object.size.max(made.size), object.last.max(made.last));
                }
                None => {
                    of[tensor] = objects.len();
                    objects.push(made);
                }
            }
        }
    }
    (of, objects)
}

/// The tensor in whose slot a sliding convolution writes.
fn slid(draft: &Draft) -> Option<usize> {
    let Work::Convolution(convolution) = &draft.work else { return None };
    convolution.slides.map(|input| draft.inputs[input])
}

/// Where in its slot each tensor begins, and which convolutions slide.
fn starts(drafts: &mut [Draft], shapes: &[Shape], last_read: &[usize]) -> Vec<usize> {
    let mut starts = vec![0; shapes.len()];
    // The last first: what is added to lies where the sum does.
    for number in (0..drafts.len()).rev() {
        let draft = &drafts[number];
        let to = shapes[draft.output];
        if let Some(added) = draft.added {
            starts[added] = starts[draft.output];
            continue;
        }
        let slides = draft.inputs.iter().position(|tensor| {
            let is_alone = draft.inputs.iter().filter(|other| *other == tensor).count() == 1;
            last_read[*tensor] == number && shapes[*tensor] == to && is_alone
        });
        let gains = to.height >= 4 * WAVE && starts[draft.output] == 0 && can_fuse(draft, shapes);
        if let (Some(input), true, Work::Convolution(convolution)) = (slides, gains, &mut drafts[number].work) {
            convolution.slides = Some(input);
            starts[drafts[number].inputs[input]] = SLIDE * to.width * to.channels;
        }
    }
    starts
}
