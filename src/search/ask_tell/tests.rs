//! Searches whose loop is the caller's: alike when asked alike, and refusing what is none of theirs.

use super::*;
use crate::search::contract::spaces;
use crate::search::{Random, RegularizedEvolution};

fn accuracy() -> Objective {
    Objective::Maximize("accuracy".into())
}

fn evolution() -> Algorithm {
    Algorithm::RegularizedEvolution(RegularizedEvolution { population: Some(6), sample: Some(3) })
}

fn search<'a>(space: &'a Space, config: &Algorithm) -> AskTell<'a> {
    AskTell::new(space, config, accuracy()).with_trials(40).with_seed(Seed(3))
}

/// The share of odd digits: any figure that depends on the candidate.
fn worth(trial: &Trial) -> f64 {
    let digits: Vec<u32> =
        trial.proposal.genotype.to_string().chars().filter_map(|c| c.to_digit(10)).collect();
    digits.iter().map(|digit| f64::from(digit % 2)).sum::<f64>() / digits.len() as f64
}

/// Goes on to the end with as many at once; the results come in out of order, but always alike.
fn finish(search: &mut AskTell, hands: usize) {
    loop {
        let full = search.pending().count() >= hands;
        if !full && search.ask().expect("asks").is_some() {
            continue;
        }
        let Some(trial) = search.pending().last().cloned() else { return };
        match trial.id % 7 {
            6 => search.tell_failure(trial.id, "diverged").expect("told"),
            _ => search.tell(trial.id, [("accuracy", worth(&trial))]).expect("told"),
        }
    }
}

#[test]
fn the_same_asks_and_tells_give_the_same_trials() {
    let space = spaces::wide();
    for hands in [1, 4] {
        let [mut first, mut again] = [(); 2].map(|()| search(&space, &evolution()));
        finish(&mut first, hands);
        finish(&mut again, hands);
        assert_eq!(first.trials(), again.trials());
        assert_eq!(first.trials().len(), 40);
        let mut other = search(&space, &evolution()).with_seed(Seed(4));
        finish(&mut other, hands);
        assert_ne!(first.trials(), other.trials());
    }
}

#[test]
fn goes_on_from_stored_trials_with_those_pending() {
    let space = spaces::wide();
    let mut whole = search(&space, &evolution());
    finish(&mut whole, 1);
    for cut in [0, 1, 5, 20, 40] {
        let mut stored = whole.trials()[..cut].to_vec();
        if let Some(last) = stored.last_mut() {
            (last.state, last.seconds) = (TrialState::Pending, 0.0);
        }
        let text = serde_json::to_string(&stored).expect("writes");
        let stored = serde_json::from_str(&text).expect("reads");
        let mut resumed = search(&space, &evolution()).with_history(stored).expect("its own history");
        assert_eq!(resumed.pending().count(), cut.min(1));
        finish(&mut resumed, 1);
        assert_eq!(resumed.trials(), whole.trials(), "cut at {cut}");
        assert_eq!(resumed.incumbent(), whole.incumbent());
    }
}

#[test]
fn ends_with_the_budget_or_the_space() {
    let random = Algorithm::Random(Random::default());
    for (trials, asked) in [(4, 4), (100, 6)] {
        let space = spaces::small();
        let mut search = AskTell::new(&space, &random, accuracy()).with_trials(trials);
        finish(&mut search, 3);
        assert_eq!(search.trials().len(), asked);
        assert_eq!((search.ask(), search.pending().count()), (Ok(None), 0));
    }
}

#[test]
fn refuses_what_it_did_not_ask_for() {
    let space = spaces::flat();
    let mut search = search(&space, &Algorithm::Random(Random::default()));
    let said = |told: Result<(), AskTellError>| told.expect_err("refused").to_string();
    assert!(said(search.tell(0, [("accuracy", 0.5)])).starts_with("there is no trial 0: 0 were asked for"));
    let trial = search.ask().expect("asks").expect("a trial");
    let missing = said(search.tell(trial.id, [("acuracy", 0.5), ("loss", 1.0)]));
    assert!(missing.contains("without the objective `accuracy`, but with acuracy, loss"), "{missing}");
    assert_eq!(search.pending().count(), 1, "a refused trial stays pending");
    search.tell(trial.id, [("accuracy", f64::NAN)]).expect("told");
    assert!(
        matches!(&search.trials()[0].state, TrialState::Failed(reason) if reason.contains("not a number"))
    );
    assert!(said(search.tell(trial.id, [("accuracy", 0.5)])).contains("was told before"));
    assert_eq!(search.best(), None);
    assert_eq!(search.incumbent(), None);
}

#[test]
fn refuses_a_history_of_something_else() {
    let (flat, wide) = (spaces::flat(), spaces::wide());
    let mut asked = search(&wide, &Algorithm::Random(Random::default()));
    finish(&mut asked, 1);
    let start = || search(&flat, &Algorithm::Random(Random::default()));
    let said = |trials: &[Trial]| start().with_history(trials.to_vec()).err().expect("refused").to_string();
    assert!(said(&asked.trials()[..3]).starts_with("trial 0 of the history does not fit: "));
    let later = said(&asked.trials()[3..]);
    assert!(later.contains("its number is 3"), "{later}");
}

#[test]
fn the_time_told_is_the_trial_s() {
    let space = spaces::flat();
    let mut search = search(&space, &Algorithm::Random(Random::default()));
    let trial = search.ask().expect("asks").expect("a trial");
    search.tell(trial.id, [("accuracy", 0.5), ("seconds", 12.5)]).expect("told");
    assert_eq!(search.trials()[0].seconds, 12.5);
}
