//! What needs the inside of a GPU: run-time checks, small parts, broken shaders and failures.

use super::{Adapter, Gpu, Setup};
use crate::device::{Device, DeviceError, GpuMode};
use crate::field::Ntt;
use crate::matmul::Shape;
use crate::noise::Sampled;
use crate::spec::{self, mask::words};
use crate::stream::Span;
use crate::{Field, Field64, KernelError, Laplace, Plan, Seed, conformance, conformance_suite};
use std::sync::OnceLock;
use veilgrid_shaders::{Mode, SHADERS, Shader};

const KEY: [u8; 32] = [42; 32];

/// The adapter that tests use; without one they are skipped, and fail in continuous integration.
#[allow(clippy::print_stdout)]
fn adapter() -> Option<Adapter> {
    let found = Adapter::all().into_iter().next();
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "no Vulkan adapter: run scripts/test-deps.sh");
        println!("skipped: no Vulkan adapter; scripts/test-deps.sh installs one");
    }
    found
}

pub(super) fn open(mode: GpuMode, setup: Setup) -> Option<Gpu> {
    adapter().map(|adapter| adapter.open_with(mode, setup).expect("a GPU that passes its self-test"))
}

/// A suite whose checks share one device, which a function of the same name opens.
macro_rules! suite {
    ($name:ident, $mode:expr, $setup:expr) => {
        fn $name() -> Option<Device> {
            static DEVICE: OnceLock<Option<Device>> = OnceLock::new();
            DEVICE.get_or_init(|| open($mode, $setup).map(Device::from)).clone()
        }
        conformance_suite!($name, $name());
    };
}
// `tests/gpu.rs` has the suites without either. Parts of 8 KiB: most of the suite's vectors take several.
suite!(
    limb_with_checks_in_parts,
    GpuMode::Limb,
    Setup { checks: true, shard: Some(8192), binding: Some(12 << 10), ..Setup::default() }
);
suite!(
    native_with_checks_in_parts,
    GpuMode::Native,
    Setup { checks: true, shard: Some(8192), binding: Some(12 << 10), ..Setup::default() }
);

/// Also where the system has a device file for a GPU, so that all drivers are asked.
#[test]
fn no_software_adapter_counts_as_a_real_one() {
    let software = |adapters: &[Adapter]| {
        adapters.iter().filter(|adapter| adapter.describe(GpuMode::Limb).ends_with(", software")).count()
    };
    let adapters = Adapter::all();
    let (all, programs) = (adapters.len(), software(&adapters));
    let real = Adapter::real(adapters);
    assert_eq!((real.len(), software(&real)), (all - programs, 0));
}

#[test]
fn parts_of_any_size_give_the_same_bits() {
    let law = Laplace::new(1000, 7).unwrap();
    let span = Span { key: &KEY, id: 3, block: (5 << 32) - 100 };
    let mut want = words::<u64>(&KEY, 1, 0, 1000);
    spec::noise::laplace_add(&law, &KEY, 3, span.block, &mut want);
    spec::mask::sub(&mut want, &KEY, 3, span.block);
    for shard in [64, 128, 192, 4096, 8000, 1 << 20] {
        let Some(gpu) = open(GpuMode::Limb, Setup { shard: Some(shard), ..Setup::default() }) else { return };
        let mut got = words::<u64>(&KEY, 1, 0, 1000);
        gpu.noise_add(law.sampler(), &span, &mut got).unwrap();
        gpu.mask_sub(&span, &mut got).unwrap();
        assert!(got == want, "parts of {shard} bytes");
        assert_eq!(gpu.sum(&got), Ok(spec::ring::sum(&want)), "parts of {shard} bytes");
    }
}

