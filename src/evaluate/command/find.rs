//! Where a program is, found before anything is run.

use std::path::{Path, PathBuf};

use crate::evaluate::Mistake;

/// The file of a program: a path from the current folder, or a name among the folders of `PATH`.
///
/// # Errors
/// That it is not there, or is no program.
pub(super) fn program(name: &str) -> Result<PathBuf, Mistake> {
    let refuse = |problem: String| {
        let hint = "give the evaluator's `program` a path, or a name that your shell finds; its arguments go to `args`";
        Mistake { field: "program", problem, hint: hint.into() }
    };
    if name.contains('/') {
        let path =
            std::path::absolute(name).map_err(|error| refuse(format!("the command `{name}`: {error}")))?;
        return match (path.is_file(), is_executable(&path)) {
            (true, true) => Ok(path),
            (true, false) => Err(refuse(format!("the command `{name}` is a file that cannot be run"))),
            (false, _) => Err(refuse(format!("the command `{name}` is not there"))),
        };
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let files = std::env::split_paths(&folders).map(|folder| folder.join(name));
    let found = files.into_iter().find(|file| !name.is_empty() && file.is_file() && is_executable(file));
    found.ok_or_else(|| refuse(format!("the command `{name}` is in no folder of PATH")))
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|file| file.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(_path: &Path) -> bool {
    true
}
