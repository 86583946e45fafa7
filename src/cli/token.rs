//! `bookwarden token create|list|revoke`

use clap::{Args, Subcommand};

use super::connection::DataDir;
use super::{CliError, print, table};
use crate::access::admin::{organizations, tokens};
use crate::access::tokens::Role;
use crate::org::Org;

#[derive(Debug, Args)]
pub(super) struct TokenArgs {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Create a token; it is printed this once
    Create(CreateArgs),
    /// List the tokens, without the tokens themselves
    List(ListArgs),
    /// Revoke a token from now on
    Revoke(RevokeArgs),
}

#[derive(Debug, Args)]
struct CreateArgs {
    /// Whose token it is
    #[arg(long, value_parser = name)]
    name: String,
    /// What it may do
    #[arg(long, value_enum, default_value_t = Role::Auditor)]
    role: Role,
    /// The one organization that it opens
    #[arg(long, default_value = "default")]
    org: Org,
    /// How long it lives, such as 90d; until revoked unless set
    #[arg(long)]
    expires_in: Option<humantime::Duration>,
    #[command(flatten)]
    database: DataDir,
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Only this organization
    #[arg(long)]
    org: Option<Org>,
    #[command(flatten)]
    database: DataDir,
}

#[derive(Debug, Args)]
struct RevokeArgs {
    /// The token's number, from `bookwarden token list`
    id: i64,
    #[command(flatten)]
    database: DataDir,
}

fn name(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() {
        return Err("the ledger and the list of tokens name it; say whose it is");
    }
    Ok(text.to_owned())
}

pub(super) async fn run(args: TokenArgs) -> Result<(), CliError> {
    match args.command {
        TokenCommand::Create(args) => create(args).await,
        TokenCommand::List(args) => list(args).await,
        TokenCommand::Revoke(args) => revoke(args).await,
    }
}

async fn create(args: CreateArgs) -> Result<(), CliError> {
    let mut connection = args.database.connect().await?;
    let expires_in = args.expires_in.map(|duration| *duration);
    let token = tokens::create(
        &mut connection,
        &args.org,
        &args.name,
        args.role,
        expires_in,
    )
    .await?;
    print::remark(format_args!(
        "a token for {} of {}; it is shown this once:",
        args.name, args.org
    ));
    print::line(format_args!("{token}"))
}

async fn list(args: ListArgs) -> Result<(), CliError> {
    let mut connection = args.database.connect().await?;
    if let Some(org) = &args.org {
        organizations::require(&mut connection, org).await?;
    }
    let tokens = tokens::list(&mut connection, args.org.as_ref()).await?;
    let rows: Vec<[String; 7]> = tokens
        .into_iter()
        .map(|token| {
            let created = table::time(token.created_at);
            let expires = table::optional_time(token.expires_at);
            [
                token.id.to_string(),
                token.org,
                token.name,
                token.role,
                token.state,
                created,
                expires,
            ]
        })
        .collect();
    table::print(
        ["ID", "ORG", "NAME", "ROLE", "STATE", "CREATED", "EXPIRES"],
        &rows,
    )
}

async fn revoke(args: RevokeArgs) -> Result<(), CliError> {
    let mut connection = args.database.connect().await?;
    let name = tokens::revoke(&mut connection, args.id).await?;
    print::line(format_args!("token {} ({name}) is revoked", args.id))
}
