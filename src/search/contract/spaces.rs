//! Spaces of every kind, over bare trees: no network is built.

use crate::space::Space;
use crate::symbolic::Sources;

fn space(text: &str) -> Space {
    let program = Sources::default().read("test.ron", text).expect("valid RON");
    Space::untyped(&program).expect("a valid space")
}

/// 4 decisions of 4: 256 candidates.
pub fn flat() -> Space {
    space("(a: OneOf([0, 1, 2, 3]), b: OneOf([0, 1, 2, 3]), c: OneOf([0, 1, 2, 3]), d: OneOf([0, 1, 2, 3]))")
}

/// 8 decisions of 4: 65,536 candidates.
pub fn wide() -> Space {
    let fields: Vec<String> = ('a'..='h').map(|name| format!("{name}: OneOf([0, 1, 2, 3])")).collect();
    space(&format!("({})", fields.join(", ")))
}

/// A choice that brings a number, and one that brings nothing.
pub fn conditional() -> Space {
    space("(optimizer: OneOf([Sgd(momentum: Float(0.0, 1.0)), Adam, Rms]), depth: OneOf([1, 2, 3, 4]))")
}

/// Numbers of all scales, a list and a permutation.
pub fn numeric() -> Space {
    space(
        "(width: Int(1, 1000), rate: Float(1e-4, 1.0, Log), momentum: Float(0.9, 0.999, ReverseLog),
          few: Int(0, 2), ops: ManyOf(2, [0, 1, 2], distinct), order: Permutation([0, 1, 2]))",
    )
}

/// A single candidate.
pub fn one_point() -> Space {
    space("(a: OneOf([7]), b: Int(3, 3), c: 1)")
}

/// 6 candidates, three of them conditional.
pub fn small() -> Space {
    space("(a: OneOf([X(OneOf([0, 1, 2])), Y, Z, W]))")
}

/// A cell of 1 to 3 blocks, and a hyperparameter beside it.
pub fn cell() -> Space {
    let input = |block: usize| {
        let earlier: String = (1..block).map(|number| format!(", Block({number})")).collect();
        format!("OneOf([PreviousCell, CellBefore{earlier}])")
    };
    let branch = |block| format!("(input: {}, op: OneOf([Conv, Pool, Skip]))", input(block));
    let blocks: Vec<String> =
        (1..=3).map(|block| format!("(left: {0}, right: {0})", branch(block))).collect();
    space(&format!("(cell: Prefix(1, [{}]), rate: Float(1e-3, 1.0, Log))", blocks.join(", ")))
}

/// Networks of one or two blocks, many of them isomorphic, of which only the smaller half may be proposed.
pub fn constrained() -> Space {
    let text = r#"Space(
        let: { "op": OneOf([SepConv(kernel: 3), ReluConvBn(kernel: 3), MaxPool(kernel: 3), SkipConnect]) },
        program: (
            task: (input: (1, 8, 8), classes: 10),
            architecture: Stacked(cell: Blocks(Prefix(1, [
                (left: (input: PreviousCell, op: Fresh("op")), right: (input: CellBefore, op: Fresh("op"))),
                (left: (input: Block(1), op: Fresh("op")), right: (input: PreviousCell, op: Fresh("op"))),
            ])), stages: 1, repeats: 1, channels: 8),
            training: (learning_rate: OneOf([0.1, 0.01])),
        ),
        constraints: [Params(max: 1500)],
    )"#;
    Space::from_ron("test.ron", text).expect("a valid space")
}

/// All of them, by name.
pub fn all() -> Vec<(&'static str, Space)> {
    vec![
        ("flat", flat()),
        ("conditional", conditional()),
        ("numeric", numeric()),
        ("one point", one_point()),
        ("small", small()),
        ("cell", cell()),
        ("constrained", constrained()),
    ]
}
