//! How fast a training went through its pictures, and how much of that time it waited for them.

use std::fmt::{self, Display};

use crate::loader::Broken;

/// What a training went through, validation left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Throughput {
    /// Pictures learnt from, those of every epoch.
    pub pictures: u64,
    /// Seconds of its epochs.
    pub seconds: f64,
    /// Seconds of them in which the training had no batch to work on. A device that works on behind what it is told has
    /// waited at most that long.
    pub waited_seconds: f64,
    /// What could not be decoded, validation included.
    pub broken: Broken,
}

impl Throughput {
    /// Pictures a second; 0 where nothing was learnt.
    pub fn pictures_per_second(&self) -> f64 {
        if self.seconds > 0.0 { self.pictures as f64 / self.seconds } else { 0.0 }
    }

    /// The share of its time that the training waited for pictures, in [0, 1].
    pub fn waited_share(&self) -> f64 {
        if self.seconds > 0.0 { (self.waited_seconds / self.seconds).min(1.0) } else { 0.0 }
    }
}

impl Display for Throughput {
    /// Such as `3750 pictures in 2.5 s, 1500 a second; 4.0 % of it waiting for them`.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (pictures, seconds) = (self.pictures, self.seconds);
        let (rate, share) = (self.pictures_per_second(), self.waited_share() * 100.0);
        write!(
            f,
            "{pictures} pictures in {seconds:.1} s, {rate:.0} a second; {share:.1} % of it waiting for them"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_shares() {
        let some =
            Throughput { pictures: 3750, seconds: 2.5, waited_seconds: 0.1, broken: Broken::default() };
        assert_eq!(some.to_string(), "3750 pictures in 2.5 s, 1500 a second; 4.0 % of it waiting for them");
        assert_eq!(
            (Throughput::default().pictures_per_second(), Throughput::default().waited_share()),
            (0.0, 0.0)
        );
    }
}
