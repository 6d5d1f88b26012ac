//! Input that is wrong: each fault is named with its place and a remedy, charges nothing, and no value of a row is told.

mod common;

use common::{
    NAMES, SECRET_NUMBER, SECRET_WORD, Said, World, balance, holds, ledgers, manifest, skip,
    team::{Ending, Team, certificates::Authority},
};
use parquet::{
    data_type::{ByteArray, ByteArrayType, DoubleType},
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};
use std::{fs, path::Path, process::Command, sync::Arc};
use veilgrid_party::event::{Event, Phase};

const RUN: &str = "0123456789abcdef0123456789abcdef";

/// Runs the parties as processes, then the whole job by one command: south's rows are wrong in the same way in both.
fn south_is_refused(world: &World, what: &str, parts: &[&str]) {
    let endings = Team::new(world, RUN, false).go();
    let codes: Vec<_> = endings.iter().map(|ending| ending.code).collect();
    assert_eq!(codes, [Some(5), Some(4), Some(5)], "{what}: {endings:#?}");
    holds(&endings[1].stderr, parts);
    for peer in [0, 2] {
        holds(&endings[peer].stderr, &["south", "its rows are not as the manifest says"]);
    }
    let told = |ending: &Ending| match ending.events.last() {
        Some(Event::Failed { message, .. }) => message.clone(),
        other => panic!("{what}: {other:?}"),
    };
    holds(&told(&endings[1]), parts);
    let texts: Vec<&str> =
        endings.iter().flat_map(|ending| [ending.stdout.as_str(), ending.stderr.as_str()]).collect();
    world.assert_no_secret(&texts);
    world.assert_nothing_charged();

    let said = world.run(&[]).expect(4);
    holds(&said.stderr, parts);
    holds(&said.stderr, &["south: "]);
    world.assert_no_secret(&[&said.stdout, &said.stderr]);
    world.assert_nothing_charged();
    assert!(world.results().is_empty() && !world.out().join("result.json").exists(), "{what}");
}

#[test]
fn rows_that_are_not_as_declared() {
    let secret = format!("{SECRET_NUMBER},a,{SECRET_WORD}\n");
    let head = format!("pay,ward,note\n{secret}");
    let cases: &[(&str, Option<String>, &[&str])] = &[
        ("missing", None, &["south.csv: there is no such file", "check `source.path`"]),
        ("empty", Some(String::new()), &["south.csv: the file is empty", "export it again"]),
        (
            "delimiter",
            Some(head.replace(',', ";")),
            &[
                "south.csv, line 1",
                "the header is one field that contains `;`",
                "set `source.delimiter: \";\"`",
            ],
        ),
        (
            "ragged",
            Some(format!("{head}1,a\n")),
            &["south.csv, line 3", "the row has 2 fields and the header has 3", "complete short rows"],
        ),
        (
            "long",
            Some(format!("{head}{SECRET_NUMBER},a,{SECRET_WORD},{SECRET_WORD}\n")),
            &["south.csv, line 3", "the row has 4 fields and the header has 3", "quote fields"],
        ),
        (
            "text",
            Some(format!("{head}1,b,-\n{SECRET_WORD},a,-\n")),
            &["south.csv, line 4", "column `pay`", "the field is not a number", "write digits with a point"],
        ),
        (
            "units",
            Some(format!("{head}{SECRET_NUMBER} EUR,a,-\n")),
            &["south.csv, line 3", "column `pay`", "no units"],
        ),
        (
            "NaN",
            Some(format!("{head}NaN,a,-\n")),
            &["south.csv, line 3", "column `pay`", "is NaN; remove the row"],
        ),
        (
            "infinity",
            Some(format!("{head}inf,a,-\n")),
            &["south.csv, line 3", "column `pay`", "infinite", "remove the row"],
        ),
        (
            "-infinity",
            Some(format!("{head}-Infinity,a,-\n")),
            &["line 3", "column `pay`", "infinite", "remove the row"],
        ),
        (
            "beyond",
            Some(format!("{head}1e309,a,-\n")),
            &["line 3", "column `pay`", "beyond 1.8e308", "remove the row"],
        ),
        (
            "no value",
            Some(format!("{head},a,-\n")),
            &["line 3", "column `pay`", "the value is missing", "fill in a value"],
        ),
        (
            "undeclared",
            Some(format!("{head}1,{SECRET_WORD},-\n")),
            &[
                "south.csv, line 3",
                "column `ward`",
                "not among the declared `category.values`",
                "add it to the manifests",
            ],
        ),
        (
            "column missing at one party",
            Some(format!("pay,station,note\n{secret}")),
            &[
                "south.csv",
                "column `ward`",
                "the column is missing",
                "`pay`, `station`, `note`",
                "correct the name",
            ],
        ),
    ];
    for (what, rows, parts) in cases {
        let world = World::new();
        match rows {
            Some(rows) => fs::write(world.rows("south"), rows).unwrap(),
            None => fs::remove_file(world.rows("south")).unwrap(),
        }
        south_is_refused(&world, what, parts);
    }
}