/// Few sums of many products, which workgroups share: in one dispatch, and in several of which the last is short.
#[test]
fn shares_of_any_number_give_the_same_matrices() {
    let shape = Shape { rows: 3, inner: 3001, columns: 5 };
    let (a, b) = (words::<u64>(&KEY, 1, 0, 3 * 3001), words::<u64>(&KEY, 2, 0, 3001 * 5));
    let mut want = words::<u64>(&KEY, 3, 0, 15);
    spec::matmul::multiply_add(shape, &a, &b, &mut want);
    for (shard, binding) in [(1 << 18, 1 << 20), (1 << 20, 1 << 20), (1 << 20, 32 << 10)] {
        let setup = Setup { shard: Some(shard), binding: Some(binding), ..Setup::default() };
        let Some(gpu) = open(GpuMode::Limb, setup) else { return };
        let mut got = words::<u64>(&KEY, 3, 0, 15);
        gpu.multiply_add(shape, &a, &b, &mut got).unwrap();
        assert!(got == want, "parts of {shard} bytes, bindings of {binding}");
    }
}

/// Sums in one block and in several, which take several dispatches, and factors and sums that come and go by several parts.
#[test]
fn parts_of_any_size_give_the_same_matrices() {
    let shape = Shape { rows: 70, inner: 201, columns: 90 };
    let (a, b) = (words::<u64>(&KEY, 1, 0, 70 * 201), words::<u64>(&KEY, 2, 0, 201 * 90));
    let mut want = words::<u64>(&KEY, 3, 0, 70 * 90);
    spec::matmul::multiply_add(shape, &a, &b, &mut want);
    let mut turned = vec![0; b.len()];
    spec::matmul::transpose(201, 90, &b, &mut turned);
    for (shard, binding) in [(2048, 1 << 20), (4096, 16 << 10), (8192, 1 << 20), (1 << 20, 1 << 20)] {
        let setup = Setup { shard: Some(shard), binding: Some(binding), ..Setup::default() };
        let Some(gpu) = open(GpuMode::Limb, setup) else { return };
        let mut got = words::<u64>(&KEY, 3, 0, 70 * 90);
        gpu.multiply_add(shape, &a, &b, &mut got).unwrap();
        assert!(got == want, "parts of {shard} bytes");
        let mut got = vec![0; b.len()];
        gpu.matrix_transpose(201, 90, &b, &mut got).unwrap();
        assert!(got == turned, "parts of {shard} bytes");
    }
}

#[test]
fn a_vector_larger_than_the_largest_binding_is_taken_in_parts_of_that_size() {
    // The least that every GPU can bind, and what software adapters have.
    let binding = 128 << 20;
    let Some(gpu) = open(GpuMode::Limb, Setup { shard: Some(binding), ..Setup::default() }) else { return };
    let mut got: Vec<u32> = (0..(binding as u32 / 4 + 1003)).collect();
    let want: Vec<u32> = got.iter().map(|x| x.wrapping_mul(*x)).collect();
    let other = got.clone();
    gpu.mul(&mut got, &other).unwrap();
    assert!(got == want);
    assert_eq!(gpu.sum(&got), Ok(spec::ring::sum(&want)));
}

/// Our shaders with one text replaced in the source of one kernel.
fn spoilt(kernel: &str, text: &str, by: &str) -> &'static [Shader] {
    let spoil = |shader: &Shader| {
        if shader.name != kernel {
            return *shader;
        }
        let source = shader.source.replace(text, by);
        assert!(source != shader.source, "there is no {text} in {kernel}");
        Shader { source: Box::leak(source.into_boxed_str()), ..*shader }
    };
    let limb = SHADERS.iter().filter(|shader| shader.mode == Mode::Limb);
    Box::leak(limb.map(spoil).collect::<Vec<_>>().into_boxed_slice())
}

