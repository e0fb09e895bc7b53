//! The study's memory: one SQLite database in the run folder. The only file that knows SQL.
//!
//! Write-ahead logging makes every commit survive the death of the process. What also survives the loss of power is
//! decided by [`Store::end`]: the log is flushed to the disk as soon as more than [`FLUSH_SECONDS`] of evaluation hang on
//! it. So a trial that took longer is safe before the next is proposed, and a search over costs, whose trials take
//! less time than a flush, is not slowed by it.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags, Row, params};

use super::difference::differences;
use super::lock::{self, Lock};
use super::sources::Source;
use super::{Description, Final, Record, StudyError, figures};
use crate::experiment::Experiment;
use crate::space::Key;
use crate::stopping::Curve;
use crate::symbolic::{Value, from_value, to_value};
use crate::trial::{Fidelity, Names, Proposal, Stopped, Trial, TrialId, TrialState};

/// The database's name in the run folder.
const NAME: &str = "study.sqlite";
/// `CELW`: what `file` and other programs can tell a study by.
const APPLICATION: i64 = 0x4345_4c57;
/// How much work, in seconds of evaluation, a loss of power may cost.
const FLUSH_SECONDS: f64 = 0.05;
/// How many pages SQLite keeps in memory: a negative number is of KiB.
const CACHE_KIB: i64 = -256;
/// Each brings a study from format `n` to `n + 1`. Only ever appended to.
const MIGRATIONS: &[&str] = &[include_str!("migrations/1.sql"), include_str!("migrations/2.sql")];

/// An open study.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
    db: Connection,
    /// Seconds of evaluation since the last flush.
    unflushed: f64,
    _lock: Option<Lock>,
}

impl Store {
    /// Opens the study of a run folder, or begins it where there is none; nobody else may until this is dropped.
    pub fn open(folder: &Path, description: &Description) -> Result<Store, StudyError> {
        if folder.is_file() {
            return Err(StudyError::NotAStudy { folder: folder.into(), found: "it is a file".into() });
        }
        std::fs::create_dir_all(folder).map_err(|problem| lock::unwritable(folder, &problem))?;
        refuse_foreign(folder)?;
        let lock = Lock::take(folder)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let mut store = Store::connect(folder, folder.join(NAME), flags, Some(lock))?;
        match store.format()? {
            None => store.begin(description)?,
            Some(_) => store.resume(description)?,
        }
        Ok(store)
    }

    /// Opens the study of a run folder to look at it, also while another process works on it.
    pub fn read(folder: &Path) -> Result<Store, StudyError> {
        let path = folder.join(NAME);
        if !path.is_file() {
            return Err(StudyError::Missing { folder: folder.into() });
        }
        let store = Store::connect(folder, path.clone(), OpenFlags::SQLITE_OPEN_READ_ONLY, None)?;
        let format = match store.format() {
            // Where nothing can be written, SQLite cannot make its index of the log; without a log it needs none.
            Err(StudyError::Unwritable { .. }) if !has_log(folder) => {
                return Store::read_frozen(folder, &path);
            }
            format => format?,
        };
        store.readable(format)
    }

    fn read_frozen(folder: &Path, path: &Path) -> Result<Store, StudyError> {
        let escaped = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
        let address = PathBuf::from(format!("file:{escaped}?immutable=1"));
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let store = Store::connect(folder, address, flags, None)?;
        let format = store.format()?;
        store.readable(format)
    }

    fn readable(self, format: Option<i64>) -> Result<Store, StudyError> {
        let known = MIGRATIONS.len() as i64;
        match format {
            None => Err(StudyError::Missing { folder: self.folder }),
            Some(found) if found < known => Err(StudyError::Older { folder: self.folder, found, known }),
            Some(_) => Ok(self),
        }
    }

    fn connect(
        folder: &Path,
        path: PathBuf,
        flags: OpenFlags,
        lock: Option<Lock>,
    ) -> Result<Store, StudyError> {
        let db = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .map_err(|problem| refused(folder, &problem))?;
        db.busy_timeout(std::time::Duration::from_secs(10)).map_err(|problem| refused(folder, &problem))?;
        Ok(Store { folder: folder.into(), db, unflushed: 0.0, _lock: lock })
    }

