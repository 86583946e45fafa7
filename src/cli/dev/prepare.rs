//! What `bookwarden dev` puts into its database: the schema, a secret, a token, and some policies to look at.

use sqlx::{Connection, PgConnection};

use crate::access::admin::{secrets, tokens};
use crate::access::tokens::Role;
use crate::cli::CliError;
use crate::org::Org;
use crate::postgres::migrate;
use crate::postgres::private::DataFolder;
use crate::settings::DatabaseUrl;

/// The secret that signs in all our examples.
pub(super) const SECRET: &str = "dev-secret";

/// The file of the data folder in which the token is kept, so that the next run prints the same.
const TOKEN_FILE: &str = "audit-token";

/// What the greeting shows.
pub(super) struct Prepared {
    pub(super) audit_token: String,
}

/// Brings the database to where a newcomer can start. Doing it again changes nothing.
pub(super) async fn prepare(url: &DatabaseUrl, folder: &DataFolder) -> Result<Prepared, CliError> {
    migrate(url).await?;
    let options = url.connect_options()?.application_name("bookwarden dev");
    let mut connection = PgConnection::connect_with(&options).await?;
    secrets::ensure(&mut connection, &Org::default_org(), SECRET).await?;
    let audit_token = ensure_token(&mut connection, folder).await?;
    ensure_samples(&mut connection).await?;
    connection.close().await?;
    Ok(Prepared { audit_token })
}

async fn ensure_token(
    connection: &mut PgConnection,
    folder: &DataFolder,
) -> Result<String, CliError> {
    if let Some(token) = folder.read(TOKEN_FILE)
        && tokens::is_live(connection, &token).await?
    {
        return Ok(token);
    }
    let org = Org::default_org();
    let token = tokens::create(connection, &org, "bookwarden dev", Role::Auditor, None).await?;
    folder.write(TOKEN_FILE, &token)?;
    Ok(token)
}

/// On the first run only: who deletes them does not want them back.
async fn ensure_samples(connection: &mut PgConnection) -> Result<(), CliError> {
    let is_first_run: bool =
        sqlx::query_scalar(include_str!("../../../sql/queries/is_without_policies.sql"))
            .fetch_one(&mut *connection)
            .await?;
    if !is_first_run {
        return Ok(());
    }
    let mut transaction = connection.begin().await?;
    for statement in [
        include_str!("../../../sql/queries/state_reason_of_samples.sql"),
        include_str!("../../../sql/queries/insert_sample_cap.sql"),
        include_str!("../../../sql/queries/insert_sample_block.sql"),
    ] {
        sqlx::query(statement).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(())
}
