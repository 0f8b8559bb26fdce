//! `subrosa policy`: the rules by which material leaves.

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::global::Global;
use super::screen::Screen;
use crate::base::text::count;
use crate::base::{Error, Result};
use crate::domain::policy::{Part, PolicyFault, Rule};
use crate::ops::policy::{self, Checked, Plan, Shown};
use crate::store::files;

/// The largest file of policies that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// Commands of `subrosa policy`.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Show the policies in force: the floor, the program's permits and the vault's own.
    #[command(
        after_help = "Examples:\n  subrosa --vault ./vault --as ada policy show\n  subrosa --vault ./vault --as ada policy show --own > rules.cedar"
    )]
    Show {
        /// Only the text of the vault's own, as it was put in force.
        #[arg(long)]
        own: bool,
    },
    /// Explain every fault of a text of policies as it would stand on the floor. Needs no vault.
    #[command(after_help = "Example: subrosa policy check rules.cedar")]
    Check {
        /// The policies, in Cedar.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Put policies in force in place of all that are the vault's own. For stewards of all sites. The floor stays in any case.
    #[command(
        after_help = "Example: subrosa --vault ./vault --as ada policy set rules.cedar\n\nA rule is written in Cedar, with an @id and, for people, a @reason:\n\n  @id(\"no-level-1-of-armenia\")\n  @reason(\"Armenia gives out level 2 and 3 only\")\n  forbid (principal, action == Action::\"release\", resource)\n  when { resource.country == \"AM\" && context.level == 1 };"
    )]
    Set {
        /// The policies, in Cedar.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Take away all policies that are the vault's own. For stewards of all sites. The floor stays.
    #[command(after_help = "Example: subrosa --vault ./vault --as ada policy clear")]
    Clear,
}

pub(super) fn run(global: &Global, command: Command) -> Result<()> {
    let screen = global.screen();
    match command {
        Command::Show { own } => {
            let shown = global.with_vault("policy show", policy::show)?;
            if own && !screen.json() {
                return screen.say(shown.text.trim_end());
            }
            screen.answer(&shown, || words(&shown))
        }
        Command::Check { file } => check(&screen, &file),
        Command::Set { file } => {
            let text = policy::read(read(&file)?)?;
            change(global, &screen, "policy set", &text)
        }
        Command::Clear => change(global, &screen, "policy clear", ""),
    }
}

fn read(file: &Path) -> Result<Vec<u8>> {
    files::read_bounded(file, MAX_FILE, "the policies")
}

fn check(screen: &Screen, file: &Path) -> Result<()> {
    let checked = policy::check(read(file)?)?;
    screen.answer(&checked, || checked_words(&checked))?;
    if checked.sound {
        return Ok(());
    }
    let faults = count(checked.faults.len(), "fault", "faults");
    Err(Error::user(format!("the policies have {faults}"), "Mend them and check again."))
}

fn change(global: &Global, screen: &Screen, what: &str, text: &str) -> Result<()> {
    let done = global.with_vault(what, |vault| {
        let plan = policy::plan(vault, text)?;
        screen.note(&plan_words(&plan));
        screen.confirm("Put this in force?")?;
        policy::set(vault, text, &plan)
    })?;
    screen.answer(&done, || {
        if text.is_empty() {
            "The vault has no policies of its own any more. The floor stands.".to_owned()
        } else {
            format!("In force from now on: version {} of the vault's own policies.", done.version)
        }
    })
}

fn words(shown: &Shown) -> String {
    let mut out = String::new();
    for (part, title) in [
        (Part::Floor, "The floor: nobody can take it away. Nothing leaves if"),
        (Part::Default, "Within it, the program lets go"),
        (Part::Own, "The vault's own:"),
    ] {
        out.push_str(&format!("{title}\n"));
        let of_part: Vec<&Rule> = shown.rules.iter().filter(|rule| rule.part == part).collect();
        if of_part.is_empty() {
            out.push_str("  none\n");
        }
        for rule in of_part {
            out.push_str(&format!("  {}\n", rule_words(rule)));
        }
        out.push('\n');
    }
    if let (Some(since), Some(steward)) = (shown.since, &shown.steward) {
        out.push_str(&format!("Version {} of the vault's own, by {steward}, since {since}.\n", shown.version));
    }
    out.push_str(&format!("Digest of all, as the ledger has it: {}", shown.digest.to_base64()));
    out
}

/// One rule on one line. The floor and the program's permits finish the sentence of their heading.
fn rule_words(rule: &Rule) -> String {
    let words = rule.words.as_deref().unwrap_or_default();
    match (rule.part, rule.forbids) {
        (Part::Floor | Part::Default, _) => format!("{words} ({})", rule.id),
        (Part::Own, true) => format!("{} forbids: {words}", rule.id),
        (Part::Own, false) if words.is_empty() => format!("{} permits, within the floor", rule.id),
        (Part::Own, false) => format!("{} permits, within the floor: {words}", rule.id),
    }
}

fn checked_words(checked: &Checked) -> String {
    let mut out = faults(&checked.faults);
    out.push_str(&warnings(&checked.warnings));
    if checked.sound {
        out.push_str(&format!(
            "The policies are sound: {} on top of the floor.\n",
            count(checked.rules.len(), "rule", "rules")
        ));
        for rule in &checked.rules {
            out.push_str(&format!("  {}\n", rule_words(rule)));
        }
    }
    out
}

fn plan_words(plan: &Plan) -> String {
    let mut out = format!(
        "This makes version {} of the vault's own policies, for all decisions and builds from now on:\n",
        plan.version
    );
    for (what, rules) in [("comes", &plan.added), ("changes", &plan.changed), ("GOES", &plan.removed)] {
        for rule in rules {
            out.push_str(&format!("  {what}: {}\n", rule_words(rule)));
        }
    }
    if plan.added.is_empty() && plan.changed.is_empty() && plan.removed.is_empty() {
        out.push_str("  no rule comes or goes; only the text around them changes\n");
    }
    out.push_str(&warnings(&plan.warnings));
    out.trim_end().to_owned()
}

fn faults(all: &[PolicyFault]) -> String {
    let line = |fault: &PolicyFault| fault.line.map(|line| format!("line {line}: ")).unwrap_or_default();
    all.iter().map(|fault| format!("{}{}\n    {}\n", line(fault), fault.what, fault.remedy)).collect()
}

fn warnings(all: &[PolicyFault]) -> String {
    faults(all)
        .split_inclusive('\n')
        .map(|line| if line.starts_with(' ') { line.to_owned() } else { format!("Warning: {line}") })
        .collect()
}
