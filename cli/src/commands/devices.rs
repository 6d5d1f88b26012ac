//! `veilgrid devices`: what on this machine can compute, and whether it does so rightly.

use crate::{failure::Failure, output};
use clap::Args;
use serde::Serialize;
use std::collections::BTreeMap;
use veilgrid_kernels::{Choice, Device, DeviceInfo};
use veilgrid_party::exit::Exit;

/// Lists the devices of this machine: limits, self-test, and about how fast they are
///
/// Every device gives the same bits, or is refused by its self-test. VEILGRID_LEVEL=scalar, avx2, avx512, ifma or amx forces
/// the level of the CPU; the device of a job is chosen by spec.device in its manifest.
#[derive(Args)]
#[command(after_help = "Examples:
  veilgrid devices
  veilgrid devices --json
  VEILGRID_LEVEL=scalar veilgrid devices     # what `auto` then stands for

Rates are taken in a few milliseconds: good for comparing devices, not for
quoting. docs/performance.md has figures for that.")]
pub(crate) struct DevicesArgs {
    /// Prints one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

/// A device of the listing.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    name: String,
    limits: BTreeMap<String, String>,
    passed: bool,
    /// Why it is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keystream_gb_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    add_gb_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    laplace_m_s: Option<f64>,
}

pub(crate) fn run(args: &DevicesArgs) -> Result<(), Failure> {
    let devices: Vec<Listed> = Device::list().into_iter().map(listed).collect();
    // What a job would get, or why it would get nothing.
    let auto = Device::open(Choice::Auto);
    let chosen = auto.as_ref().ok().map(Device::describe);
    if args.json {
        output::json(&serde_json::json!({ "devices": devices, "auto": chosen }))?;
    } else {
        output::say(&text(&devices, chosen.as_deref()))?;
    }
    auto.map(drop).map_err(|error| Failure::new(Exit::Device, error.to_string()))
}

fn listed(info: DeviceInfo) -> Listed {
    let rates = info.device().map(Device::quick_rate).transpose();
    let (rates, failed) = match rates {
        Ok(rates) => (rates, None),
        Err(error) => (None, Some(error.to_string())),
    };
    let fault = info.fault.or(failed);
    Listed {
        name: info.name,
        limits: info.limits.into_iter().collect(),
        passed: fault.is_none(),
        fault,
        keystream_gb_s: rates.map(|rates| rates.keystream_gb_s),
        add_gb_s: rates.map(|rates| rates.add_gb_s),
        laplace_m_s: rates.map(|rates| rates.laplace_m_s),
    }
}

fn text(devices: &[Listed], chosen: Option<&str>) -> String {
    let rate = |rate: Option<f64>| rate.map_or_else(|| "-".to_owned(), |rate| format!("{rate:.2}"));
    let rows: Vec<Vec<String>> = devices
        .iter()
        .map(|device| {
            let limits: Vec<String> =
                device.limits.iter().map(|(name, value)| format!("{name} {value}")).collect();
            vec![
                device.name.clone(),
                if device.passed { "passed" } else { "REFUSED" }.to_owned(),
                rate(device.keystream_gb_s),
                rate(device.add_gb_s),
                rate(device.laplace_m_s),
                limits.join(", "),
            ]
        })
        .collect();
    let heads = ["device", "self-test", "keystream GB/s<", "add GB/s<", "noise M/s<", "limits"];
    let mut text = output::columns(&heads, &rows);
    for device in devices {
        if let Some(fault) = &device.fault {
            text += &format!("{}: {fault}\n", device.name);
        }
    }
    if let Some(chosen) = chosen {
        text += &format!("`device: auto` uses {chosen} here\n");
    }
    text
}
