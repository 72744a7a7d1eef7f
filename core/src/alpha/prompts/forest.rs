//! Regions grown from seeds: the image foresting transform (Falcão, Stolfi and
//! Lotufo, "The Image Foresting Transform", PAMI 26(1), 2004). Each cell goes to the
//! seed to which the cheapest path leads; Dijkstra's algorithm finds all paths at once.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::error::Result;
use crate::exec::control::Control;

/// Whose a cell is.
pub(super) const DROPPED: u32 = 0;
pub(super) const KEPT: u32 = 1;
/// Kept, also outside the boxes.
pub(super) const KEPT_OUTSIDE: u32 = 2;

/// The owner of a cell that nobody reached.
pub(super) const NOBODY: u32 = u32::MAX;

/// Cells between two looks at whether to stop.
const PATIENCE: usize = 1 << 12;

/// One step of a path.
pub(super) struct Step {
    /// What the path cost so far.
    pub(super) cost: u32,
    pub(super) from: usize,
    pub(super) to: usize,
    /// Whether it goes across, and whether it goes down; by a corner does both.
    pub(super) moves: (bool, bool),
    /// Who has the seed that the path came from.
    pub(super) owner: u32,
}

/// Where growth starts: the cell, whose it is, and the cost that it starts with.
#[derive(Clone, Copy)]
pub(super) struct Seed {
    pub(super) at: usize,
    pub(super) owner: u32,
    pub(super) cost: u32,
}

/// The owner of every cell. `cost` tells what a path costs with one more step, at
/// least as much as before; `None` where no path goes. Of paths that cost the same
/// the one that comes to the lower cell first counts.
///
/// # Errors
/// [`Code::Cancelled`](crate::Code::Cancelled).
pub(super) fn grown(
    (width, height): (usize, usize),
    seeds: impl Iterator<Item = Seed>,
    cost: impl Fn(&Step) -> Option<u32>,
    control: &Control<'_>,
) -> Result<Vec<u32>> {
    let mut owners = vec![NOBODY; width * height];
    let mut costs = vec![u32::MAX; width * height];
    let mut queue = BinaryHeap::new();
    for Seed { at, owner, cost } in seeds {
        if cost < costs[at] {
            (owners[at], costs[at]) = (owner, cost);
            queue.push(Reverse((cost, at)));
        }
    }
    let mut patience = 0;
    while let Some(Reverse((spent, from))) = queue.pop() {
        if spent > costs[from] {
            continue;
        }
        if patience % PATIENCE == 0 {
            control.check()?;
        }
        patience += 1;
        let owner = owners[from];
        let (x, y) = (from % width, from / width);
        for to_y in y.saturating_sub(1)..(y + 2).min(height) {
            for to_x in x.saturating_sub(1)..(x + 2).min(width) {
                let to = to_y * width + to_x;
                let step = Step { cost: spent, from, to, moves: (to_x != x, to_y != y), owner };
                if costs[to] > spent
                    && let Some(cost) = cost(&step)
                    && cost < costs[to]
                {
                    (owners[to], costs[to]) = (owner, cost);
                    queue.push(Reverse((cost, to)));
                }
            }
        }
    }
    Ok(owners)
}

/// A path with one more step.
pub(super) fn longer(path: u32, by: f32) -> u32 {
    path.saturating_add(by as u32).min(u32::MAX - 1)
}
