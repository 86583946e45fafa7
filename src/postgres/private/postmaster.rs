//! One run of the Postgres server: started by us as a child, or left behind by an earlier run and adopted.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::binaries::Binaries;
use super::error::PrivateClusterError;
use super::folder::DataFolder;
use super::unprivileged::User;

/// Recovery after a crash may read a lot of log.
const READY_TIMEOUT: Duration = Duration::from_secs(300);
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Just after a crash the old server and its children may still be there for a moment; so long they are waited for.
const LEFTOVERS_TIMEOUT: Duration = Duration::from_secs(60);
const START_PAUSE: Duration = Duration::from_millis(500);

/// A log that is longer is put aside at the next start.
const LOG_LIMIT: u64 = 16 * 1024 * 1024;

/// Durable whatever postgresql.conf says; the rest is for short statements from many connections.
const SETTINGS: [&str; 8] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=", // the path of a socket may be too long in a deep folder
    "fsync=on",
    "synchronous_commit=on",
    "full_page_writes=on",
    "logging_collector=off",
    "max_connections=200",
    "jit=off",
];

/// A running server.
#[derive(Debug)]
pub(super) struct Postmaster {
    pid: Pid,
    port: u16,
    /// None: adopted.
    child: Option<Child>,
}

impl Postmaster {
    /// Adopts the server that still runs on this folder, or starts one.
    pub(super) fn adopt_or_start(
        folder: &DataFolder,
        binaries: &Binaries,
        user: &User,
    ) -> Result<Self, PrivateClusterError> {
        match Self::adopt(folder)? {
            Some(postmaster) => Ok(postmaster),
            None => Self::start(folder, binaries, user, folder.choose_port()?),
        }
    }

    /// Starts a server on a port and waits until it takes connections.
    pub(super) fn start(
        folder: &DataFolder,
        binaries: &Binaries,
        user: &User,
        port: u16,
    ) -> Result<Self, PrivateClusterError> {
        let began = Instant::now();
        loop {
            match Self::start_once(folder, binaries, user, port) {
                Err(PrivateClusterError::DoesNotStart { tail, .. })
                    if is_passing(&tail) && began.elapsed() < LEFTOVERS_TIMEOUT =>
                {
                    sleep(START_PAUSE);
                }
                result => return result,
            }
        }
    }

    /// The port on 127.0.0.1.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Whether the server still runs.
    pub(super) fn is_alive(&mut self) -> bool {
        match &mut self.child {
            Some(child) => matches!(child.try_wait(), Ok(None)),
            None => is_postgres(self.pid),
        }
    }

    /// Asks the server to stop at once but in order, and waits for it.
    pub(super) fn stop(mut self, folder: &DataFolder) -> Result<(), PrivateClusterError> {
        for (signal, patience) in [
            (Signal::INT, STOP_TIMEOUT),
            (Signal::QUIT, STOP_TIMEOUT / 3),
        ] {
            if !self.is_alive() {
                return Ok(());
            }
            // It may end between the question and the signal, which is all we want.
            let _ = kill_process(self.pid, signal);
            if self.ends_within(patience) {
                return Ok(());
            }
        }
        Err(PrivateClusterError::DoesNotStop {
            pid: self.pid.as_raw_pid(),
            log: folder.log(),
        })
    }

    fn adopt(folder: &DataFolder) -> Result<Option<Self>, PrivateClusterError> {
        let Some(found) = PidFile::read(&folder.cluster()).filter(|found| is_postgres(found.pid))
        else {
            return Ok(None);
        };
        let mut postmaster = Self {
            pid: found.pid,
            port: found.port,
            child: None,
        };
        if postmaster.becomes_ready(folder)? {
            tracing::info!(
                pid = found.pid.as_raw_pid(),
                "the Postgres of an earlier run is still there and is used"
            );
            return Ok(Some(postmaster));
        }
        Ok(None)
    }

