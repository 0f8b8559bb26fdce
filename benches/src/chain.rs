//! Ledgers of any length, of the kind of entries that a vault has most of.

use subrosa::base::id::{PersonId, SiteId, Token, VaultId};
use subrosa::base::role::{Role, RoleGrant};
use subrosa::base::secret::Key;
use subrosa::base::time::Moment;
use subrosa::crypto::sign::SigningSeed;
use subrosa::ledger::checkpoint::origin;
use subrosa::ledger::entry::{Draft, Entry};
use subrosa::ledger::event::Event;
use subrosa::ledger::tree::{self, Frontier};

const STEWARD: u8 = 1;
const ARCHIVIST: u8 = 2;

fn seed(n: u8) -> SigningSeed {
    SigningSeed::from_key(&Key::from_slice(&[n; 32]).expect("32 bytes"))
}

fn person(n: u8) -> PersonId {
    PersonId::from_bytes([n; 16])
}

fn enrol(who: u8, role: Role) -> Event {
    let roles = vec![RoleGrant { role, sites: None }];
    Event::Person { person: person(who), sign: seed(who).public(), country: "EE".into(), roles }
}

fn token(n: u64) -> Token {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    Token::from_bytes(bytes)
}

/// The leaves of a ledger, one after another, without end.
pub struct Chain {
    vault: VaultId,
    frontier: Frontier,
    seeds: [SigningSeed; 2],
}

impl Chain {
    /// From the genesis on.
    pub fn new() -> Self {
        Self { vault: VaultId::from_bytes([7; 16]), frontier: Frontier::new(), seeds: [seed(STEWARD), seed(ARCHIVIST)] }
    }

    fn events(&self, seq: u64) -> Vec<Event> {
        match (seq, seq % 3) {
            (0, _) => {
                let genesis = Event::Genesis {
                    origin: origin(&self.vault),
                    steward: seed(STEWARD).public(),
                    steward_id: person(STEWARD),
                    log_key: seed(9).public(),
                    boards: vec![],
                    trustees: vec![],
                    threshold: 1,
                };
                vec![genesis, enrol(STEWARD, Role::Steward)]
            }
            (1, _) => vec![enrol(ARCHIVIST, Role::Archivist)],
            (_, 0) => vec![Event::Listed { what: "interviews".into(), filters: vec!["site".into()], count: 40 }],
            (_, 1) => vec![Event::Opened { what: "interview".into(), tokens: vec![token(seq), token(seq + 1)] }],
            _ => {
                vec![Event::Item { item: token(seq), site: SiteId::from_bytes([3; 16]), voices: vec![token(seq + 1)] }]
            }
        }
    }
}

impl Default for Chain {
    fn default() -> Self {
        Self::new()
    }
}

impl Iterator for Chain {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let seq = self.frontier.size();
        let who = usize::from(seq > 1 && seq % 3 != 0);
        let draft = Draft {
            vault: self.vault,
            seq,
            time: Moment::from_seconds(1_700_000_000 + i64::try_from(seq).ok()?)?,
            root: self.frontier.root(),
            command: "interview show".into(),
            events: self.events(seq),
        };
        let actor = person([STEWARD, ARCHIVIST][who]);
        let bytes = Entry::sign(draft, actor, &self.seeds[who]).and_then(|e| e.to_bytes()).expect("an entry");
        self.frontier.push(tree::leaf_hash(&bytes));
        Some(bytes)
    }
}