#[test]
fn a_gpu_with_wrong_bits_in_one_kernel_is_refused_by_name() {
    let Some(adapter) = adapter() else { return };
    let spoils = [
        ("ring_add_u64", "a.yw + b.yw + carry", "a.yw + b.yw"),
        ("ring_mul_u64", "(first >> half)", "(first & half)"),
        ("ring_sum_u32", "me < 1u", "me < 0u"),
        ("chacha_keystream", "first.y + select(0u, 1u, low < offset)", "first.y"),
        ("mask_sub_u32", "data - mask", "data + mask"),
        ("fixed_encode", "vec2<u32>(63u)", "vec2<u32>(31u)"),
        ("fixed_decode", "(rest + odd) > ", "(rest + odd) >= "),
        ("fixed_truncate", "pair_sub(shifted ^ sign, sign)", "pair_sub(shifted, sign)"),
        ("fixed_truncate_opened", "mask_2)", "mask_1)"),
        ("noise_laplace_fill", "j < 7u", "j < 6u"),
        ("field_add_m61", ">= vec2<u32>(0x20000000u)", "> vec2<u32>(0x20000000u)"),
        ("field_pow_m61", "k > 32u", "k > 33u"),
        ("field_mul_add_field64", "(a_0, b_0)", "(a_0, a_0)"),
        ("ntt_pass", "level >= last", "level > last"),
        ("ntt_pass", "if (whole > before + levels)", "if (whole < before + levels)"),
        ("field_mul_m61", "vec2<u32>(29u)", "vec2<u32>(28u)"),
        ("field_mul_field64", "pair_whole(pair_low(first))", "pair_whole(pair_high(first))"),
        ("field_uniform_m61", "vec2<u32>(26u)", "vec2<u32>(25u)"),
        ("field_uniform_field64", "chacha_block(first + 1u)", "chacha_block(first)"),
        ("shamir_combine_m61", "terms[row + k]", "terms[row]"),
        ("noise_laplace_add", "thresholds[7u * (k - 1u) + j]", "thresholds[j]"),
        ("noise_table_fill", "j < params.lower.x", "j + 4u < params.lower.x"),
        ("noise_table_add", "tabled(params.lower.x + k)", "tabled(params.lower.x)"),
        ("noise_trials_fill", "k + 1u == params.bits", "k == params.bits"),
        ("noise_trials_add", "params.upper", "params.lower"),
        ("bits_xor", "acc_0 ^ other_0", "acc_0 | other_0"),
        ("bits_not", "~words_3", "words_3"),
        ("bits_funnel", "(b << n) | ", "(b << n) & "),
        ("bits_ones", "me < 1u", "me < 0u"),
        ("bits_to_planes", "0x33333333u", "0x33333331u"),
        ("bits_from_planes", "9u * (me & 7u)", "9u * (me & 3u)"),
        ("field_dot_m61", "at += 256u", "at += 255u"),
        ("field_dot_field64", "me < 1u", "me < 0u"),
        ("field_evaluate_m61", "coefficients[k - 1u]", "coefficients[0u]"),
        ("field_evaluate_field64", "prime_mul(value_1, point_1)", "prime_mul(value_1, point_0)"),
        ("matmul_u64", "front + at % 8u", "at % 8u"),
        ("matmul_gather_u64", "params.count + i", "i"),
        ("chain_change_u32", "unit_add(x, unit_mul(held, y))", "unit_mul(held, y)"),
        ("chain_change_u64", "place.zw, i)", "place.xy, i)"),
        ("chain_total_u32", "at < vec4<u32>(program.words)", "at <= vec4<u32>(program.words)"),
        ("chain_total_u64", "what.zwzw", "what.zzzz"),
    ];
    for (kernel, text, by) in spoils {
        let setup = Setup { shaders: Some(spoilt(kernel, text, by)), ..Setup::default() };
        let error = adapter.open_with(GpuMode::Limb, setup).err();
        let device = adapter.describe(GpuMode::Limb);
        assert_eq!(error, Some(DeviceError::SelfTest { device: device.clone(), family: kernel }), "{kernel}");
        let message = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(
            message.contains(&device) && message.contains(kernel) && message.contains("use another device")
        );
    }
}

