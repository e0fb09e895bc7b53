//! The loader itself: pictures from memory or files, through decoder, crop, RandAugment and view, into batches.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::agenda::{Agenda, Look, Task};
use super::decode::Decoder;
use super::queue::Queue;
use super::rand_augment::rand_augment;
use super::view::{Tables, View};
use super::{Broken, Raster, Region};
use crate::data::{Files, Pictures, Supply};

/// Where pictures are taken from. Cheap to copy: the pictures themselves are shared.
#[derive(Clone, Debug)]
pub enum Stock {
    /// All in memory.
    Memory(Pictures),
    /// In files.
    Files(Files),
}

impl From<Supply<'_>> for Stock {
    fn from(supply: Supply) -> Stock {
        match supply {
            Supply::Memory(pictures) => Stock::Memory(pictures.clone()),
            Supply::Files(files) => Stock::Files(files.clone()),
        }
    }
}

/// A number that pictures are handed out as.
pub trait Pixels: Copy + Send + Sync + 'static {}
impl Pixels for f32 {}
impl Pixels for u8 {}

/// Some pictures of one size.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch<T> {
    /// `[count, channels, height, width]`, row-major.
    pub pixels: Vec<T>,
    /// One class a picture. Fewer than asked for where pictures cannot be decoded.
    pub labels: Vec<u16>,
    /// `(channels, height, width)`.
    pub shape: (usize, usize, usize),
}

/// Loads what an agenda says, ahead of its use, on threads of its own. Dropping it ends them.
///
/// ```
/// use cellwright::data::{Set, Source};
/// use cellwright::loader::{Agenda, Loader, Look, Stock, Tables};
/// use cellwright::recipe::Recipe;
/// use cellwright::Seed;
///
/// let Set::Memory(data) = Source::Digits.open()? else { unreachable!("the digits are embedded") };
/// let looks = vec![Look::training(&Recipe::default().stage(0, 1), (8, 8))];
/// let agenda = Agenda::training(Seed(0), data.train.len(), 64, 0, looks);
/// let tables = Tables::<f32>::new(&data.mean, &data.deviation);
/// let mut loader = Loader::start(Stock::Memory(data.train), agenda, tables, 2, 3)?;
/// let batch = loader.next().expect("1,200 pictures are more than a batch");
/// assert_eq!((batch.labels.len(), batch.pixels.len()), (64, 64 * 8 * 8));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Loader<T> {
    queue: Queue<Loaded<T>>,
    work: Arc<Work<T>>,
    /// Pictures handed out, broken ones included.
    position: u64,
    waited: Duration,
    broken: Broken,
}

/// A picture with its class, or its name and why there is none.
pub(super) type Loaded<T> = Result<(Vec<T>, u16), (String, String)>;

/// What all threads share.
struct Work<T> {
    stock: Stock,
    agenda: Agenda,
    tables: Tables<T>,
}

/// What each thread keeps between pictures.
#[derive(Default)]
pub(super) struct Desk {
    decoder: Decoder,
    file: Vec<u8>,
    spare: Vec<u8>,
}

impl<T: Pixels> Loader<T> {
    /// Starts `threads` threads that stay at most `ahead` batches ahead.
    ///
    /// # Errors
    /// Where the system has no threads left.
    pub fn start(
        stock: Stock,
        agenda: Agenda,
        tables: Tables<T>,
        threads: usize,
        ahead: usize,
    ) -> io::Result<Loader<T>> {
        let (room, count) = (agenda.batch * ahead.max(1), agenda.pictures());
        let work = Arc::new(Work { stock, agenda, tables });
        let shared = work.clone();
        let load = move |desk: &mut Desk, position| {
            shared.stock.load(&shared.tables, desk, shared.agenda.task(position))
        };
        let queue = Queue::start(threads, room, count, Desk::default, load)?;
        Ok(Loader { queue, work, position: 0, waited: Duration::ZERO, broken: Broken::default() })
    }

    /// The next batch, once it is there; `None` after the last. It is smaller, perhaps empty, where pictures cannot be
    /// decoded.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Option<Batch<T>> {
        let agenda = &self.work.agenda;
        let each = agenda.pictures_an_epoch();
        if self.position >= agenda.pictures() {
            return None;
        }
        let left = (each - self.position % each) as usize;
        let (height, width) = agenda.look(self.position).shape;
        let start = Instant::now();
        let taken = self.queue.take(left.min(agenda.batch));
        self.waited += start.elapsed();
        self.position += taken.len() as u64;
        let shape = (self.work.stock.channels(), height, width);
        Some(Batch::of(taken, shape, &mut self.broken))
    }

    /// How long its user has waited for batches so far.
    pub fn waited(&self) -> Duration {
        self.waited
    }

    /// What could not be decoded so far.
    pub fn broken(&self) -> &Broken {
        &self.broken
    }

    /// Most pictures that were ever in memory at a time, begun or done and not handed out.
    pub fn most_held(&self) -> u64 {
        self.queue.peak()
    }
}

