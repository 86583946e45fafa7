//! Where live tables and the ledger do not agree.

use serde::Serialize;

use super::report::around_difference;

/// So many differences are told one by one; the rest are counted.
const MOST_TOLD: usize = 1_000;

/// A row that the ledger and a table do not agree on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The table, with its schema.
    pub table: String,
    /// The organization.
    pub org: String,
    /// The row: a policy's id, a reservation's case.
    pub key: String,
    /// The row as the ledger has it, without its nulls. None: by the ledger there is no such row.
    pub ledger: Option<String>,
    /// The row as it stands in the table, without its nulls. None: there is none.
    pub table_row: Option<String>,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |row: &Option<String>| row.clone().unwrap_or_else(|| "no row".to_owned());
        let Self {
            table, org, key, ..
        } = self;
        write!(
            f,
            "{table} {key} of {org}\n  by the ledger: {}\n  in the table:  {}",
            shown(&self.ledger),
            shown(&self.table_row)
        )
    }
}

/// The differences: the first ones, and how many there are.
#[derive(Debug, Default, Serialize)]
pub struct Differences {
    /// How many rows differ.
    pub count: u64,
    /// How many rows were compared.
    pub rows: u64,
    /// The first thousand.
    pub told: Vec<Difference>,
}

impl Differences {
    pub(super) fn tell(
        &mut self,
        table: &str,
        org: &str,
        key: impl ToString,
        ledger: Option<String>,
        table_row: Option<String>,
    ) {
        self.count += 1;
        if self.told.len() < MOST_TOLD {
            let (ledger, table_row) = match (ledger, table_row) {
                (Some(ledger), Some(row)) => {
                    let (ledger, row) = around_difference(&ledger, &row);
                    (Some(ledger), Some(row))
                }
                one_side => one_side,
            };
            self.told.push(Difference {
                table: table.to_owned(),
                org: org.to_owned(),
                key: key.to_string(),
                ledger,
                table_row,
            });
        }
    }

    /// Takes those of another comparison in.
    pub(super) fn add(&mut self, other: Self) {
        self.count += other.count;
        self.rows += other.rows;
        self.told.extend(other.told);
        self.told.truncate(MOST_TOLD);
    }
}