    /// The format of the study, `None` where none was begun.
    fn format(&self) -> Result<Option<i64>, StudyError> {
        let known = MIGRATIONS.len() as i64;
        let number = |name| self.check(self.db.pragma_query_value(None, name, |row| row.get::<_, i64>(0)));
        let tables: i64 =
            self.check(self.db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)))?;
        match (number("application_id")?, number("user_version")?) {
            (0, 0) if tables == 0 => Ok(None),
            (APPLICATION, format) if format > known => {
                Err(StudyError::Newer { folder: self.folder.clone(), found: format, known })
            }
            (APPLICATION, format) if format > 0 => Ok(Some(format)),
            _ => Err(StudyError::NotAStudy {
                folder: self.folder.clone(),
                found: format!("`{NAME}` there is another program's database"),
            }),
        }
    }

    fn begin(&mut self, description: &Description) -> Result<(), StudyError> {
        self.write_ahead()?;
        let text = self.text(&description.experiment)?;
        self.migrate(0, |db| {
            db.execute(
                "INSERT INTO study (id, space, experiment, seed, version) VALUES (0, ?, ?, ?, ?)",
                params![
                    description.space,
                    text,
                    description.experiment.seed.to_string(),
                    env!("CARGO_PKG_VERSION"),
                ],
            )
            .map(drop)
        })
    }

    fn resume(&mut self, description: &Description) -> Result<(), StudyError> {
        self.check_health()?;
        let format = self.format()?.unwrap_or_default();
        if format < MIGRATIONS.len() as i64 {
            self.migrate(format, |_| Ok(()))?;
        }
        let stored = self.description()?;
        let differences =
            differences(&stored, description).map_err(|problem| self.unusable(problem.to_string()))?;
        if !differences.is_empty() {
            return Err(StudyError::Other { folder: self.folder.clone(), differences });
        }
        self.write_ahead()?;
        if stored.experiment != description.experiment {
            let text = self.text(&description.experiment)?;
            self.check(self.db.execute("UPDATE study SET experiment = ?", [text]))?;
        }
        Ok(())
    }

    fn write_ahead(&self) -> Result<(), StudyError> {
        // What is written is not looked at again: pages that SQLite keeps would only fill memory.
        self.check(self.db.pragma_update(None, "cache_size", CACHE_KIB))?;
        self.check(self.db.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(())))?;
        self.check(self.db.pragma_update(None, "synchronous", "full"))
    }

    /// Brings the database from `format` to the last one, with `and_then`, or leaves it as it is.
    fn migrate(
        &mut self,
        format: i64,
        and_then: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<(), StudyError> {
        let migration = || {
            let all = self.db.transaction()?;
            for step in &MIGRATIONS[format as usize..] {
                all.execute_batch(step)?;
            }
            all.pragma_update(None, "application_id", APPLICATION)?;
            all.pragma_update(None, "user_version", MIGRATIONS.len() as i64)?;
            and_then(&all)?;
            all.commit()
        };
        migration().map_err(|problem| refused(&self.folder, &problem))
    }

    fn check_health(&self) -> Result<(), StudyError> {
        let verdict: String = self.check(self.db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)))?;
        if verdict == "ok" { Ok(()) } else { Err(self.corrupt(verdict)) }
    }

    /// What the study is about.
    pub fn description(&self) -> Result<Description, StudyError> {
        let texts = self.db.query_row("SELECT space, experiment FROM study", [], |row| {
            Ok((row.get(0)?, row.get::<_, String>(1)?))
        });
        let (space, text) = self.check(texts)?;
        let value = text.parse::<Value>().map_err(|problem| self.corrupt(problem.to_string()))?;
        let experiment = from_value(&value)
            .map_err(|problem| self.unusable(format!("this build cannot read its experiment: {problem}")))?;
        Ok(Description { space, experiment })
    }

    fn text(&self, experiment: &Experiment) -> Result<String, StudyError> {
        Ok(to_value(experiment).map_err(|problem| self.unusable(problem.to_string()))?.pretty())
    }

    /// All that is stored.
    pub fn record(&self) -> Result<Record, StudyError> {
        // One transaction, so that a search that goes on meanwhile does not show a final training without its trial.
        let _view = self.check(self.db.unchecked_transaction())?;
        let about =
            self.db.query_row("SELECT version, created FROM study", [], |row| Ok((row.get(0)?, row.get(1)?)));
        let (version, created) = self.check(about)?;
        Ok(Record {
            folder: self.folder.clone(),
            description: self.description()?,
            version,
            created,
            trials: self.trials()?,
            finals: self.finals()?,
        })
    }

    fn trials(&self) -> Result<Vec<Trial>, StudyError> {
        const ALL: &str = "SELECT id, state, metrics, reason, seconds, genotype, key, fidelity, parent, note,
                           stopped_at, expected FROM trials ORDER BY id";
        let (mut trials, mut names): (Vec<Trial>, _) = (self.all(ALL, read_trial)?, Names::default());
        trials.iter_mut().for_each(|trial| {
            trial.proposal.shrink();
            trial.state.share(&mut names);
        });
        match trials.iter().zip(0..).find(|(trial, id)| trial.id != *id) {
            Some((_, missing)) => Err(self.corrupt(format!("trial {missing} is missing"))),
            None => Ok(trials),
        }
    }

    fn finals(&self) -> Result<Vec<Final>, StudyError> {
        const ALL: &str =
            "SELECT trial, state, metrics, reason, seconds, fidelity, model FROM finals ORDER BY id";
        self.all(ALL, read_final)
    }

    /// The files that the figures come from, as they were when the study began.
    pub fn sources(&self) -> Result<Vec<Source>, StudyError> {
        // No format of its own: a study without it is as good, and releases that do not know it pass it over.
        const TABLE: &str = "CREATE TABLE IF NOT EXISTS sources
                             (file TEXT PRIMARY KEY, bytes INTEGER NOT NULL, sum INTEGER NOT NULL) STRICT";
        self.check(self.db.execute_batch(TABLE))?;
        let read = |row: &Row| Ok(Source { file: row.get(0)?, bytes: row.get(1)?, sum: row.get(2)? });
        self.all("SELECT file, bytes, sum FROM sources", read)
    }

    /// Keeps what a file is.
    pub fn keep_source(&mut self, source: &Source) -> Result<(), StudyError> {
        const NEW: &str = "INSERT INTO sources (file, bytes, sum) VALUES (?, ?, ?)";
        self.write(NEW, params![source.file, source.bytes, source.sum], true)
    }

    /// How many trials the last proposal saw the results of.
    pub fn shown(&self) -> Result<usize, StudyError> {
        let last = "SELECT coalesce((SELECT shown FROM trials ORDER BY id DESC LIMIT 1), 0)";
        self.check(self.db.query_row(last, [], |row| row.get(0)))
    }

    /// The trials that have not ended, and how many trials each one's proposal saw the results of.
    pub fn pending(&self) -> Result<Vec<(TrialId, usize)>, StudyError> {
        let read = |row: &Row| Ok((row.get(0)?, row.get(1)?));
        self.all("SELECT id, shown FROM trials WHERE state = 'pending'", read)
    }

    /// Hands on the curves of the trials up to `end`, by id.
    pub fn curves(&self, end: usize, mut take: impl FnMut(TrialId, Curve)) -> Result<(), StudyError> {
        const ALL: &str = "SELECT id, curve FROM trials WHERE curve IS NOT NULL AND id < ? ORDER BY id";
        let mut read = || {
            let mut statement = self.db.prepare_cached(ALL)?;
            let mut rows = statement.query([end])?;
            while let Some(row) = rows.next()? {
                let text = row.get::<_, String>(1)?;
                take(row.get(0)?, figures::read_curve(&text).map_err(|problem| unreadable(1, problem))?);
            }
            Ok(())
        };
        self.check(read())
    }

    /// Keeps a new, pending trial, which saw the results of the first `shown` trials.
    ///
    /// It is not flushed: a proposal that is lost with the power is made again, exactly so.
    pub fn propose(&mut self, trial: &Trial, shown: usize) -> Result<(), StudyError> {
        const NEW: &str = "INSERT INTO trials (id, genotype, key, fidelity, parent, note, shown) VALUES (?, ?, ?, ?, ?, ?, ?)";
        let Proposal { genotype, fidelity, parent, note } = &trial.proposal;
        let values =
            params![trial.id, genotype.to_string(), trial.key.to_string(), fidelity.0, parent, note, shown];
        self.write(NEW, values, false)
    }

    /// Keeps what became of a trial, and its curve.
    pub fn end(
        &mut self,
        trial: &Trial,
        copied_from: Option<TrialId>,
        curve: Option<&Curve>,
    ) -> Result<(), StudyError> {
        const END: &str =
            "UPDATE trials SET state = ?, metrics = ?, reason = ?, seconds = ?, copied_from = ?, curve = ?,
                           stopped_at = ?, expected = ?,
                           ended = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE id = ? AND state = 'pending'";
        let (state, metrics, reason) = words(&trial.state);
        let (at, expected) = match &trial.state {
            TrialState::Stopped(stopped) => (Some(stopped.at.0), Some(figures::write(&stopped.expected))),
            _ => (None, None),
        };
        let curve = curve.map(figures::write_curve);
        self.unflushed += trial.seconds;
        let flush = self.unflushed >= FLUSH_SECONDS;
        let (seconds, id) = (trial.seconds, trial.id);
        let values = params![state, metrics, reason, seconds, copied_from, curve, at, expected, id];
        self.write(END, values, flush)
    }

    /// Keeps a final training.
    pub fn end_final(&mut self, training: &Final) -> Result<(), StudyError> {
        const NEW: &str = "INSERT INTO finals (trial, fidelity, state, metrics, reason, seconds, model) VALUES (?, ?, ?, ?, ?, ?, ?)";
        let Final { trial, fidelity, state, seconds, model } = training;
        let (state, metrics, reason) = words(state);
        let model = model.as_ref().map(|path| path.to_string_lossy().into_owned());
        self.write(NEW, params![trial, fidelity.0, state, metrics, reason, seconds, model], true)
    }

    /// Flushes whatever is not on the disk yet.
    pub fn flush(&mut self) -> Result<(), StudyError> {
        if self.unflushed == 0.0 {
            return Ok(());
        }
        self.check(self.db.pragma_update(None, "synchronous", "full"))?;
        // A checkpoint flushes the log before it copies it.
        self.check(self.db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())))?;
        self.unflushed = 0.0;
        Ok(())
    }

    /// Changes exactly one row.
    fn write(&mut self, sql: &str, values: &[&dyn rusqlite::ToSql], flush: bool) -> Result<(), StudyError> {
        let level = if flush { "full" } else { "normal" };
        self.check(self.db.pragma_update(None, "synchronous", level))?;
        let rows =
            self.check(self.db.prepare_cached(sql).and_then(|mut statement| statement.execute(values)))?;
        if flush {
            self.unflushed = 0.0;
        }
        if rows == 1 { Ok(()) } else { Err(self.corrupt("a trial ended twice or was never proposed".into())) }
    }

    fn all<T>(&self, sql: &str, read: fn(&Row) -> rusqlite::Result<T>) -> Result<Vec<T>, StudyError> {
        let rows = || self.db.prepare(sql)?.query_map([], read)?.collect();
        self.check(rows())
    }

    fn check<T>(&self, result: rusqlite::Result<T>) -> Result<T, StudyError> {
        result.map_err(|problem| refused(&self.folder, &problem))
    }

    fn unusable(&self, problem: String) -> StudyError {
        StudyError::Database { folder: self.folder.clone(), problem }
    }

    fn corrupt(&self, problem: String) -> StudyError {
        StudyError::Corrupt { folder: self.folder.clone(), problem }
    }
}

