use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use crate::store::Error;

/// The version of [`TABLES`]. A later one comes with what makes it of the earlier.
const VERSION: i64 = 1;

/// A reader finds the file locked only while it is opened or closed.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Statements that stay prepared; there are fewer.
const STATEMENTS_MAX: usize = 64;

/// Times are microseconds since 1970.
///
/// A task's row is written once and deleted once; what changes with its attempts is a small row of `progress`, so
/// that no attempt writes a body again. `created` counts creations and is the order of them.
const TABLES: &str = "
CREATE TABLE queue (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    settings BLOB NOT NULL,
    paused INTEGER NOT NULL,
    purged_at INTEGER,
    forgotten INTEGER NOT NULL
) STRICT;

-- Names of deleted queues, and until when they are blocked.
CREATE TABLE blocked (name TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE task (
    created INTEGER PRIMARY KEY,
    queue INTEGER NOT NULL,
    id TEXT NOT NULL,
    named INTEGER NOT NULL,
    create_time INTEGER NOT NULL,
    schedule_time INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    fairness_key TEXT NOT NULL,
    spec BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX task_name ON task (queue, id);

CREATE TABLE progress (
    created INTEGER PRIMARY KEY,
    schedule_time INTEGER NOT NULL,
    bytes BLOB NOT NULL
) STRICT;

CREATE VIEW living AS
    SELECT t.created, t.queue, t.id, t.named, t.create_time, t.priority, t.fairness_key, t.spec,
        coalesce(p.schedule_time, t.schedule_time) AS schedule_time, p.bytes AS progress
    FROM task t LEFT JOIN progress p ON p.created = t.created;

-- Ids that named tasks had, and until when they are taken; in about the order of `until`.
CREATE TABLE ended (
    number INTEGER PRIMARY KEY,
    queue INTEGER NOT NULL,
    id TEXT NOT NULL,
    until INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX ended_name ON ended (queue, id);

-- How far something has come: the last tick of each schedule.
CREATE TABLE mark (key TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE dead (
    created INTEGER PRIMARY KEY,
    queue INTEGER NOT NULL,
    id TEXT NOT NULL,
    named INTEGER NOT NULL,
    create_time INTEGER NOT NULL,
    schedule_time INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    fairness_key TEXT NOT NULL,
    died_at INTEGER NOT NULL,
    progress BLOB NOT NULL,
    spec BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX dead_name ON dead (queue, id);
CREATE INDEX dead_age ON dead (queue, died_at, created);
";

/// Opens or creates the file; when this returns, a crash cannot make it vanish. With its log, which is there as long as
/// a connection is.
pub(super) fn open(path: &Path) -> Result<(Connection, File), Error> {
    let mut connection = connect(path)?;
    migrate(&mut connection)?;
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let log = sync(Path::new(&log))?;
    // The names of the file and its log are in the directory, which has to be synced itself.
    sync(path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
    Ok((connection, log))
}

/// One more connection to an open file.
pub(super) fn connect(path: &Path) -> Result<Connection, Error> {
    let connect = || {
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        // NORMAL: a commit leaves it to us to sync the log. The checkpoint comes seldom, as it syncs the file, too; 16 MiB of log.
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 4000;
             PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY;",
        )?;
        Ok(connection)
    };
    connect().map_err(|error| database(&error))
}

fn migrate(connection: &mut Connection) -> Result<(), Error> {
    let version = |connection: &Connection| connection.query_row("PRAGMA user_version", (), |row| row.get(0));
    match version(connection).map_err(|error| database(&error))? {
        VERSION => Ok(()),
        0 => {
            let create = |connection: &mut Connection| {
                let transaction = connection.transaction()?;
                transaction.execute_batch(TABLES)?;
                transaction.pragma_update(None, "user_version", VERSION)?;
                transaction.commit()
            };
            create(connection).map_err(|error| database(&error))
        }
        later => Err(Error::Database(format!("version {later} of its tables is not known to this Maré"))),
    }
}

fn sync(path: &Path) -> Result<File, Error> {
    let sync = || {
        let file = File::open(path)?;
        file.sync_all()?;
        Ok(file)
    };
    sync().map_err(|error: io::Error| Error::Database(format!("{}: {error}", path.display())))
}

pub(super) fn database(error: &rusqlite::Error) -> Error {
    Error::Database(error.to_string())
}
