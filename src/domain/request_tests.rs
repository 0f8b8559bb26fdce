//! Tests of requests: what is signed, what is refused, and what the vault keeps.

use super::*;
use crate::crypto::identity::Identity;
use crate::ledger::event::Module;

const VAULT: VaultId = VaultId::from_bytes([7; 16]);

fn now() -> Moment {
    "2026-11-23T09:30:00Z".parse().unwrap()
}

fn ask() -> Ask {
    Ask {
        vault: VAULT,
        project: ProjectId::from_bytes([1; 16]),
        level: 2,
        until: "2027-06-30".parse().unwrap(),
        items: Items { sites: vec!["AM".into()], codes: vec![] },
        purpose: " To compare how people tell of leaving. ".into(),
        conditions: Conditions::current().digest(),
    }
}

fn dora() -> Identity {
    Identity::generate("Dora Demo", "EE".parse().unwrap(), now()).unwrap()
}

fn made(ask: Ask) -> Result<Request> {
    let dora = dora();
    Request::new(ask, dora.card().clone(), dora.signer(), now())
}

#[test]
fn a_request_reads_back_as_it_was_signed() {
    let request = made(ask()).unwrap();
    assert_eq!(request.purpose, "To compare how people tell of leaving.");
    let bytes = request.to_bytes().unwrap();
    let read = Request::open(&bytes, VAULT, now()).unwrap();
    assert_eq!(read, request);
    assert_eq!(read.digest().unwrap(), request.digest().unwrap());
    assert_ne!(made(ask()).unwrap().nonce, request.nonce);
    assert!(!format!("{request:?}").contains("Dora"));
}

#[test]
fn whatever_is_changed_afterwards_is_found() {
    let request = made(ask()).unwrap();
    let text = String::from_utf8(request.to_bytes().unwrap()).unwrap();
    for (from, to) in [
        ("\"level\":2", "\"level\":1"),
        ("2027-06-30", "2027-07-30"),
        ("\"AM\"", "\"GE\""),
        ("leaving", "staying"),
        ("Dora", "Nora"),
        ("\"level\":2", "\"level\":2,\"open\":true"),
        ("subrosa-request/1", "subrosa-request/2"),
        ("{\"card\"", "{ \"card\""),
    ] {
        assert!(text.contains(from), "{from}");
        assert!(Request::open(text.replacen(from, to, 1).as_bytes(), VAULT, now()).is_err(), "{to}");
    }
    let card = |card: &Card| String::from_utf8(card.to_bytes().unwrap()).unwrap();
    let swapped = text.replace(&card(&request.card), &card(dora().card()));
    assert_ne!(swapped, text);
    assert!(Request::open(swapped.as_bytes(), VAULT, now()).is_err());
    assert!(Request::open(text.as_bytes(), VaultId::from_bytes([8; 16]), now()).is_err());
    assert!(Request::open(&vec![b' '; MAX_BYTES + 1], VAULT, now()).is_err());
}

#[test]
fn out_of_bounds_is_refused() {
    let date = |t: &str| t.parse::<Date>().unwrap();
    assert!(made(Ask { level: 0, ..ask() }).is_err());
    assert!(made(Ask { level: 4, ..ask() }).is_err());
    for (until, good) in [
        ("2026-11-22", false),
        ("2026-11-23", false),
        ("2026-11-24", true),
        ("2036-11-23", true),
        ("2036-11-24", false),
        ("9998-01-01", false),
    ] {
        assert_eq!(made(Ask { until: date(until), ..ask() }).is_ok(), good, "{until}");
    }
    assert!(made(Ask { purpose: " ".into(), ..ask() }).is_err());
    assert!(made(Ask { purpose: "x".repeat(MAX_PURPOSE + 1), ..ask() }).is_err());
    assert!(made(Ask { conditions: Digest([0; 32]), ..ask() }).is_err());
    assert!(made(Ask { items: Items { sites: vec![String::new()], codes: vec![] }, ..ask() }).is_err());
    assert!(made(Ask { items: Items { sites: vec![], codes: vec!["A".into(); MAX_CODES + 1] }, ..ask() }).is_err());
    let wide = "\u{ff21}".repeat(MAX_CODE);
    assert!(made(Ask { items: Items { sites: vec![], codes: vec![wide; MAX_CODES] }, ..ask() }).is_err());
    assert!(Request::new(ask(), dora().card().clone(), dora().signer(), now()).is_err());
}