    fn start_once(
        folder: &DataFolder,
        binaries: &Binaries,
        user: &User,
        port: u16,
    ) -> Result<Self, PrivateClusterError> {
        let program = binaries.program("postgres");
        let log = open_log(folder)?;
        let log_start = log.metadata().map_or(0, |metadata| metadata.len());
        let errors = log
            .try_clone()
            .map_err(PrivateClusterError::file("cannot write", folder.log()))?;
        let mut command = user.command(&program, folder.path());
        command
            .arg("-D")
            .arg(folder.cluster())
            .arg("-p")
            .arg(port.to_string());
        for setting in SETTINGS {
            command.arg("-c").arg(setting);
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            // A group of its own: the terminal's Ctrl-C goes to us, and we stop Postgres when our requests are done.
            .process_group(0)
            .spawn()
            .map_err(|source| PrivateClusterError::Run { program, source })?;
        let pid = Pid::from_child(&child);
        let mut postmaster = Self {
            pid,
            port,
            child: Some(child),
        };
        if postmaster.becomes_ready(folder)? {
            Ok(postmaster)
        } else {
            let tail = read_from(&folder.log(), log_start);
            Err(PrivateClusterError::DoesNotStart {
                log: folder.log(),
                tail,
            })
        }
    }

    /// Waits until the server takes connections; false when it ends instead.
    fn becomes_ready(&mut self, folder: &DataFolder) -> Result<bool, PrivateClusterError> {
        let began = Instant::now();
        while self.is_alive() {
            let file = PidFile::read(&folder.cluster());
            if file.is_some_and(|file| file.pid == self.pid && file.is_ready) {
                return Ok(true);
            }
            if began.elapsed() > READY_TIMEOUT {
                let (pid, seconds) = (self.pid.as_raw_pid(), READY_TIMEOUT.as_secs());
                return Err(PrivateClusterError::NotReady {
                    pid,
                    seconds,
                    log: folder.log(),
                });
            }
            sleep(LOOK_EVERY);
        }
        Ok(false)
    }

    fn ends_within(&mut self, patience: Duration) -> bool {
        let began = Instant::now();
        while self.is_alive() {
            if began.elapsed() > patience {
                return false;
            }
            sleep(LOOK_EVERY);
        }
        true
    }
}

/// What `postmaster.pid` says; the same lines that `pg_ctl` reads.
struct PidFile {
    pid: Pid,
    port: u16,
    is_ready: bool,
}

impl PidFile {
    fn read(cluster: &Path) -> Option<Self> {
        let text = fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        Some(Self {
            pid: Pid::from_raw(lines.first()?.parse().ok()?)?,
            port: lines.get(3)?.parse().ok()?,
            is_ready: lines.get(7) == Some(&"ready"),
        })
    }
}

/// Whether this process lives and is a Postgres: the number in a stale file may be anybody's by now.
fn is_postgres(pid: Pid) -> bool {
    if test_kill_process(pid) == Err(rustix::io::Errno::SRCH) {
        return false;
    }
    match fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_pid())) {
        Ok(stat) => stat.contains("(postgres)") && !stat.contains(") Z "),
        Err(_) => !cfg!(target_os = "linux"),
    }
}

/// Whether a failed start is worth another: leftovers of a crash are in the way (its messages are English, we start it so), or
/// it was killed before it could say anything.
fn is_passing(tail: &str) -> bool {
    let leftovers = ["\"postmaster.pid\" already exists", "is still in use"];
    leftovers.iter().any(|words| tail.contains(words)) || !tail.contains("FATAL")
}

fn open_log(folder: &DataFolder) -> Result<File, PrivateClusterError> {
    let path = folder.log();
    if path
        .metadata()
        .is_ok_and(|metadata| metadata.len() > LOG_LIMIT)
    {
        fs::rename(&path, path.with_extension("log.old"))
            .map_err(PrivateClusterError::file("cannot move", &path))?;
    }
    File::options()
        .create(true)
        .append(true)
        .open(&path)
        .map_err(PrivateClusterError::file("cannot write", path))
}

/// What was written to a log since a position; at most its last lines.
fn read_from(log: &Path, position: u64) -> String {
    let mut text = String::new();
    // Best effort: it only makes an error message better.
    let _ = File::open(log).and_then(|mut file| {
        file.seek(SeekFrom::Start(position))?;
        file.read_to_string(&mut text)
    });
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}
