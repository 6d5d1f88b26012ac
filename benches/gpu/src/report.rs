//! Counts every shader and says what came out.

use crate::assembly::{inner_loop, narrow};
use crate::limits::{Counted, LIMITS, Limit, Most};
use crate::null::{Compiled, NullGpu};
use std::error::Error;
use std::fmt::Write;
use veilgrid_shaders::{Mode, SHADERS, Shader};

/// One row of the table, and what is wrong with it.
struct Row {
    text: String,
    faults: Vec<String>,
}

/// Every shader as a Markdown table, and every limit that is passed.
///
/// # Errors
/// A shader cannot be compiled.
pub fn report(gpu: &NullGpu) -> Result<(String, Vec<String>), Box<dyn Error>> {
    let mut table =
        "| kernel | mode | counted | instructions | minimum | ratio | at most | VGPRs | spills | waves |\n\
                     |---|---|---|---|---|---|---|---|---|---|\n"
            .to_owned();
    let mut faults = Vec::new();
    for shader in SHADERS {
        let compiled =
            gpu.compile(shader).map_err(|error| format!("{} {:?}: {error}", shader.name, shader.mode))?;
        let row = row(shader, &compiled)?;
        writeln!(table, "{}", row.text)?;
        faults.extend(row.faults.iter().map(|fault| format!("{}, {:?}: {fault}", shader.name, shader.mode)));
    }
    let unknown = LIMITS.iter().filter(|limit| SHADERS.iter().all(|shader| shader.name != limit.kernel));
    faults.extend(unknown.map(|limit| format!("{}: there is a limit but no such kernel", limit.kernel)));
    Ok((table, faults))
}

fn row(shader: &Shader, compiled: &Compiled) -> Result<Row, Box<dyn Error>> {
    let mut faults = Vec::new();
    if compiled.spills > 0 {
        faults.push(format!("{} registers or bytes spilled", compiled.spills));
    }
    let mode = match shader.mode {
        Mode::Limb => "limb",
        Mode::Native => "native",
    };
    let registers = format!("{} | {} | {}", compiled.vgprs, compiled.spills, compiled.occupancy);
    let Some(limit) = LIMITS.iter().find(|limit| limit.kernel == shader.name) else {
        faults.push("no limit is stated in benches/gpu/src/limits.rs".to_owned());
        let text = format!(
            "| `{}` | {mode} | program | {} | | | | {registers} |",
            shader.name, compiled.instructions
        );
        return Ok(Row { text, faults });
    };
    let cost = cost(limit, compiled)?;
    let index = usize::from(shader.mode == Mode::Native);
    let minimum = limit.minimum[index];
    let most = match limit.most[index] {
        Most::Times(factor) => factor * minimum,
        Most::Instructions(most) => most,
    };
    if cost > most {
        faults.push(format!("{cost:.1} instructions for one {}, at most {most:.1}", limit.unit));
    }
    if cost < minimum {
        faults.push(format!("{cost:.1} instructions for one {}, below the minimum {minimum:.1}", limit.unit));
    }
    if limit.wide {
        let mut narrow = narrow(&compiled.assembly);
        narrow.dedup();
        if !narrow.is_empty() {
            faults.push(format!("memory is reached by less than 128 bits: {}", narrow.join(", ")));
        }
    }
    let text = format!(
        "| `{}` | {mode} | {} | {cost:.1} | {minimum:.1} | {:.2} | {most:.1} | {registers} |",
        shader.name,
        limit.unit,
        cost / minimum
    );
    Ok(Row { text, faults })
}

/// Instructions a unit.
fn cost(limit: &Limit, compiled: &Compiled) -> Result<f64, Box<dyn Error>> {
    let counted = match limit.counted {
        Counted::Program => compiled.instructions,
        Counted::Loop => {
            let found = inner_loop(&compiled.assembly);
            found.ok_or_else(|| format!("{} has no loop to count", limit.kernel))? as u64
        }
    };
    Ok(counted as f64 / f64::from(limit.units))
}
