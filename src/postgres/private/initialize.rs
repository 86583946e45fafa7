//! Making the cluster, the first time.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::binaries::Binaries;
use super::error::PrivateClusterError;
use super::folder::{DataFolder, OWNER};
use super::unprivileged::User;

/// Text is compared byte by byte; where a language's rules matter, a query names a collation. macOS has only the latter.
const LOCALES: [&str; 2] = ["C.UTF-8", "C"];

/// Makes the cluster with the database in it unless that was done before. Made beside its place and moved there when
/// complete: a cluster half made is never taken for one.
pub(super) fn ensure_initialized(
    folder: &DataFolder,
    binaries: &Binaries,
    user: &User,
) -> Result<(), PrivateClusterError> {
    let cluster = folder.cluster();
    if cluster.exists() {
        return Ok(());
    }
    let new = folder.path().join("postgres.new");
    let password_file = folder.path().join("initdb.password");
    folder.write("initdb.password", &folder.password()?)?;
    user.own(&password_file)?;
    let made = make(folder, binaries, user, &new, &password_file);
    fs::remove_file(&password_file)
        .map_err(PrivateClusterError::file("cannot remove", password_file))?;
    made?;
    fs::rename(&new, &cluster).map_err(PrivateClusterError::file("cannot make", cluster))
}

fn make(
    folder: &DataFolder,
    binaries: &Binaries,
    user: &User,
    new: &Path,
    password_file: &Path,
) -> Result<(), PrivateClusterError> {
    let mut output = String::new();
    for locale in LOCALES {
        if new.exists() {
            fs::remove_dir_all(new).map_err(PrivateClusterError::file("cannot remove", new))?;
        }
        fs::create_dir(new).map_err(PrivateClusterError::file("cannot make", new))?;
        user.own(new)?;
        let mut initdb = user.command(&binaries.program("initdb"), folder.path());
        initdb
            .arg("--pgdata")
            .arg(new)
            .arg("--pwfile")
            .arg(password_file);
        initdb.args(["--username", OWNER, "--auth", "scram-sha-256"]);
        initdb.args(["--encoding", "UTF8", "--locale", locale, "--data-checksums"]);
        let initialized = run(&mut initdb, "")?;
        if initialized.status.success() {
            return create_database(folder, binaries, user, new);
        }
        output = text_of(&initialized);
    }
    Err(PrivateClusterError::Initialize {
        data: new.into(),
        output,
    })
}

/// In Postgres' single-user mode: no server to start and stop for two statements. Checkpoints further apart than Postgres' default, for
/// each makes the log longer; `alter system` changes it, which it could not if it were the command line's.
fn create_database(
    folder: &DataFolder,
    binaries: &Binaries,
    user: &User,
    new: &Path,
) -> Result<(), PrivateClusterError> {
    let mut postgres = user.command(&binaries.program("postgres"), folder.path());
    postgres.arg("--single").arg("-D").arg(new).arg("postgres");
    let statements = format!("create database {OWNER}\nalter system set max_wal_size = '2GB'\n");
    let output = run(&mut postgres, &statements)?;
    let text = text_of(&output);
    if !output.status.success() || text.contains("ERROR:") {
        return Err(PrivateClusterError::Initialize {
            data: new.into(),
            output: text,
        });
    }
    Ok(())
}

fn run(command: &mut Command, input: &str) -> Result<Output, PrivateClusterError> {
    let program = command.get_program().into();
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
        .spawn()
        .and_then(|mut child| {
            if let Some(mut stdin) = child.stdin.take() {
                stdin.write_all(input.as_bytes())?;
            }
            child.wait_with_output()
        })
        .map_err(|source| PrivateClusterError::Run { program, source })
}

fn text_of(output: &Output) -> String {
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    text
}
