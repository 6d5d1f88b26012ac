//! What the ledger reads and writes inside a transaction.

use super::{Balance, Charge, Entry, LedgerError, Refusal, State};
use rusqlite::{Connection, OptionalExtension, Row, params};
use veilgrid_api::amount::{Delta, Epsilon};

pub(super) const COLUMNS: &str = "run, job, dataset, budget, plan, epsilon, delta, state, since, changed";
const NOW: &str = "strftime('%Y-%m-%dT%H:%M:%SZ', 'now')";

/// Inside a transaction: the book's own errors beside the file's.
pub(super) enum Fault {
    Book(LedgerError),
    File(rusqlite::Error),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::File(error)
    }
}

impl From<LedgerError> for Fault {
    fn from(error: LedgerError) -> Self {
        Self::Book(error)
    }
}

impl From<Box<Refusal>> for Fault {
    fn from(refusal: Box<Refusal>) -> Self {
        Self::Book(refusal.into())
    }
}

pub(super) fn balance(ledger: &Connection, budget: &str) -> rusqlite::Result<Balance> {
    let sums = |state: State| {
        ledger.query_row(
            "SELECT COALESCE(SUM(epsilon), 0), COALESCE(SUM(delta), 0) FROM entries WHERE budget = ?1 AND state = ?2",
            params![budget, state.word()],
            |row| Ok((Epsilon::from_units(units(row, 0)?), Delta::from_units(units(row, 1)?))),
        )
    };
    let ((spent_epsilon, spent_delta), (reserved_epsilon, reserved_delta)) =
        (sums(State::Spent)?, sums(State::Reserved)?);
    Ok(Balance { spent_epsilon, spent_delta, reserved_epsilon, reserved_delta })
}

pub(super) fn entry(ledger: &Connection, run: &str) -> rusqlite::Result<Option<Entry>> {
    ledger.query_row(&format!("SELECT {COLUMNS} FROM entries WHERE run = ?1"), [run], read_entry).optional()
}

/// The state of the run's entry, which must be for this very charge.
pub(super) fn same_charge(ledger: &Connection, charge: &Charge) -> Result<Option<State>, Fault> {
    let Some(booked) = entry(ledger, &charge.run)? else { return Ok(None) };
    let facts = [
        ("plan", booked.plan, charge.plan.clone()),
        ("budget", booked.budget, charge.budget.clone()),
        ("dataset", booked.dataset, charge.dataset.clone()),
        ("job", booked.job, charge.job.clone()),
        ("epsilon", booked.epsilon.to_string(), charge.epsilon.to_string()),
        ("delta", booked.delta.to_string(), charge.delta.to_string()),
    ];
    for (what, booked, asked) in facts {
        if booked != asked {
            return Err(LedgerError::Conflict { run: charge.run.clone(), what, booked, asked }.into());
        }
    }
    Ok(Some(booked.state))
}

pub(super) fn insert(ledger: &Connection, charge: &Charge) -> rusqlite::Result<()> {
    ledger.execute(
        &format!(
            "INSERT INTO entries ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'reserved', {NOW}, {NOW})"
        ),
        params![
            charge.run,
            charge.job,
            charge.dataset,
            charge.budget,
            charge.plan,
            stored(charge.epsilon.units()),
            stored(charge.delta.units()),
        ],
    )?;
    note(ledger, &charge.run, State::Reserved)
}

pub(super) fn set_state(ledger: &Connection, run: &str, state: State) -> rusqlite::Result<()> {
    ledger.execute(
        &format!("UPDATE entries SET state = ?2, changed = {NOW} WHERE run = ?1"),
        params![run, state.word()],
    )?;
    note(ledger, run, state)
}

fn note(ledger: &Connection, run: &str, state: State) -> rusqlite::Result<()> {
    ledger.execute(
        &format!("INSERT INTO history (run, state, time) VALUES (?1, ?2, {NOW})"),
        params![run, state.word()],
    )?;
    Ok(())
}

pub(super) fn read_entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        run: row.get(0)?,
        job: row.get(1)?,
        dataset: row.get(2)?,
        budget: row.get(3)?,
        plan: row.get(4)?,
        epsilon: Epsilon::from_units(units(row, 5)?),
        delta: Delta::from_units(units(row, 6)?),
        state: read_state(row, 7)?,
        since: row.get(8)?,
        changed: row.get(9)?,
    })
}

/// SQLite has signed integers only. What does not fit is above every maximum, and the table refuses it.
fn stored(units: u64) -> i64 {
    i64::try_from(units).unwrap_or(i64::MAX)
}

fn units(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

pub(super) fn read_state(row: &Row<'_>, column: usize) -> rusqlite::Result<State> {
    let word: String = row.get(column)?;
    State::from_word(&word).ok_or_else(|| {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Text,
            "an unknown state".into(),
        )
    })
}
