//! Finding the Postgres server of the machine.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::PrivateClusterError;
use super::is_file;

/// The oldest major version that runs our SQL.
const OLDEST: u32 = 15;

/// The server programs of one Postgres version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    folder: PathBuf,
    major: u32,
}

/// Where a server may be.
#[derive(Debug, Clone)]
pub struct SearchPlaces {
    /// `PATH`.
    pub path: Option<OsString>,
    /// Folders that hold one folder a version with `bin` in it, such as `/usr/lib/postgresql`.
    pub version_folders: Vec<PathBuf>,
}

impl SearchPlaces {
    /// `PATH`, and the places of Debian, Fedora (postgresql.org's packages) and Homebrew, which are on no `PATH`.
    #[must_use]
    pub fn of_this_machine() -> Self {
        let version_folders = [
            "/usr/lib/postgresql",
            "/usr",
            "/opt/homebrew/opt",
            "/usr/local/opt",
        ];
        Self {
            path: std::env::var_os("PATH"),
            version_folders: version_folders.map(PathBuf::from).into(),
        }
    }

    fn candidates(&self) -> Vec<PathBuf> {
        let mut folders: Vec<PathBuf> = self.path.iter().flat_map(std::env::split_paths).collect();
        folders.extend(
            folders
                .iter()
                .find_map(|folder| pg_config_bindir(&folder.join("pg_config"))),
        );
        for versions in &self.version_folders {
            folders.extend(version_bins(versions));
        }
        folders
    }
}

/// What `pg_config --bindir` answers.
fn pg_config_bindir(program: &Path) -> Option<PathBuf> {
    let output = Command::new(program).arg("--bindir").output().ok()?;
    let answer = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(answer.trim())).filter(|folder| folder.is_absolute())
}

/// `17/bin`, `pgsql-16/bin`, `postgresql@15/bin` … of a folder, newest first.
fn version_bins(versions: &Path) -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir(versions)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let version = name
                .trim_start_matches("pgsql-")
                .trim_start_matches("postgresql@");
            Some((version.parse().ok()?, entry.path().join("bin")))
        })
        .collect();
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    found.into_iter().map(|(_, folder)| folder).collect()
}

impl Binaries {
    /// The first server in these places that can be used; of the given major version, if data exist already.
    pub fn find(
        places: &SearchPlaces,
        wanted: Option<(PathBuf, u32)>,
    ) -> Result<Self, PrivateClusterError> {
        let mut found: Vec<Self> = places
            .candidates()
            .into_iter()
            .filter(|folder| is_file(&folder.join("postgres")) && is_file(&folder.join("initdb")))
            .filter_map(|folder| {
                Some(Self {
                    major: major_version(&folder.join("postgres"))?,
                    folder,
                })
            })
            .collect();
        let fits = |binaries: &Self| match wanted {
            Some((_, version)) => binaries.major == version,
            None => binaries.major >= OLDEST,
        };
        match found.iter().position(fits) {
            Some(index) => Ok(found.swap_remove(index)),
            None => Err(match wanted {
                Some((data, version)) => PrivateClusterError::VersionMissing { data, version },
                None => PrivateClusterError::NotFound {
                    too_old: too_old(&found),
                },
            }),
        }
    }

    /// The path of a program, such as `initdb`.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

fn too_old(found: &[Binaries]) -> String {
    found
        .iter()
        .map(|old| format!(" ({} is version {})", old.folder.display(), old.major))
        .collect()
}

/// 15 of `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`.
fn major_version(postgres: &Path) -> Option<u32> {
    let output = Command::new(postgres).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let number = text.split_whitespace().nth(2)?;
    let digits = number.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use super::*;

    /// One test at a time writes programs and runs them: a process just being started would inherit a program that is still
    /// open for writing, and the system then refuses to run that.
    fn alone() -> MutexGuard<'static, ()> {
        static TURN: Mutex<()> = Mutex::new(());
        TURN.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_program(path: &Path, text: &str) {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).expect("permissions");
    }

    /// A folder with programs that answer as Postgres of that version does.
    fn install(bin: &Path, version: &str) {
        write_program(
            &bin.join("postgres"),
            &format!("#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n"),
        );
        write_program(&bin.join("initdb"), "#!/bin/sh\n");
    }

    fn places(root: &Path, path: &str) -> SearchPlaces {
        SearchPlaces {
            path: Some(root.join(path).into()),
            version_folders: vec![root.join("postgresql")],
        }
    }

    #[test]
    fn the_path_comes_first_and_then_the_newest_version() {
        let _alone = alone();
        let root = tempfile::tempdir().expect("a folder");
        install(&root.path().join("postgresql/9/bin"), "9.6.24");
        install(
            &root.path().join("postgresql/15/bin"),
            "15.14 (Debian 15.14-0+deb12u1)",
        );
        install(&root.path().join("postgresql/17/bin"), "17.2");
        install(&root.path().join("bin"), "16beta1");
        let found = Binaries::find(&places(root.path(), "bin"), None).expect("found");
        assert_eq!(
            found,
            Binaries {
                folder: root.path().join("bin"),
                major: 16
            }
        );
        let found = Binaries::find(&places(root.path(), "none"), None).expect("found");
        assert_eq!(found.major, 17);
    }

    #[test]
    fn pg_config_is_asked() {
        let _alone = alone();
        let root = tempfile::tempdir().expect("a folder");
        install(&root.path().join("elsewhere"), "18.1");
        let elsewhere = root.path().join("elsewhere");
        write_program(
            &root.path().join("bin/pg_config"),
            &format!("#!/bin/sh\necho {}\n", elsewhere.display()),
        );
        let found = Binaries::find(&places(root.path(), "bin"), None).expect("found");
        assert_eq!(found.folder, elsewhere);
    }

    #[test]
    fn data_that_exist_want_their_own_version() {
        let _alone = alone();
        let root = tempfile::tempdir().expect("a folder");
        install(&root.path().join("postgresql/15/bin"), "15.14");
        install(&root.path().join("postgresql/17/bin"), "17.2");
        let find =
            |version| Binaries::find(&places(root.path(), "bin"), Some(("data".into(), version)));
        assert_eq!(find(15).expect("found").major, 15);
        let message = find(16).expect_err("not there").to_string();
        assert!(message.contains("written by Postgres 16"), "{message}");
    }

    #[test]
    fn without_a_server_the_error_says_what_to_install() {
        let _alone = alone();
        let root = tempfile::tempdir().expect("a folder");
        install(&root.path().join("postgresql/14/bin"), "14.9");
        let message = Binaries::find(&places(root.path(), "bin"), None)
            .expect_err("too old")
            .to_string();
        for part in [
            "apt-get install postgresql",
            "dnf install",
            "brew install",
            "is version 14",
            "DATABASE_URL",
        ] {
            assert!(message.contains(part), "{message}");
        }
    }
}
