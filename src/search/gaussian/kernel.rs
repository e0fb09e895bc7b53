//! How alike two candidates are held to be.

use super::view::{View, Viewer, apart, distance};

/// What a model believes of its space, as logarithms: how much each side of a [`View`] explains, how fast likeness falls
/// with distance, and how noisy scores are. Scores have a variance of about 1.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Belief {
    /// Variance by places; weight of every place; variance and weight of every group; variance of the noise on every
    /// rung. Where there are several rungs, moreover the variance of what is a candidate's own; the scale of every rung;
    /// how far every rung but the highest is from the next.
    pub log: Vec<f64>,
    /// Number of places.
    pub places: usize,
    /// Number of groups.
    pub groups: usize,
    /// Number of rungs.
    pub rungs: usize,
}

/// Random candidates differ so much that their likeness is `exp(-FALL)` by places, and `exp(-FALL / 2)` by groups, which
/// vary less from candidate to candidate.
const FALL: f64 = 2.0;

/// The noise's variance before anything is known.
const NOISE: f64 = 0.1;

/// What is a candidate's own, before anything is known: what no other candidate tells of it, and is not noise.
const OWN: f64 = 0.1;

/// How far a rung is from one of `e` times the fidelity, before anything is known: they correlate by `exp(-APART)`.
const APART: f64 = 0.4;

/// Added to every variance: no factor exists without.
pub(super) const JITTER: f64 = 1e-6;

impl Belief {
    /// Before anything is known all sides are alike.
    pub fn prior(viewer: &Viewer, costs: &[f64]) -> Belief {
        let (places, groups) = (viewer.places, viewer.groups.len());
        let share = -((1 + groups) as f64).ln();
        let spread: f64 = viewer.place_spreads.iter().map(|spread| f64::from(*spread)).sum();
        let mut log = vec![share];
        log.extend(std::iter::repeat_n((FALL / spread.max(1e-9)).ln(), places));
        log.extend(std::iter::repeat_n([share, (FALL / 2.0).ln()], groups).flatten());
        let rungs = costs.len();
        log.extend(std::iter::repeat_n(NOISE.ln(), rungs));
        if rungs > 1 {
            log.push(OWN.ln());
            log.extend(std::iter::repeat_n(0.0, rungs));
            log.extend(costs.windows(2).map(|pair| (APART * (pair[1] / pair[0]).ln().max(0.1)).ln()));
        }
        Belief { log, places, groups, rungs }
    }

    /// Where the variance of the noise on a rung stands.
    pub fn noise_at(&self, rung: usize) -> usize {
        1 + self.places + 2 * self.groups + rung
    }

    /// The variance of the noise on a rung.
    pub fn noise(&self, rung: usize) -> f64 {
        self.log[self.noise_at(rung)].exp()
    }

    /// Where the variance stands of what is a candidate's own, where there are several rungs; then the scales, then the
    /// distances.
    pub fn own_at(&self) -> usize {
        self.noise_at(self.rungs)
    }

    /// The variance of what is a candidate's own.
    pub fn own(&self) -> f64 {
        if self.rungs > 1 { self.log[self.own_at()].exp() } else { 0.0 }
    }

    /// By what a covariance is multiplied between two rungs: both scales, and how well they correlate.
    pub fn between_rungs(&self, a: usize, b: usize) -> f64 {
        if self.rungs == 1 {
            return 1.0;
        }
        let (scales, distances) = self.log[self.own_at() + 1..].split_at(self.rungs);
        let far: f64 = distances[a.min(b)..a.max(b)].iter().map(|log| log.exp()).sum();
        (scales[a] + scales[b] - far).exp()
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

/// A candidate on a rung.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    pub view: View,
    /// Its rung, the lowest being 0.
    pub rung: usize,
    /// Its number among the candidates that were tried; none where all are tried on one rung only.
    pub name: Option<u32>,
}

/// A belief ready to compare views.
#[derive(Clone, Debug)]
pub(super) struct Kernel {
    variance: f32,
    weights: Vec<f32>,
    groups: Vec<Group>,
    own: f32,
    /// By what covariances between two rungs are multiplied.
    rungs: Vec<Vec<f32>>,
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
            own: belief.own() as f32,
            rungs: (0..belief.rungs)
                .map(|a| (0..belief.rungs).map(|b| belief.between_rungs(a, b) as f32).collect())
                .collect(),
        }
    }

    /// The covariance of two candidates' worths, each on its rung.
    pub fn on_rungs(&self, a: &Standing, b: &Standing) -> f32 {
        let own = if a.name.is_some() && a.name == b.name { self.own } else { 0.0 };
        (self.between(&a.view, &b.view) + own) * self.rungs[a.rung][b.rung]
    }

    /// The covariance of one candidate's worths on two rungs.
    pub fn on_itself(&self, a: usize, b: usize) -> f32 {
        (self.variance + self.groups.iter().map(|group| group.variance).sum::<f32>() + self.own)
            * self.rungs[a][b]
    }

    /// The covariance of two candidates' worths by what they look like.
    fn between(&self, a: &View, b: &View) -> f32 {
        let places = self.weights.iter().zip(a.places.iter().zip(&b.places));
        let far: f32 = places.map(|(weight, (a, b))| weight * distance(*a, *b)).sum();
        let group = |group: &Group| {
            let far = apart(&a.counts[group.range.clone()], &b.counts[group.range.clone()]);
            group.variance * (-group.weight * far).exp()
        };
        self.variance * (-far).exp() + self.groups.iter().map(group).sum::<f32>()
    }
}
