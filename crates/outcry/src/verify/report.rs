//! What a verification found, check by check.

use serde::Serialize;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// As it must be.
    Ok,
    /// Not as it must be: the directory is damaged.
    Failed,
    /// Not checked, for the reason in the text. Says nothing against the directory by itself.
    Skipped,
}

/// One check.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// Of which partition, or of the whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition: Option<u16>,
    /// What was checked.
    pub check: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// What was compared, or what is wrong and where.
    pub text: String,
}

/// All checks. Each is printed as it ends, unless the whole is to be printed as JSON.
pub struct Report {
    checks: Vec<Check>,
    is_quiet: bool,
}

impl Report {
    /// Nothing checked yet.
    pub fn new(json: bool) -> Self {
        Self { checks: Vec::new(), is_quiet: json }
    }

    /// Adds a check that ended well, or not.
    pub fn add(
        &mut self,
        partition: Option<types::PartitionId>,
        check: &'static str,
        result: Result<String, String>,
    ) {
        let outcome = if result.is_ok() { Outcome::Ok } else { Outcome::Failed };
        let text = result.unwrap_or_else(|text| text);
        self.push(Check { partition: partition.map(|id| id.0), check, outcome, text });
    }

    /// Adds a check that was not made.
    pub fn skip(
        &mut self,
        partition: Option<types::PartitionId>,
        check: &'static str,
        reason: impl Into<String>,
    ) {
        let (partition, text) = (partition.map(|id| id.0), reason.into());
        self.push(Check { partition, check, outcome: Outcome::Skipped, text });
    }

    /// Whether nothing failed.
    pub fn is_sound(&self) -> bool {
        self.checks.iter().all(|check| check.outcome != Outcome::Failed)
    }

    /// Prints the verdict, in JSON with all checks.
    pub fn finish(&self) {
        let verdict = if self.is_sound() { "sound" } else { "damaged" };
        if self.is_quiet {
            let object = serde_json::json!({ "verdict": verdict, "checks": self.checks });
            println!("{object}");
        } else {
            println!("VERDICT {verdict}");
        }
    }

    fn push(&mut self, check: Check) {
        if !self.is_quiet {
            println!("{check}");
        }
        self.checks.push(check);
    }
}

impl std::fmt::Display for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let outcome = match self.outcome {
            Outcome::Ok => "ok",
            Outcome::Failed => "FAILED",
            Outcome::Skipped => "skipped",
        };
        write!(f, "{outcome:<7} ")?;
        if let Some(partition) = self.partition {
            write!(f, "partition {partition}, ")?;
        }
        write!(f, "{}: {}", self.check, self.text)
    }
}
