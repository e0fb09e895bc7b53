//! Where networks are trained: the words for it, and what is missing where a device is not there.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

#[cfg(feature = "cuda")]
mod cuda;

/// One device that a network is trained on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Device {
    /// The processor.
    #[default]
    Cpu,
    /// The NVIDIA GPU of this index, from 0.
    Cuda(usize),
}

/// The devices that an experiment asks for: `cpu`, `cuda`, `cuda:1`, `all`, on the command line and in RON alike.
///
/// ```
/// use cellwright::device::{Device, Devices};
///
/// let devices: Devices = ron::from_str("\"cuda:1\"")?;
/// assert_eq!(devices, Devices::One(Device::Cuda(1)));
/// assert_eq!("cuda".parse(), Ok(Devices::One(Device::Cuda(0))));
/// assert_eq!(Devices::default().find()?, [Device::Cpu]);
/// let error = "gpu".parse::<Devices>().unwrap_err();
/// assert_eq!(error.to_string(), "unknown device `gpu`; the devices are `cpu`, `cuda`, `cuda:1` (any index), `all`");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Devices {
    /// This one, which all workers share.
    One(Device),
    /// Every GPU that there is, the workers spread over them; at least one worker a GPU.
    All,
}

impl Default for Devices {
    fn default() -> Devices {
        Devices::One(Device::Cpu)
    }
}

/// Why a device cannot be trained on. Found out before anything is started on it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// A word that names no device.
    #[error("unknown device `{0}`; the devices are `cpu`, `cuda`, `cuda:1` (any index), `all`")]
    Unknown(String),
    /// This binary holds no CUDA.
    #[error(
        "this binary was built without CUDA, which `{0}` needs\n  \
         hint: build it with `--features cuda`, or use `--device cpu`"
    )]
    NotBuilt(String),
    /// The driver's library is not there.
    #[error(
        "no NVIDIA driver: {0}\n  hint: `nvidia-smi` shows whether one runs; where it does, add the folder of \
         libcuda.so to LD_LIBRARY_PATH; else use `--device cpu`"
    )]
    NoDriver(String),
    /// The library that compiles kernels is not there.
    #[error(
        "no CUDA compiler (NVRTC): {0}\n  hint: install the CUDA toolkit's NVRTC, and add the folder of libnvrtc.so \
         to LD_LIBRARY_PATH; or use `--device cpu`"
    )]
    NoCompiler(String),
    /// The files that kernels include are not there.
    #[error(
        "no CUDA headers: {0}\n  hint: set CUDA_PATH to the folder that holds `include/cuda_fp16.h`; or use `--device cpu`"
    )]
    NoHeaders(String),
    /// The machine has other GPUs than the one asked for.
    #[error("there is no GPU {index}: {}\n  hint: choose one that is there, or use `--device cpu`", gpus(*found))]
    NoGpu {
        /// The index asked for.
        index: usize,
        /// How many GPUs there are.
        found: usize,
    },
    /// A GPU that is there and does not work.
    #[error(
        "GPU {index} cannot be used: {problem}\n  hint: `nvidia-smi` shows its state; or use `--device cpu`"
    )]
    Refused {
        /// The index.
        index: usize,
        /// What the driver or its library says.
        problem: String,
    },
}

impl Devices {
    /// The devices themselves, each of them there and ready to be trained on.
    ///
    /// # Errors
    /// [`DeviceError`]: what is missing.
    pub fn find(self) -> Result<Vec<Device>, DeviceError> {
        match self {
            Devices::One(Device::Cpu) => Ok(vec![Device::Cpu]),
            Devices::One(Device::Cuda(index)) => {
                let found = gpus_that_work(self)?;
                if index < found {
                    Ok(vec![Device::Cuda(index)])
                } else {
                    Err(DeviceError::NoGpu { index, found })
                }
            }
            Devices::All => match gpus_that_work(self)? {
                0 => Err(DeviceError::NoGpu { index: 0, found: 0 }),
                found => Ok((0..found).map(Device::Cuda).collect()),
            },
        }
    }

    /// How many workers an experiment that asks for `workers` gets: every GPU has one at least.
    pub fn workers(self, workers: usize, devices: usize) -> usize {
        if self == Devices::All { workers.max(devices) } else { workers }
    }
}

impl Device {
    /// Bytes of its memory that nobody used when it was first asked; `None` where nothing says, as for the processor.
    pub fn memory(self) -> Option<u64> {
        match self {
            Device::Cpu => None,
            #[cfg(feature = "cuda")]
            Device::Cuda(index) => cuda::memory(index),
            #[cfg(not(feature = "cuda"))]
            Device::Cuda(_) => None,
        }
    }
}

