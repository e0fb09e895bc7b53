//! The pictures of a folder and the names that labels find them by.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::data::{DataError, Place};

/// The pictures' names, and what was asked for them but is not there.
pub(super) struct Keys {
    pub folder: PathBuf,
    pub skip_broken: bool,
    pub names: Vec<String>,
    index: HashMap<String, usize>,
    suffixes: Vec<String>,
    missing: Mutex<Vec<(String, String)>>,
}

impl Keys {
    pub fn new(folder: &Path, suffixes: &[String], skip_broken: bool, names: Vec<String>) -> Keys {
        let index = names.iter().cloned().zip(0..).collect();
        let (folder, suffixes) = (folder.into(), suffixes.to_vec());
        Keys { folder, skip_broken, names, index, suffixes, missing: Mutex::default() }
    }

    #[cfg(test)]
    pub fn listed(folder: &Path, names: &[&str], skip_broken: bool) -> Keys {
        Keys::new(folder, &[".jpg".into()], skip_broken, names.iter().map(|&name| name.into()).collect())
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The name of the picture in this file, which a label's file may write with or without its folder.
    pub fn of_file(&self, file: &str) -> Option<String> {
        let last = file.rsplit(['/', '\\']).next().unwrap_or(file);
        [file, last].iter().find_map(|file| {
            let name = self.suffixes.iter().find_map(|suffix| stem(file, suffix))?;
            self.index.contains_key(name).then(|| name.to_owned())
        })
    }

    pub fn note_missing(&self, file: &str, asked_by: &Path) {
        let why = format!(
            "{} lists it, but there is no such picture in {}",
            asked_by.display(),
            self.folder.display()
        );
        self.note(file, why);
    }

    /// Writes down what is left out, and why.
    pub fn note(&self, name: &str, why: String) {
        self.missing.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((name.into(), why));
    }

    pub fn missing(&self) -> Vec<(String, String)> {
        self.missing.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

/// The name before the suffix, whatever its case.
fn stem<'a>(file: &'a str, suffix: &str) -> Option<&'a str> {
    let split = file.len().checked_sub(suffix.len())?;
    let end = file.get(split..)?;
    (split > 0 && end.eq_ignore_ascii_case(suffix)).then(|| &file[..split])
}

/// That a folder of labels has at least one of these pictures' files: else it is not their folder.
pub(super) fn beside(folder: &Path, end: &str, keys: &[String]) -> Result<(), DataError> {
    std::fs::read_dir(folder).map_err(DataError::unreadable(folder))?;
    if keys.iter().any(|key| folder.join(format!("{key}.{end}")).exists()) {
        return Ok(());
    }
    let first = keys.first().map_or("", String::as_str);
    let problem = format!("none of the {} pictures has a file here, such as `{first}.{end}`", keys.len());
    Err(DataError::label(
        folder,
        Place::Whole,
        problem,
        "check the folder, and `suffix` of pictures and labels",
    ))
}

/// Every picture's name and file, in order of the names.
pub(super) fn listed(folder: &Path, suffixes: &[String]) -> Result<Vec<(String, PathBuf)>, DataError> {
    let (mut found, mut folders) = (Vec::new(), vec![(String::new(), folder.to_path_buf())]);
    while let Some((prefix, folder)) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(DataError::unreadable(&folder))? {
            let path = entry.map_err(DataError::unreadable(&folder))?.path();
            let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if file.starts_with('.') {
                continue;
            }
            if path.is_dir() {
                folders.push((format!("{prefix}{file}/"), path));
            } else if let Some(name) = suffixes.iter().find_map(|suffix| stem(&file, suffix)) {
                found.push((format!("{prefix}{name}"), path));
            }
        }
    }
    found.sort();
    if let Some(pair) = found.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        let problem = format!("`{}` and `{}` have one name", pair[0].1.display(), pair[1].1.display());
        return Err(DataError::label(
            folder,
            Place::Whole,
            problem,
            "labels go by the name: remove or rename one",
        ));
    }
    if found.is_empty() {
        let missing = format!("no pictures whose names end in {}", suffixes.join(", "));
        return Err(DataError::Layout { path: folder.into(), missing });
    }
    Ok(found)
}
