//! The page at `/docs` in a real browser, on machines that have one: Chromium and its driver on the PATH.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use reqwest::Client;
use serde_json::{Value, json};

use crate::support::{HANGS, TestApp, booking, until};

/// A browser, spoken to by the WebDriver protocol (W3C).
struct Browser {
    driver: Child,
    client: Client,
    session: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// None where there is none.
    async fn start() -> Option<Self> {
        let found = |program: &str| {
            let path = std::env::var_os("PATH").unwrap_or_default();
            std::env::split_paths(&path)
                .map(|folder| folder.join(program))
                .find(|file| file.is_file())
        };
        let chromium = found("chromium").or_else(|| found("google-chrome"))?;
        let mut driver = Command::new(found("chromedriver")?)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port: u16 = lines
            .find_map(|line| {
                line.unwrap()
                    .split("successfully on port ")
                    .nth(1)?
                    .trim_end_matches('.')
                    .parse()
                    .ok()
            })
            .unwrap();
        let profile = tempfile::tempdir().unwrap();
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            &format!("--user-data-dir={}", profile.path().display()),
        ];
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"binary": chromium, "args": arguments},
            "goog:loggingPrefs": {"performance": "ALL", "browser": "ALL"},
        }}});
        let mut browser = Self {
            driver,
            client: Client::new(),
            session: format!("http://127.0.0.1:{port}/session"),
            _profile: profile,
        };
        let opened = browser.post("", &wanted).await;
        let id = opened["sessionId"]
            .as_str()
            .unwrap_or_else(|| panic!("{opened}"));
        browser.session = format!("{}/{id}", browser.session);
        Some(browser)
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.client.post(format!("{}{path}", self.session));
        let response = request.body(body.to_string()).send().await.unwrap();
        let mut answer: Value = response.json().await.unwrap();
        answer["value"].take()
    }

    /// What a script in the page returns.
    async fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": []}))
            .await
    }

    async fn log(&self, kind: &str) -> Vec<Value> {
        let log = self.post("/se/log", &json!({"type": kind})).await;
        log.as_array().unwrap_or_else(|| panic!("{log}")).clone()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The browser ends with its session, also when a test fails.
        let authority_and_path = self.session.trim_start_matches("http://");
        if let Some((authority, path)) = authority_and_path.split_once('/')
            && let Ok(mut stream) = TcpStream::connect(authority)
        {
            let request = format!(
                "DELETE /{path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\r\n"
            );
            let _sent = stream.write_all(request.as_bytes());
            // The driver keeps the connection; the first bytes say that it is done.
            let _bounded = stream.set_read_timeout(Some(HANGS));
            let _answered = stream.read(&mut [0; 512]);
        }
        let _stopped = self.driver.kill();
        let _ended = self.driver.wait();
    }
}

#[tokio::test]
async fn the_page_shows_every_call_and_tries_one_and_asks_nobody_else() {
    let Some(browser) = Browser::start().await else {
        eprintln!(
            "left out: no chromium and chromedriver on this machine, so /docs was not opened in a browser"
        );
        return;
    };
    let app = TestApp::start().await;
    let decision = app.book(&booking()).await.decision_id.unwrap();
    browser
        .post("/url", &json!({"url": format!("{}/docs", app.server.url)}))
        .await;
    until("the calls are shown", async || {
        browser
            .run("return document.querySelectorAll('#schemas h2').length")
            .await
            .as_i64()
            > Some(5)
    })
    .await;
    let shown = browser
        .run("return document.getElementById('calls').innerText")
        .await;
    let described: Value = serde_json::from_str(include_str!("../../openapi.json")).unwrap();
    for path in described["paths"].as_object().unwrap().keys() {
        assert!(
            shown.as_str().unwrap().contains(&format!("GET {path}")),
            "{path}: {shown}"
        );
    }
    browser
        .run(
            "document.getElementById('token').value = 'test-token';
             const call = [...document.querySelectorAll('#calls section')].find(s => s.querySelector('h2').textContent == 'GET /v1/decisions');
             call.querySelector('details').open = true;
             call.querySelector('input').value = '/v1/decisions?outcome=approved&limit=1';
             call.querySelector('button').click();
             window.answer = call.querySelector('pre');",
        )
        .await;
    until("the answer is shown", async || {
        let answer = browser.run("return window.answer.textContent").await;
        let answer = answer.as_str().unwrap_or_default().to_owned();
        answer.starts_with("200\n") && answer.contains(&format!("\"decisionId\": {decision}"))
    })
    .await;

    let complaints = browser.log("browser").await;
    let complaints: Vec<_> = complaints
        .iter()
        .filter(|said| said["level"] == "SEVERE" && !said.to_string().contains("favicon"))
        .collect();
    assert!(complaints.is_empty(), "{complaints:?}");
    for entry in browser.log("performance").await {
        let message: Value = serde_json::from_str(entry["message"].as_str().unwrap()).unwrap();
        if message["message"]["method"] == "Network.requestWillBeSent" {
            let url = message["message"]["params"]["request"]["url"]
                .as_str()
                .unwrap();
            // The browser's own pages ("chrome://") come from the browser.
            let is_over_the_network = ["http", "ws", "ftp"]
                .iter()
                .any(|scheme| url.starts_with(scheme));
            assert!(
                !is_over_the_network || url.starts_with(&app.server.url),
                "asked elsewhere: {url}"
            );
        }
    }
}
