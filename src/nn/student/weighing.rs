//! From the terms of all tasks to the one number that is descended.

use burn::tensor::{Device, Tensor};

use super::losses::{Loss, Term};
use crate::data::Label;
use crate::must::student::TaskWeights;

/// The share of what was before in the means that people's and teachers' labels are brought to one scale by.
const KEPT: f64 = 0.95;
/// How far a learned weight's logarithm moves in a step at most.
const RATE: f64 = 0.05;
/// How far from 0 it may be.
const FARTHEST: f64 = 4.0;
/// The largest factor between the losses of people's and teachers' labels.
const MOST: f64 = 1e3;

/// What tasks weigh, and what that was learned from.
pub(super) struct Weighing {
    weights: TaskWeights,
    /// Weight of teachers' labels, where their loss is brought to the scale of people's.
    alpha: Option<f64>,
    tasks: Vec<Weighed>,
    device: Device,
}

/// One task's part of it; all off autodiff.
#[derive(Default)]
struct Weighed {
    /// The learned logarithm of what the loss is divided by.
    spread: Option<Tensor<1>>,
    /// Moving means of the losses of people's and of teachers' labels.
    means: [Option<Tensor<1>>; 2],
}

/// What a step's losses come to.
pub(super) struct Weighted {
    /// What is descended; `None` where there is no label.
    pub(super) total: Option<Tensor<1>>,
    /// Each task's mean loss over all its samples, off autodiff.
    pub(super) told: Vec<(Label, Tensor<1>)>,
}

impl Weighing {
    pub(super) fn new(weights: TaskWeights, alpha: Option<f64>, device: &Device) -> Weighing {
        let tasks = Label::ALL.iter().map(|_| Weighed::default()).collect();
        Weighing { weights, alpha, tasks, device: device.clone() }
    }

    /// Adds up a batch's losses; `pseudo` says by label, in the order of all, of which samples a teacher gave it.
    pub(super) fn weigh(&mut self, losses: Vec<Loss>, pseudo: &[Vec<bool>; Label::ALL.len()]) -> Weighted {
        let mut weighted = Weighted { total: None, told: Vec::new() };
        for Loss { task, terms, labelled } in losses {
            let Some(mean) = mean(&terms, &labelled) else { continue };
            let now = mean.clone().inner();
            let loss = match self.alpha {
                Some(alpha) => {
                    let of = |teacher: bool| -> Vec<bool> {
                        labelled
                            .iter()
                            .zip(&pseudo[place(task)])
                            .map(|(has, pseudo)| *has && *pseudo == teacher)
                            .collect()
                    };
                    let kinds = [of(false), of(true)].map(|members| self::mean(&terms, &members));
                    self.task(task).joined(kinds, alpha).unwrap_or(mean)
                }
                None => mean,
            };
            let loss = self.times_weight(task, loss, &now);
            weighted.total = Some(match weighted.total {
                Some(total) => total + loss,
                None => loss,
            });
            weighted.told.push((task, now));
        }
        weighted
    }

    fn task(&mut self, task: Label) -> &mut Weighed {
        &mut self.tasks[place(task)]
    }

    fn times_weight(&mut self, task: Label, loss: Tensor<1>, now: &Tensor<1>) -> Tensor<1> {
        if let Some(weight) = self.weights.of(task) {
            return loss.mul_scalar(weight);
        }
        let start = Tensor::zeros([1], &self.device);
        let weighed = self.task(task);
        let spread = weighed.spread.take().unwrap_or(start);
        let weight = spread.clone().neg().exp();
        // The slope of exp(-s) loss + s, cut off so that no single batch throws it about.
        let slope = (weight.clone() * now.clone()).neg().add_scalar(1.0).clamp(-1.0, 1.0);
        weighed.spread = Some((spread - slope.mul_scalar(RATE)).clamp(-FARTHEST, FARTHEST));
        loss * weight.autodiff()
    }

    /// All that it has learned, by name.
    pub(super) fn numbers(&self) -> Vec<(String, Vec<f32>)> {
        let named = self.tasks.iter().zip(Label::ALL).flat_map(|(weighed, task)| {
            let [people, teachers] = &weighed.means;
            let parts = [("spread", &weighed.spread), ("people", people), ("teachers", teachers)];
            parts.map(|(part, value)| Some((format!("{}/{part}", task.name()), value.as_ref()?.clone())))
        });
        named.flatten().map(|(name, value)| (name, value.into_data().iter::<f32>().collect())).collect()
    }

    /// Goes on from what [`Weighing::numbers`] gave.
    pub(super) fn resume(&mut self, number: &dyn Fn(&str) -> Option<Vec<f32>>) {
        for (weighed, task) in self.tasks.iter_mut().zip(Label::ALL) {
            let value = |part: &str| {
                let values = number(&format!("{}/{part}", task.name()))?;
                Some(Tensor::from_floats(values.as_slice(), &self.device))
            };
            *weighed = Weighed { spread: value("spread"), means: [value("people"), value("teachers")] };
        }
    }
}

