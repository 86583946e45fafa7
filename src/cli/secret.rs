//! `bookwarden secret add|list|expire`

use std::io::Read;
use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};

use super::connection::DataDir;
use super::{CliError, print, table};
use crate::access::admin::{organizations, secrets};
use crate::org::Org;

#[derive(Debug, Args)]
pub(super) struct SecretArgs {
    #[command(subcommand)]
    command: SecretCommand,
}

#[derive(Debug, Subcommand)]
enum SecretCommand {
    /// Add a secret beside those that are live; prints it if none is given
    Add(AddArgs),
    /// List the secrets, without the secrets themselves
    List(ListArgs),
    /// Let a secret expire, now or in a while
    Expire(ExpireArgs),
}

#[derive(Debug, Args)]
struct AddArgs {
    /// The organization
    #[arg(long, default_value = "default")]
    org: Org,
    /// The secret; better use --stdin, which keeps it out of the shell's history
    #[arg(long, conflicts_with = "stdin", value_parser = NonEmptyStringValueParser::new())]
    secret: Option<String>,
    /// Read the secret from standard input (without the line's end)
    #[arg(long)]
    stdin: bool,
    /// For operators
    #[arg(long)]
    note: Option<String>,
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
struct ExpireArgs {
    /// The secret's number, from `bookwarden secret list`
    id: i64,
    /// In how long, such as 10m or 2h; at once unless set
    #[arg(long = "in", default_value = "0s")]
    after: humantime::Duration,
    #[command(flatten)]
    database: DataDir,
}

pub(super) async fn run(args: SecretArgs) -> Result<(), CliError> {
    match args.command {
        SecretCommand::Add(args) => add(args).await,
        SecretCommand::List(args) => list(args).await,
        SecretCommand::Expire(args) => expire(args).await,
    }
}

async fn add(args: AddArgs) -> Result<(), CliError> {
    let mut connection = args.database.connect().await?;
    let given = if args.stdin {
        Some(read_secret()?)
    } else {
        args.secret
    };
    let is_new = given.is_none();
    let secret = given.map_or_else(secrets::generate, Ok)?;
    let id = secrets::add(&mut connection, &args.org, &secret, args.note.as_deref()).await?;
    print::remark(format_args!("secret {id} of {} is live", args.org));
    if is_new {
        print::line(format_args!("{secret}"))?;
    }
    Ok(())
}

fn read_secret() -> Result<String, CliError> {
    let mut text = String::new();
    let unreadable = |source| CliError::Read {
        path: PathBuf::from("standard input"),
        source,
    };
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err(CliError::NoSecret);
    }
    Ok(secret.to_owned())
}

async fn list(args: ListArgs) -> Result<(), CliError> {
    let mut connection = args.database.connect().await?;
    if let Some(org) = &args.org {
        organizations::require(&mut connection, org).await?;
    }
    let secrets = secrets::list(&mut connection, args.org.as_ref()).await?;
    let rows: Vec<[String; 6]> = secrets
        .into_iter()
        .map(|secret| {
            let state = if secret.is_live { "live" } else { "expired" };
            [
                secret.id.to_string(),
                secret.org,
                state.into(),
                table::time(secret.created_at),
                table::optional_time(secret.expires_at),
                secret.note.unwrap_or_default(),
            ]
        })
        .collect();
    table::print(["ID", "ORG", "STATE", "CREATED", "EXPIRES", "NOTE"], &rows)
}

async fn expire(args: ExpireArgs) -> Result<(), CliError> {
    let mut connection = args.database.connect().await?;
    let at = secrets::expire(&mut connection, args.id, *args.after).await?;
    let at = table::time(at);
    print::line(format_args!("secret {} is accepted until {at}", args.id))
}
