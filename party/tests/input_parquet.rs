//! Parquet files of all types that fit, and every way in which one can be wrong.

mod rows;

use parquet::{
    basic::{Compression, Encoding},
    column::writer::ColumnWriter,
    data_type::ByteArray,
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};
use proptest::prelude::*;
use rows::{Job, drain, numbers, words};
use std::{fs, path::Path, sync::Arc};
use tempfile::TempDir;
use veilgrid_party::input::{RowReader, Wanted, parquet::ParquetRows};

/// The values of one column of a row group.
#[derive(Clone)]
enum Stored {
    Double(Vec<Option<f64>>),
    Float(Vec<f32>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Text(Vec<&'static [u8]>),
}

fn properties(dictionary: bool, compression: Compression) -> WriterProperties {
    WriterProperties::builder()
        .set_dictionary_enabled(dictionary)
        .set_compression(compression)
        .set_data_page_row_count_limit(700)
        .set_write_batch_size(100)
        .build()
}

/// Writes row groups of columns of `schema`, whose nullable columns are `optional`.
fn write(schema: &str, groups: &[Vec<Stored>], properties: WriterProperties) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(&format!("message rows {{ {schema} }}")).unwrap());
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::new(properties)).unwrap();
    for group in groups {
        let mut open = writer.next_row_group().unwrap();
        for stored in group {
            let mut column = open.next_column().unwrap().unwrap();
            let ones = |len| vec![1; len];
            match (column.untyped(), stored) {
                (ColumnWriter::DoubleColumnWriter(writer), Stored::Double(values)) => {
                    let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
                    let present: Vec<f64> = values.iter().flatten().copied().collect();
                    writer.write_batch(&present, Some(&levels), None).unwrap();
                }
                (ColumnWriter::FloatColumnWriter(writer), Stored::Float(values)) => {
                    writer.write_batch(values, Some(&ones(values.len())), None).unwrap();
                }
                (ColumnWriter::Int32ColumnWriter(writer), Stored::Int32(values)) => {
                    writer.write_batch(values, Some(&ones(values.len())), None).unwrap();
                }
                (ColumnWriter::Int64ColumnWriter(writer), Stored::Int64(values)) => {
                    writer.write_batch(values, Some(&ones(values.len())), None).unwrap();
                }
                (ColumnWriter::ByteArrayColumnWriter(writer), Stored::Text(values)) => {
                    let values: Vec<_> = values.iter().map(|value| ByteArray::from(value.to_vec())).collect();
                    writer.write_batch(&values, Some(&ones(values.len())), None).unwrap();
                }
                _ => panic!("the schema is not that of the values"),
            }
            column.close().unwrap();
        }
        open.close().unwrap();
    }
    writer.close().unwrap();
    bytes
}

fn simple(schema: &str, columns: Vec<Stored>) -> Vec<u8> {
    write(schema, &[columns], properties(true, Compression::SNAPPY))
}

fn job() -> Job {
    Job::new(
        "{path: rows.parquet}",
        &[
            "{name: age, number: {min: 0, max: 120}}",
            "{name: sex, category: {values: [f, m]}}",
            "{name: patient, identifier: {}}",
        ],
        &["{name: a, mean: {column: age}, groupBy: sex}"],
    )
}

fn age() -> Job {
    let mut job = job();
    job.statistics = vec!["{name: a, mean: {column: age}}".to_owned()];
    job
}

fn folder(bytes: impl AsRef<[u8]>) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("rows.parquet"), bytes).unwrap();
    folder
}

fn error(job: &Job, bytes: &[u8]) -> String {
    let message = job.error(folder(bytes).path());
    assert!(message.contains("rows.parquet") && !message.contains("secret"), "{message}");
    message
}

fn check(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
}

#[test]
fn every_encoding_and_codec_gives_the_same_rows() {
    let rows = 30_000;
    let doubles: Vec<_> = (0..rows).map(|i| Some(f64::from(i % 977) * 0.25)).collect();
    let texts: Vec<&'static [u8]> = (0..rows).map(|i| if i % 3 == 0 { &b"m"[..] } else { b"f" }).collect();
    let schema = "required binary sex (UTF8); optional double age; optional double other;";
    for (dictionary, compression, groups) in [
        (true, Compression::SNAPPY, 1),
        (false, Compression::UNCOMPRESSED, 3),
        (true, Compression::ZSTD(Default::default()), 4),
        (false, Compression::ZSTD(Default::default()), 1),
    ] {
        let len = (rows / groups) as usize;
        let parts: Vec<_> = (0..groups as usize)
            .map(|g| {
                let range = g * len..(g + 1) * len;
                let numbers = Stored::Double(doubles[range.clone()].to_vec());
                vec![Stored::Text(texts[range].to_vec()), numbers.clone(), numbers]
            })
            .collect();
        let bytes = write(schema, &parts, properties(dictionary, compression));
        let read = job().read(folder(bytes).path()).unwrap();
        assert_eq!(read.len, rows as usize);
        assert!(numbers(&read, 0).iter().zip(&doubles).all(|(a, b)| Some(*a) == *b));
        assert!(words(&read, 1).iter().zip(&texts).all(|(index, text)| (*index == 1) == (text == b"m")));
    }
}

