//! What the GPU could do at most, measured in the same run.

use super::gpu::{Gpu, Work};
use std::error::Error;
use std::fmt::Write;
use veilgrid_shaders::{Binding, Shader};

/// Words that one invocation of the copy takes; as the kernels' tiles.
const TILE: usize = 4096;
/// Steps of a turn of the loop, of 16 operations each, and turns.
const STEPS: usize = 64;
const TURNS: usize = 64;

/// The two limits of every kernel.
#[derive(Debug, Clone, Copy)]
pub struct Roof {
    /// Bytes a second that a copy reads and writes.
    pub bytes: f64,
    /// Additions and xors of words a second.
    pub operations: f64,
}

impl Roof {
    /// Measures both, memory by vectors of `bytes`.
    ///
    /// # Errors
    /// The GPU fails.
    pub fn measure(gpu: &Gpu, bytes: usize) -> Result<Roof, Box<dyn Error>> {
        let source = vec![1; bytes / 8];
        let work = Work {
            params: vec![Vec::new()],
            vectors: vec![vec![0; source.len()], source],
            groups: bytes / TILE,
        };
        let (copied, seconds) = gpu.run(&copy(), &work)?;
        if copied != work.vectors[1] {
            return Err("the copy is not the original".into());
        }
        let moved = 2.0 * bytes as f64 / seconds;
        let groups = if gpu.software { 16 } else { 8192 };
        let work = Work { params: vec![Vec::new()], vectors: vec![vec![0; TILE / 8]], groups };
        let (_, seconds) = gpu.run(&operations(), &work)?;
        let count = 256.0 * (groups * 16 * STEPS * TURNS) as f64;
        Ok(Roof { bytes: moved, operations: count / seconds })
    }
}

fn shader(
    name: &'static str,
    gpu_source: String,
    workgroup_size: u32,
    bindings: &'static [Binding],
) -> Shader {
    // It lives as long as the program, which measures it once.
    let source = Box::leak(gpu_source.into_boxed_str());
    Shader { name, mode: veilgrid_shaders::Mode::Limb, source, workgroup_size, bindings }
}

/// A copy, tile by tile.
fn copy() -> Shader {
    let mut text = "@group(0) @binding(1) var<storage, read_write> target_: array<vec4<u32>>;\n\
        @group(0) @binding(2) var<storage, read> source: array<vec4<u32>>;\n\
        @compute @workgroup_size(64)\n\
        fn main(@builtin(local_invocation_id) local: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>) {\n\
        let i = group.x * 256u + local.x;\n"
        .to_owned();
    for k in [0, 64, 128, 192] {
        let _ = writeln!(text, "let v{k} = source[i + {k}u];");
    }
    for k in [0, 64, 128, 192] {
        let _ = writeln!(text, "target_[i + {k}u] = v{k};");
    }
    shader("copy", text + "}\n", 64, &[Binding::Uniform, Binding::ReadWrite, Binding::Read])
}

/// Additions and xors that wait for little: sixteen a step, on four words at a time. Each invocation has words of its own: what is the
/// same in all of them, some GPUs do once.
fn operations() -> Shader {
    let mut text = "@group(0) @binding(1) var<storage, read_write> result: array<u32>;\n\
        @compute @workgroup_size(256)\n\
        fn main(@builtin(global_invocation_id) id: vec3<u32>) {\n\
        var a = vec4<u32>(id.x) * vec4<u32>(1u, 3u, 5u, 7u);\nvar b = a + 5u;\nvar c = a ^ vec4<u32>(7u);\nvar d = b + c;\n"
        .to_owned();
    let _ = writeln!(text, "for (var turn = 0u; turn < {TURNS}u; turn += 1u) {{");
    for _ in 0..STEPS {
        text.push_str("a += b;\nd ^= a;\nc += d;\nb ^= c;\n");
    }
    text.push_str(
        "}\nlet all = a ^ b ^ c ^ d;\nif ((all.x ^ all.y ^ all.z ^ all.w) == 1u) {\nresult[0] = 1u;\n}\n}\n",
    );
    shader("operations", text, 256, &[Binding::Uniform, Binding::ReadWrite])
}
