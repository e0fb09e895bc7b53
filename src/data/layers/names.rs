//! Which number stands for which class.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use yaml_rust2::{Yaml, YamlLoader};

use crate::data::{DataError, Place};

/// The names of classes and the numbers that files have for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClassMap {
    /// Names for 0, 1, 2, ..
    Names(Vec<String>),
    /// Names for any numbers.
    Ids(BTreeMap<u32, String>),
    /// A file: one name a line for 0, 1, 2, ..; or YAML whose `names` or `classes` are a list, or a map from number to name.
    File(PathBuf),
}

/// Numbers of files as indices of classes, which leave no gap.
#[derive(Clone, Debug, Default)]
pub(super) struct Ids {
    pub names: Vec<String>,
    index: BTreeMap<u64, u16>,
}

impl Ids {
    pub fn new(pairs: impl IntoIterator<Item = (u64, String)>) -> Ids {
        let mut ids = Ids::default();
        for (id, name) in pairs {
            ids.index.insert(id, ids.names.len() as u16);
            ids.names.push(name);
        }
        ids
    }

    pub fn index(&self, id: u64) -> Option<u16> {
        self.index.get(&id).copied()
    }

    /// The numbers there are, for messages.
    pub fn range(&self) -> String {
        match (self.index.first_key_value(), self.index.last_key_value()) {
            (Some((first, _)), Some((last, _))) => {
                format!("{} classes from {first} to {last}", self.names.len())
            }
            _ => "no classes".into(),
        }
    }
}

impl ClassMap {
    /// The map without the numbers in `ignored`, which are no classes.
    pub(super) fn ids(&self, ignored: &[u32]) -> Result<Ids, DataError> {
        let pairs: BTreeMap<u64, String> = match self {
            ClassMap::Names(names) => (0..).zip(names.iter().cloned()).collect(),
            ClassMap::Ids(pairs) => pairs.iter().map(|(id, name)| (u64::from(*id), name.clone())).collect(),
            ClassMap::File(path) => read(path)?,
        };
        if pairs.len() >= usize::from(u16::MAX) {
            let problem = format!("a map of {} classes; up to 65,534 are possible", pairs.len());
            return Err(DataError::Layout { path: self.place(), missing: problem });
        }
        let ids = Ids::new(
            pairs.into_iter().filter(|(id, _)| !ignored.iter().any(|&other| u64::from(other) == *id)),
        );
        if ids.names.is_empty() {
            return Err(DataError::Layout { path: self.place(), missing: "a map without any class".into() });
        }
        Ok(ids)
    }

    fn place(&self) -> PathBuf {
        match self {
            ClassMap::File(path) => path.clone(),
            ClassMap::Names(_) | ClassMap::Ids(_) => "classes".into(),
        }
    }
}

fn read(path: &Path) -> Result<BTreeMap<u64, String>, DataError> {
    let text = std::fs::read_to_string(path).map_err(DataError::unreadable(path))?;
    let yaml = path.extension().is_some_and(|end| end == "yaml" || end == "yml");
    if !yaml {
        return Ok((0..)
            .zip(text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()))
            .collect());
    }
    let documents = YamlLoader::load_from_str(&text).map_err(|error| {
        let line = Place::Line(error.marker().line());
        DataError::label(path, line, format!("no YAML: {}", error.info()), "mend the line")
    })?;
    let map = documents.first().map(|all| [&all["names"], &all["classes"]]).into_iter().flatten();
    map.into_iter().find_map(pairs).ok_or_else(|| {
        let problem = "neither `names` nor `classes` is a list of names or a map from number to name";
        DataError::label(
            path,
            Place::Whole,
            problem,
            "write `names:` and below it lines such as `  0: person`",
        )
    })
}

fn pairs(yaml: &Yaml) -> Option<BTreeMap<u64, String>> {
    let name = |yaml: &Yaml| match yaml {
        Yaml::String(name) | Yaml::Real(name) => Some(name.clone()),
        Yaml::Integer(number) => Some(number.to_string()),
        Yaml::Boolean(word) => Some(word.to_string()),
        _ => None,
    };
    match yaml {
        Yaml::Array(names) => (0..).zip(names).map(|(id, yaml)| Some((id, name(yaml)?))).collect(),
        Yaml::Hash(pairs) => {
            let pair = |(id, yaml): (&Yaml, &Yaml)| Some((u64::try_from(id.as_i64()?).ok()?, name(yaml)?));
            pairs.iter().map(pair).collect()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, text: &str) -> Result<Ids, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let ids = ClassMap::File(path).ids(&[0]);
        ids.map_err(|error| error.to_string().replace(&folder.path().display().to_string(), "DATA"))
    }

    #[test]
    fn lists_and_maps_leave_no_gap() {
        for (name, text) in [
            ("a.names", "void\nperson\n\ncar\n"),
            ("a.yaml", "path: .\nnames:\n  0: void\n  7: person\n  90: car # last\n"),
            ("a.yml", "classes: [void, person, car]\n"),
        ] {
            let ids = file(name, text).unwrap();
            assert_eq!(ids.names, ["person", "car"], "{name}");
            assert_eq!((ids.index(0), ids.index(if name == "a.yaml" { 90 } else { 2 })), (None, Some(1)));
        }
    }

    #[test]
    fn says_what_is_wrong() {
        insta::assert_snapshot!(file("a.yaml", "names: 3\n").unwrap_err(), @"
        DATA/a.yaml: neither `names` nor `classes` is a list of names or a map from number to name
          hint: write `names:` and below it lines such as `  0: person`
        ");
        insta::assert_snapshot!(file("a.yaml", "names: [a\nb: {\n").unwrap_err(), @"
        DATA/a.yaml: line 2: no YAML: illegal placement of ':' indicator
          hint: mend the line
        ");
        insta::assert_snapshot!(file("a.names", "\n").unwrap_err(), @"
        DATA/a.names: a map without any class
          hint: `cellwright data` shows the layout that is expected
        ");
    }
}
