//! The ledger's SQLite file.

use super::{
    Balance, Change, Charge, Entry, LedgerError, State,
    rows::{COLUMNS, Fault, balance, entry, insert, read_entry, read_state, same_charge, set_state},
};
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};
use veilgrid_api::amount::{Delta, Epsilon};

/// Marks the file as a Veilgrid ledger: "VGLg".
const APPLICATION_ID: i32 = 0x5647_4c67;
/// The version of the tables.
const SCHEMA_VERSION: i32 = 1;
/// How long to wait for another process's transaction.
const PATIENCE: Duration = Duration::from_secs(20);

/// The triggers keep what was booked from ever being taken back, whoever writes.
const SCHEMA: &str = "
    CREATE TABLE entries (
        run     TEXT NOT NULL PRIMARY KEY,
        job     TEXT NOT NULL,
        dataset TEXT NOT NULL,
        budget  TEXT NOT NULL,
        plan    TEXT NOT NULL,
        epsilon INTEGER NOT NULL CHECK (epsilon BETWEEN 0 AND 1000000000000000),
        delta   INTEGER NOT NULL CHECK (delta BETWEEN 0 AND 1000000000000000000),
        state   TEXT NOT NULL CHECK (state IN ('reserved', 'spent', 'released')),
        since   TEXT NOT NULL,
        changed TEXT NOT NULL
    ) STRICT;
    CREATE INDEX entries_by_budget ON entries (budget, state);
    CREATE TABLE history (
        step  INTEGER PRIMARY KEY AUTOINCREMENT,
        run   TEXT NOT NULL REFERENCES entries (run),
        state TEXT NOT NULL CHECK (state IN ('reserved', 'spent', 'released')),
        time  TEXT NOT NULL
    ) STRICT;
    CREATE TRIGGER entries_stay BEFORE DELETE ON entries
        BEGIN SELECT RAISE(ABORT, 'entries are never deleted'); END;
    CREATE TRIGGER spent_stays BEFORE UPDATE ON entries WHEN OLD.state = 'spent'
        BEGIN SELECT RAISE(ABORT, 'what is spent stays spent'); END;
    CREATE TRIGGER amounts_stay BEFORE UPDATE OF run, job, dataset, budget, plan, epsilon, delta, since ON entries
        BEGIN SELECT RAISE(ABORT, 'an entry keeps its amounts'); END;
    CREATE TRIGGER history_stays BEFORE DELETE ON history
        BEGIN SELECT RAISE(ABORT, 'history only grows'); END;
    CREATE TRIGGER history_is_fixed BEFORE UPDATE ON history
        BEGIN SELECT RAISE(ABORT, 'history only grows'); END;";

/// An open ledger. Several processes may hold one file open; each change locks it for its own length.
pub struct Ledger {
    path: PathBuf,
    connection: Connection,
}

