//! Cards: what people and vaults show of themselves (docs/format.md, section 1). Signed, canonical, compared by fingerprint.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::sign::{self, PublicKey, Signature, SigningSeed};
use super::stream::AgeRecipient;
use crate::base::id::{PersonId, VaultId};
use crate::base::text::base64;
use crate::base::time::Moment;
use crate::base::{Error, Result, canonical, format, text};

mod country;

pub use country::Country;

/// The longest file that is read as a card, in bytes.
pub const MOST_BYTES: usize = 16 * 1024;

const CARD: &str = "subrosa-card/1";
const CARD_CONTEXT: &str = "subrosa/card/1";
const VAULT_CARD: &str = "subrosa-vault-card/1";
const VAULT_CARD_CONTEXT: &str = "subrosa/vault-card/1";

/// What the origin of every vault begins with; the vault's id follows.
pub const ORIGIN_PREFIX: &str = "subrosa.invalid/";

/// A person's public card: who they say they are, and the keys to seal to them and to check their signatures.
///
/// Its signature holds by construction; that it is really theirs shows only when fingerprints are compared.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawCard", into = "RawCard")]
pub struct Card {
    name: String,
    country: Country,
    age: AgeRecipient,
    sign: PublicKey,
    created: Moment,
    sig: Signature,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCard {
    format: String,
    name: String,
    country: Country,
    age: AgeRecipient,
    sign: PublicKey,
    created: Moment,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sig: Option<Signature>,
}

impl Card {
    /// A new card over `age` and the public half of `seed`, signed by `seed`. `name` is one line of text.
    pub fn issue(name: &str, country: Country, age: AgeRecipient, seed: &SigningSeed, now: Moment) -> Result<Self> {
        let name = text::line("the name", name)?;
        let mut raw = RawCard { format: CARD.into(), name, country, age, sign: seed.public(), created: now, sig: None };
        raw.sig = Some(seed.sign(CARD_CONTEXT, &canonical::to_vec(&raw)?));
        raw.try_into()
    }

    /// Reads the bytes of a card and verifies its signature.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        bounded(bytes, "the card")?;
        format::expect(bytes, CARD, "the card")?;
        canonical::from_slice::<RawCard>(bytes).map_err(|_| unreadable("the card"))?.try_into()
    }

    /// The bytes of the card: canonical JSON.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        canonical::to_vec(self)
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The country the person works in.
    pub fn country(&self) -> Country {
        self.country
    }

    /// To seal something to this person.
    pub fn recipient(&self) -> &AgeRecipient {
        &self.age
    }

    /// To check this person's signatures.
    pub fn sign(&self) -> &PublicKey {
        &self.sign
    }

    /// When the card was made.
    pub fn created(&self) -> Moment {
        self.created
    }

    /// The person's id, from their public keys alone.
    pub fn person_id(&self) -> PersonId {
        person_id(&self.age, &self.sign)
    }

    /// What two people compare aloud: 200 bits of the whole card's SHA-256 in Crockford base32, eight groups of five joined by `-`.
    pub fn fingerprint(&self) -> Result<String> {
        Ok(fingerprint(&self.to_bytes()?))
    }
}

impl From<Card> for RawCard {
    fn from(card: Card) -> Self {
        let Card { name, country, age, sign, created, sig } = card;
        Self { format: CARD.into(), name, country, age, sign, created, sig: Some(sig) }
    }
}

impl TryFrom<RawCard> for Card {
    type Error = Error;
    fn try_from(mut raw: RawCard) -> Result<Self> {
        let forged = || sign::forged("the card");
        if raw.format != CARD {
            return Err(unknown_format("the card"));
        }
        if text::line("the name on the card", &raw.name)? != raw.name {
            return Err(forged());
        }
        let sig = raw.sig.take().ok_or_else(forged)?;
        sign::require(&raw.sign, CARD_CONTEXT, &canonical::to_vec(&raw)?, &sig, "the card")?;
        let RawCard { name, country, age, sign, created, .. } = raw;
        Ok(Self { name, country, age, sign, created, sig })
    }
}

