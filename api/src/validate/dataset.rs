//! The rules of a `PrivateDataset`.

use super::{
    names::{label, printable, repeats},
    store,
};
use crate::{
    dataset::{Column, Format, Number, PrivateDatasetSpec},
    fault::{Fault, quoted},
    limits::FRACTION_BITS,
    manifest::{Manifest, Object},
    shape::advice,
    units::to_units,
};

type Dataset = Object<PrivateDatasetSpec>;

pub(super) fn check(dataset: &Dataset, manifest: &Manifest, faults: &mut Vec<Fault>) {
    source(dataset, faults);
    columns(dataset, faults);
    person(dataset, faults);
    budget(dataset, manifest, faults);
}

fn source(dataset: &Dataset, faults: &mut Vec<Fault>) {
    let source = &dataset.spec.source;
    if source.path.contains('\0') {
        faults.push(dataset.fault("spec.source.path", "holds a zero character", "write the path of a file"));
    } else if source.path.ends_with(['/', '\\']) {
        faults.push(dataset.fault("spec.source.path", "names a directory", "write the path of a file"));
    }
    let format = source.resolved_format();
    if format.is_none() {
        let problem = format!("the ending of {} does not tell how the file is written", quoted(&source.path));
        faults.push(dataset.fault("spec.source.path", problem, "write `format: csv` or `format: parquet`"));
    }
    if let Some(volume) = &source.volume
        && volume.claim.is_some() == volume.config_map.is_some()
    {
        let remedy = "write exactly one of claim and configMap";
        let problem = if volume.claim.is_some() { "has two members" } else { "has no member" };
        faults.push(dataset.fault("spec.source.volume", problem, remedy));
    }
    if source.volume.is_some() && source.object_store.is_some() {
        let remedy = "write at most one of volume and objectStore";
        faults.push(dataset.fault("spec.source", "has both a volume and an object store", remedy));
    }
    if let Some(found) = &source.object_store {
        store::check(dataset, "spec.source.objectStore", found, faults);
    }
    let Some(delimiter) = &source.delimiter else { return };
    let path = "spec.source.delimiter";
    if format == Some(Format::Parquet) {
        faults.push(dataset.fault(
            path,
            "a Parquet file has no delimiter",
            "remove it, or write `format: csv`",
        ));
    }
    if delimiter.chars().count() == 1 && !delimiter.bytes().all(is_delimiter) {
        let problem = format!("{} cannot separate fields", quoted(delimiter));
        faults.push(dataset.fault(
            path,
            problem,
            "use one ASCII character that is not a quote or a line end, such as \";\"",
        ));
    }
}

fn is_delimiter(byte: u8) -> bool {
    (byte == b'\t' || (0x20..0x7f).contains(&byte)) && byte != b'"'
}

fn columns(dataset: &Dataset, faults: &mut Vec<Fault>) {
    let columns = &dataset.spec.columns;
    for (again, first) in repeats(columns.iter().map(|column| &column.name)) {
        let problem = format!("{} is declared twice, at columns[{first}] too", quoted(&columns[again].name));
        faults.push(dataset.fault(&format!("spec.columns[{again}].name"), problem, "keep one of the two"));
    }
    for (index, column) in columns.iter().enumerate() {
        let path = format!("spec.columns[{index}]");
        printable(dataset, &format!("{path}.name"), &column.name, faults);
        one_kind(dataset, &path, column, faults);
        if let Some(column) = &column.number {
            number(dataset, &format!("{path}.number"), column, faults);
        }
        if let Some(category) = &column.category {
            for (place, word) in category.values.iter().enumerate() {
                printable(dataset, &format!("{path}.category.values[{place}]"), word, faults);
            }
            for (again, first) in repeats(&category.values) {
                let problem =
                    format!("{} is listed twice, at values[{first}] too", quoted(&category.values[again]));
                let path = format!("{path}.category.values[{again}]");
                faults.push(dataset.fault(&path, problem, "keep one of the two"));
            }
        }
    }
}