#[test]
fn on_a_leap_day_ten_years_end_in_february() {
    let leap: Moment = "2028-02-29T12:00:00Z".parse().unwrap();
    assert!(check_until("2038-02-28".parse().unwrap(), leap).is_ok());
    assert!(check_until("2038-03-01".parse().unwrap(), leap).is_err());
}

#[test]
fn a_request_that_has_run_out_or_comes_from_the_future_is_refused() {
    let bytes = made(ask()).unwrap().to_bytes().unwrap();
    assert!(Request::open(&bytes, VAULT, "2027-06-30T00:00:00Z".parse().unwrap()).is_err());
    assert!(Request::parse(&bytes, VAULT).is_ok());
    assert!(Request::open(&bytes, VAULT, "2026-11-20T00:00:00Z".parse().unwrap()).is_err());
}

fn decision() -> DecisionFacts {
    let analyst = PersonId::from_bytes([4; 16]);
    DecisionFacts {
        request: RequestId::from_bytes([3; 16]),
        project: ask().project,
        recipient: analyst,
        requester: analyst,
        granted: true,
        level: 2,
        sites: None,
        items: None,
        needs: vec![Module::Archive, Module::Analyse],
        approvals: vec![],
        until: ask().until,
        conditions: ask().conditions,
        country: "EE".into(),
        steward: PersonId::from_bytes([5; 16]),
        time: now(),
    }
}

fn filed() -> Filed {
    let d = decision();
    Filed {
        id: d.request,
        number: 7,
        requester: d.requester,
        project: d.project,
        level: 2,
        until: d.until,
        sites: vec![SiteId::from_bytes([1; 16])],
        interviews: vec![InterviewId::from_bytes([2; 16])],
        purpose: "To compare.".into(),
        conditions: d.conditions,
        nonce: String::new(),
        created: now(),
        received: now(),
        by: d.steward,
        digest: Digest([0; 32]),
    }
}

#[test]
fn numbers_are_read_as_people_write_them() {
    for (typed, read) in [
        ("REQ-7", Some(7)),
        (" req7", Some(7)),
        ("7", Some(7)),
        ("REQ-0", None),
        ("+7", None),
        ("REQ-", None),
        ("", None),
    ] {
        assert_eq!(number(typed).ok(), read, "{typed}");
    }
    assert_eq!(filed().name(), "REQ-7");
}

#[test]
fn a_request_asks_for_its_sites_and_its_codes_or_for_all() {
    let (site, other) = (SiteId::from_bytes([1; 16]), SiteId::from_bytes([9; 16]));
    let (one, two) = (InterviewId::from_bytes([2; 16]), InterviewId::from_bytes([3; 16]));
    assert!(filed().asks_for(two, site) && filed().asks_for(one, other) && !filed().asks_for(two, other));
    assert!(Filed { sites: vec![], interviews: vec![], ..filed() }.asks_for(two, other));
}

#[test]
fn a_decision_grants_at_most_what_was_asked_and_never_ones_own() {
    let check = |d: DecisionFacts| check_decision(&d, &filed());
    check(decision()).unwrap();
    check(DecisionFacts { level: 3, until: "2027-01-01".parse().unwrap(), ..decision() }).unwrap();
    let refused = [
        DecisionFacts { level: 1, ..decision() },
        DecisionFacts { until: "2027-07-01".parse().unwrap(), ..decision() },
        DecisionFacts { until: "2026-11-23".parse().unwrap(), ..decision() },
        DecisionFacts { project: ProjectId::from_bytes([2; 16]), ..decision() },
        DecisionFacts { conditions: Digest([0; 32]), ..decision() },
        DecisionFacts { recipient: PersonId::from_bytes([6; 16]), ..decision() },
        DecisionFacts { steward: decision().requester, ..decision() },
        DecisionFacts { steward: decision().recipient, granted: false, ..decision() },
    ];
    for d in refused {
        assert!(check(d).is_err());
    }
    check(DecisionFacts { granted: false, level: 9, ..decision() }).unwrap();
}