/// The id of whoever has these public keys.
pub fn person_id(age: &AgeRecipient, sign: &PublicKey) -> PersonId {
    let digest = Sha256::new()
        .chain_update(b"subrosa/person/1\n")
        .chain_update(age.to_string())
        .chain_update(b"\n")
        .chain_update(sign.to_base64())
        .finalize();
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    PersonId::from_bytes(id)
}

/// What a vault's card says, before a steward signs it.
#[derive(Clone, PartialEq, Eq)]
pub struct VaultFacts {
    /// The vault.
    pub vault: VaultId,
    /// Deposits are sealed to it.
    pub deposit: AgeRecipient,
    /// Requests are sealed to it.
    pub desk: AgeRecipient,
    /// The key that signs checkpoints.
    pub log_key: PublicKey,
    /// The leaf hash of the ledger's first entry.
    pub genesis: [u8; 32],
    /// Everybody whose decisions count, in the order of their keys.
    pub stewards: Vec<PublicKey>,
    /// When the card is issued.
    pub issued: Moment,
}

/// A vault's public card, signed by a steward. That the steward is one of the vault's shows by fingerprint or by the ledger only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawVaultCard", into = "RawVaultCard")]
pub struct VaultCard {
    facts: VaultFacts,
    steward: PublicKey,
    sig: Signature,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawVaultCard {
    format: String,
    vault: VaultId,
    origin: String,
    deposit: AgeRecipient,
    desk: AgeRecipient,
    log_key: PublicKey,
    genesis: String,
    steward: PublicKey,
    stewards: Vec<PublicKey>,
    issued: Moment,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sig: Option<Signature>,
}

impl VaultCard {
    /// A card over `facts`, signed by a steward's `seed`.
    pub fn issue(facts: VaultFacts, seed: &SigningSeed) -> Result<Self> {
        let unsigned = raw_vault(&facts, seed.public(), None);
        let sig = seed.sign(VAULT_CARD_CONTEXT, &canonical::to_vec(&unsigned)?);
        Ok(Self { facts, steward: seed.public(), sig })
    }

    /// Reads the bytes of a vault card and verifies its signature by the steward's key named in it.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        bounded(bytes, "the vault card")?;
        format::expect(bytes, VAULT_CARD, "the vault card")?;
        canonical::from_slice::<RawVaultCard>(bytes).map_err(|_| unreadable("the vault card"))?.try_into()
    }

    /// The bytes of the card: canonical JSON.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        canonical::to_vec(self)
    }

    /// What the card says.
    pub fn facts(&self) -> &VaultFacts {
        &self.facts
    }

    /// Whether `later`, perhaps issued after this card, is of the same vault and signed by a steward whom this card names.
    pub fn vouches_for(&self, later: &Self) -> bool {
        let (mine, other) = (&self.facts, &later.facts);
        (mine.vault, mine.genesis, mine.log_key) == (other.vault, other.genesis, other.log_key)
            && mine.stewards.contains(&later.steward)
    }

    /// The steward who signed it.
    pub fn steward(&self) -> &PublicKey {
        &self.steward
    }

    /// The origin line of the vault's checkpoints.
    pub fn origin(&self) -> String {
        origin(&self.facts.vault)
    }

    /// As [`Card::fingerprint`], over what never changes: vault, genesis, log key, and the steward who signed. The recipients change with
    /// the people of the vault; the steward's signature, verified when the card was read, vouches for them.
    pub fn fingerprint(&self) -> Result<String> {
        let facts = &self.facts;
        let lasting = Lasting {
            genesis: data_encoding::BASE64.encode(&facts.genesis),
            log_key: facts.log_key,
            steward: self.steward,
            vault: facts.vault,
        };
        Ok(fingerprint(&canonical::to_vec(&lasting)?))
    }
}