impl Weighed {
    /// `(people + alpha (people's mean / teachers' mean) teachers) / (1 + alpha)`; where only one kind was ever met, its
    /// loss alone.
    fn joined(&mut self, kinds: [Option<Tensor<1>>; 2], alpha: f64) -> Option<Tensor<1>> {
        for (mean, loss) in self.means.iter_mut().zip(&kinds) {
            let Some(now) = loss.clone().map(Tensor::inner) else { continue };
            *mean = Some(match mean.take() {
                Some(before) => before.mul_scalar(KEPT) + now.mul_scalar(1.0 - KEPT),
                None => now,
            });
        }
        let [people, teachers] = kinds;
        let (Some(of_people), Some(of_teachers)) = (&self.means[0], &self.means[1]) else {
            return people.or(teachers);
        };
        let scale = of_people.clone() / of_teachers.clone().clamp_min(1e-12);
        let scale = scale.clamp(1.0 / MOST, MOST).mul_scalar(alpha).autodiff();
        let teachers = teachers.map(|loss| loss * scale);
        let sum = match (people, teachers) {
            (Some(people), Some(teachers)) => people + teachers,
            (people, teachers) => people.or(teachers)?,
        };
        Some(sum.div_scalar(1.0 + alpha))
    }
}

fn place(task: Label) -> usize {
    Label::ALL.iter().position(|other| *other == task).unwrap_or_default()
}

/// The terms over the samples that are members, each divided by what it counts there; `None` where none is.
fn mean(terms: &[Term], members: &[bool]) -> Option<Tensor<1>> {
    if !members.contains(&true) {
        return None;
    }
    let term = |term: &Term| {
        let counted = term.counts.iter().zip(members).filter(|(_, member)| **member);
        let count = counted.map(|(count, _)| *count).sum::<f32>().max(term.least);
        let shares: Vec<f32> = members.iter().map(|member| if *member { 1.0 / count } else { 0.0 }).collect();
        let shares = Tensor::<1>::from_floats(shares.as_slice(), &term.sums.device());
        (term.sums.clone() * shares).sum()
    };
    terms.iter().map(term).reduce(|sum, term| sum + term)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::execute::vector;

    fn loss(sums: &[f32], labelled: &[bool]) -> Loss {
        let counts = labelled.iter().map(|has| f32::from(u8::from(*has))).collect();
        let sums = vector(sums.to_vec()).autodiff();
        Loss {
            task: Label::Depth,
            terms: vec![Term { sums, counts, least: 1.0 }],
            labelled: labelled.to_vec(),
        }
    }

    fn total(weighing: &mut Weighing, sums: &[f32], labelled: &[bool], pseudo: &[bool]) -> Option<f32> {
        weighing
            .weigh(vec![loss(sums, labelled)], &Label::ALL.map(|_| pseudo.to_vec()))
            .total
            .map(|total| total.inner().into_scalar())
    }

    fn weighing(weights: TaskWeights, alpha: Option<f64>) -> Weighing {
        Weighing::new(weights, alpha, &crate::nn::device())
    }

    #[test]
    fn only_samples_with_the_label_count_and_none_gives_nothing() {
        let fixed =
            TaskWeights::Fixed { class: 1.0, objects: 1.0, segmentation: 1.0, depth: 0.5, normals: 1.0 };
        let mut weighing = weighing(fixed, None);
        let met = total(&mut weighing, &[1.0, 3.0, 0.0], &[true, true, false], &[false; 3]);
        assert_eq!(met, Some(1.0), "half of the mean of 1 and 3");
        assert_eq!(total(&mut weighing, &[0.0, 0.0], &[false, false], &[false; 2]), None);
    }

    #[test]
    fn teachers_labels_are_brought_to_the_scale_of_peoples() {
        let mut weighing = weighing(TaskWeights::default(), Some(2.0));
        let (both, pseudo) = (&[true, true], &[false, true]);
        // Only people, so far: nothing is scaled.
        assert_eq!(total(&mut weighing, &[4.0, 0.0], &[true, false], pseudo), Some(4.0));
        // Means 4 and 8: (4 + 2 * (4 / 8) * 8) / 3.
        assert_eq!(total(&mut weighing, &[4.0, 8.0], both, pseudo), Some(4.0));
        // Means 0.95 * 4 + 0.05 * 2 = 3.9 and 0.95 * 8 + 0.05 * 16 = 8.4: (2 + 2 * (3.9 / 8.4) * 16) / 3.
        let met = total(&mut weighing, &[2.0, 16.0], both, pseudo).unwrap();
        assert!((f64::from(met) - (2.0 + 2.0 * 3.9 / 8.4 * 16.0) / 3.0).abs() < 1e-5, "{met}");
        let kept = weighing.numbers();
        let mut other = self::weighing(TaskWeights::default(), Some(2.0));
        other.resume(&|name| kept.iter().find(|(known, _)| known == name).map(|(_, values)| values.clone()));
        assert_eq!(other.numbers(), kept);
        assert_eq!(kept.len(), 2);
    }

    #[test]
    fn learned_weights_come_to_one_over_the_loss() {
        let mut weighing = weighing(TaskWeights::Uncertainty, None);
        let met: Vec<f32> =
            (0..200).map(|_| total(&mut weighing, &[5.0, 5.0], &[true; 2], &[false; 2]).unwrap()).collect();
        assert_eq!(met[0], 5.0);
        assert!((met[199] - 1.0).abs() < 0.01, "{}", met[199]);
        assert!(met.windows(2).all(|pair| pair[1] <= pair[0] + 1e-6));
    }
}
