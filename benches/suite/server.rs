//! A server process: `bookwarden serve`, or the peer in this program.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::cluster::{BOOKWARDEN, Database};
use crate::failure::Failure;
use crate::usage;

/// A running server; stopped when dropped.
pub struct Server {
    child: Child,
    /// `host:port`
    pub address: String,
}

impl Server {
    /// `bookwarden serve`, with the settings that it has by itself.
    pub fn start(database: &Database) -> Result<Self, Failure> {
        let mut command = Command::new(BOOKWARDEN);
        command
            .arg("serve")
            .env("DATABASE_URL", &database.url)
            .env("BOOKWARDEN_LISTEN", "127.0.0.1:0")
            .env(
                "BOOKWARDEN_LOG",
                "warn,bookwarden=info,bookwarden::http::observe=error,bookwarden::problems=error,bookwarden::cli::shutdown=warn",
            )
            .env("BOOKWARDEN_LOG_FORMAT", "json");
        Self::wait_for(command, "bookwarden serve")
    }

    /// The web handler with one transaction a request.
    pub fn start_peer(database: &Database) -> Result<Self, Failure> {
        let this = std::env::current_exe().map_err(Failure::run("this program"))?;
        let mut command = Command::new(this);
        command
            .arg("--serve-peer")
            .env("DATABASE_URL", &database.url);
        Self::wait_for(command, "the web peer")
    }

    fn wait_for(mut command: Command, name: &'static str) -> Result<Self, Failure> {
        let mut child = command
            .stderr(Stdio::piped())
            .spawn()
            .map_err(Failure::run(name))?;
        let (tell, told) = mpsc::channel();
        if let Some(stderr) = child.stderr.take() {
            thread::spawn(move || {
                for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                    let entry: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
                    match entry["address"].as_str() {
                        Some(address) => _ = tell.send(address.to_owned()),
                        None => eprintln!("{name}: {line}"),
                    }
                }
            });
        }
        let told = told.recv_timeout(Duration::from_secs(30));
        let mut server = Self {
            child,
            address: String::new(),
        };
        server.address = told.map_err(|_| Failure::NotListening(name))?;
        Ok(server)
    }

    /// `http://host:port`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// CPU time so far.
    pub fn cpu_seconds(&self) -> f64 {
        usage::cpu_seconds(self.child.id())
    }

    /// The most resident memory so far.
    pub fn peak_memory_mb(&self) -> f64 {
        usage::peak_memory_mb(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A request to end, not a kill: `script/profile` counts what a server did when it ends.
        if let Some(pid) = rustix::process::Pid::from_raw(self.child.id().cast_signed()) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.child.wait();
    }
}