impl<T: Pixels> Batch<T> {
    /// Those that could be loaded; the others join `broken`.
    pub(super) fn of(taken: Vec<Loaded<T>>, shape: (usize, usize, usize), broken: &mut Broken) -> Batch<T> {
        let mut batch = Batch { pixels: Vec::new(), labels: Vec::with_capacity(taken.len()), shape };
        batch.pixels.reserve_exact(taken.len() * shape.0 * shape.1 * shape.2);
        for loaded in taken {
            match loaded {
                Ok((pixels, label)) => {
                    batch.pixels.extend_from_slice(&pixels);
                    batch.labels.push(label);
                }
                Err((name, problem)) => broken.add(name, problem),
            }
        }
        batch
    }
}

impl Stock {
    pub(super) fn channels(&self) -> usize {
        match self {
            Stock::Memory(pictures) => pictures.shape.0,
            Stock::Files(files) => files.shape.0,
        }
    }

    fn label(&self, member: usize) -> u16 {
        match self {
            Stock::Memory(pictures) => pictures.labels[member],
            Stock::Files(files) => files.label(member),
        }
    }

    fn name(&self, member: usize) -> String {
        match self {
            Stock::Memory(_) => format!("picture {member}"),
            Stock::Files(files) => files.path(member).display().to_string(),
        }
    }

    /// One picture. A decoder that panics has met a broken one.
    pub(super) fn load<T: Pixels>(&self, tables: &Tables<T>, desk: &mut Desk, task: Task) -> Loaded<T> {
        let member = task.member;
        let view = catch_unwind(AssertUnwindSafe(|| self.view(tables, desk, task)));
        let view = view.unwrap_or_else(|_| {
            *desk = Desk::default();
            Err("the decoder panicked".into())
        });
        view.map(|pixels| (pixels, self.label(member))).map_err(|problem| (self.name(member), problem))
    }

    fn view<T: Pixels>(&self, tables: &Tables<T>, desk: &mut Desk, mut task: Task) -> Result<Vec<T>, String> {
        let (shape, augment) = (task.look.shape, task.look.augment.as_ref());
        let mut raster = self.raster(desk, &mut task)?;
        let mut view = View::default();
        if let Some(augment) = augment {
            rand_augment(&mut raster, augment.rand_augment, &mut task.rng, &mut desk.spare);
            view = View::draw(augment, shape.0, shape.1, &mut task.rng);
        }
        let mut pixels = Vec::with_capacity(raster.bytes.len());
        view.write_raster(&raster, tables, &mut pixels);
        Ok(pixels)
    }

    /// The picture at the size that is asked for.
    fn raster(&self, desk: &mut Desk, task: &mut Task) -> Result<Raster, String> {
        let Task { member, look, rng } = task;
        let mut choose = |width: usize, height: usize| match &look.augment {
            Some(augment) if augment.resized_crop > 0.0 => {
                Region::drawn(width, height, augment.resized_crop, rng)
            }
            _ => Region::middle(width, height, look.shape, share(look)),
        };
        match self {
            Stock::Memory(pictures) => {
                let from = interleaved(pictures, *member);
                let region = choose(from.width, from.height);
                let whole = (0.0, 0.0, from.width as f64, from.height as f64);
                let same = (from.height, from.width) == look.shape;
                if same && (region.left, region.top, region.width, region.height) == whole {
                    return Ok(from);
                }
                desk.decoder.cut(from, look.shape, region)
            }
            Stock::Files(files) => {
                read(&files.path(*member), &mut desk.file)?;
                desk.decoder.decode(&desk.file, files.shape.0, look.shape, choose)
            }
        }
    }
}

/// Pictures in training are seen whole where no box is drawn; looked at, in their middle.
fn share(look: &Look) -> f64 {
    if look.augment.is_some() { 1.0 } else { look.middle }
}

fn interleaved(pictures: &Pictures, member: usize) -> Raster {
    let (channels, height, width) = pictures.shape;
    let planes = pictures.picture(member);
    let area = height * width;
    let bytes = match channels {
        1 => planes.to_vec(),
        _ => (0..area).flat_map(|at| (0..channels).map(move |channel| planes[channel * area + at])).collect(),
    };
    Raster { bytes, channels, height, width }
}

/// A file's bytes, into a buffer that is used again.
fn read(path: &std::path::Path, into: &mut Vec<u8>) -> Result<(), String> {
    use std::io::Read;
    into.clear();
    let mut file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    file.read_to_end(into).map(drop).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