/// Whether there are commits that are not in the database itself yet.
fn has_log(folder: &Path) -> bool {
    std::fs::metadata(folder.join(format!("{NAME}-wal"))).is_ok_and(|log| log.len() > 0)
}

/// A folder may hold a study, the beginning of one, or nothing.
fn refuse_foreign(folder: &Path) -> Result<(), StudyError> {
    if folder.join(NAME).exists() {
        return Ok(());
    }
    let entries = std::fs::read_dir(folder).map_err(|problem| lock::unwritable(folder, &problem))?;
    match entries.flatten().find(|entry| entry.file_name() != lock::NAME) {
        None => Ok(()),
        Some(entry) => Err(StudyError::NotAStudy {
            folder: folder.into(),
            found: format!("it holds `{}` and no study", entry.file_name().display()),
        }),
    }
}

fn words(state: &TrialState) -> (&'static str, Option<String>, Option<&str>) {
    match state {
        TrialState::Pending => ("pending", None, None),
        TrialState::Finished(metrics) => ("finished", Some(figures::write(metrics)), None),
        TrialState::Stopped(stopped) => ("finished", Some(figures::write(&stopped.metrics)), None),
        TrialState::Failed(reason) => ("failed", None, Some(reason)),
    }
}

fn read_trial(row: &Row) -> rusqlite::Result<Trial> {
    let genotype = row.get::<_, String>(5)?.parse().map_err(|problem| unreadable(5, problem))?;
    Ok(Trial {
        id: row.get(0)?,
        proposal: Proposal {
            genotype,
            fidelity: Fidelity(row.get(7)?),
            parent: row.get(8)?,
            note: row.get(9)?,
        },
        key: Key::stored(row.get_ref(6)?.as_str()?),
        state: read_stopped(row, read_state(row)?)?,
        seconds: row.get(4)?,
    })
}

