//! The fold of consent: statements in their order become a state. One fold, for the catalogue's events and for the ledger's.

use std::collections::BTreeMap;

use crate::base::time::{Date, Moment};
use crate::ledger::event::{ConsentAct, Digest, Module, ModuleState, Tier};

/// Which scope a statement is about. Statements of one scope follow one another; scopes are laid over one another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Layer {
    /// Everything of the participant.
    All,
    /// One interview.
    Interview([u8; 16]),
    /// One passage.
    Passage([u8; 16]),
}

/// How surely a scope covers what is asked about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cover {
    /// It does.
    Yes,
    /// It cannot be told: what the scope refuses counts, what it grants does not.
    Unsure,
    /// It does not.
    No,
}

/// One consent event, stripped to what the fold needs.
pub(crate) struct Statement<'a> {
    pub(crate) layer: Layer,
    pub(crate) cover: Cover,
    pub(crate) act: ConsentAct,
    pub(crate) from: Moment,
    pub(crate) recorded: Moment,
    pub(crate) form: Option<Digest>,
    pub(crate) modules: &'a BTreeMap<Module, ModuleState>,
    pub(crate) tier: Option<Tier>,
    pub(crate) embargo: Option<Date>,
    pub(crate) expiry: Option<Date>,
    pub(crate) review_by: Option<Date>,
    pub(crate) unmapped: bool,
    pub(crate) mapped: bool,
}

/// What a participant's consent comes to, for one place at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Effective {
    /// The state of every module; a module that nobody asked about is `NotAsked`.
    pub modules: BTreeMap<Module, ModuleState>,
    /// For each granted module the form (SHA-256 of its text) that it was agreed on, if there was one.
    pub forms: BTreeMap<Module, Digest>,
    /// How the participant may be named in print; `Never` if nobody asked.
    pub tier: Tier,
    /// Nothing leaves before this day (UTC); on it, it may.
    pub embargo: Option<Date>,
    /// Nothing leaves after this day (UTC); on it, it still may.
    pub expiry: Option<Date>,
    /// The archive looks at this consent again by this day. Refuses nothing.
    pub review_by: Option<Date>,
    /// A condition in free words waits for a steward: refuses.
    pub unmapped: bool,
    /// Withdrawn altogether in a scope that covers the place.
    pub withdrawn: bool,
}

impl Effective {
    /// The state of one module.
    pub fn module(&self, module: Module) -> ModuleState {
        self.modules.get(&module).copied().unwrap_or(ModuleState::NotAsked)
    }

    /// Whether the place may leave on `day` for a use that needs `needs`, as far as consent goes. Nothing leaves without `Archive`, nor for a use
    /// that needs no module.
    pub fn permits(&self, needs: &[Module], day: Date) -> bool {
        !self.withdrawn
            && !self.unmapped
            && !needs.is_empty()
            && self.module(Module::Archive) == ModuleState::Granted
            && needs.iter().all(|need| self.module(*need) == ModuleState::Granted)
            && self.embargo.is_none_or(|embargo| day >= embargo)
            && self.expiry.is_none_or(|expiry| day <= expiry)
    }
}

/// How strict a state is; the larger refuses more firmly. Only `Granted` permits.
pub(crate) fn strictness(state: ModuleState) -> u8 {
    match state {
        ModuleState::Granted => 0,
        ModuleState::NotAsked => 1,
        ModuleState::Refused => 2,
        ModuleState::Expired => 3,
        ModuleState::Withdrawn => 4,
    }
}

#[derive(Clone, Copy)]
struct Cell {
    state: ModuleState,
    form: Option<Digest>,
}

/// The state within one scope.
#[derive(Default)]
struct Sheet {
    cells: BTreeMap<Module, Cell>,
    /// What was taken back stays so until something begins after this moment.
    taken: BTreeMap<Module, Moment>,
    /// Withdrawn altogether, until an agreement begins after this moment.
    closed: Option<Moment>,
    tier: Option<Tier>,
    /// At least as strict as this, whatever `tier` says.
    tier_floor: Option<Tier>,
    embargo: Option<Date>,
    expiry: Option<Date>,
    review_by: Option<Date>,
    unmapped: bool,
}

impl Sheet {
    fn add(&mut self, s: &Statement<'_>) {
        match s.act {
            ConsentAct::Withdrawn => self.withdraw(s),
            ConsentAct::Given | ConsentAct::Amended => self.agree(s),
        }
    }

    fn withdraw(&mut self, s: &Statement<'_>) {
        let barrier = s.from.max(s.recorded);
        let altogether = s.modules.is_empty() || s.modules.contains_key(&Module::Archive);
        if altogether {
            self.closed = self.closed.max(Some(barrier));
        }
        for module in Module::ALL.into_iter().filter(|m| altogether || s.modules.contains_key(m)) {
            self.take(module, barrier);
        }
        self.tighten(s);
    }

