//! `cellwright must teach` and `must train`: a network by its course.

use std::path::{Path, PathBuf};

use cellwright::must::{Course, MustError, Portion, teach};
use clap::Args;

use super::{Place, Voice, told, wrote};

/// Trains the network that a course describes, on sets that people labelled, and keeps it in a folder of its name. One that
/// is there already, and was taught the same, is not trained again.
#[derive(Args, Debug)]
pub struct Teach {
    /// The course: `Course(name: .., backbone: .., tasks: [..], sources: [Labelled(set: ..)])`.
    course: PathBuf,
    /// The folder of all teachers.
    #[arg(long, default_value = "teachers", value_name = "FOLDER")]
    out: PathBuf,
    #[command(flatten)]
    place: Place,
    /// Print JSON lines on standard output.
    #[arg(long)]
    json: bool,
}

/// Trains the network that a course describes, on labelled and pseudo-labelled sets in the shares that it asks for, and
/// keeps it in a folder of its name. One that is there already, and was taught the same, is not trained again.
#[derive(Args, Debug)]
pub struct Train {
    /// The course: `Course(name: .., backbone: .., tasks: [..], sources: [Labelled(set: ..), PseudoLabelled(store: ..)])`.
    course: PathBuf,
    /// The folder of all students.
    #[arg(long, default_value = "students", value_name = "FOLDER")]
    out: PathBuf,
    #[command(flatten)]
    place: Place,
    /// Print JSON lines on standard output.
    #[arg(long)]
    json: bool,
}

impl Teach {
    pub fn run(self) -> cellwright::Result<()> {
        let course = Course::load(&self.course)?;
        if course.sources.iter().any(Portion::is_pseudo) {
            let problem = format!(
                "{}: a teacher learns from people, and `sources` names pseudo labels",
                self.course.display()
            );
            let hint = "use `cellwright must train` for students".to_string();
            return Err(MustError::Settings { problem, hint }.into());
        }
        made(&course, &self.out, &self.place, self.json)
    }
}

impl Train {
    pub fn run(self) -> cellwright::Result<()> {
        made(&Course::load(&self.course)?, &self.out, &self.place, self.json)
    }
}

fn made(course: &Course, out: &Path, place: &Place, json: bool) -> cellwright::Result<()> {
    let (device, folder) = (place.find()?, out.join(&course.name));
    let mut voice = Voice::new();
    let taught = teach(course, &folder, device, &mut |news| voice.hear(news));
    voice.finish();
    told(&course.name, taught?.scores(), json)?;
    wrote(&folder, json)
}
