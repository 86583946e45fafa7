//! What `bookwarden dev` prints when it is ready.

use std::io::Write;
use std::net::SocketAddr;

use serde::Serialize;

use super::prepare::SECRET;
use crate::cli::{CliError, send};
use crate::cubu::signature::sign;
use crate::org::Org;
use crate::postgres::private::DataFolder;
use crate::settings::DatabaseUrl;

/// All that a newcomer needs, and where.
pub(super) struct Greeting<'a> {
    pub(super) address: SocketAddr,
    pub(super) database_url: &'a DatabaseUrl,
    pub(super) audit_token: &'a str,
    pub(super) folder: &'a DataFolder,
}

/// The line for scripts; its keys are a promise.
#[derive(Serialize)]
struct Line<'a> {
    url: String,
    database_url: &'a str,
    webhook_secret: &'a str,
    audit_token: &'a str,
}

impl Greeting<'_> {
    /// One line of JSON, for scripts.
    pub(super) fn print_json(&self) -> Result<(), CliError> {
        let line = Line {
            url: self.url(),
            database_url: self.database_url.expose(),
            webhook_secret: SECRET,
            audit_token: self.audit_token,
        };
        let line = serde_json::to_string(&line).expect("texts are JSON");
        print(&format!("{line}\n"))
    }

    /// For people, with a request to paste.
    pub(super) fn print(&self) -> Result<(), CliError> {
        self.folder.write("sample.json", send::SAMPLE)?;
        let (url, token) = (self.url(), self.audit_token);
        let database_url = self.database_url.expose();
        let sample = self.folder.path().join("sample.json");
        let sample = sample.display();
        let address = send::address(&url, &Org::default_org());
        let program = std::env::current_exe().unwrap_or_else(|_| "bookwarden".into());
        let program = program.display();
        let authorization = sign(SECRET, send::SAMPLE.as_bytes());
        print(&format!(
            "bookwarden is ready (Ctrl-C stops it; the data stay in {folder})

  webhooks   {url}   secret {SECRET}
  policies   psql '{database_url}'
  audit      token {token}

Book with plain curl:
  curl -i '{address}' -H 'Content-Type: application/json' -H 'Authorization: {authorization}' --data-binary '@{sample}'
Book for a case of its own; the fourth on calendar 9 is refused by a sample cap:
  {program} send --url {url} --new-case --cuindex 9
Look back:
  curl -s '{url}/v1/decisions' -H 'Authorization: Bearer {token}'
",
            folder = self.folder.path().display(),
        ))
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn print(text: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(CliError::Output)
}