#[test]
fn a_kernel_that_the_driver_cannot_compile_is_an_error_that_names_it() {
    let Some(adapter) = adapter() else { return };
    let shaders = Some(spoilt("fixed_encode", "return", "give back"));
    let error = adapter.open_with(GpuMode::Limb, Setup { shaders, ..Setup::default() }).err();
    let Some(DeviceError::NoGpu { problem }) = error else { panic!("{error:?}") };
    assert!(problem.contains("fixed_encode") && problem.contains(adapter.name()), "{problem}");
}

#[test]
fn a_lost_device_is_an_error_and_leaves_the_input_as_it_was() {
    let Some(gpu) = open(GpuMode::Limb, Setup::default()) else { return };
    let (mut acc, other) = (vec![7u64; 5000], vec![9u64; 5000]);
    gpu.add(&mut acc, &other).unwrap();
    gpu.0.device.destroy();
    for _ in 0..2 {
        let error = gpu.add(&mut acc, &other).unwrap_err();
        let KernelError::Gpu { problem } = &error else { panic!("{error}") };
        assert!(problem.contains("ring_add_u64") && problem.contains(gpu.describe()), "{problem}");
        assert!(acc.iter().all(|x| *x == 16));
    }
    assert!(gpu.sum(&acc).is_err());
}

#[test]
fn a_complaint_of_the_driver_fails_one_batch_and_not_the_next() {
    let Some(gpu) = open(GpuMode::Limb, Setup::default()) else { return };
    let (mut acc, other) = (vec![7u64; 5000], vec![9u64; 5000]);
    let _ = gpu.0.device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: u64::MAX / 2,
        usage: wgpu::BufferUsages::STORAGE,
        mapped_at_creation: false,
    });
    let error = gpu.add(&mut acc, &other).unwrap_err();
    assert!(error.to_string().contains("run again with the CPU"), "{error}");
    assert!(acc.iter().all(|x| *x == 7));
    gpu.add(&mut acc, &other).unwrap();
    assert!(acc.iter().all(|x| *x == 16));
}

#[test]
fn threads_share_a_gpu() {
    let Some(gpu) = open(GpuMode::Limb, Setup { shard: Some(4096), ..Setup::default() }) else { return };
    std::thread::scope(|scope| {
        for id in 0..4 {
            let gpu = gpu.clone();
            scope.spawn(move || {
                let span = Span { key: &KEY, id, block: 0 };
                for len in [100, 5000, 9000] {
                    let mut got = vec![id; len];
                    let mut want = got.clone();
                    gpu.mask_add(&span, &mut got).unwrap();
                    spec::mask::add(&mut want, &KEY, id, 0);
                    assert!(got == want, "thread {id}, length {len}");
                }
            });
        }
    });
}

#[test]
fn resident_vectors_of_any_number_of_parts_give_the_same_bits() {
    for (binding, shard) in [(64, 64), (128, 4096), (4096, 192), (1 << 20, 8000)] {
        let setup = Setup { binding: Some(binding), shard: Some(shard), ..Setup::default() };
        let Some(gpu) = open(GpuMode::Limb, setup) else { return };
        let device = Device::from(gpu);
        let (a, b) = (words::<u64>(&KEY, 1, 0, 1003), words::<u64>(&KEY, 2, 0, 1003));
        let (there, mut target) = (device.upload(&a).unwrap(), device.upload(&b).unwrap());
        assert!(there.download().unwrap() == a, "parts of {binding} bytes");
        let first = (5 << 32) - 20;
        let stream = || {
            let mut stream = Seed::from_bytes(KEY).stream(3);
            stream.skip(first).unwrap();
            stream
        };
        let mut want = b.clone();
        spec::ring::mul(&mut want, &a);
        spec::mask::add(&mut want, &KEY, 3, first);
        Plan::new(&device, 1003).mul(&there).add(&mut stream()).store(&mut target).unwrap();
        assert!(target.download().unwrap() == want, "parts of {binding} bytes");
        let sum = Plan::new(&device, 1003).load(&target).sub(&mut stream()).sum();
        spec::mask::sub(&mut want, &KEY, 3, first);
        assert_eq!(sum, Ok(spec::ring::sum(&want)), "parts of {binding} bytes");
    }
}

