//! That no rules of a site can let out what the specification does not allow: proved by an SMT solver over the very files that the program embeds.
//!
//! The proof is about the policies. That the program feeds them true facts is held by its property tests; docs/threat-model.md says what is left.

mod checks;
mod prover;
mod report;

pub use checks::{difference, prove};
pub use prover::{Fault, Prover};
pub use report::{Check, Report};

/// The texts that are proved to belong together.
#[derive(Clone, Debug)]
pub struct Texts {
    /// The Cedar schema.
    pub schema: String,
    /// The forbids that nobody can take away.
    pub floor: String,
    /// The permits that the program ships with.
    pub permits: String,
    /// The written specification: permits, one an action.
    pub spec: String,
}

impl Texts {
    /// The files that `src/domain/policy.rs` embeds, embedded here in the same way.
    pub fn embedded() -> Self {
        Self {
            schema: include_str!("../../schema/policy/subrosa.cedarschema").to_owned(),
            floor: include_str!("../../schema/policy/floor.cedar").to_owned(),
            permits: include_str!("../../schema/policy/permit.cedar").to_owned(),
            spec: include_str!("../../schema/policy/spec.cedar").to_owned(),
        }
    }
}
