//! CSV files as people write them, and every way in which one can be wrong.

mod rows;

use proptest::prelude::*;
use rows::{Job, numbers, words};
use std::{fs, io::Write, path::Path};
use tempfile::TempDir;

const COLUMNS: [&str; 3] = [
    "{name: age, number: {min: 0, max: 120}}",
    "{name: sex, category: {values: [f, m, \"not said\"]}}",
    "{name: patient, identifier: {}}",
];

fn job() -> Job {
    Job::new("{path: rows.csv}", &COLUMNS, &["{name: a, mean: {column: age}, groupBy: sex}"])
}

fn folder(content: impl AsRef<[u8]>) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("rows.csv"), content).unwrap();
    folder
}

fn error(content: impl AsRef<[u8]>) -> String {
    error_of(&job(), content)
}

/// The message, which must name the file and hold nothing of `secret`, the text that test rows are marked with.
fn error_of(job: &Job, content: impl AsRef<[u8]>) -> String {
    let folder = folder(content);
    let message = job.error(folder.path());
    assert!(message.contains("rows.csv"), "{message}");
    assert!(!message.contains("secret"), "{message}");
    message
}

fn check(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
}

#[test]
fn ordinary_files_are_read() {
    let plain = "age,sex\n1,f\n2.5,m\n-3e2,not said\n";
    let variants = [
        plain.to_owned(),
        plain.replace('\n', "\r\n"),
        plain.trim_end().to_owned(),
        format!("\u{feff}{plain}"),
        "sex,other,age\nf,x,1\nm,\"a,\nb\",2.5\nnot said,,-300\n".to_owned(),
        "age , sex\n 1 , f\n\"2.5\", m\n-3E+2,\"not said\"\n\n".to_owned(),
    ];
    for text in variants {
        let rows = job().read(folder(&text).path()).unwrap();
        assert_eq!(rows.len, 3, "{text:?}");
        assert_eq!(numbers(&rows, 0), [1.0, 2.5, -300.0], "{text:?}");
        assert_eq!(words(&rows, 1), [0, 1, 2], "{text:?}");
    }
}

#[test]
fn other_delimiters_are_read() {
    for (delimiter, yaml) in [(";", "\";\""), ("\t", "\"\\t\""), ("|", "\"|\"")] {
        let mut job = job();
        job.source = format!("{{path: rows.csv, delimiter: {yaml}}}");
        let text = "age,sex\n1,f\n2,m\n".replace(',', delimiter);
        assert_eq!(numbers(&job.read(folder(text).path()).unwrap(), 0), [1.0, 2.0]);
    }
}

#[test]
fn a_header_alone_is_a_file_of_no_rows() {
    let rows = job().read(folder("age,sex\n").path()).unwrap();
    assert_eq!((rows.len, rows.columns.len()), (0, 2));
}

#[test]
fn many_rows_come_in_batches() {
    let mut text = "age,sex\n".to_owned();
    for i in 0..50_000 {
        text += &format!("{},f\n", i % 100);
    }
    let rows = job().read(folder(text).path()).unwrap();
    assert_eq!(rows.len, 50_000);
    assert!(numbers(&rows, 0).iter().enumerate().all(|(i, value)| *value == (i % 100) as f64));
}

#[test]
fn files_that_are_not_there_or_empty() {
    let folder = TempDir::new().unwrap();
    check(&job().error(folder.path()), &["rows.csv", "no such file", "source.path"]);
    fs::create_dir(folder.path().join("rows.csv")).unwrap();
    check(&job().error(folder.path()), &["rows.csv", "cannot be read"]);
    check(&error(""), &["empty"]);
    check(&error("\n\n"), &["empty"]);
    let mut job = job();
    job.source = "{path: rows.csv, format: parquet}".to_owned();
    check(&error_of(&job, "age,sex\n1,f\n"), &["not whole Parquet"]);
}

#[test]
fn a_format_that_no_ending_tells() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("rows.dat"), "age,sex\n1,f\n").unwrap();
    let mut job = job();
    job.source = "{path: rows.dat, format: csv}".to_owned();
    assert_eq!(job.read(folder.path()).unwrap().len, 1);
}

#[test]
fn a_wrong_delimiter_is_named() {
    check(&error("age;sex\n1;f\n"), &["line 1", "`;`", "source.delimiter: \";\""]);
    check(&error("age\tsex\n1\tf\n"), &["line 1", "tabs", "source.delimiter: \"\\t\""]);
    let mut job = job();
    job.source = "{path: rows.csv, delimiter: \";\"}".to_owned();
    check(&error_of(&job, "age,sex\n1,f\n"), &["`,`"]);
}

#[test]
fn columns_that_are_missing_or_double() {
    check(&error("age,gender\n1,secret\n"), &["column `sex`", "missing", "`age`, `gender`"]);
    check(&error("age,sex,age\n1,f,secret\n"), &["column `age`", "twice"]);
    // A double column that nobody asked for does no harm.
    assert_eq!(job().read(folder("age,sex,x,x\n1,f,,\n").path()).unwrap().len, 1);
}

#[test]
fn ragged_rows_name_line_and_lengths() {
    check(&error("age,sex\n1,f\n2,m,secret\n"), &["line 3", "3 fields", "header has 2"]);
    check(&error("age,sex\n1,f\n\n2\n"), &["line 4", "1 fields", "header has 2"]);
}

