//! Postgres refuses to run as root; if we are root, its programs run as somebody else.

use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::process::{Command, Stdio};

use super::error::PrivateClusterError;
use super::folder::DataFolder;

/// Who may run Postgres, the preferred first. The former comes with Debian's and Fedora's packages.
const NAMES: [&str; 2] = ["postgres", "nobody"];

/// The user as whom Postgres runs.
#[derive(Debug, Clone)]
pub(super) struct User {
    /// Programs are run through this command; empty: directly.
    through: Vec<String>,
    /// Who owns the cluster's files; none: we do.
    ids: Option<(u32, u32)>,
}

impl User {
    /// Ourselves, or if we are root an unprivileged user who can reach the data folder.
    pub(super) fn choose(folder: &DataFolder) -> Result<Self, PrivateClusterError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self {
                through: Vec::new(),
                ids: None,
            });
        }
        let (name, uid, gid) = owner_of(&folder.cluster())
            .or_else(|| {
                NAMES
                    .iter()
                    .find_map(|name| Some((*name, id("-u", name)?, id("-g", name)?)))
            })
            .ok_or(PrivateClusterError::NoUnprivilegedUser)?;
        [with_search_capability(uid, gid), plainly(uid, gid)]
            .into_iter()
            .map(|through| Self {
                through,
                ids: Some((uid, gid)),
            })
            .find(|user| user.reaches(folder.path()))
            .ok_or_else(|| PrivateClusterError::Unreachable {
                user: name,
                folder: folder.path().into(),
            })
    }

    /// A command that runs a program as this user: in the data folder, without our Postgres settings.
    pub(super) fn command(&self, program: &Path, folder: &Path) -> Command {
        let mut command = match self.through.split_first() {
            Some((setpriv, arguments)) => {
                let mut command = Command::new(setpriv);
                command.args(arguments).arg(program);
                command
            }
            None => Command::new(program),
        };
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        // A locale that exists everywhere: a broken LANG must not keep initdb from working.
        command.env("LC_ALL", "C").current_dir(folder);
        command
    }

    /// Gives a file or folder to this user.
    pub(super) fn own(&self, path: &Path) -> Result<(), PrivateClusterError> {
        let Some((uid, gid)) = self.ids else {
            return Ok(());
        };
        chown(path, Some(uid), Some(gid))
            .map_err(PrivateClusterError::file("cannot give away", path))
    }

    fn reaches(&self, folder: &Path) -> bool {
        let mut command = self.command(Path::new("ls"), Path::new("/"));
        command.arg("-d").arg(folder.join("."));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }
}

/// Data that exist stay with their owner.
fn owner_of(cluster: &Path) -> Option<(&'static str, u32, u32)> {
    let metadata = cluster.metadata().ok()?;
    Some(("of the cluster", metadata.uid(), metadata.gid())).filter(|(_, uid, _)| *uid != 0)
}

fn id(which: &str, name: &str) -> Option<u32> {
    let output = Command::new("id")
        .args([which, name])
        .stderr(Stdio::null())
        .output()
        .ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// With one privilege kept: to pass through closed folders, such as root's home, on the way to its own.
fn with_search_capability(uid: u32, gid: u32) -> Vec<String> {
    let mut through = plainly(uid, gid);
    for set in ["--inh-caps", "--ambient-caps", "--bounding-set"] {
        through.push(format!("{set}=-all,+dac_read_search"));
    }
    through.retain(|argument| argument != "--inh-caps=-all");
    through
}

fn plainly(uid: u32, gid: u32) -> Vec<String> {
    vec![
        "setpriv".into(),
        format!("--reuid={uid}"),
        format!("--regid={gid}"),
        "--clear-groups".into(),
        "--inh-caps=-all".into(),
    ]
}
