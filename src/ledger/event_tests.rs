//! Tests of events: one of every sort is read back.

use super::event::*;
use crate::base::canonical;
use crate::base::id::{ApprovalId, HoldId, PersonId, ProjectId, ReleaseId, RequestId, SiteId, Token};
use crate::base::secret::Key;
use crate::base::time::{Date, Moment};
use crate::crypto::sign::SigningSeed;

/// One event of every sort, with every field in use.
pub(super) fn all() -> Vec<Event> {
    let seed = SigningSeed::from_key(&Key::from_slice(&[1; 32]).unwrap());
    let (key, sig) = (seed.public(), seed.sign("test", b"test"));
    let (date, time): (Date, Moment) = ("2026-11-23".parse().unwrap(), "2026-11-23T09:30:00Z".parse().unwrap());
    let person = PersonId::from_bytes([1; 16]);
    let (site, token) = (SiteId::from_bytes([2; 16]), Token::from_bytes([3; 16]));
    let (approval, project) = (ApprovalId::from_bytes([4; 16]), ProjectId::from_bytes([5; 16]));
    let (request, release) = (RequestId::from_bytes([6; 16]), ReleaseId::from_bytes([7; 16]));
    let (hold, digest) = (HoldId::from_bytes([8; 16]), Digest::of(b"text"));
    let roles = vec![
        RoleGrant { role: Role::Steward, sites: None },
        RoleGrant { role: Role::Archivist, sites: Some(vec![site]) },
    ];
    let consent = |scope, act| ConsentFacts {
        participant: token,
        act,
        scope,
        from: time,
        form: Some(digest),
        modules: [(Module::QuoteAudio, ModuleState::NotAsked), (Module::Archive, ModuleState::Granted)].into(),
        tier: Some(Tier::RoleCountry),
        embargo: Some(date),
        expiry: None,
        unmapped_condition: true,
        condition_mapped: false,
    };
    let facts = ApprovalFacts {
        approval,
        board: "host".into(),
        sites: Some(vec![site]),
        fieldwork: (date, date),
        usage: (date, date),
        purposes: vec!["DUO:0000007".into()],
        document: None,
    };
    let decision = DecisionFacts {
        request,
        project,
        recipient: person,
        requester: person,
        granted: true,
        level: 2,
        sites: None,
        items: Some(digest),
        needs: vec![Module::Reuse, Module::Abroad],
        approvals: vec![approval],
        until: date,
        conditions: digest,
        country: "EE".into(),
        steward: person,
        time,
    };
    let released = ReleasedItem {
        item: token,
        site,
        transcript: token,
        voices: vec![token],
        passages: vec![],
        fieldwork: vec![approval],
    };
    let word = || "word \"\u{1}é\u{1f600}\\".to_owned();
    vec![
        Event::Genesis {
            origin: word(),
            steward: key,
            steward_id: person,
            log_key: key,
            boards: vec![key],
            trustees: vec![key, key],
            threshold: 2,
        },
        Event::Keyring { version: 3, digest },
        Event::Person { person, sign: key, country: "EE".into(), roles },
        Event::Study { version: 1, digest, text: word(), sig },
        Event::Site { site, country: "AM".into(), boards: vec!["host".into()] },
        Event::Policy { digest, text: word() },
        Event::Approval(facts),
        Event::Project { project, purpose: word(), people: vec![person], from: date, until: date },
        Event::Participant { participant: token },
        Event::Item { item: token, site, voices: vec![token, token] },
        Event::Object { object: token, item: token, kind: word(), digest },
        Event::Transcript { transcript: token, item: token, version: 2, kind: word() },
        Event::Passage { passage: token, item: token },
        Event::Consent(consent(Scope::All, ConsentAct::Given)),
        Event::Consent(consent(Scope::Interview(token), ConsentAct::Amended)),
        Event::Consent(consent(Scope::Passage(token), ConsentAct::Withdrawn)),
        Event::HoldSet { hold, sites: vec![site], items: vec![token] },
        Event::HoldLift { hold, lifted: false },
        Event::Review { transcript: token, engine: word(), marks: 12, digest },
        Event::Marks { transcript: token, added: 1, changed: 0, removed: -1 },
        Event::Request { request, project, requester: person, digest },
        Event::Decision { decision, sig, items: Some(vec![token]), salt: Some(word()) },
        Event::Release {
            release,
            request,
            recipient: person,
            until: date,
            manifest: digest,
            items: vec![released],
            withheld: 4,
        },
        Event::Receipt { release, recipient: person, until: date, manifest: digest },
        Event::ReleaseAgain { release, manifest: digest },
        Event::Listed { what: word(), filters: vec![word()], count: 163 },
        Event::Opened { what: word(), tokens: vec![token] },
        Event::Denied { what: word(), reason: word() },
        Event::Intent { act: word(), number: 1 },
        Event::Done { act: word(), number: 1 },
        Event::Checked { faults: 0 },
        Event::ClockAccepted { people: vec![person, person] },
    ]
}

#[test]
fn every_event_reads_back_and_refuses_another_field() {
    for event in all() {
        let bytes = canonical::to_vec(&event).unwrap();
        assert_eq!(canonical::from_slice::<Event>(&bytes).unwrap(), event);
        let mut value = serde_json::to_value(&event).unwrap();
        value.as_object_mut().unwrap().insert("name".into(), "somebody".into());
        assert!(serde_json::from_value::<Event>(value).is_err(), "{event:?}");
    }
}

#[test]
fn digests_are_exact_base64() {
    let text = Digest::of(b"").to_base64();
    assert_eq!(text, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    assert_eq!(Digest::from_base64(&text), Some(Digest::of(b"")));
    for bad in ["", &text[1..], &text[..43], &text.replace("FU=", "FV="), &text.replace('=', "A"), &format!("{text}\n")]
    {
        assert_eq!(Digest::from_base64(bad), None, "{bad}");
    }
}
