//! The solver, the schema and the texts as Cedar has them.

use std::fmt;

use cedar_policy::{
    Authorizer, Decision, Effect, Policy, PolicyId, PolicySet, RequestEnv, Schema, ValidationMode, Validator,
};
use cedar_policy_symcc::solver::LocalSolver;
use cedar_policy_symcc::{CedarSymCompiler, CompiledPolicy, CompiledPolicySet, Env};
use serde_json::{Value, json};

/// Why something could not even be asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault(pub String);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}

/// `what: error`, as a fault.
pub(crate) fn fault<E: fmt::Display>(what: &str) -> impl FnOnce(E) -> Fault + '_ {
    move |error| Fault(format!("{what}: {error}"))
}

/// A solver that is running. One question at a time.
pub struct Prover {
    compiler: CedarSymCompiler<LocalSolver>,
}

impl Prover {
    /// Starts cvc5: the program that the variable `CVC5` names, else the one on the path. A question may take it a minute.
    pub fn start() -> Result<Self, Fault> {
        let missing = "cvc5 does not start (install Debian's package cvc5, or name the program in the variable CVC5)";
        let solver = LocalSolver::cvc5_with_args(["--tlimit-per=60000"]).map_err(fault(missing))?;
        Ok(Self { compiler: CedarSymCompiler::new(solver).map_err(fault(missing))? })
    }

    /// Whether all that `less` allows is allowed by `more`; if not, a case.
    pub(crate) async fn implies(
        &mut self,
        at: &Question<'_>,
        less: &[Policy],
        more: &[Policy],
    ) -> Result<Option<Env>, Fault> {
        let (less, more) = (at.compile(less)?, at.compile(more)?);
        self.compiler.check_implies_with_counterexample_opt(&less, &more).await.map_err(fault("the solver"))
    }

    /// Something that these policies allow, if there is anything.
    pub(crate) async fn allowed(&mut self, at: &Question<'_>, policies: &[Policy]) -> Result<Option<Env>, Fault> {
        let policies = at.compile(policies)?;
        self.compiler.check_always_denies_with_counterexample_opt(&policies).await.map_err(fault("the solver"))
    }

    /// Whether a policy can be evaluated on everything that the schema allows.
    pub(crate) async fn never_errors(&mut self, at: &Question<'_>, policy: &Policy) -> Result<bool, Fault> {
        let policy = at.compile_one(policy)?;
        self.compiler.check_never_errors_opt(&policy).await.map_err(fault("the solver"))
    }

    /// Whether a policy has nothing to say.
    pub(crate) async fn never_matches(&mut self, at: &Question<'_>, policy: &Policy) -> Result<bool, Fault> {
        let policy = at.compile_one(policy)?;
        self.compiler.check_never_matches_opt(&policy).await.map_err(fault("the solver"))
    }
}

impl fmt::Debug for Prover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Prover(cvc5)")
    }
}

/// What is asked about: one action with its kinds of principal and resource.
pub(crate) struct Question<'a> {
    schema: &'a Schema,
    env: RequestEnv,
}

impl<'a> Question<'a> {
    /// Every one that the schema has, by the name of the action.
    pub(crate) fn all(schema: &'a Schema) -> Vec<Self> {
        let mut all: Vec<_> = schema.request_envs().map(|env| Self { schema, env }).collect();
        all.sort_by_key(Self::action);
        all
    }

    /// The action's name.
    pub(crate) fn action(&self) -> String {
        self.env.action().id().unescaped().to_owned()
    }

    fn compile(&self, policies: &[Policy]) -> Result<CompiledPolicySet, Fault> {
        CompiledPolicySet::compile(&set(policies)?, &self.env, self.schema)
            .map_err(fault("the policies do not compile"))
    }

    fn compile_one(&self, policy: &Policy) -> Result<CompiledPolicy, Fault> {
        CompiledPolicy::compile(policy, &self.env, self.schema).map_err(fault("a rule does not compile"))
    }
}

/// The schema of a text.
pub(crate) fn schema(text: &str) -> Result<Schema, Fault> {
    Ok(Schema::from_cedarschema_str(text).map_err(fault("the schema"))?.0)
}

/// The rules of a text under their `@id`, all of one effect and strictly valid, in their order.
pub(crate) fn rules(text: &str, effect: Effect, schema: &Schema) -> Result<Vec<Policy>, Fault> {
    let parsed: PolicySet = text.parse().map_err(fault("a policy text"))?;
    if parsed.num_of_templates() > 0 {
        return Err(Fault("a policy is a template".to_owned()));
    }
    // Cedar numbers the rules of a text: policy0, policy1, …
    let number = |policy: &Policy| policy.id().to_string().trim_start_matches("policy").parse::<usize>().unwrap_or(0);
    let mut found: Vec<&Policy> = parsed.policies().collect();
    found.sort_by_key(|policy| number(policy));
    let mut rules = Vec::new();
    for policy in found {
        let id = policy.annotation("id").ok_or_else(|| Fault("a rule has no @id".to_owned()))?;
        if policy.effect() != effect {
            return Err(Fault(format!("{id} is no {effect}")));
        }
        rules.push(policy.new_id(PolicyId::new(id)));
    }
    if rules.is_empty() {
        return Err(Fault("a text has no rules".to_owned()));
    }
    let result = Validator::new(schema.clone()).validate(&set(&rules)?, ValidationMode::Strict);
    if let Some(error) = result.validation_errors().next() {
        return Err(Fault(error.to_string()));
    }
    // A rule that can never apply is valid, and no rule.
    if let Some(warning) = result.validation_warnings().next() {
        return Err(Fault(warning.to_string()));
    }
    Ok(rules)
}

/// A single rule from its text.
pub(crate) fn rule(id: &str, text: &str) -> Result<Policy, Fault> {
    Policy::parse(Some(PolicyId::new(id)), text).map_err(fault("a rule"))
}

/// The decision that the program's own authorizer takes, and the rules that it gives as its reasons. An error is none.
pub(crate) fn decide(env: &Env, policies: &[Policy]) -> Result<(Decision, Vec<String>), Fault> {
    let response = Authorizer::new().is_authorized(&env.request, &set(policies)?, &env.entities);
    if let Some(error) = response.diagnostics().errors().next() {
        return Err(Fault(format!("the authorizer: {error}")));
    }
    let mut reasons: Vec<String> = response.diagnostics().reason().map(ToString::to_string).collect();
    reasons.sort();
    Ok((response.decision(), reasons))
}

/// The case that the solver gave, for a person to look at.
pub(crate) fn shown(env: &Env) -> Value {
    let text = |it: Option<&cedar_policy::EntityUid>| it.map(ToString::to_string);
    let context = env.request.context().and_then(|context| context.to_json_value().ok());
    let mut entities: Vec<Value> = env
        .entities
        .iter()
        .filter(|entity| entity.uid().type_name().to_string() != "Action")
        .filter_map(|entity| entity.to_json_value().ok())
        .collect();
    entities.sort_by_key(ToString::to_string);
    json!({"principal": text(env.request.principal()), "resource": text(env.request.resource()), "context": context, "entities": entities})
}

fn set(policies: &[Policy]) -> Result<PolicySet, Fault> {
    let mut set = PolicySet::new();
    for policy in policies {
        set.add(policy.clone()).map_err(fault("two rules have one @id"))?;
    }
    Ok(set)
}
