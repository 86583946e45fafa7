//! Postgres around the service: the pool, the migrations, and the private cluster of `bookwarden dev`.

pub mod migrate;
pub mod pool;
pub mod private;
mod refinery_connection;
mod said;
mod schema;

pub use migrate::{MigrateError, Migrated, is_current, migrate};
pub use pool::{connect_pool, connect_writers, may_act_as_app};
pub use said::{is_gone, is_refusal, said};
