//! The conformance suite on this machine's best Vulkan adapter, in both modes, and how devices are opened.
#![cfg(feature = "gpu")]

use std::sync::OnceLock;
use veilgrid_kernels::{
    Choice, Device, DeviceError, GpuMode, Laplace, Seed, conformance, conformance_suite, mask, noise, ring,
    share, spec,
};

/// Without an adapter the tests are skipped, and fail in continuous integration.
#[allow(clippy::print_stdout)]
fn open(mode: GpuMode) -> Option<Device> {
    match Device::gpu(Some(mode)) {
        Ok(device) => Some(device),
        Err(DeviceError::NoGpu { problem }) if std::env::var_os("CI").is_none() => {
            println!("skipped: {problem}; scripts/test-deps.sh installs a software adapter");
            None
        }
        Err(error) => panic!("{error}; scripts/test-deps.sh installs a software adapter"),
    }
}

fn limb() -> Option<Device> {
    static DEVICE: OnceLock<Option<Device>> = OnceLock::new();
    DEVICE.get_or_init(|| open(GpuMode::Limb)).clone()
}

fn native() -> Option<Device> {
    static DEVICE: OnceLock<Option<Device>> = OnceLock::new();
    DEVICE.get_or_init(|| open(GpuMode::Native)).clone()
}

conformance_suite!(on_limbs, limb());
conformance_suite!(on_native_integers, native());

/// 128 MiB is the least that a GPU must be able to bind, and the most that software adapters can.
#[test]
fn a_vector_larger_than_one_binding_keeps_its_place_in_the_stream() {
    const LEN: usize = (128 << 20) / 8 + 12_345;
    const FIRST: u64 = (1 << 32) - 1_000_000;
    let key = [9; 32];
    let Some(device) = native() else { return };
    let mut stream = Seed::from_bytes(key).stream(7);
    stream.skip(FIRST).unwrap();
    let mut data = vec![1u64; LEN];
    mask::add(&device, &mut data, &mut stream).unwrap();
    assert_eq!(stream.position(), u128::from(FIRST) + LEN.div_ceil(8) as u128);
    let mut want = vec![1u64; LEN];
    spec::mask::add(&mut want, &key, 7, FIRST);
    assert!(data == want);
    assert_eq!(ring::sum(&device, &data).unwrap(), spec::ring::sum(&want));
}

/// Twice a part of the usual size.
#[test]
fn a_transform_larger_than_a_part_stays_there() {
    let Some(device) = native() else { return };
    conformance::transform(&device, 21);
}

#[test]
fn a_gpu_and_a_cpu_are_two_parties_of_one_job() {
    let (Some(gpu), cpu) = (limb(), Device::cpu().unwrap()) else { return };
    let key = [3; 32];
    let secret: Vec<u64> = (0..5001).collect();
    let mut correction = secret.clone();
    share::split(&gpu, &mut correction, &mut [Seed::from_bytes(key).stream(1)]).unwrap();
    let mut other = vec![0; secret.len()];
    share::expand(&cpu, &mut other, &mut Seed::from_bytes(key).stream(1)).unwrap();
    let law = Laplace::new(10, 1).unwrap();
    noise::laplace_add(&gpu, &law, &mut Seed::from_bytes(key).stream(2), &mut correction).unwrap();
    share::reconstruct(&cpu, &mut correction, &[&other]).unwrap();
    let mut want = secret;
    spec::noise::laplace_add(&law, &key, 2, 0, &mut want);
    assert!(correction == want);
}

#[test]
fn a_listing_names_the_modes_and_limits_of_a_gpu_that_opens() {
    let Some(device) = limb() else { return };
    let devices = Device::list();
    let info = devices.iter().find(|info| info.name == device.describe()).expect("the open device is listed");
    assert_eq!(info.fault, None);
    assert_eq!(info.device().map(Device::describe).as_ref(), Some(&info.name));
    for fact in ["kind", "backend", "driver", "largest buffer", "largest binding"] {
        assert!(info.limits.iter().any(|(name, value)| name == fact && !value.is_empty()), "{fact}");
    }
}

#[test]
fn a_software_adapter_is_taken_only_where_a_gpu_is_demanded() {
    let automatic = Device::open(Choice::Auto).unwrap().describe();
    assert!(!automatic.contains("software"), "{automatic}");
    if limb().is_some() {
        let demanded = Device::open(Choice::Gpu).unwrap().describe();
        assert!(demanded.starts_with("gpu "), "{demanded}");
    }
}