/// What a vault card's fingerprint is over.
#[derive(Serialize)]
struct Lasting {
    genesis: String,
    log_key: PublicKey,
    steward: PublicKey,
    vault: VaultId,
}

impl From<VaultCard> for RawVaultCard {
    fn from(card: VaultCard) -> Self {
        raw_vault(&card.facts, card.steward, Some(card.sig))
    }
}

impl TryFrom<RawVaultCard> for VaultCard {
    type Error = Error;
    fn try_from(mut raw: RawVaultCard) -> Result<Self> {
        let forged = || sign::forged("the vault card");
        if raw.format != VAULT_CARD {
            return Err(unknown_format("the vault card"));
        }
        let sig = raw.sig.take().ok_or_else(forged)?;
        sign::require(&raw.steward, VAULT_CARD_CONTEXT, &canonical::to_vec(&raw)?, &sig, "the vault card")?;
        if raw.origin != origin(&raw.vault) {
            return Err(Error::damage(
                "the vault card names the ledger of another vault",
                "Ask a steward for a new one.",
            ));
        }
        let genesis = base64(&raw.genesis);
        let genesis = genesis.and_then(|hash| hash.try_into().ok()).ok_or_else(forged)?;
        let RawVaultCard { vault, deposit, desk, log_key, steward, stewards, issued, .. } = raw;
        Ok(Self { facts: VaultFacts { vault, deposit, desk, log_key, genesis, stewards, issued }, steward, sig })
    }
}

fn raw_vault(facts: &VaultFacts, steward: PublicKey, sig: Option<Signature>) -> RawVaultCard {
    RawVaultCard {
        format: VAULT_CARD.into(),
        vault: facts.vault,
        origin: origin(&facts.vault),
        deposit: facts.deposit.clone(),
        desk: facts.desk.clone(),
        log_key: facts.log_key,
        genesis: data_encoding::BASE64.encode(&facts.genesis),
        steward,
        stewards: facts.stewards.clone(),
        issued: facts.issued,
        sig,
    }
}

/// The origin of a vault's ledger (docs/format.md, section 5).
pub fn origin(vault: &VaultId) -> String {
    format!("{ORIGIN_PREFIX}{vault}")
}

/// Crockford's base32, most significant bits first; a rest of fewer than five bits is filled up with zeros.
pub fn crockford(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut out = String::with_capacity((bytes.len() * 8).div_ceil(5));
    let (mut bits, mut held) = (0u32, 0u32);
    for byte in bytes {
        bits = (bits << 8) | u32::from(*byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            out.push(char::from(DIGITS[(bits >> held) as usize & 31]));
        }
        bits &= (1 << held) - 1;
    }
    if held > 0 {
        out.push(char::from(DIGITS[(bits << (5 - held)) as usize & 31]));
    }
    out
}

/// Whether a fingerprint typed by a person says the same: case, spaces and dashes do not count; O reads as 0, I and L as 1.
pub fn same_fingerprint(shown: &str, typed: &str) -> bool {
    let plain = |text: &str| -> String {
        let digits = text.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| c.to_ascii_uppercase());
        digits
            .map(|c| {
                if c == 'O' {
                    '0'
                } else if matches!(c, 'I' | 'L') {
                    '1'
                } else {
                    c
                }
            })
            .collect()
    };
    plain(shown) == plain(typed)
}

fn fingerprint(bytes: &[u8]) -> String {
    let digits = crockford(&Sha256::digest(bytes)[..25]);
    let mut out = String::with_capacity(47);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && i % 5 == 0 {
            out.push('-');
        }
        out.push(digit);
    }
    out
}

fn bounded(bytes: &[u8], what: &str) -> Result<()> {
    if bytes.len() > MOST_BYTES {
        return Err(Error::user(
            format!("{what} is longer than {MOST_BYTES} bytes"),
            "Check that it is the right file.",
        ));
    }
    Ok(())
}

fn unreadable(what: &str) -> Error {
    Error::damage(
        format!("{what} is damaged, or is no card"),
        "Have it sent again, and compare the fingerprint with whoever it belongs to.",
    )
}