#[test]
fn a_lost_device_fails_plans_and_transfers_and_leaves_host_data_as_it_was() {
    let Some(gpu) = open(GpuMode::Limb, Setup::default()) else { return };
    let device = Device::from(gpu.clone());
    let values = vec![7u64; 5000];
    let (a, mut target) = (device.upload(&values).unwrap(), device.buffer(5000).unwrap());
    Plan::new(&device, 5000).load(&a).add(&a).store(&mut target).unwrap();
    assert!(target.download().unwrap().iter().all(|x| *x == 14));
    gpu.0.device.destroy();
    let lost = |error: Option<KernelError>, what: &str| {
        let Some(KernelError::Gpu { problem }) = error else { panic!("{what}: {error:?}") };
        assert!(problem.contains(what) && problem.contains(gpu.describe()), "{problem}");
    };
    lost(Plan::new(&device, 5000).load(&a).store(&mut target).err(), "chain_change_u64");
    lost(Plan::new(&device, 5000).load(&a).sum().err(), "chain_total_u64");
    lost(device.upload(&values).err(), "");
    lost(target.write(&values).err(), "an upload");
    let mut out = vec![3u64; 5000];
    lost(a.read(&mut out).err(), "a download");
    assert!(out.iter().all(|x| *x == 3) && values.iter().all(|x| *x == 7));
    drop(a);
    // The same values go to another device.
    let cpu = Device::cpu().unwrap();
    let there = cpu.upload(&values).unwrap();
    assert_eq!(Plan::new(&cpu, 5000).load(&there).sum(), Ok(35_000));
}

#[test]
fn a_buffer_of_one_gpu_is_refused_by_another_and_by_the_cpu() {
    let Some(gpu) = open(GpuMode::Limb, Setup::default()) else { return };
    let Some(other) = open(GpuMode::Limb, Setup::default()) else { return };
    let (device, other, cpu) = (Device::from(gpu), Device::from(other), Device::cpu().unwrap());
    let buffer = device.upload(&[1u32; 10]).unwrap();
    let mut there = cpu.buffer::<u32>(10).unwrap();
    for device in [&other, &cpu] {
        let refused = Plan::new(device, 10).add(&buffer).sum();
        assert_eq!(refused, Err(KernelError::OtherDevice { operand: "an operand" }));
    }
    let refused = Plan::new(&device, 10).load(&buffer).store(&mut there);
    assert_eq!(refused, Err(KernelError::OtherDevice { operand: "the target" }));
    assert_eq!(Plan::new(&device.clone(), 10).add(&buffer).sum(), Ok(10));
}

#[test]
fn transforms_of_any_number_of_parts_give_the_same_bits() {
    for (mode, binding) in
        [(GpuMode::Native, 1 << 20), (GpuMode::Native, 100 << 10), (GpuMode::Limb, 40 << 10)]
    {
        let setup = Setup { binding: Some(binding), shard: Some(8192), ..Setup::default() };
        let Some(gpu) = open(mode, setup) else { return };
        let device = Device::from(gpu);
        for log in 11..=16 {
            conformance::transform(&device, log);
        }
        // Several of them, each of which is more than a part.
        let (ntt, cpu) = (Ntt::new(11).unwrap(), Device::cpu().unwrap());
        let mut got = vec![Field64::ZERO; 3 << 11];
        spec::field::uniform(&KEY, 1, 0, &mut got);
        let mut want = got.clone();
        ntt.inverse(&device, &mut got).unwrap();
        ntt.inverse(&cpu, &mut want).unwrap();
        assert!(got == want, "bindings of {binding} bytes");
    }
}