#[test]
fn delta_and_split_encodings_are_read() {
    for (schema, column, encoding) in [
        ("optional int64 age;", Stored::Int64((0..3000).collect()), Encoding::DELTA_BINARY_PACKED),
        (
            "optional double age;",
            Stored::Double((0..3000).map(|i| Some(f64::from(i))).collect()),
            Encoding::BYTE_STREAM_SPLIT,
        ),
    ] {
        let properties =
            WriterProperties::builder().set_dictionary_enabled(false).set_encoding(encoding).build();
        let read = age().read(folder(write(schema, &[vec![column]], properties)).path()).unwrap();
        assert!(numbers(&read, 0).iter().enumerate().all(|(i, value)| *value == i as f64), "{encoding}");
    }
}

#[test]
fn numbers_of_all_types_are_read() {
    let least = f64::from(i32::MIN);
    let cases: [(&str, Stored, [f64; 2]); 7] = [
        ("optional double age;", Stored::Double(vec![Some(-1.5), Some(2.0)]), [-1.5, 2.0]),
        ("optional float age;", Stored::Float(vec![0.5, -2.0]), [0.5, -2.0]),
        ("optional int32 age;", Stored::Int32(vec![i32::MIN, 7]), [least, 7.0]),
        ("optional int32 age (INTEGER(8,true));", Stored::Int32(vec![-3, 7]), [-3.0, 7.0]),
        ("optional int32 age (INTEGER(32,false));", Stored::Int32(vec![-1, 7]), [4_294_967_295.0, 7.0]),
        ("optional int64 age;", Stored::Int64(vec![-(1 << 53), 7]), [-9_007_199_254_740_992.0, 7.0]),
        (
            "optional int64 age (INTEGER(64,false));",
            Stored::Int64(vec![-1, 7]),
            [18_446_744_073_709_551_615.0, 7.0],
        ),
    ];
    for (schema, stored, expected) in cases {
        let read = age().read(folder(simple(schema, vec![stored])).path()).unwrap();
        assert_eq!(numbers(&read, 0), expected, "{schema}");
    }
}

#[test]
fn types_that_do_not_fit_are_named() {
    let wide = || Stored::Int64(vec![1]);
    for (schema, stored, found) in [
        ("optional int64 age (DECIMAL(18,2));", wide(), "INT64 (DECIMAL)"),
        ("optional int64 age (TIMESTAMP(MICROS,true));", wide(), "INT64 (TIMESTAMP_MICROS)"),
        ("optional int64 age (TIMESTAMP(NANOS,true));", wide(), "INT64 (Timestamp)"),
        ("optional int32 age (DATE);", Stored::Int32(vec![1]), "INT32 (DATE)"),
        ("optional binary age (UTF8);", Stored::Text(vec![b"secret"]), "BYTE_ARRAY (UTF8)"),
    ] {
        check(
            &error(&age(), &simple(schema, vec![stored])),
            &["column `age`", found, "DOUBLE, FLOAT, INT32 or INT64"],
        );
    }
    let bytes = simple(
        "optional double age; optional int32 sex;",
        vec![Stored::Double(vec![Some(1.0)]), Stored::Int32(vec![1])],
    );
    check(&error(&job(), &bytes), &["column `sex`", "is INT32", "text"]);
}

#[test]
fn missing_nested_and_double_columns() {
    let one = || Stored::Double(vec![Some(1.0)]);
    check(
        &error(&age(), &simple("optional double years;", vec![one()])),
        &["column `age`", "missing", "`years`"],
    );
    let nested =
        write("optional group age { optional double years; }", &[], properties(true, Compression::SNAPPY));
    check(&error(&age(), &nested), &["column `age`", "nested"]);
    let twice = simple("optional double age; optional double age;", vec![one(), one()]);
    check(&error(&age(), &twice), &["column `age`", "twice"]);
}

#[test]
fn values_that_are_not_what_is_declared_name_group_and_row() {
    let fine = vec![Some(1.0); 9000];
    for (bad, word) in [
        (None, "missing"),
        (Some(f64::NAN), "NaN"),
        (Some(f64::INFINITY), "infinite"),
        (Some(-f64::INFINITY), "infinite"),
    ] {
        let mut second = fine.clone();
        second[8999] = bad;
        let groups = [vec![Stored::Double(fine.clone())], vec![Stored::Double(second)]];
        let bytes = write("optional double age;", &groups, properties(true, Compression::SNAPPY));
        check(&error(&age(), &bytes), &["row group 1", "row 18000", "column `age`", word]);
    }
    let columns = vec![Stored::Double(vec![Some(1.0); 2]), Stored::Text(vec![b"f", b"secret"])];
    let bytes = simple("optional double age; optional binary sex (UTF8);", columns);
    check(&error(&job(), &bytes), &["row group 0", "row 2", "column `sex`", "declared"]);
    let columns = vec![Stored::Double(vec![Some(1.0); 2]), Stored::Text(vec![b"f", b"\xff"])];
    let bytes = simple("optional double age; optional binary sex;", columns);
    check(&error(&job(), &bytes), &["row 2", "column `sex`", "UTF-8"]);
}