fn unknown_format(what: &str) -> Error {
    Error::user(format!("{what} has a format unknown to this version"), "Check the file, or update Subrosa.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Kind;
    use crate::base::secret::Key;
    use crate::crypto::stream::AgeIdentity;

    fn seed() -> SigningSeed {
        SigningSeed::from_key(&Key::random().unwrap())
    }

    fn recipient() -> AgeRecipient {
        AgeIdentity::generate().unwrap().recipient()
    }

    fn card() -> Card {
        let now = "2026-11-23T09:30:00Z".parse().unwrap();
        Card::issue("  Mari Õun ", "EE".parse().unwrap(), recipient(), &seed(), now).unwrap()
    }

    #[test]
    fn a_card_reads_back_and_names_its_person() {
        let card = card();
        let bytes = card.to_bytes().unwrap();
        let again = Card::parse(&bytes).unwrap();
        assert!(again == card);
        assert_eq!(again.name(), "Mari Õun");
        assert_eq!(again.to_bytes().unwrap(), bytes);
        assert_eq!(again.person_id(), card.person_id());
        let text = format!("subrosa/person/1\n{}\n{}", card.recipient(), card.sign().to_base64());
        assert_eq!(card.person_id().as_bytes(), &Sha256::digest(text)[..16]);
    }

    #[test]
    fn an_altered_card_is_refused() {
        let bytes = card().to_bytes().unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        let altered = [text.replace("Mari", "Mary"), text.replace("\"EE\"", "\"FI\""), text.replace("2026", "2025")];
        for bad in altered {
            assert_eq!(Card::parse(bad.as_bytes()).err().unwrap().kind(), Kind::Damage, "{bad}");
        }
        for i in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[i] ^= 1;
            assert!(Card::parse(&bad).is_err(), "byte {i}");
        }
        assert!(Card::parse(&vec![b' '; MOST_BYTES + 1]).is_err());
    }

    #[test]
    fn names_are_bounded_lines() {
        let issue = |name: &str| Card::issue(name, "EE".parse().unwrap(), recipient(), &seed(), card().created());
        for bad in ["", " ", "a\nb", &"x".repeat(501)] {
            assert!(issue(bad).is_err());
        }
    }

    #[test]
    fn a_fingerprint_is_eight_groups_of_five_and_reads_leniently() {
        let card = card();
        let shown = card.fingerprint().unwrap();
        let groups: Vec<&str> = shown.split('-').collect();
        assert_eq!(groups.len(), 8);
        assert!(groups.iter().all(|g| g.len() == 5));
        assert!(same_fingerprint(&shown, &shown.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l")));
        assert!(!same_fingerprint(&shown, &Card::fingerprint(&self::card()).unwrap()));
        assert_eq!(crockford(&[0xff, 0, 0xff, 0, 0xff]), "ZW0FY07Z");
        assert_eq!(crockford(&[0x80]), "G0");
    }

    #[test]
    fn a_vault_card_reads_back_and_cannot_be_altered() {
        let facts = VaultFacts {
            vault: VaultId::random().unwrap(),
            deposit: recipient(),
            desk: recipient(),
            log_key: seed().public(),
            genesis: [9; 32],
            stewards: vec![seed().public()],
            issued: card().created(),
        };
        let steward = seed();
        let card = VaultCard::issue(facts.clone(), &steward).unwrap();
        let bytes = card.to_bytes().unwrap();
        let again = VaultCard::parse(&bytes).unwrap();
        assert!(again == card && again.facts() == &facts && again.steward() == &steward.public());
        assert_eq!(again.origin(), format!("subrosa.invalid/{}", facts.vault));
        assert_eq!(again.fingerprint().unwrap().len(), 47);
        for i in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[i] ^= 1;
            assert!(VaultCard::parse(&bad).is_err(), "byte {i}");
        }
        assert!(VaultCard::parse(&self::card().to_bytes().unwrap()).is_err());
    }
}