    fn agree(&mut self, s: &Statement<'_>) {
        let sure = s.cover == Cover::Yes;
        if sure && s.act == ConsentAct::Given && self.closed.is_some_and(|closed| s.from > closed) {
            self.closed = None;
        }
        let open = self.closed.is_none();
        for (module, state) in s.modules {
            let free = open && self.taken.get(module).is_none_or(|barrier| s.from > *barrier);
            match state {
                ModuleState::Withdrawn => self.take(*module, s.from.max(s.recorded)),
                ModuleState::Granted if !sure => {}
                state if free => {
                    let form = s.form.or_else(|| self.cells.get(module).and_then(|cell| cell.form));
                    self.cells.insert(*module, Cell { state: *state, form });
                }
                _ => {}
            }
        }
        if !(sure && open) {
            return self.tighten(s);
        }
        if s.tier.is_some() {
            (self.tier, self.tier_floor) = (s.tier, None);
        }
        self.embargo = s.embargo.or(self.embargo);
        self.expiry = s.expiry.or(self.expiry);
        self.review_by = s.review_by.or(self.review_by);
        self.unmapped = s.unmapped || (self.unmapped && !s.mapped);
    }

    /// Takes over what is stricter, nothing that is milder.
    fn tighten(&mut self, s: &Statement<'_>) {
        self.tier_floor = self.tier_floor.max(s.tier);
        self.embargo = self.embargo.max(s.embargo);
        self.expiry = earliest(self.expiry, s.expiry);
        self.review_by = earliest(self.review_by, s.review_by);
        self.unmapped |= s.unmapped;
    }

    fn take(&mut self, module: Module, barrier: Moment) {
        let barrier = self.taken.get(&module).map_or(barrier, |known| barrier.max(*known));
        self.taken.insert(module, barrier);
        self.cells.insert(module, Cell { state: ModuleState::Withdrawn, form: None });
    }
}

/// Folds `statements`, given in the order in which they were recorded, into the state at `at`. The rules stand at [`super::consent`].
pub(crate) fn fold<'a>(statements: impl IntoIterator<Item = Statement<'a>>, at: Moment) -> Effective {
    let mut sheets: BTreeMap<Layer, Sheet> = BTreeMap::new();
    for statement in statements {
        if statement.cover == Cover::No || !in_force(statement.act, statement.from, statement.recorded, at) {
            continue;
        }
        sheets.entry(statement.layer).or_default().add(&statement);
    }
    lay_over(sheets.values(), at)
}

/// A withdrawal holds as soon as it is asked, and from the day that it names, whichever is first. Everything else
/// holds when both have come.
pub(crate) fn in_force(act: ConsentAct, from: Moment, recorded: Moment, at: Moment) -> bool {
    match act {
        ConsentAct::Withdrawn => recorded <= at || from <= at,
        ConsentAct::Given | ConsentAct::Amended => recorded <= at && from <= at,
    }
}

fn lay_over<'a>(sheets: impl Iterator<Item = &'a Sheet>, at: Moment) -> Effective {
    let mut cells: BTreeMap<Module, Cell> = BTreeMap::new();
    let (mut tier, mut tier_floor, mut embargo, mut expiry, mut review_by) = (None, None, None, None, None);
    let (mut unmapped, mut withdrawn) = (false, false);
    for sheet in sheets {
        for (module, cell) in &sheet.cells {
            let stricter = cells.get(module).is_none_or(|known| strictness(cell.state) >= strictness(known.state));
            if stricter {
                cells.insert(*module, *cell);
            }
        }
        tier = tier.max(sheet.tier);
        tier_floor = tier_floor.max(sheet.tier_floor);
        embargo = embargo.max(sheet.embargo);
        expiry = earliest(expiry, sheet.expiry);
        review_by = earliest(review_by, sheet.review_by);
        unmapped |= sheet.unmapped;
        withdrawn |= sheet.closed.is_some();
    }
    let expired = expiry.is_some_and(|day| at.date() > day);
    let mut effective = Effective {
        modules: BTreeMap::new(),
        forms: BTreeMap::new(),
        tier: tier.max(tier.and(tier_floor)).unwrap_or(Tier::Never),
        embargo,
        expiry,
        review_by,
        unmapped,
        withdrawn,
    };
    for module in Module::ALL {
        let cell = cells.get(&module).copied().unwrap_or(Cell { state: ModuleState::NotAsked, form: None });
        let state = match cell.state {
            _ if withdrawn => ModuleState::Withdrawn,
            ModuleState::Granted if expired => ModuleState::Expired,
            state => state,
        };
        if let (ModuleState::Granted, Some(form)) = (state, cell.form) {
            effective.forms.insert(module, form);
        }
        effective.modules.insert(module, state);
    }
    effective
}

fn earliest(a: Option<Date>, b: Option<Date>) -> Option<Date> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
