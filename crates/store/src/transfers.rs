//! The outbox of external transfers: which number of a source stands for which reference.
//!
//! The treasury takes the numbers of a source in sequence, each once; callers outside have references
//! of their own. A row is written, and synced, before its command is submitted, so that a command
//! whose answer was lost is asked again under the same number. A number is used up by its first
//! command that reaches the treasury, also when that is rejected there; a refusal before it (expired,
//! overloaded) leaves the row pending, to be submitted again. The treasury repeats the outcome of a
//! source's last number only: a caller ends what is pending before it begins the next one.

use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};
use types::{AccountId, Amount, AssetId, ClientOrderId, PartitionId, RejectCode, Seq};

use crate::error::{Result, StoreError};
use crate::store::{Store, sql_integer};

/// What an external transfer moves. Two with the same reference must agree in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferContent {
    /// Value came from outside.
    Credit {
        /// Receives.
        account: AccountId,
        /// What.
        asset: AssetId,
        /// How much.
        amount: Amount,
    },
    /// Value leaves at once.
    Debit {
        /// Pays.
        account: AccountId,
        /// What.
        asset: AssetId,
        /// How much.
        amount: Amount,
    },
    /// A pending debit has left.
    Settle {
        /// Who paid.
        account: AccountId,
        /// The pending debit's name.
        client_id: ClientOrderId,
    },
}

/// How a transfer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferOutcome {
    /// It is in the log.
    Done {
        /// The partition that answered.
        partition: PartitionId,
        /// The entry there.
        seq: Seq,
    },
    /// The exchange rejected it for good.
    Rejected(RejectCode),
    /// It waits for a second operator, as the proposal with this number. What becomes of it may be
    /// noted later.
    AwaitingApproval {
        /// The proposal.
        proposal: u64,
    },
}

/// What to do about a transfer that a caller asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begin {
    /// It has this number from now on: submit it.
    New(u64),
    /// It was begun before by this operator and its outcome is not known: submit it again under this
    /// number, in that name.
    Pending(u64, Option<String>),
    /// It has ended already.
    Finished(u64, TransferOutcome),
    /// The reference was used for another content.
    Conflict,
}

/// A transfer whose outcome is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingTransfer {
    /// The source's number of it.
    pub number: u64,
    /// The caller's reference.
    pub reference: String,
    /// What it moves.
    pub content: TransferContent,
    /// Who began it.
    pub operator: Option<String>,
}

impl TransferContent {
    /// Whose.
    #[must_use]
    pub fn account(&self) -> AccountId {
        match *self {
            Self::Credit { account, .. }
            | Self::Debit { account, .. }
            | Self::Settle { account, .. } => account,
        }
    }
}

struct Stored {
    number: u64,
    operator: Option<String>,
    content: TransferContent,
    outcome: Option<TransferOutcome>,
}

const COLUMNS: &str = "number, kind, account, asset, amount, client_id, status, code, partition, \
                       seq, reference, operator, proposal";

impl Store {
    /// Looks a reference up, and gives it the source's next number if it is new. Durable when it
    /// returns.
    ///
    /// # Errors
    /// When the database fails.
    pub fn begin_transfer(
        &self,
        source: u32,
        reference: &str,
        content: TransferContent,
        operator: Option<&str>,
    ) -> Result<Begin> {
        let mut writer = self.directory.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if let Some(stored) = find(&transaction, source, reference)? {
            return Ok(match stored.outcome {
                _ if stored.content != content => Begin::Conflict,
                Some(outcome) => Begin::Finished(stored.number, outcome),
                None => Begin::Pending(stored.number, stored.operator),
            });
        }
        let number: i64 = transaction.query_row(
            "SELECT coalesce(max(number), 0) + 1 FROM external_transfers WHERE source = ?1",
            [source],
            |row| row.get(0),
        )?;
        insert(&transaction, source, number, (reference, operator), content)?;
        transaction.commit()?;
        Ok(Begin::New(number as u64))
    }

    /// Transfers of a source whose outcome is not known, by number: to be submitted again, in this
    /// order, after a crash.
    ///
    /// # Errors
    /// When the database fails.
    pub fn pending_transfers(&self, source: u32) -> Result<Vec<PendingTransfer>> {
        let reader = self.directory.reader()?;
        let sql = format!(
            "SELECT {COLUMNS} FROM external_transfers
             WHERE source = ?1 AND status = 'pending' ORDER BY number"
        );
        let mut statement = reader.prepare(&sql)?;
        let mut rows = statement.query([source])?;
        let mut pending = Vec::new();
        while let Some(row) = rows.next()? {
            let Stored { number, content, operator, .. } = stored(row)?;
            let reference = row.get("reference")?;
            pending.push(PendingTransfer { number, reference, content, operator });
        }
        Ok(pending)
    }