impl Ledger {
    /// Opens the ledger at `path`, and makes it (mode 0600) where there is no file.
    ///
    /// # Errors
    /// [`LedgerError::Foreign`], [`LedgerError::Damaged`], [`LedgerError::Busy`] or [`LedgerError::Disk`]. An empty file
    /// is damaged: a ledger is made whole or not at all, so something has emptied it.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        if !path.try_exists().map_err(|error| disk(path, &error))? {
            create(path)?;
        }
        if fs::metadata(path).map_err(|error| disk(path, &error))?.len() == 0 {
            return Err(LedgerError::Damaged { path: path.into(), reason: "the file is empty".into() });
        }
        let connection = connect(path).map_err(|error| translate(path, &error))?;
        let ledger = Self { path: path.into(), connection };
        ledger.inspect()?;
        Ok(ledger)
    }

    fn inspect(&self) -> Result<(), LedgerError> {
        let number = |pragma: &str| -> Result<i32, LedgerError> {
            self.connection.pragma_query_value(None, pragma, |row| row.get(0)).map_err(|e| self.error(&e))
        };
        let (application, version) = (number("application_id")?, number("user_version")?);
        if application != APPLICATION_ID {
            let reason = "it is an SQLite file of another program".to_owned();
            return Err(LedgerError::Foreign { path: self.path.clone(), reason });
        }
        if version != SCHEMA_VERSION {
            let reason = format!("its version is {version}, not {SCHEMA_VERSION}");
            return Err(LedgerError::Foreign { path: self.path.clone(), reason });
        }
        let verdict: String = self
            .connection
            .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
            .map_err(|e| self.error(&e))?;
        if verdict != "ok" {
            return Err(LedgerError::Damaged { path: self.path.clone(), reason: verdict });
        }
        Ok(())
    }

    /// Holds `charge` under the totals (epsilon, delta), and returns the entry's state: [`State::Reserved`], or
    /// [`State::Spent`] where this same run was committed before. Calling it again for the same run, plan and amount
    /// changes nothing; a released run is held again if the totals still allow it.
    ///
    /// # Errors
    /// [`LedgerError::Refused`] with all figures; [`LedgerError::Conflict`] where the run is booked otherwise; or the file's.
    pub fn reserve(&mut self, charge: &Charge, total: (Epsilon, Delta)) -> Result<State, LedgerError> {
        self.change(|ledger, change| {
            let booked = same_charge(ledger, charge)?;
            if let Some(state @ (State::Reserved | State::Spent)) = booked {
                return Ok(state);
            }
            balance(ledger, &charge.budget)?.admit(charge, total)?;
            match booked {
                Some(_) => set_state(ledger, &charge.run, State::Reserved)?,
                None => insert(ledger, charge)?,
            }
            *change = true;
            Ok(State::Reserved)
        })
    }

    /// Says what [`Ledger::reserve`] would say now, and changes nothing. The state is `None` where the run is not booked.
    ///
    /// # Errors
    /// As [`Ledger::reserve`].
    pub fn check(&mut self, charge: &Charge, total: (Epsilon, Delta)) -> Result<Option<State>, LedgerError> {
        self.change(|ledger, _| {
            let booked = same_charge(ledger, charge)?;
            if !matches!(booked, Some(State::Reserved | State::Spent)) {
                balance(ledger, &charge.budget)?.admit(charge, total)?;
            }
            Ok(booked)
        })
    }

    /// Marks a reserved run as spent, for good. Once more is nothing new.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`], [`LedgerError::Order`] where it was released, or the file's.
    pub fn commit(&mut self, run: &str) -> Result<(), LedgerError> {
        self.settle(run, State::Spent)
    }

    /// Gives a reserved run's amount back. Once more is nothing new.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`], [`LedgerError::Order`] where it is spent, or the file's.
    pub fn release(&mut self, run: &str) -> Result<(), LedgerError> {
        self.settle(run, State::Released)
    }

    fn settle(&mut self, run: &str, to: State) -> Result<(), LedgerError> {
        self.change(|ledger, change| match entry(ledger, run)?.map(|entry| entry.state) {
            None => Err(LedgerError::Unknown { run: run.into() }.into()),
            Some(state) if state == to => Ok(()),
            Some(State::Reserved) => {
                *change = true;
                Ok(set_state(ledger, run, to)?)
            }
            Some(from) => Err(LedgerError::Order { run: run.into(), from, to }.into()),
        })
    }

    /// Every entry, oldest first.
    ///
    /// # Errors
    /// The file's.
    pub fn entries(&self) -> Result<Vec<Entry>, LedgerError> {
        let list = || {
            let mut query =
                self.connection.prepare(&format!("SELECT {COLUMNS} FROM entries ORDER BY rowid"))?;
            query.query_map([], read_entry)?.collect::<rusqlite::Result<_>>()
        };
        list().map_err(|error| self.error(&error))
    }

    /// The entry of a run.
    ///
    /// # Errors
    /// The file's.
    pub fn entry(&self, run: &str) -> Result<Option<Entry>, LedgerError> {
        entry(&self.connection, run).map_err(|error| self.error(&error))
    }

    /// Every step that entries took, oldest first.
    ///
    /// # Errors
    /// The file's.
    pub fn history(&self) -> Result<Vec<Change>, LedgerError> {
        let list = || {
            let mut query = self.connection.prepare("SELECT run, state, time FROM history ORDER BY step")?;
            query
                .query_map([], |row| {
                    Ok(Change { run: row.get(0)?, state: read_state(row, 1)?, time: row.get(2)? })
                })?
                .collect::<rusqlite::Result<_>>()
        };
        list().map_err(|error| self.error(&error))
    }

    /// What is booked on a budget (`namespace/name`).
    ///
    /// # Errors
    /// The file's.
    pub fn balance(&self, budget: &str) -> Result<Balance, LedgerError> {
        balance(&self.connection, budget).map_err(|error| self.error(&error))
    }

    /// One transaction that holds the write lock from its start, so that what it reads is still so when it writes.
    fn change<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>, &mut bool) -> Result<T, Fault>,
    ) -> Result<T, LedgerError> {
        let path = &self.path;
        let mut changed = false;
        let run = || -> Result<T, Fault> {
            let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let outcome = work(&transaction, &mut changed)?;
            if changed {
                transaction.commit()?
            } else {
                transaction.rollback()?
            }
            Ok(outcome)
        };
        run().map_err(|fault| match fault {
            Fault::Book(error) => error,
            Fault::File(error) => translate(path, &error),
        })
    }

    fn error(&self, error: &rusqlite::Error) -> LedgerError {
        translate(&self.path, error)
    }
}

/// Makes the file under another name and links it into place whole, so that a crash leaves a ledger or nothing.
fn create(path: &Path) -> Result<(), LedgerError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Others may be making the same ledger at this moment, each under a name of its own.
    let unique = getrandom::u64().map_err(|error| disk(path, &io::Error::other(error.to_string())))?;
    let draft = folder.join(format!(".{name}.{unique:016x}.new"));
    let made = (|| {
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&draft).map_err(|error| disk(path, &error))?;
        let connection = connect(&draft).map_err(|error| translate(path, &error))?;
        let script = format!(
            "BEGIN IMMEDIATE; {SCHEMA} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
        );
        connection.execute_batch(&script).map_err(|error| translate(path, &error))?;
        connection.close().map_err(|(_, error)| translate(path, &error))?;
        match fs::hard_link(&draft, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(disk(path, &error)),
            _ => Ok(()),
        }
    })();
    let _ = fs::remove_file(&draft);
    made?;
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| disk(path, &error))
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    // The mode is answered with a row, so it is queried.
    connection.pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get::<_, String>(0))?;
    connection.pragma_update(None, "synchronous", "EXTRA")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

fn disk(path: &Path, error: &io::Error) -> LedgerError {
    LedgerError::Disk { path: path.into(), reason: error.to_string() }
}

/// What an SQLite error means to the owner of the file.
fn translate(path: &Path, error: &rusqlite::Error) -> LedgerError {
    let (path, reason) = (path.to_owned(), error.to_string());
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => LedgerError::Foreign { path, reason: "it is no SQLite file".into() },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => LedgerError::Busy { path },
        Some(
            ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied,
        ) => LedgerError::Disk { path, reason },
        _ => LedgerError::Damaged { path, reason },
    }
}
