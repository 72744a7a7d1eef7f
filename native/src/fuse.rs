//! Steps that need not be steps: what a convolution can do as it reads and writes.

use crate::plan::{Draft, Shape, Work};
use crate::winograd::Winograd;

type Rule = fn(&mut [Draft], usize, &[Shape], usize) -> bool;

/// Leaves out resizing, sums and pooling where the convolution beside them does that as well. `output` is what the network
/// is for.
pub(crate) fn fused(mut drafts: Vec<Draft>, shapes: &[Shape], output: usize) -> Vec<Draft> {
    // In this order: resizing changes who reads a tensor, a sum takes the place of one that nobody reads any more, and
    // what is pooled may be a sum.
    for is_left_out in [resized as Rule, added, pooled] {
        let mut step = 0;
        while step < drafts.len() {
            if is_left_out(&mut drafts, step, shapes, output) {
                drafts.remove(step);
            } else {
                step += 1;
            }
        }
    }
    drafts
}

/// The steps that read a tensor.
fn readers(drafts: &[Draft], tensor: usize) -> impl Iterator<Item = usize> {
    let reads = move |draft: &Draft| draft.inputs.contains(&tensor) || draft.added == Some(tensor);
    drafts.iter().enumerate().filter(move |(_, draft)| reads(draft)).map(|(step, _)| step)
}

/// The step that makes a tensor; the input of the network has none.
fn maker(drafts: &[Draft], tensor: usize) -> Option<usize> {
    drafts.iter().position(|draft| draft.output == tensor || draft.pooled == Some(tensor))
}

/// Whether a step is a convolution that resizes what it reads, pools what it writes, and slides: one of Winograd's, or of those
/// that a processor with units for matrices has in its place.
pub(crate) fn can_fuse(draft: &Draft, shapes: &[Shape]) -> bool {
    let Work::Convolution(convolution) = &draft.work else { return false };
    let channels: Vec<_> = draft.inputs.iter().map(|input| shapes[*input].channels).collect();
    Winograd::fits(convolution, &channels, shapes[draft.output].width)
}

/// What is resized for one convolution alone is resized as that reads it.
fn resized(drafts: &mut [Draft], step: usize, shapes: &[Shape], output: usize) -> bool {
    let Draft { work: Work::Resize, inputs, output: to, .. } = &drafts[step] else { return false };
    let (from, to) = (inputs[0], *to);
    let &[reader] = &*readers(drafts, to).collect::<Vec<_>>() else { return false };
    let is_fit = to != output && can_fuse(&drafts[reader], shapes) && drafts[reader].added != Some(to);
    if is_fit {
        let inputs = drafts[reader].inputs.iter_mut();
        inputs.filter(|input| **input == to).for_each(|input| *input = from);
    }
    is_fit
}

/// A sum is made by the convolution that it follows, in the place of the other number, if nobody needs that any more.
fn added(drafts: &mut [Draft], step: usize, _: &[Shape], output: usize) -> bool {
    let Draft { work: Work::Sum, inputs, output: sum, .. } = &drafts[step] else { return false };
    let (sum, pairs) = (*sum, [(inputs[0], inputs[1]), (inputs[1], inputs[0])]);
    for (made, other) in pairs {
        let Some(maker) = maker(drafts, made).filter(|step| self::maker(drafts, other) < Some(*step)) else { continue };
        let draft = &drafts[maker];
        let Work::Convolution(convolution) = &draft.work else { continue };
        let is_last = readers(drafts, other).all(|reader| reader < maker || reader == step);
        let is_alone = readers(drafts, made).eq([step]) && !convolution.adds;
        if is_last && is_alone && made != other && made != output && other != output {
            let draft = &mut drafts[maker];
            let Work::Convolution(convolution) = &mut draft.work else { continue };
            convolution.adds = true;
            (draft.added, draft.output) = (Some(other), sum);
            return true;
        }
    }
    false
}

/// What is pooled is pooled as the convolution before it writes.
fn pooled(drafts: &mut [Draft], step: usize, shapes: &[Shape], _: usize) -> bool {
    let Draft { work: Work::MaxPool, inputs, output: pooled, .. } = &drafts[step] else { return false };
    let (from, pooled) = (inputs[0], *pooled);
    let Some(maker) = maker(drafts, from) else { return false };
    let Shape { height, width, .. } = shapes[from];
    let is_fit = can_fuse(&drafts[maker], shapes)
        && drafts[maker].output == from
        && drafts[maker].pooled.is_none()
        && [height, width].iter().all(|size| size.is_multiple_of(2));
    if is_fit {
        drafts[maker].pooled = Some(pooled);
    }
    is_fit
}