#[cfg(feature = "cuda")]
fn gpus_that_work(_asked: Devices) -> Result<usize, DeviceError> {
    cuda::count()
}

#[cfg(not(feature = "cuda"))]
fn gpus_that_work(asked: Devices) -> Result<usize, DeviceError> {
    Err(DeviceError::NotBuilt(asked.to_string()))
}

fn gpus(found: usize) -> String {
    match found {
        0 => "the driver sees none".into(),
        1 => "the driver sees one, `cuda:0`".into(),
        more => format!("the driver sees {more}, `cuda:0` to `cuda:{}`", more - 1),
    }
}

impl fmt::Display for Device {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Device::Cpu => out.write_str("cpu"),
            Device::Cuda(index) => write!(out, "cuda:{index}"),
        }
    }
}

impl fmt::Display for Devices {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Devices::One(device) => device.fmt(out),
            Devices::All => out.write_str("all"),
        }
    }
}

impl FromStr for Device {
    type Err = DeviceError;

    fn from_str(word: &str) -> Result<Device, DeviceError> {
        let unknown = || DeviceError::Unknown(word.into());
        match word.trim() {
            "cpu" => Ok(Device::Cpu),
            "cuda" => Ok(Device::Cuda(0)),
            other => {
                let index = other.strip_prefix("cuda:").ok_or_else(unknown)?;
                index.parse().map(Device::Cuda).map_err(|_| unknown())
            }
        }
    }
}

impl FromStr for Devices {
    type Err = DeviceError;

    fn from_str(word: &str) -> Result<Devices, DeviceError> {
        if word.trim() == "all" { Ok(Devices::All) } else { word.parse().map(Devices::One) }
    }
}

impl TryFrom<String> for Device {
    type Error = DeviceError;
    fn try_from(word: String) -> Result<Device, DeviceError> {
        word.parse()
    }
}

impl TryFrom<String> for Devices {
    type Error = DeviceError;
    fn try_from(word: String) -> Result<Devices, DeviceError> {
        word.parse()
    }
}

impl From<Device> for String {
    fn from(device: Device) -> String {
        device.to_string()
    }
}

impl From<Devices> for String {
    fn from(devices: Devices) -> String {
        devices.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_and_others_are_refused() {
        for word in ["cpu", "cuda:0", "cuda:7", "all"] {
            assert_eq!(word.parse::<Devices>().unwrap().to_string(), word);
        }
        for word in ["", "gpu", "cuda:", "cuda:-1", "cuda:one", "CPU", "cuda:99999999999999999999"] {
            assert_eq!(word.parse::<Devices>(), Err(DeviceError::Unknown(word.into())));
        }
    }

    #[test]
    fn all_means_a_worker_a_gpu_at_least() {
        assert_eq!(Devices::All.workers(1, 4), 4);
        assert_eq!(Devices::All.workers(8, 4), 8);
        assert_eq!(Devices::One(Device::Cuda(2)).workers(3, 1), 3);
    }

    #[test]
    fn every_refusal_says_what_is_missing_and_what_to_do() {
        let text = |error: DeviceError| error.to_string();
        assert_eq!(
            text(DeviceError::NoGpu { index: 3, found: 2 }),
            "there is no GPU 3: the driver sees 2, `cuda:0` to `cuda:1`\n  \
             hint: choose one that is there, or use `--device cpu`"
        );
        assert!(text(DeviceError::NoGpu { index: 0, found: 0 }).contains("the driver sees none"));
        assert!(text(DeviceError::NoGpu { index: 1, found: 1 }).contains("sees one, `cuda:0`"));
        for (error, word) in [
            (DeviceError::NoDriver("libcuda.so".into()), "no NVIDIA driver: libcuda.so"),
            (DeviceError::NoCompiler("libnvrtc.so".into()), "(NVRTC): libnvrtc.so"),
            (DeviceError::NoHeaders("/usr".into()), "CUDA_PATH"),
            (
                DeviceError::Refused { index: 1, problem: "out of memory".into() },
                "GPU 1 cannot be used: out of",
            ),
        ] {
            let said = text(error);
            assert!(said.contains(word) && said.contains("--device cpu"), "{said}");
        }
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_binary_without_cuda_says_so() {
        for devices in [Devices::All, Devices::One(Device::Cuda(1))] {
            let said = devices.find().unwrap_err().to_string();
            assert!(said.contains(&format!("without CUDA, which `{devices}` needs")), "{said}");
            assert!(said.contains("--features cuda"), "{said}");
        }
    }
}