    /// Notes the outcome. To note the same kind of end again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::NotPending`] if there is no such transfer or it ended otherwise, or when the
    /// database fails.
    pub fn finish_transfer(
        &self,
        source: u32,
        number: u64,
        outcome: TransferOutcome,
    ) -> Result<()> {
        let (status, code, entry, proposal) = match outcome {
            TransferOutcome::Done { partition, seq } => {
                ("done", None, Some((partition, seq)), None)
            }
            TransferOutcome::Rejected(code) => ("rejected", Some(code.number()), None, None),
            TransferOutcome::AwaitingApproval { proposal } => {
                ("awaiting_approval", None, None, Some(proposal))
            }
        };
        let changed = self.directory.writer().execute(
            "UPDATE external_transfers
             SET status = ?3, code = coalesce(code, ?4), partition = coalesce(partition, ?5),
                 seq = coalesce(seq, ?6), proposal = coalesce(proposal, ?7)
             WHERE source = ?1 AND number = ?2
                 AND (status IN ('pending', ?3) OR status = 'awaiting_approval')",
            params![
                source,
                sql_integer(number, "a reference number")?,
                status,
                code,
                entry.map(|(partition, _)| partition.0),
                entry.map(|(_, seq)| sql_integer(seq.0, "a seq")).transpose()?,
                proposal.map(|number| sql_integer(number, "a proposal's number")).transpose()?,
            ],
        )?;
        if changed == 0 {
            return Err(StoreError::NotPending { source_id: source, number });
        }
        Ok(())
    }

    /// What the operator who asked called a transfer; none if there is no such transfer.
    ///
    /// # Errors
    /// When the database fails.
    pub fn transfer_reference(&self, source: u32, number: u64) -> Result<Option<String>> {
        let sql = "SELECT reference FROM external_transfers WHERE source = ?1 AND number = ?2";
        let key = params![source, sql_integer(number, "a reference number")?];
        Ok(self.directory.reader()?.query_row(sql, key, |row| row.get(0)).optional()?)
    }

    /// The last number that a source has been given; zero for none.
    ///
    /// # Errors
    /// When the database fails.
    pub fn last_transfer_number(&self, source: u32) -> Result<u64> {
        let sql = "SELECT coalesce(max(number), 0) FROM external_transfers WHERE source = ?1";
        let last: i64 = self.directory.reader()?.query_row(sql, [source], |row| row.get(0))?;
        Ok(last as u64)
    }
}

fn insert(
    connection: &Connection,
    source: u32,
    number: i64,
    (reference, operator): (&str, Option<&str>),
    content: TransferContent,
) -> Result<()> {
    let (kind, account, value, client_id) = match content {
        TransferContent::Credit { account, asset, amount } => {
            ("credit", account, Some((asset, amount)), None)
        }
        TransferContent::Debit { account, asset, amount } => {
            ("debit", account, Some((asset, amount)), None)
        }
        TransferContent::Settle { account, client_id } => {
            ("settle", account, None, Some(client_id))
        }
    };
    connection.execute(
        "INSERT INTO external_transfers
             (source, number, reference, kind, account, asset, amount, client_id, operator, status)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'pending')",
        params![
            source,
            number,
            reference,
            kind,
            account.0,
            value.map(|(asset, _)| asset.0),
            value.map(|(_, amount)| amount.to_string()),
            client_id.map(|id| id.to_string()),
            operator,
        ],
    )?;
    Ok(())
}

fn find(connection: &Connection, source: u32, reference: &str) -> Result<Option<Stored>> {
    let sql =
        format!("SELECT {COLUMNS} FROM external_transfers WHERE source = ?1 AND reference = ?2");
    let found = connection.query_row(&sql, params![source, reference], |row| Ok(stored(row)));
    found.optional()?.transpose()
}

fn stored(row: &Row<'_>) -> Result<Stored> {
    let number = row.get::<_, i64>("number")? as u64;
    let corrupt = |what: &str| StoreError::Corrupt(format!("{what} of transfer {number}"));
    let account = AccountId(row.get("account")?);
    let kind: String = row.get("kind")?;
    let content = if kind == "settle" {
        let client_id: String = row.get("client_id")?;
        let client_id = client_id.parse().map_err(|_| corrupt("the client id"))?;
        TransferContent::Settle { account, client_id }
    } else {
        let asset = AssetId(row.get("asset")?);
        let amount: String = row.get("amount")?;
        let amount = Amount::new(amount.parse().map_err(|_| corrupt("the amount"))?);
        if kind == "credit" {
            TransferContent::Credit { account, asset, amount }
        } else {
            TransferContent::Debit { account, asset, amount }
        }
    };
    let status: String = row.get("status")?;
    let outcome = match status.as_str() {
        "pending" => None,
        "awaiting_approval" => Some(TransferOutcome::AwaitingApproval {
            proposal: row.get::<_, i64>("proposal")? as u64,
        }),
        "done" => Some(TransferOutcome::Done {
            partition: PartitionId(row.get("partition")?),
            seq: Seq(row.get::<_, i64>("seq")? as u64),
        }),
        _ => {
            let number: u16 = row.get("code")?;
            let code = RejectCode::ALL.iter().find(|code| code.number() == number);
            Some(TransferOutcome::Rejected(*code.ok_or_else(|| corrupt("the reject code"))?))
        }
    };
    Ok(Stored { number, operator: row.get("operator")?, content, outcome })
}
