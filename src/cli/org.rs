//! `bookwarden org add|list|accept-unsigned|require-signature`

use clap::{Args, Subcommand};

use super::connection::DataDir;
use super::{CliError, print, table};
use crate::access::admin::organizations;
use crate::org::Org;

#[derive(Debug, Args)]
pub(super) struct OrgArgs {
    #[command(subcommand)]
    command: OrgCommand,
}

#[derive(Debug, Subcommand)]
enum OrgCommand {
    /// Make an organization, with a ledger of its own
    Add(OneOrg),
    /// List the organizations
    List(DataDir),
    /// Accept webhook calls without a signature (Cubu's authorization method "None")
    AcceptUnsigned(OneOrg),
    /// Refuse webhook calls without a signature, as is the rule
    RequireSignature(OneOrg),
}

#[derive(Debug, Args)]
struct OneOrg {
    /// The organization: lower-case letters, digits and hyphens
    org: Org,
    #[command(flatten)]
    database: DataDir,
}

pub(super) async fn run(args: OrgArgs) -> Result<(), CliError> {
    match args.command {
        OrgCommand::Add(OneOrg { org, database }) => {
            let is_new = organizations::add(&mut database.connect().await?, &org).await?;
            if is_new {
                print::line(format_args!(
                    "{org} is made; now `bookwarden secret add --org {org}`"
                ))
            } else {
                print::line(format_args!("{org} exists already"))
            }
        }
        OrgCommand::List(database) => list(&database).await,
        OrgCommand::AcceptUnsigned(OneOrg { org, database }) => {
            organizations::accept_unsigned(&mut database.connect().await?, &org).await?;
            print::line(format_args!(
                "webhook calls for {org} are accepted without a signature: anybody who knows the address can book"
            ))
        }
        OrgCommand::RequireSignature(OneOrg { org, database }) => {
            organizations::require_signature(&mut database.connect().await?, &org).await?;
            print::line(format_args!("webhook calls for {org} must be signed"))
        }
    }
}

async fn list(database: &DataDir) -> Result<(), CliError> {
    let organizations = organizations::list(&mut database.connect().await?).await?;
    let rows: Vec<[String; 4]> = organizations
        .into_iter()
        .map(|entry| {
            let unsigned = if entry.accepts_unsigned {
                "accepted"
            } else {
                "refused"
            };
            [
                entry.org,
                entry.mode,
                entry.live_secrets.to_string(),
                unsigned.into(),
            ]
        })
        .collect();
    table::print(["ORG", "MODE", "LIVE SECRETS", "UNSIGNED CALLS"], &rows)
}
