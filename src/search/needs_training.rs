//! What stands for a part that runs on Burn in a build without it.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// A part of a search that cannot be made in this build, since its networks are Burn's. Reading one is an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum NeedsTraining {}

impl<'de> Deserialize<'de> for NeedsTraining {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<NeedsTraining, D::Error> {
        Err(D::Error::custom(
            "its networks run on Burn, and this program was built without it: build it with `--features train`",
        ))
    }
}

#[cfg(test)]
mod tests {
    use crate::search::Algorithm;
    use crate::symbolic::from_value;

    #[test]
    fn naming_what_runs_on_burn_says_how_to_build_it() {
        for text in ["Controller(policy: Lstm)", "Progressive(surrogate: EmbeddedMlp)"] {
            let error = from_value::<Algorithm>(&text.parse().unwrap()).unwrap_err().to_string();
            assert!(error.contains("build it with `--features train`"), "{text}: {error}");
        }
    }
}
