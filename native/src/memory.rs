//! Where each tensor lies: a few slots, which tensors use one after the other.

use crate::fuse::is_winograd;
use crate::plan::{Draft, Shape, Work};
use crate::winograd::{SLIDE, WAVE};

/// Where tensors lie.
pub(crate) struct Memory {
    /// How many numbers each slot holds.
    pub(crate) slots: Vec<usize>,
    /// The slot of each tensor, and where in it the tensor begins.
    pub(crate) places: Vec<(usize, usize)>,
}

/// Convolutions that can are told to [slide](crate::plan::Convolution::slides). Other tensors go to the smallest slot that
/// is free and large enough, else to the largest that is free, which grows.
pub(crate) fn arranged(drafts: &mut [Draft], shapes: &[Shape], output: usize) -> Memory {
    let mut last_read = vec![0; shapes.len()];
    for (number, draft) in drafts.iter().enumerate() {
        draft.inputs.iter().chain(&draft.added).for_each(|tensor| last_read[*tensor] = number);
    }
    last_read[output] = usize::MAX;
    let starts = starts(drafts, shapes, &last_read);
    let (mut slots, mut of, mut free) = (vec![starts[0] + shapes[0].len()], vec![0; shapes.len()], Vec::<usize>::new());
    for (number, draft) in drafts.iter().enumerate() {
        let shared = draft.added.or(slid(draft));
        for tensor in [Some(draft.output), draft.pooled].into_iter().flatten() {
            let size = starts[tensor] + shapes[tensor].len();
            let fits = free.iter().copied().filter(|slot| slots[*slot] >= size).min_by_key(|slot| slots[*slot]);
            let found = fits.or_else(|| free.iter().copied().max_by_key(|slot| slots[*slot]));
            let slot = match (shared.filter(|_| tensor == draft.output), found) {
                (Some(shared), _) => of[shared],
                (None, Some(slot)) => {
                    free.retain(|other| *other != slot);
                    slot
                }
                (None, None) => {
                    slots.push(0);
                    slots.len() - 1
                }
            };
            slots[slot] = slots[slot].max(size);
            of[tensor] = slot;
        }
        let is_done = |tensor: &&usize| last_read[**tensor] == number && Some(**tensor) != slid(draft);
        let mut done: Vec<_> = draft.inputs.iter().filter(is_done).collect();
        done.sort_unstable();
        done.dedup();
        free.extend(done.into_iter().map(|tensor| of[*tensor]));
    }
    Memory { slots, places: of.into_iter().zip(starts).collect() }
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
        let gains = to.height >= 4 * WAVE && starts[draft.output] == 0 && is_winograd(draft, shapes);
        if let (Some(input), true, Work::Convolution(convolution)) = (slides, gains, &mut drafts[number].work) {
            convolution.slides = Some(input);
            starts[drafts[number].inputs[input]] = SLIDE * to.width * to.channels;
        }
    }
    starts
}