#[test]
fn lines_are_counted_as_an_editor_does() {
    for text in [
        "age,sex\n1,f\n\n2\n",
        "age,sex\n1,f\n\n2",
        "sex,age,x\n\n\nf,secret,\"\n\n\"",
        "age,sex\n\n\nsecret,\"f\n\"\n1,f\n",
    ] {
        for text in [text.to_owned(), text.replace('\n', "\r\n")] {
            check(&error(&text), &["line 4"]);
        }
    }
}

#[test]
fn values_that_are_not_what_is_declared() {
    let place = ["line 3", "column `age`"];
    for (field, words) in [
        ("secret", "not a number"),
        ("12 secret", "not a number"),
        ("1,secret", "not a number"),
        ("0x10", "not a number"),
        ("nan", "NaN"),
        ("NaN", "NaN"),
        ("inf", "infinite"),
        ("-Infinity", "infinite"),
        ("1e999", "infinite"),
        ("", "missing"),
        ("  ", "missing"),
    ] {
        let message = error(format!("age,sex\n1,f\n\"{field}\",m\n"));
        check(&message, &place);
        check(&message, &[words]);
    }
    check(&error("age,sex\n1,secret\n"), &["line 2", "column `sex`", "declared"]);
    check(&error("age,sex\n1,\n"), &["line 2", "column `sex`", "missing"]);
}

#[test]
fn bytes_that_are_not_utf8() {
    check(&error(b"age,sex\n1,\xff\n"), &["line 2", "column `sex`", "UTF-8"]);
    check(&error(b"age,sex\n\xff,f\n"), &["line 2", "column `age`", "UTF-8"]);
    check(&error(b"age,sex,\xff\n1,f,\n"), &["line 1", "UTF-8"]);
    // A column that nobody asked for may hold anything.
    assert_eq!(job().read(folder(b"age,sex,x\n1,f,\xff\n").path()).unwrap().len, 1);
}

#[test]
fn more_rows_than_declared() {
    let mut job = job();
    job.more = "maxRows: 2".to_owned();
    check(&error_of(&job, "age,sex\n1,f\n1,f\n1,f\n"), &["more than 2 rows", "maxRows"]);
    assert_eq!(job.read(folder("age,sex\n1,f\n1,f\n").path()).unwrap().len, 2);
}

#[test]
fn a_quote_that_is_never_closed_keeps_memory_flat() {
    let folder = TempDir::new().unwrap();
    let mut file = fs::File::create(folder.path().join("rows.csv")).unwrap();
    file.write_all(b"age,sex,note\n1,f,a\n2,m,\"").unwrap();
    for _ in 0..40 {
        file.write_all(&[b'\n'; 1 << 20]).unwrap();
    }
    check(&job().error(folder.path()), &["rows.csv", "16777216 bytes", "quote"]);
}

fn people(folder: &Path, max_rows: u32) -> Vec<f64> {
    let mut job = job();
    job.more = format!("maxRows: 100000\nperson: {{column: patient, maxRows: {max_rows}}}");
    numbers(&job.read(folder).unwrap(), 0).to_vec()
}

#[test]
fn the_first_rows_of_a_person_count() {
    let folder = folder("patient,age,sex\na,1,f\nb,2,f\n a ,3,f\na,4,f\nb,5,m\n\"a\",6,m\n");
    assert_eq!(people(folder.path(), 1), [1.0, 2.0]);
    assert_eq!(people(folder.path(), 2), [1.0, 2.0, 3.0, 5.0]);
    assert_eq!(people(folder.path(), 9), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
}

#[test]
fn a_row_of_nobody_is_an_error() {
    let mut job = job();
    job.more = "maxRows: 100000\nperson: {column: patient, maxRows: 1}".to_owned();
    check(&error_of(&job, "patient,age,sex\n,1,f\n"), &["line 2", "column `patient`", "missing"]);
    check(&error_of(&job, "age,sex\n1,f\n"), &["column `patient`", "missing"]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// What is written is read, whatever the order and the quotes.
    #[test]
    fn numbers_and_words_round_trip(
        values in proptest::collection::vec((any::<f64>().prop_filter("finite", |x| x.is_finite()), 0usize..3), 0..200),
        quoted in any::<bool>(),
    ) {
        let quote = if quoted { "\"" } else { "" };
        let mut text = "sex,age\r\n".to_owned();
        for (number, word) in &values {
            text += &format!("{quote}{}{quote},{quote}{number:e}{quote}\n", ["f", "m", "not said"][*word]);
        }
        let rows = job().read(folder(text).path()).unwrap();
        let numbers: Vec<_> = numbers(&rows, 0).iter().map(|x| x.to_bits()).collect();
        prop_assert_eq!(numbers, values.iter().map(|(x, _)| x.to_bits()).collect::<Vec<_>>());
        prop_assert_eq!(words(&rows, 1), values.iter().map(|(_, word)| *word as u32).collect::<Vec<_>>());
    }

    /// Any bytes give rows or an error, and the error holds no value.
    #[test]
    fn any_bytes_end_well(bytes in proptest::collection::vec(
        prop_oneof![Just(b','), Just(b'\n'), Just(b'"'), Just(b'1'), Just(b'f'), any::<u8>()], 0..300)) {
        let mut text = b"age,sex\n".to_vec();
        text.extend(bytes);
        let folder = folder(text);
        if let Err(error) = job().read(folder.path()) {
            prop_assert!(error.to_string().contains("rows.csv"));
        }
    }
}
