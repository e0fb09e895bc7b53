//! Reproducible random streams: one ChaCha generator for every (study seed, index, purpose).
//!
//! Nothing in the crate keeps a random generator across trials. Whoever needs randomness asks for a stream by
//! what it is for, so that a study killed and resumed at any moment draws exactly what it would have drawn.

use rand::SeedableRng;
use serde::{Deserialize, Serialize};

/// The generator used everywhere: its output is the same on every platform and in every release.
pub type Rng = rand::rngs::ChaCha8Rng;

/// The seed of a study; every random stream of the study derives from it.
///
/// ```
/// use cellwright::Seed;
/// use rand::RngExt;
///
/// let seed = Seed(7);
/// let draw = |index, purpose| seed.stream(index, purpose).random::<u64>();
/// assert_eq!(draw(3, "propose"), draw(3, "propose"));
/// assert_ne!(draw(3, "propose"), draw(4, "propose"));
/// assert_ne!(draw(3, "propose"), draw(3, "shuffle"));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

impl Seed {
    /// The stream for `purpose` at `index` (a trial's id, an epoch, a level: whatever the purpose counts).
    pub fn stream(self, index: u64, purpose: &str) -> Rng {
        let mut key = [0u8; 32];
        key[..8].copy_from_slice(&self.0.to_le_bytes());
        key[8..16].copy_from_slice(&index.to_le_bytes());
        key[16..24].copy_from_slice(&fnv1a(purpose.as_bytes()).to_le_bytes());
        Rng::from_seed(key)
    }

    /// The seed of a sub-task, itself a source of streams.
    pub fn derive(self, index: u64, purpose: &str) -> Seed {
        use rand::Rng as _;
        Seed(self.stream(index, purpose).next_u64())
    }
}

/// The 128-bit FNV-1a hash: for what must be told apart for all time.
pub fn fnv1a_128(bytes: &[u8]) -> u128 {
    let offset = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
    let step = |hash: u128, byte: &u8| (hash ^ u128::from(*byte)).wrapping_mul((1 << 88) | 0x13b);
    bytes.iter().fold(offset, step)
}

/// The 64-bit FNV-1a hash: short, and fixed for all time, as a stored study needs it.
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
