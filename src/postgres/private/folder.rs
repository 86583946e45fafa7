//! The data folder of `bookwarden dev`: the cluster, its log, and what must be found again by the next run and by the
//! administrative commands.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::error::PrivateClusterError;
use crate::settings::DatabaseUrl;

/// The cluster's superuser, and the name of the database.
pub(super) const OWNER: &str = "bookwarden";

/// A data folder, held by this process alone for as long as this value lives.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    lock: File,
}

impl DataFolder {
    /// Makes the folder if need be, and takes it for this process.
    pub fn open(path: &Path) -> Result<Self, PrivateClusterError> {
        fs::create_dir_all(path).map_err(PrivateClusterError::file(
            "cannot make the data folder",
            path,
        ))?;
        let path = path.canonicalize().map_err(PrivateClusterError::file(
            "cannot find the data folder",
            path,
        ))?;
        let lock = lock(&path)?;
        let folder = Self { path, lock };
        // It holds secrets, and may well lie in somebody's repository.
        folder.write(".gitignore", "*\n")?;
        Ok(folder)
    }

    /// The folder's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The cluster.
    pub(super) fn cluster(&self) -> PathBuf {
        self.path.join("postgres")
    }

    /// What Postgres writes to its log.
    pub(super) fn log(&self) -> PathBuf {
        self.path.join("postgres.log")
    }

    /// The major version that made the cluster; none before the first run.
    pub(super) fn cluster_version(&self) -> Result<Option<(PathBuf, u32)>, PrivateClusterError> {
        let file = self.cluster().join("PG_VERSION");
        match fs::read_to_string(&file) {
            Ok(text) => Ok(text
                .trim()
                .parse()
                .ok()
                .map(|version| (self.cluster(), version))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(PrivateClusterError::file("cannot read", file)(error)),
        }
    }

    /// The port of the last run if it is free, else another free one; remembered for the next.
    pub(super) fn choose_port(&self) -> Result<u16, PrivateClusterError> {
        let last = self
            .read("postgres.port")
            .and_then(|text| text.parse().ok());
        let port = match last {
            Some(port) if is_free(port) => port,
            _ => free_port().map_err(PrivateClusterError::Port)?,
        };
        self.write("postgres.port", &port.to_string())?;
        Ok(port)
    }

    /// The owner's password, made on first use.
    pub(super) fn password(&self) -> Result<String, PrivateClusterError> {
        if let Some(password) = self.read("postgres.password") {
            return Ok(password);
        }
        let mut bytes = [0; 24];
        getrandom::fill(&mut bytes).map_err(PrivateClusterError::Randomness)?;
        let password = BASE64_URL_SAFE_NO_PAD.encode(bytes);
        self.write("postgres.password", &password)?;
        Ok(password)
    }

    /// Writes the owner's address of the database, which [`database_url_of`] finds again.
    pub(super) fn write_database_url(&self, port: u16) -> Result<DatabaseUrl, PrivateClusterError> {
        let url = format!(
            "postgres://{OWNER}:{}@127.0.0.1:{port}/{OWNER}",
            self.password()?
        );
        self.write("database-url", &url)?;
        let url = url.parse().expect("a URL of known parts");
        Ok(url)
    }

    /// A small text of this folder, trimmed; none if it is not there or empty.
    #[must_use]
    pub fn read(&self, name: &str) -> Option<String> {
        read(&self.path, name)
    }

    /// Writes a small text that only its owner may read; whole or not at all.
    pub fn write(&self, name: &str, text: &str) -> Result<(), PrivateClusterError> {
        let path = self.path.join(name);
        let new = self.path.join(format!("{name}.new"));
        write_private(&new, text)
            .and_then(|()| fs::rename(&new, &path))
            .map_err(PrivateClusterError::file("cannot write", path))
    }
}

impl Drop for DataFolder {
    fn drop(&mut self) {
        // Closing alone would leave the lock to a child that is just being started. What fails here, the process' end does.
        let _ = self.lock.unlock();
    }
}

/// The address of the private cluster of a data folder, if `bookwarden dev` ever ran on it.
#[must_use]
pub fn database_url_of(folder: &Path) -> Option<DatabaseUrl> {
    read(folder, "database-url")?.parse().ok()
}

fn read(folder: &Path, name: &str) -> Option<String> {
    let text = fs::read_to_string(folder.join(name)).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// The system drops the lock when its process dies, however it dies; so there is no stale lock.
fn lock(folder: &Path) -> Result<File, PrivateClusterError> {
    let path = folder.join("lock");
    let mut options = OpenOptions::new();
    let options = options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600);
    let mut file = options
        .open(&path)
        .map_err(PrivateClusterError::file("cannot write", &path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let holder = read(folder, "lock").map(|pid| format!(" (process {pid})"));
            let holder = holder.unwrap_or_default();
            return Err(PrivateClusterError::Locked {
                folder: folder.into(),
                holder,
            });
        }
        Err(TryLockError::Error(error)) => {
            return Err(PrivateClusterError::file("cannot lock", path)(error));
        }
    }
    file.set_len(0)
        .and_then(|()| file.write_all(std::process::id().to_string().as_bytes()))
        .map_err(PrivateClusterError::file("cannot write", path))?;
    Ok(file)
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn open() -> (tempfile::TempDir, DataFolder) {
        let parent = tempfile::tempdir().expect("a folder");
        let folder = DataFolder::open(&parent.path().join("data")).expect("a data folder");
        (parent, folder)
    }

    #[test]
    fn a_port_is_kept_between_runs_until_somebody_else_has_it() {
        let (_parent, folder) = open();
        let port = folder.choose_port().expect("a port");
        assert_eq!(folder.choose_port().expect("a port"), port);
        let _other = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("it is free");
        assert_ne!(folder.choose_port().expect("a port"), port);
    }

    #[test]
    fn a_folder_belongs_to_one_at_a_time() {
        let (parent, folder) = open();
        let path = parent.path().join("data");
        let message = DataFolder::open(&path).expect_err("locked").to_string();
        assert!(
            message.contains(&format!("process {}", std::process::id())),
            "{message}"
        );
        drop(folder);
        DataFolder::open(&path).expect("free again");
    }

    #[test]
    fn the_password_is_kept_and_only_for_its_owner() {
        let (_parent, folder) = open();
        let password = folder.password().expect("a password");
        assert_eq!(password.len(), 32);
        assert_eq!(folder.password().expect("a password"), password);
        let file = folder.path().join("postgres.password");
        let mode = file.metadata().expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn the_database_is_found_again_through_the_folder() {
        let (_parent, folder) = open();
        assert_eq!(database_url_of(folder.path()), None);
        let url = folder.write_database_url(5433).expect("a URL");
        assert_eq!(database_url_of(folder.path()), Some(url));
    }
}
