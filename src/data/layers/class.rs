//! Classes of pictures by the folders that they are in, as ImageNet has them.

use std::collections::BTreeSet;

use super::{Keys, Reader};
use crate::data::sample::{Class, Label, Sample};
use crate::data::{Classes, DataError, Place};

pub(super) struct ByFolder {
    /// In alphabetical order.
    names: Vec<String>,
}

impl ByFolder {
    pub fn open(keys: &Keys) -> Result<ByFolder, DataError> {
        if let Some(key) = keys.names().iter().find(|key| folder(key).is_none()) {
            let problem = format!("`{key}` is in no folder of its own class");
            return Err(DataError::label(
                &keys.folder,
                Place::Whole,
                problem,
                "put each class into a folder of its name",
            ));
        }
        let names: BTreeSet<&str> = keys.names().iter().filter_map(|key| folder(key)).collect();
        let names: Vec<String> = names.into_iter().map(String::from).collect();
        match names.len() {
            0 | 1 => Err(DataError::TooFewClasses { place: keys.folder.display().to_string(), found: names }),
            _ => Ok(ByFolder { names }),
        }
    }
}

impl Reader for ByFolder {
    fn gives(&self) -> Vec<Label> {
        vec![Label::Class]
    }

    fn name_classes(&self, classes: &mut Classes) {
        classes.pictures = self.names.clone();
    }

    fn label(&self, key: &str, sample: &mut Sample) -> Result<(), DataError> {
        let class = folder(key).and_then(|folder| self.names.iter().position(|name| name == folder));
        sample.class = class.map(|class| Class::Hard(class as u16));
        Ok(())
    }
}

/// The name of the innermost folder.
fn folder(key: &str) -> Option<&str> {
    key.rsplit('/').nth(1)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::data::Picture;

    #[test]
    fn the_innermost_folder_is_the_class() {
        let folder = Path::new("train");
        let keys = Keys::listed(folder, &["a/dog/1", "b/cat/1"], false);
        let reader = ByFolder::open(&keys).unwrap();
        let mut sample = Sample::unlabelled("a/dog/1", Picture::filled(1, 1, [0; 3]));
        reader.label("a/dog/1", &mut sample).unwrap();
        assert_eq!((sample.class, reader.names.join(" ").as_str()), (Some(Class::Hard(1)), "cat dog"));
        let problem =
            |names: &[&str]| ByFolder::open(&Keys::listed(folder, names, false)).err().unwrap().to_string();
        insta::assert_snapshot!(problem(&["cat/1", "2"]), @"
        train: `2` is in no folder of its own class
          hint: put each class into a folder of its name
        ");
        insta::assert_snapshot!(problem(&["cat/1", "cat/2"]), @"
        train: classification needs at least two classes, found only `cat`
          hint: each class is a folder of its own with pictures in it
        ");
    }
}
