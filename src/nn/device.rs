//! Burn's devices: the CPU in pure Rust, and CUDA where the binary holds it.

use burn::tensor;

use super::NnError;
use crate::device::Device;

/// The device as Burn knows it, tried out with a sum: a GPU that only fails when used is told before a training starts.
pub(super) fn open(device: Device) -> Result<tensor::Device, NnError> {
    match device {
        Device::Cpu => Ok(super::device()),
        Device::Cuda(index) => gpu(index),
    }
}

#[cfg(feature = "cuda")]
fn gpu(index: usize) -> Result<tensor::Device, NnError> {
    let tried = crate::panics::catch(|| {
        let device = tensor::Device::cuda(index);
        let sum = tensor::Tensor::<1>::ones([2], &device).sum();
        (device, sum.into_scalar::<f32>())
    });
    match tried {
        Ok((device, 2.0)) => Ok(device),
        Ok((_, sum)) => {
            Err(NnError::Unfit(format!("GPU {index} cannot be used: it says that 1 + 1 is {sum}")))
        }
        Err(words) => Err(NnError::Unfit(format!("GPU {index} cannot be used: {words}"))),
    }
}

#[cfg(not(feature = "cuda"))]
fn gpu(index: usize) -> Result<tensor::Device, NnError> {
    let device = Device::Cuda(index).to_string();
    Err(NnError::Unfit(crate::device::DeviceError::NotBuilt(device).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_is_always_there() {
        assert_eq!(open(Device::Cpu).unwrap(), crate::nn::device());
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_gpu_needs_a_binary_that_knows_it() {
        assert!(open(Device::Cuda(0)).unwrap_err().to_string().contains("built without CUDA"));
    }
}