/// A Parquet file with the columns `pay` (text or numbers) and `ward`.
fn parquet(path: &Path, pay: &str, value: f64) {
    let schema = format!("message rows {{ required {pay}; required byte_array ward (utf8); }}");
    let schema = Arc::new(parse_message_type(&schema).unwrap());
    let file = fs::File::create(path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(WriterProperties::default())).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    if pay.starts_with("double") {
        column.typed::<DoubleType>().write_batch(&[1.5, value], None, None).unwrap();
    } else {
        let words = ["1.5", SECRET_WORD].map(ByteArray::from);
        column.typed::<ByteArrayType>().write_batch(&words, None, None).unwrap();
    }
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<ByteArrayType>().write_batch(&["a", "b"].map(ByteArray::from), None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
}

#[test]
fn parquet_that_is_not_as_declared() {
    let world = |pay: &str, value: f64| {
        let world = World::new();
        world.edit("south.csv", "south.parquet");
        parquet(&world.path().join("south.parquet"), pay, value);
        world
    };
    let text = world("byte_array pay (utf8)", 0.0);
    south_is_refused(
        &text,
        "text",
        &["south.parquet", "column `pay`", "and must be", "cast to one of these"],
    );
    let nan = world("double pay", f64::NAN);
    south_is_refused(&nan, "NaN", &["south.parquet", "row 2", "column `pay`", "is NaN; remove the row"]);
    let name = world("double wage", 2.5);
    south_is_refused(&name, "name", &["south.parquet", "column `pay`", "is missing", "`wage`"]);
    let csv = world("double pay", 2.5);
    fs::write(csv.path().join("south.parquet"), format!("pay,ward\n{SECRET_NUMBER},a\n")).unwrap();
    south_is_refused(&csv, "CSV", &["south.parquet", "not whole Parquet", "write or copy it again"]);
    let world = world("double pay", SECRET_NUMBER.parse().unwrap());
    world.run(&[]).expect(0);
    world.assert_charged_once("good Parquet");
    world.assert_no_secret(&[]);
}

/// Two good runs first: what is booked then must not change.
fn charged_world() -> (World, std::collections::BTreeMap<std::path::PathBuf, Vec<u8>>) {
    let world = World::new();
    world.run(&[]).expect(0);
    let books = ledgers(&world.state());
    assert_eq!(books.len(), 3);
    (world, books)
}

#[test]
fn wrong_rows_after_a_good_run_leave_its_ledgers_as_they_were() {
    let (world, _) = charged_world();
    let amounts = || NAMES.map(|party| balance(&world.state(), party));
    let before = amounts();
    let rows = common::csv(100) + SECRET_WORD + ",a,-\n";
    fs::write(world.rows("east"), rows).unwrap();
    let said = world.run(&[]).expect(4);
    holds(&said.stderr, &["east.csv, line 103", "column `pay`", "is not a number"]);
    assert_eq!(amounts(), before);
    world.assert_no_secret(&[&said.stdout, &said.stderr]);
}

#[test]
fn a_gpu_that_is_asked_for_and_absent() {
    let (world, books) = charged_world();
    world.edit("device: cpu", "device: gpu");
    let mut command = world.command(&[]);
    // Loaders of old and new versions find no driver.
    command.env("VK_DRIVER_FILES", "/nonexistent").env("VK_ICD_FILENAMES", "/nonexistent");
    let said = Said::from(command.output().unwrap()).expect(7);
    holds(&said.stderr, &["no GPU can be used", "ask for the CPU, or for auto"]);
    assert!(ledgers(&world.state()) == books);
    world.assert_no_secret(&[&said.stdout, &said.stderr]);
}

#[test]
fn folders_that_cannot_be_written() {
    let (world, books) = charged_world();
    let file = world.path().join("file");
    fs::write(&file, "").unwrap();
    // A folder below a file: not even the superuser can make one.
    let go = |state: &Path, out: &Path| -> Said {
        common::run_command(&world.manifest(), state, out, &[]).output().unwrap().into()
    };
    let said = go(&world.state(), &file.join("out")).expect(8);
    holds(&said.stderr, &[file.join("out").to_str().unwrap(), "give another --out; the run was not started"]);
    assert!(ledgers(&world.state()) == books, "a ledger changed");
    let said = go(&file.join("state"), &world.out()).expect(8);
    holds(&said.stderr, &[file.join("state").to_str().unwrap(), "permissions"]);
    assert!(ledgers(&world.state()) == books, "a ledger changed");
}

/// The state folder on a file system of so many KiB, which ends with the process; what it held at the end is copied to `full`.
fn on_small_disk(world: &World, kib: u32) -> Option<Said> {
    let copy = world.path().join("full");
    fs::create_dir_all(world.state()).unwrap();
    let script = format!(
        "mount -t tmpfs -o size={kib}k tmpfs '{state}' || exit 125
        \"$@\"; code=$?; cp -r '{state}' '{copy}'; exit $code",
        state = world.state().display(),
        copy = copy.display()
    );
    let command = world.command(&[]);
    let said: Said = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", &script, "sh"])
        .arg(command.get_program())
        .args(command.get_args())
        .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .output()
        .unwrap()
        .into();
    let run = copy.exists();
    if !run {
        skip(&format!("no file system can be mounted here: {}", said.stderr.trim()));
    }
    run.then_some(said)
}

#[test]
fn a_full_disk_charges_nothing() {
    // Three ledgers of about 45 KiB fit, three sums of 98 KiB do not.
    let text = manifest(&["one", "two", "three"].map(|name| common::histogram(name, 4096)).concat());
    let world = World::with(30, &text);
    let Some(said) = on_small_disk(&world, 300) else { return };
    let said = said.expect(8);
    holds(&said.stderr, &["sum.bin", "No space left on device", "check free space"]);
    let full = world.path().join("full");
    for party in NAMES {
        assert_eq!(balance(&full, party), Default::default(), "{party}");
    }
    world.assert_no_secret(&[&said.stdout, &said.stderr]);

    // Not even the ledgers fit.
    let world = World::with(30, &text);
    let Some(said) = on_small_disk(&world, 48) else { return };
    let said = said.expect(8);
    holds(&said.stderr, &["check free space"]);
    world.assert_no_secret(&[&said.stdout, &said.stderr]);
    // And with room it is an ordinary run.
    world.run(&[]).expect(0);
    world.assert_charged_once("with room");
}

/// All that parties said.
fn texts(endings: &[Ending]) -> Vec<&str> {
    endings.iter().flat_map(|ending| [ending.stdout.as_str(), ending.stderr.as_str()]).collect()
}

#[test]
fn an_absent_peer_is_named() {
    let (world, books) = charged_world();
    let mut team = Team::new(&world, RUN, false);
    team.kill = Some((2, Phase::Agree));
    team.configs.iter_mut().for_each(|config| config.patience_seconds = 2);
    let endings = team.go();
    for ending in &endings[..2] {
        assert_eq!(ending.code, Some(5), "{}", ending.stderr);
        holds(&ending.stderr, &["east"]);
    }
    let amounts: Vec<_> = NAMES.iter().map(|party| world.entries(party).len()).collect();
    assert_eq!(amounts, [1, 1, 1]);
    assert!(ledgers(&world.state()) == books, "a ledger changed");
    world.assert_no_secret(&texts(&endings));
}

#[test]
fn another_plan_is_named_by_its_fields() {
    let (world, books) = charged_world();
    let text = fs::read_to_string(world.manifest()).unwrap();
    let cases = [
        ("max: 64", "max: 63", "columns"),
        ("privacy: {epsilon: 3}", "privacy: {epsilon: 2}", "epsilon"),
        ("maxRows: 1000000\n  budget: east", "maxRows: 999999\n  budget: east", "parties"),
    ];
    for (from, to, field) in cases {
        assert!(text.contains(from), "{from}");
        let other = world.path().join("other.yaml");
        fs::write(&other, text.replace(from, to)).unwrap();
        let mut team = Team::new(&world, RUN, false);
        team.configs[1].manifest = other;
        let endings = team.go();
        // Who hears of it from another before it finds out by itself has been given up.
        let codes: Vec<_> = endings.iter().map(|ending| ending.code.unwrap()).collect();
        assert!(codes.contains(&6) && codes.iter().all(|code| [5, 6].contains(code)), "{codes:?}");
        for ending in &endings {
            holds(&ending.stderr, &["has another plan", field, "give every party the same manifest"]);
        }
        assert!(ledgers(&world.state()) == books, "{field}: a ledger changed");
        world.assert_no_secret(&texts(&endings));
    }
}

#[test]
fn a_certificate_that_is_not_good() {
    let (world, books) = charged_world();
    type Change<'a> = Box<dyn Fn(&mut veilgrid_party::config::TlsConfig) + 'a>;
    let stranger = Authority::new();
    let cases: [(&str, Change<'_>, &str); 2] = [
        ("expired", Box::new(|_| {}), "expired"),
        ("of an unknown authority", Box::new(|tls| *tls = stranger.issue("south", |_| {})), "certificate"),
    ];
    for (what, change, word) in cases {
        let mut team = Team::new(&world, RUN, false);
        if what == "expired" {
            let authority = Authority::new();
            for (party, config) in team.configs.iter_mut().enumerate() {
                config.tls = authority.issue(NAMES[party], |params| {
                    if party == 1 {
                        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
                        params.not_after = rcgen::date_time_ymd(2020, 12, 31);
                    }
                });
            }
        }
        change(&mut team.configs[1].tls);
        team.configs.iter_mut().for_each(|config| config.patience_seconds = 5);
        let endings = team.go();
        for ending in &endings {
            assert_eq!(ending.code, Some(5), "{what}: {}", ending.stderr);
        }
        holds(&endings[0].stderr, &["south", word]);
        assert!(ledgers(&world.state()) == books, "{what}: a ledger changed");
        world.assert_no_secret(&texts(&endings));
    }
}