/// Columns 10 and 11: where a finished trial was stopped, and what was expected of it.
fn read_stopped(row: &Row, state: TrialState) -> rusqlite::Result<TrialState> {
    match (state, row.get(10)?, row.get::<_, Option<String>>(11)?) {
        (TrialState::Finished(metrics), Some(at), Some(expected)) => {
            let expected = figures::read(&expected).map_err(|problem| unreadable(11, problem))?;
            Ok(TrialState::Stopped(Box::new(Stopped { at: Fidelity(at), metrics, expected })))
        }
        (state, ..) => Ok(state),
    }
}

fn read_final(row: &Row) -> rusqlite::Result<Final> {
    Ok(Final {
        trial: row.get(0)?,
        fidelity: Fidelity(row.get(5)?),
        state: read_state(row)?,
        seconds: row.get(4)?,
        model: row.get::<_, Option<String>>(6)?.map(PathBuf::from),
    })
}

/// Columns 1, 2 and 3: state, metrics and reason.
fn read_state(row: &Row) -> rusqlite::Result<TrialState> {
    Ok(match row.get::<_, String>(1)?.as_str() {
        "finished" => TrialState::Finished(
            figures::read(&row.get::<_, String>(2)?).map_err(|problem| unreadable(2, problem))?,
        ),
        "failed" => TrialState::Failed(row.get(3)?),
        _ => TrialState::Pending,
    })
}

fn unreadable(column: usize, problem: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(problem))
}

/// What SQLite's refusal means to a person.
fn refused(folder: &Path, error: &rusqlite::Error) -> StudyError {
    use ErrorCode::{
        CannotOpen, DatabaseCorrupt, DiskFull, NotADatabase, PermissionDenied, ReadOnly, SystemIoFailure,
    };
    let (folder, problem) = (folder.to_path_buf(), error.to_string());
    match error.sqlite_error_code() {
        Some(DiskFull | SystemIoFailure) => StudyError::Full { folder, problem },
        Some(NotADatabase | DatabaseCorrupt) => StudyError::Corrupt { folder, problem },
        Some(CannotOpen | PermissionDenied | ReadOnly) => StudyError::Unwritable { folder, problem },
        Some(_) => StudyError::Database { folder, problem },
        // Not SQLite's: a column of another type, a genotype or a figure that does not parse.
        None => StudyError::Corrupt { folder, problem },
    }
}
