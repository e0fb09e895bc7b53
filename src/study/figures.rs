//! Metrics as JSON text that reads back bit by bit: also infinities and NaN, for which JSON has no word.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::trial::Metrics;

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Figure {
    Number(f64),
    Word(String),
}

/// `{"accuracy":0.97,"loss":"inf"}`.
pub(super) fn write(metrics: &Metrics) -> String {
    let figure =
        |value: f64| if value.is_finite() { Figure::Number(value) } else { Figure::Word(value.to_string()) };
    let all: IndexMap<&str, Figure> =
        metrics.iter().map(|(name, value)| (name.as_str(), figure(*value))).collect();
    serde_json::to_string(&all).expect("names and figures are plain data, which JSON can always write")
}

/// The way back.
pub(super) fn read(text: &str) -> Result<Metrics, serde_json::Error> {
    let all: IndexMap<String, Figure> = serde_json::from_str(text)?;
    let number = |figure| match figure {
        Figure::Number(value) => Ok(value),
        Figure::Word(word) => word.parse().map_err(serde::de::Error::custom),
    };
    all.into_iter().map(|(name, figure)| Ok((name, number(figure)?))).collect()
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

    proptest! {
        #[test]
        fn every_number_comes_back_exactly(bits: u64) {
            let value = f64::from_bits(bits);
            let back = read(&write(&[("x".to_string(), value)].into())).unwrap()["x"];
            prop_assert!(back.to_bits() == bits || (value.is_nan() && back.is_nan()));
        }
    }
}
