//! What is built for release gets the recorded profile, and nothing else does (`script/rustc`, docs/adr/0006).

#![allow(missing_docs)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::TempDir;

const RELEASE: &[&str] = &["--crate-name", "a b", "-C", "opt-level=3"];

/// A program that is written while another test starts one cannot be run: the child still holds the file open.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A checkout with a profile for version 1.2.3, and a compiler that says what it was called with.
struct Checkout {
    folder: TempDir,
    _alone: MutexGuard<'static, ()>,
}

impl Checkout {
    fn new() -> Self {
        let alone = ONE_AT_A_TIME.lock();
        let folder = tempfile::tempdir().expect("a folder");
        for part in ["script", "profile"] {
            fs::create_dir(folder.path().join(part)).expect("a folder in it");
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let wrapper = folder.path().join("script/rustc");
        fs::copy(root.join("script/rustc"), wrapper).expect("a copy of the script");
        fs::write(folder.path().join("profile/rustc-1.2.3.profdata"), "").expect("a profile");
        Self {
            folder,
            _alone: alone.unwrap_or_else(PoisonError::into_inner),
        }
    }

    fn compiler(&self, version: &str) -> PathBuf {
        let path = self.folder.path().join(version);
        let script = format!(
            "#!/bin/sh\n\
             [ \"$1\" = --version ] && echo 'rustc {version} (0123456 2026-01-01)' && exit\n\
             printf '%s\\n' \"$@\"\nexit 7\n"
        );
        fs::write(&path, script).expect("a compiler");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it may run");
        path
    }

    fn build(&self, version: &str, arguments: &[&str], recorded: Option<&str>) -> Vec<String> {
        let mut command = Command::new(self.folder.path().join("script/rustc"));
        command.arg(self.compiler(version)).args(arguments);
        command.env_remove("RECORD_PROFILE");
        if let Some(recorded) = recorded {
            command.env("RECORD_PROFILE", recorded);
        }
        // Some packages are compiled in folders of their own.
        let Output { status, stdout, .. } =
            (command.current_dir("/").output()).expect("the script runs");
        assert_eq!(status.code(), Some(7), "the compiler's code is lost");
        let text = String::from_utf8(stdout).expect("text");
        text.lines().map(ToOwned::to_owned).collect()
    }

    fn profile(&self, version: &str) -> String {
        let root = self.folder.path().canonicalize().expect("it is there");
        let path = root.join(format!("profile/rustc-{version}.profdata"));
        format!("profile-use={}", path.display())
    }
}

#[test]
fn a_release_is_built_with_the_profile_of_its_compiler() {
    let checkout = Checkout::new();
    let built = checkout.build("1.2.3", RELEASE, None);
    assert_eq!(built[..RELEASE.len()], *RELEASE);
    assert!(built.contains(&checkout.profile("1.2.3")), "{built:?}");
}

#[test]
fn a_compiler_of_another_version_and_other_builds_get_none() {
    let checkout = Checkout::new();
    assert_eq!(checkout.build("1.2.4", RELEASE, None), RELEASE);
    for level in ["opt-level=0", "opt-level=1", "opt-level=30"] {
        let arguments = ["-C", level];
        assert_eq!(checkout.build("1.2.3", &arguments, None), arguments);
    }
}

#[test]
fn a_recording_counts_instead() {
    let checkout = Checkout::new();
    let built = checkout.build("1.2.3", RELEASE, Some("/tmp/counts"));
    assert!(built.contains(&"profile-generate=/tmp/counts".to_owned()));
    assert!(!built.contains(&checkout.profile("1.2.3")), "{built:?}");
}

#[test]
fn the_container_is_built_by_a_compiler_that_has_a_profile() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let recipe = fs::read_to_string(root.join("Dockerfile")).expect("it is there");
    let (_, image) = recipe.split_once("FROM rust:").expect("it names its image");
    let version = image.split('-').next().expect("something");
    let profiles = fs::read_dir(root.join("profile")).expect("profiles");
    let names: Vec<_> = profiles
        .map(|profile| profile.expect("a file").file_name())
        .collect();
    let wanted = format!("rustc-{version}.");
    let is_there = (names.iter()).any(|name| name.to_string_lossy().starts_with(&wanted));
    assert!(is_there, "no profile of Rust {version} among {names:?}");
}
