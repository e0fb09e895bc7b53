//! Cells of blocks, as in NASNet (<https://arxiv.org/abs/1707.07012>) and PNAS (<https://arxiv.org/abs/1712.00559>).

use petgraph::graph::NodeIndex;
use serde::{Deserialize, Serialize};

use super::{Cell, Node, Place, Widths, WiringError};
use crate::op::Op;

/// The blocks of a cell, in order: each reads the cell's two inputs or earlier blocks.
///
/// ```
/// use cellwright::architecture::Blocks;
///
/// let blocks: Blocks = ron::from_str(
///     "[Block(left: Branch(input: CellBefore, op: SkipConnect(())), right: Branch(input: PreviousCell, op: SkipConnect(())))]",
/// )?;
/// assert_eq!(blocks.len(), 1);
/// # Ok::<(), ron::error::SpannedError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Block>", into = "Vec<Block>")]
pub struct Blocks(Vec<Block>);

/// Two inputs, an op on each, and their sum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// One half.
    pub left: Branch,
    /// The other half.
    pub right: Branch,
}

/// An input and the op on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    /// What it reads.
    pub input: BlockInput,
    /// What it does.
    pub op: Op,
}

/// What a branch of a block reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BlockInput {
    /// The output of the previous cell.
    PreviousCell,
    /// The output of the cell before the previous one.
    CellBefore,
    /// The output of an earlier block of this cell, counted from 1.
    Block(usize),
}

impl std::ops::Deref for Blocks {
    type Target = [Block];
    fn deref(&self) -> &[Block] {
        &self.0
    }
}

impl From<Blocks> for Vec<Block> {
    fn from(blocks: Blocks) -> Vec<Block> {
        blocks.0
    }
}

impl TryFrom<Vec<Block>> for Blocks {
    type Error = WiringError;

    fn try_from(blocks: Vec<Block>) -> Result<Blocks, WiringError> {
        if blocks.is_empty() {
            return Err(WiringError("a cell needs at least one block".into()));
        }
        for (index, block) in blocks.iter().enumerate() {
            for (side, branch) in [("left", &block.left), ("right", &block.right)] {
                check(index, side, branch.input)?;
            }
        }
        Ok(Blocks(blocks))
    }
}

fn check(index: usize, side: &str, input: BlockInput) -> Result<(), WiringError> {
    match input {
        BlockInput::Block(number) if number == 0 || number > index => {
            let earlier = match index {
                0 => String::new(),
                1 => " or Block(1)".to_owned(),
                _ => format!(" or Block(1) to Block({index})"),
            };
            Err(WiringError(format!(
                "the {side} input of block {} is Block({number}); it can be PreviousCell, CellBefore{earlier}",
                index + 1
            )))
        }
        _ => Ok(()),
    }
}

impl Blocks {
    /// The cell whose output concatenates every block (PNAS).
    pub fn cell(&self) -> Cell {
        self.join(|_| true)
    }

    /// The cell whose output concatenates the blocks that no other block reads (NASNet, AmoebaNet).
    pub fn loose_cell(&self) -> Cell {
        let inputs = || self.iter().flat_map(|block| [block.left.input, block.right.input]);
        self.join(|number| inputs().all(|input| input != BlockInput::Block(number)))
    }

    fn join(&self, leaves: impl Fn(usize) -> bool) -> Cell {
        let mut cell = Cell::new(Widths::Equal);
        let mut states = vec![cell.add(Node::Input(0), &[]), cell.add(Node::Input(1), &[])];
        for (index, block) in self.iter().enumerate() {
            let number = index + 1;
            let left = add_branch(&mut cell, &states, Place::Left(number), &block.left);
            let right = add_branch(&mut cell, &states, Place::Right(number), &block.right);
            states.push(cell.add_at(Place::Block(number), Node::Add, &[left, right]));
        }
        let joined: Vec<_> =
            (1..=self.len()).filter(|number| leaves(*number)).map(|number| states[number + 1]).collect();
        cell.add(Node::Concat, &joined);
        cell
    }
}

fn add_branch(cell: &mut Cell, states: &[NodeIndex], place: Place, branch: &Branch) -> NodeIndex {
    let state = match branch.input {
        BlockInput::PreviousCell => 0,
        BlockInput::CellBefore => 1,
        BlockInput::Block(number) => number + 1,
    };
    cell.add_at(place, Node::Op(branch.op.clone()), &[states[state]])
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::op::SkipConnect;

    pub fn block(left: BlockInput, right: BlockInput) -> Block {
        let branch = |input| Branch { input, op: Op::SkipConnect(SkipConnect::default()) };
        Block { left: branch(left), right: branch(right) }
    }

    #[test]
    fn pnas_joins_every_block_and_nasnet_the_loose_ones() {
        use BlockInput::{Block, CellBefore, PreviousCell};
        let blocks = vec![
            block(CellBefore, PreviousCell),
            block(Block(1), PreviousCell),
            block(CellBefore, CellBefore),
        ];
        let blocks = Blocks::try_from(blocks).expect("valid");
        assert_eq!(blocks.cell().sources(blocks.cell().output()).len(), 3);
        assert_eq!(blocks.loose_cell().sources(blocks.loose_cell().output()).len(), 2);
        assert_eq!(blocks.cell().graph().node_count(), 2 + 3 * 3 + 1);
    }

    #[test]
    fn a_block_cannot_read_itself_or_a_later_one() {
        use BlockInput::{Block, PreviousCell};
        let message = |input| {
            Blocks::try_from(vec![block(PreviousCell, PreviousCell), block(PreviousCell, input)])
                .map_err(|e| e.0)
        };
        assert_eq!(
            message(Block(2)).unwrap_err(),
            "the right input of block 2 is Block(2); it can be PreviousCell, CellBefore or Block(1)"
        );
        assert!(message(Block(0)).is_err());
        assert!(message(Block(1)).is_ok());
        assert!(Blocks::try_from(vec![]).is_err());
    }
}
