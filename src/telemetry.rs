//! What operators see: logs and metrics. Neither ever holds a body, a secret or a customer's data.

mod lines;
mod logs;
mod metrics;

pub use lines::LastLines;
pub use logs::{LogError, LogFormat, LogFormatError, init_logs};
pub use metrics::Metrics;
