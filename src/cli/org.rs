//! `bookwarden org add|list|accept-unsigned|require-signature`

use clap::{Args, Subcommand};

use super::connection::DataDir;
use super::{CliError, table};
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
            println!(
                "{org} {}",
                if is_new {
                    "is made; now `bookwarden secret add`"
                } else {
                    "exists already"
                }
            );
            Ok(())
        }
        OrgCommand::List(database) => list(&database).await,
        OrgCommand::AcceptUnsigned(OneOrg { org, database }) => {
            organizations::accept_unsigned(&mut database.connect().await?, &org).await?;
            println!(
                "webhook calls for {org} are accepted without a signature: anybody who knows the address can book"
            );
            Ok(())
        }
        OrgCommand::RequireSignature(OneOrg { org, database }) => {
            organizations::require_signature(&mut database.connect().await?, &org).await?;
            println!("webhook calls for {org} must be signed");
            Ok(())
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
