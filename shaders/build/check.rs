//! Parses and validates expanded WGSL and reads off what a host must know to run it.

use crate::expand::{Expanded, Fault, Place};
use naga::valid::{Capabilities, ValidationFlags, Validator};
use naga::{AddressSpace, StorageAccess};

/// What the host must know of a valid kernel.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Invocations of one workgroup.
    pub(crate) workgroup_size: u32,
    /// The kind of binding 0, 1, ... of group 0, by its name in the table.
    pub(crate) bindings: Vec<&'static str>,
}

/// Validates one kernel, whose entry point must be `main`.
pub(crate) fn check(source: &Expanded, native: bool) -> Result<Facts, Fault> {
    let whole = || source.places.last().cloned().unwrap_or(Place { file: String::new(), line: 1 });
    let at = |line: u32| source.places.get(line as usize - 1).cloned().unwrap_or_else(whole);
    let text = &source.text;

    let module = naga::front::wgsl::parse_str(text).map_err(|error| {
        let place = error.location(text).map_or_else(whole, |location| at(location.line_number));
        Fault { place, problem: error.emit_to_string(text) }
    })?;
    let capabilities = if native { Capabilities::SHADER_INT64 } else { Capabilities::empty() };
    Validator::new(ValidationFlags::all(), capabilities).validate(&module).map_err(|error| {
        let place = error.location(text).map_or_else(whole, |location| at(location.line_number));
        Fault { place, problem: error.emit_to_string(text) }
    })?;

    let fault = |problem: &str| Fault { place: whole(), problem: problem.to_owned() };
    let [entry] = &module.entry_points[..] else { return Err(fault("a kernel has one entry point")) };
    if entry.name != "main" {
        return Err(fault("the entry point of a kernel is called main"));
    }
    let mut bindings = Vec::new();
    for (_, variable) in module.global_variables.iter() {
        let Some(binding) = &variable.binding else { continue };
        let kind = match variable.space {
            AddressSpace::Uniform => "Uniform",
            AddressSpace::Storage { access } if access.contains(StorageAccess::STORE) => "ReadWrite",
            AddressSpace::Storage { .. } => "Read",
            _ => return Err(fault("a binding is a uniform or a storage buffer")),
        };
        bindings.push((binding.group, binding.binding, kind));
    }
    bindings.sort_unstable();
    if bindings.iter().zip(0..).any(|(&(group, binding, _), due)| (group, binding) != (0, due)) {
        return Err(fault("bindings are numbered from 0 in group 0"));
    }
    Ok(Facts {
        workgroup_size: entry.workgroup_size.iter().product(),
        bindings: bindings.into_iter().map(|(_, _, kind)| kind).collect(),
    })
}
