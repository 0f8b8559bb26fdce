//! What was checked and what came of it, in words and in JSON.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

/// One statement, and whether it was proved.
#[derive(Clone, Debug)]
pub struct Check {
    /// The action that it is about; none if it is about the texts as a whole.
    pub action: Option<String>,
    /// The rule that it is about, if it is about one.
    pub rule: Option<String>,
    /// The statement, in words.
    pub says: String,
    /// Why it was not proved; none if it was.
    pub failed: Option<String>,
    /// An environment that the solver gave: an example of what is allowed, or a counterexample.
    pub example: Option<Value>,
    /// How long it took.
    pub took: Duration,
}

/// All checks, in their order.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// One each.
    pub checks: Vec<Check>,
}

impl Report {
    /// How many were proved.
    pub fn proved(&self) -> usize {
        self.checks.len() - self.failed()
    }

    /// How many were not.
    pub fn failed(&self) -> usize {
        self.checks.iter().filter(|check| check.failed.is_some()).count()
    }

    /// Whether there were checks, and each was proved.
    pub fn sound(&self) -> bool {
        !self.checks.is_empty() && self.failed() == 0
    }

    /// As JSON, with the examples.
    pub fn to_json(&self) -> Value {
        let checks: Vec<Value> = self
            .checks
            .iter()
            .map(|check| {
                json!({
                    "action": check.action, "rule": check.rule, "says": check.says, "proved": check.failed.is_none(), "failed": check.failed,
                    "example": check.example, "milliseconds": milliseconds(check.took),
                })
            })
            .collect();
        json!({"proved": self.proved(), "failed": self.failed(), "checks": checks})
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut under = None;
        for check in &self.checks {
            if under != Some(&check.action) {
                let title = check.action.as_deref().unwrap_or("the texts");
                writeln!(f, "\n{title}")?;
                under = Some(&check.action);
            }
            let outcome = if check.failed.is_none() { "proved" } else { "FAILED" };
            writeln!(f, "{:>6} ms  {outcome}  {}", milliseconds(check.took), check.says)?;
            if let Some(why) = &check.failed {
                writeln!(f, "                   {why}")?;
            }
        }
        write!(f, "\n{} proved, {} failed", self.proved(), self.failed())
    }
}

fn milliseconds(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}
