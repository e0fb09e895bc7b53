//! Metrics and curves as JSON text that reads back bit by bit: also infinities and NaN, for which JSON has no word.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::stopping::Curve;
use crate::trial::Metrics;

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Figure {
    Number(f64),
    Word(String),
}

impl From<f64> for Figure {
    fn from(value: f64) -> Figure {
        if value.is_finite() { Figure::Number(value) } else { Figure::Word(value.to_string()) }
    }
}

impl Figure {
    fn number(self) -> Result<f64, serde_json::Error> {
        match self {
            Figure::Number(value) => Ok(value),
            Figure::Word(word) => word.parse().map_err(serde::de::Error::custom),
        }
    }
}

/// `{"accuracy":0.97,"loss":"inf"}`.
pub(super) fn write(metrics: &Metrics) -> String {
    let all: IndexMap<&str, Figure> =
        metrics.iter().map(|(name, value)| (name.as_str(), Figure::from(*value))).collect();
    serde_json::to_string(&all).expect("names and figures are plain data, which JSON can always write")
}

/// The way back.
pub(super) fn read(text: &str) -> Result<Metrics, serde_json::Error> {
    let all: IndexMap<String, Figure> = serde_json::from_str(text)?;
    all.into_iter().map(|(name, figure)| Ok((name, figure.number()?))).collect()
}

#[derive(Serialize, Deserialize)]
struct Written {
    steps: Vec<u32>,
    figures: IndexMap<String, Vec<Figure>>,
}

/// `{"steps":[1,2],"figures":{"accuracy":[0.5,0.7]}}`.
pub(super) fn write_curve(curve: &Curve) -> String {
    let column = |(name, figures): (&String, &Vec<f64>)| {
        (name.clone(), figures.iter().copied().map(Figure::from).collect())
    };
    let written = Written { steps: curve.steps.clone(), figures: curve.figures.iter().map(column).collect() };
    serde_json::to_string(&written).expect("names and figures are plain data, which JSON can always write")
}

/// The way back.
pub(super) fn read_curve(text: &str) -> Result<Curve, serde_json::Error> {
    let Written { steps, figures } = serde_json::from_str(text)?;
    let column = |(name, figures): (String, Vec<Figure>)| {
        let figures: Vec<f64> = figures.into_iter().map(Figure::number).collect::<Result<_, _>>()?;
        match figures.len() == steps.len() {
            true => Ok((name, figures)),
            false => Err(serde::de::Error::custom("a curve has another number of steps than of figures")),
        }
    };
    let figures = figures.into_iter().map(column).collect::<Result<_, serde_json::Error>>()?;
    Ok(Curve { steps, figures })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn order_and_odd_figures_come_back() {
        let metrics: Metrics =
            [("z", f64::INFINITY), ("a", -0.0), ("b", f64::NEG_INFINITY)].map(|(n, v)| (n.into(), v)).into();
        assert_eq!(write(&metrics), r#"{"z":"inf","a":-0.0,"b":"-inf"}"#);
        let back = read(&write(&metrics)).unwrap();
        assert!(back.iter().eq(metrics.iter()) && back["a"].is_sign_negative());
        assert!(read(&write(&[("n".to_string(), f64::NAN)].into())).unwrap()["n"].is_nan());
        assert!(read(r#"{"a": "much"}"#).is_err());
    }

    #[test]
    fn curves_come_back() {
        let mut curve = Curve::default();
        curve.add(crate::trial::Fidelity(1), &[("a".to_string(), f64::INFINITY)].into());
        curve.add(crate::trial::Fidelity(3), &[("a".to_string(), 0.1), ("b".to_string(), 2.0)].into());
        let text = write_curve(&curve);
        assert_eq!(text, r#"{"steps":[1,3],"figures":{"a":["inf",0.1],"b":["NaN",2.0]}}"#);
        assert_eq!(write_curve(&read_curve(&text).unwrap()), text);
        assert!(read_curve(r#"{"steps":[1],"figures":{"a":[]}}"#).is_err());
    }

    proptest! {
        #[test]
        fn every_number_comes_back_exactly(bits: u64) {
            let value = f64::from_bits(bits);
            let back = read(&write(&[("x".to_string(), value)].into())).unwrap()["x"];
            prop_assert!(back.to_bits() == bits || (value.is_nan() && back.is_nan()));
        }
    }
}