#[test]
fn more_rows_than_declared() {
    let mut job = age();
    job.more = "maxRows: 2".to_owned();
    let bytes = simple("optional double age;", vec![Stored::Double(vec![Some(1.0); 3])]);
    check(&error(&job, &bytes), &["more than 2 rows", "maxRows"]);
}

#[test]
fn a_file_of_no_rows() {
    let empty = write("optional double age;", &[], properties(true, Compression::SNAPPY));
    assert_eq!(age().read(folder(empty).path()).unwrap().len, 0);
    let empty_group = simple("optional double age;", vec![Stored::Double(vec![])]);
    assert_eq!(age().read(folder(empty_group).path()).unwrap().len, 0);
}

fn people(folder: &Path, max_rows: u32) -> Vec<f64> {
    let mut job = age();
    job.more = format!("maxRows: 100000\nperson: {{column: patient, maxRows: {max_rows}}}");
    numbers(&job.read(folder).unwrap(), 0).to_vec()
}

#[test]
fn the_first_rows_of_a_person_count() {
    let ages = || Stored::Double((1..=6).map(|i| Some(f64::from(i))).collect());
    for (schema, people_of) in [
        ("optional binary patient (UTF8);", Stored::Text(vec![b"a", b"b", b"a ", b"a", b"b", b"a"])),
        ("optional int32 patient;", Stored::Int32(vec![1, 2, 1, 1, 2, 1])),
        ("optional int64 patient;", Stored::Int64(vec![-1, 2, -1, -1, 2, -1])),
    ] {
        let bytes = write(
            &format!("optional double age; {schema}"),
            // The limit holds across row groups.
            &[vec![ages(), people_of.clone()], vec![ages(), people_of]],
            properties(true, Compression::SNAPPY),
        );
        let folder = folder(bytes);
        assert_eq!(people(folder.path(), 1), [1.0, 2.0]);
        assert_eq!(people(folder.path(), 3), [1.0, 2.0, 3.0, 4.0, 5.0, 2.0]);
        assert_eq!(people(folder.path(), 9).len(), 12);
    }
    let mut job = age();
    job.more = "maxRows: 100000\nperson: {column: patient, maxRows: 3}".to_owned();
    let columns = vec![Stored::Double(vec![Some(1.0); 2]), Stored::Text(vec![b"a", b" "])];
    let bytes = simple("optional double age; optional binary patient (UTF8);", columns);
    check(&error(&job, &bytes), &["row 2", "column `patient`", "missing"]);
    let columns = vec![Stored::Double(vec![Some(1.0); 1]), Stored::Float(vec![1.0])];
    let bytes = simple("optional double age; optional float patient;", columns);
    check(&error(&job, &bytes), &["column `patient`", "is FLOAT"]);
}

/// Reads bytes as a file with all kinds of columns; true where that gave rows.
fn survives(bytes: Vec<u8>) -> bool {
    let mut job = job();
    job.more = "maxRows: 100000\nperson: {column: patient, maxRows: 3}".to_owned();
    let (plan, _) = job.plan();
    match ParquetRows::new(bytes::Bytes::from(bytes), "rows.parquet".to_owned(), Wanted::new(&plan, 0)) {
        Ok(mut reader) => drain(&mut reader as &mut dyn RowReader).is_ok(),
        Err(error) => {
            assert!(error.to_string().contains("rows.parquet"));
            false
        }
    }
}

fn sample(dictionary: bool, compression: Compression) -> Vec<u8> {
    let len = 2500;
    let columns = vec![
        Stored::Double((0..len).map(|i| Some(f64::from(i % 90))).collect()),
        Stored::Text((0..len).map(|i| if i % 3 == 0 { &b"m"[..] } else { b"f" }).collect()),
        Stored::Int64((0..i64::from(len)).collect()),
    ];
    let schema = "optional double age; optional binary sex (UTF8); optional int64 patient;";
    write(schema, &[columns.clone(), columns], properties(dictionary, compression))
}

#[test]
fn files_cut_short_are_errors() {
    let bytes = sample(true, Compression::SNAPPY);
    assert!(survives(bytes.clone()));
    for len in (0..bytes.len()).step_by(97).chain(bytes.len() - 12..bytes.len()) {
        assert!(!survives(bytes[..len].to_vec()), "{len} bytes of {}", bytes.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Damaged files give rows or an error, and never end the process.
    #[test]
    fn damaged_files_end_well(
        dictionary in any::<bool>(),
        packed in any::<bool>(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let compression = if packed { Compression::SNAPPY } else { Compression::UNCOMPRESSED };
        let mut bytes = sample(dictionary, compression);
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        survives(bytes);
    }
}
