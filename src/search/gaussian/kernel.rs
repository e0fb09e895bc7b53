//! How alike two candidates are held to be.

use super::view::{View, Viewer, apart, distance};

/// What a model believes of its space, as logarithms: how much each side of a [`View`] explains, how fast likeness falls
/// with distance, and how noisy scores are. Scores have a variance of about 1.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Belief {
    /// Variance by places; weight of every place; variance and weight of every group; variance of the noise.
    pub log: Vec<f64>,
    /// Number of places.
    pub places: usize,
    /// Number of groups.
    pub groups: usize,
}

/// Random candidates differ so much that their likeness is `exp(-FALL)` by places, and `exp(-FALL / 2)` by groups, which
/// vary less from candidate to candidate.
const FALL: f64 = 2.0;

/// The noise's variance before anything is known.
const NOISE: f64 = 0.1;

/// Added to every variance: no factor exists without.
pub(super) const JITTER: f64 = 1e-6;

impl Belief {
    /// Before anything is known all sides are alike.
    pub fn prior(viewer: &Viewer) -> Belief {
        let (places, groups) = (viewer.places, viewer.groups.len());
        let share = -((1 + groups) as f64).ln();
        let spread: f64 = viewer.place_spreads.iter().map(|spread| f64::from(*spread)).sum();
        let mut log = vec![share];
        log.extend(std::iter::repeat_n((FALL / spread.max(1e-9)).ln(), places));
        log.extend(std::iter::repeat_n([share, (FALL / 2.0).ln()], groups).flatten());
        log.push(NOISE.ln());
        Belief { log, places, groups }
    }

    /// The noise's variance.
    pub fn noise(&self) -> f64 {
        self.log.last().map_or(NOISE, |log| log.exp())
    }

    /// Where a group's variance stands; its weight comes after it.
    pub fn group(&self, group: usize) -> usize {
        1 + self.places + 2 * group
    }

    /// A candidate's own variance, the noise aside.
    pub fn variance(&self) -> f64 {
        self.log[0].exp() + (0..self.groups).map(|group| self.log[self.group(group)].exp()).sum::<f64>()
    }
}

/// A belief ready to compare views.
#[derive(Clone, Debug)]
pub(super) struct Kernel {
    variance: f32,
    weights: Vec<f32>,
    groups: Vec<Group>,
}

#[derive(Clone, Debug)]
struct Group {
    range: std::ops::Range<usize>,
    variance: f32,
    weight: f32,
}

/// What explains less of the scores than this is not looked at.
const NEGLIGIBLE: f32 = 1e-4;

impl Kernel {
    /// The kernel of a belief.
    pub fn new(viewer: &Viewer, belief: &Belief) -> Kernel {
        let exp = |at: usize| belief.log[at].exp() as f32;
        let group = |number: usize| {
            let at = belief.group(number);
            let (range, variance) = (viewer.groups[number].clone(), exp(at));
            Group { range, variance, weight: exp(at + 1) / viewer.spreads[number] }
        };
        let groups = (0..belief.groups).map(group).filter(|group| group.variance > NEGLIGIBLE);
        Kernel {
            variance: exp(0),
            weights: (0..belief.places).map(|place| exp(1 + place)).collect(),
            groups: groups.collect(),
        }
    }

    /// The covariance of two candidates' worths.
    pub fn between(&self, a: &View, b: &View) -> f32 {
        let places = self.weights.iter().zip(a.places.iter().zip(&b.places));
        let far: f32 = places.map(|(weight, (a, b))| weight * distance(*a, *b)).sum();
        let group = |group: &Group| {
            let far = apart(&a.counts[group.range.clone()], &b.counts[group.range.clone()]);
            group.variance * (-group.weight * far).exp()
        };
        self.variance * (-far).exp() + self.groups.iter().map(group).sum::<f32>()
    }
}
