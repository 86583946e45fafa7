//! A `bookwarden serve` process.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use super::cluster::BOOKWARDEN;

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    log: Arc<Mutex<String>>,
    /// `http://127.0.0.1:port`
    pub url: String,
}

impl Server {
    /// Starts one on a database and waits until it listens.
    pub fn start(database_url: &str) -> Self {
        Self::start_with(database_url, &[])
    }

    /// The same with further settings.
    pub fn start_with(database_url: &str, settings: &[(&str, &str)]) -> Self {
        let mut child = Command::new(BOOKWARDEN)
            .arg("serve")
            .env("DATABASE_URL", database_url)
            .env("BOOKWARDEN_LISTEN", "127.0.0.1:0")
            .env("BOOKWARDEN_POOL_SIZE", "4")
            .env("BOOKWARDEN_HTTP_WORKERS", "2")
            .env("BOOKWARDEN_LOG_FORMAT", "json")
            .envs(settings.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .expect("bookwarden starts");
        let stderr = child.stderr.take().expect("stderr is piped");
        let (tell, told) = mpsc::channel();
        let log = Arc::new(Mutex::new(String::new()));
        let written = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                {
                    let mut written = written.lock().expect("nobody panics with the log");
                    written.push_str(&line);
                    written.push('\n');
                }
                let entry: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
                match entry["address"].as_str() {
                    Some(address) => {
                        let _ = tell.send(format!("http://{address}"));
                    }
                    None => eprintln!("server: {line}"),
                }
            }
        });
        let url = told
            .recv_timeout(Duration::from_secs(20))
            .expect("the server listens within 20 seconds");
        Self { child, log, url }
    }

    /// Everything that it logged so far.
    pub fn log(&self) -> String {
        self.log.lock().expect("nobody panics with the log").clone()
    }

    /// Sends a signal, such as `-TERM`.
    pub fn signal(&self, signal: &str) {
        super::dev::signal(signal, &self.child.id().to_string());
    }

    /// Waits until it has ended by itself.
    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("the server ends")
    }

    /// `kill -9`
    pub fn kill(&mut self) {
        self.child.kill().expect("the server can be killed");
        self.child.wait().expect("the server is gone");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