fn one_kind(dataset: &Dataset, path: &str, column: &Column, faults: &mut Vec<Fault>) {
    let kinds = [
        ("number", column.number.is_some()),
        ("category", column.category.is_some()),
        ("identifier", column.identifier.is_some()),
    ];
    let set: Vec<&str> = kinds.iter().filter(|(_, set)| *set).map(|(name, _)| *name).collect();
    let column = quoted(&column.name);
    match set.len() {
        0 => {
            let problem = format!("the column {column} has no type");
            faults.push(dataset.fault(path, problem, "write exactly one of number, category and identifier"));
        }
        1 => {}
        _ => {
            let problem = format!("the column {column} has more than one type: {}", set.join(" and "));
            faults.push(dataset.fault(path, problem, "write exactly one of number, category and identifier"));
        }
    }
}

fn number(dataset: &Dataset, path: &str, number: &Number, faults: &mut Vec<Fault>) {
    let Number { min, max, fraction_bits } = *number;
    if !min.is_finite() || !max.is_finite() || fraction_bits > FRACTION_BITS {
        // Told by the limits.
        return;
    }
    if min >= max {
        let problem = format!("min {min} is not less than max {max}");
        return faults.push(dataset.fault(&format!("{path}.min"), problem, "swap or widen the bounds"));
    }
    match (to_units(min, fraction_bits), to_units(max, fraction_bits)) {
        (Some(least), Some(most)) if least == most => {
            let problem = format!("min and max are the same multiple of 2^-{fraction_bits}");
            let enough =
                (fraction_bits..=FRACTION_BITS).find(|bits| to_units(min, *bits) != to_units(max, *bits));
            let remedy = match enough {
                Some(bits) => format!("write `fractionBits: {bits}` or more, or widen the bounds"),
                None => "widen the bounds".into(),
            };
            faults.push(dataset.fault(path, problem, remedy));
        }
        (Some(_), Some(_)) => {}
        _ => {
            let most =
                (0..fraction_bits).rev().find(|b| to_units(min, *b).is_some() && to_units(max, *b).is_some());
            // Bounds beyond the range of any fractionBits are told by the limits.
            if let Some(bits) = most {
                let problem = format!("the bounds reach beyond 2^51 steps of 2^-{fraction_bits}");
                let remedy = format!("write `fractionBits: {bits}` or less, or narrow the bounds");
                faults.push(dataset.fault(&format!("{path}.fractionBits"), problem, remedy));
            }
        }
    }
}

fn person(dataset: &Dataset, faults: &mut Vec<Fault>) {
    let spec = &dataset.spec;
    let Some(person) = &spec.person else { return };
    let path = "spec.person.column";
    let identifiers: Vec<&str> =
        spec.columns.iter().filter(|c| c.identifier.is_some()).map(|c| c.name.as_str()).collect();
    let fault = match spec.columns.iter().find(|column| column.name == person.column) {
        None => {
            let remedy = match identifiers[..] {
                [] => "declare an identifier column, and name it here".into(),
                _ => advice(&person.column, &identifiers),
            };
            dataset.fault(path, format!("no column is named {}", quoted(&person.column)), remedy)
        }
        Some(column) if column.identifier.is_none() => dataset.fault(
            path,
            format!("the column {} is not an identifier", quoted(&column.name)),
            "name an identifier column, or declare this one `identifier: {}`",
        ),
        Some(_) => return,
    };
    faults.push(fault);
}

fn budget(dataset: &Dataset, manifest: &Manifest, faults: &mut Vec<Fault>) {
    let name = &dataset.spec.budget;
    label(dataset, "spec.budget", name, faults);
    if manifest.budget_of(dataset).is_none() && !name.is_empty() && !manifest.partial {
        let key = format!("{}/{name}", dataset.namespace);
        let problem = format!("the PrivacyBudget {} is not in the file", quoted(&key));
        faults.push(dataset.fault("spec.budget", problem, "add it, in the dataset's namespace"));
    }
}
