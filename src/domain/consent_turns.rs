//! Whose voice a turn is, and which turns of a transcript may go (promise 6: a voice and a passage, not a file).

use std::collections::BTreeSet;

/// Whose words a turn is. `P` names a participant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Speaker<P> {
    /// A participant: consent counts.
    Participant(P),
    /// An interviewer or interpreter: no voice of their own; they follow those beside whom they stand.
    Aside,
    /// Somebody who happened to be there: out.
    Bystander,
    /// No label, or one that nobody knows: counts as every participant of the interview.
    Unknown,
}

/// What may become of one turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TurnVerdict {
    /// It may go.
    Go,
    /// It stays, and why.
    LeftOut(LeftOut),
}

/// Why a turn stays.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LeftOut {
    /// A participant who speaks in it may not be heard here.
    Voice,
    /// Nobody knows whose it is, and not every participant of the interview may be heard here.
    Unattributed,
    /// A bystander speaks in it.
    Bystander,
    /// It belongs to the talk with participants who may not be heard here.
    Beside,
    /// It stands next to a turn that may not go, and nobody has checked that it gives nothing of it away.
    Neighbour,
}

impl TurnVerdict {
    /// Whether the turn may go.
    pub fn goes(self) -> bool {
        self == Self::Go
    }
}

/// The participants whose consent a turn of these speakers needs: the strictest over its voices decides. `participants` are all those of the interview.
pub fn voices<P: Copy + Ord>(speakers: &[Speaker<P>], participants: &BTreeSet<P>) -> BTreeSet<P> {
    if speakers.is_empty() || speakers.contains(&Speaker::Unknown) {
        return participants.clone();
    }
    speakers.iter().filter_map(|s| if let Speaker::Participant(p) = s { Some(*p) } else { None }).collect()
}

/// Which turns may go: one verdict for each of `turns`, which are the speakers of each turn in order.
///
/// 1. A turn with participants goes if `permit(turn, participant)` holds for each of them; one of unknown speakers, if it holds for all `participants` of
///    the interview (there must be one). A turn with a bystander stays.
/// 2. A turn of interviewers or interpreters alone follows the nearest turns before and after it that have participants (or unknown speakers): one of these must go, and
///    for the participants heard in those that go, `permit` must hold at this turn too.
/// 3. A turn next to one that stays by rule 1 stays too, unless `checked` (by a person) has its number. For a turn of rule 2, the nearest turns count as next to it.
pub fn select_turns<P: Copy + Ord>(
    turns: &[Vec<Speaker<P>>],
    participants: &BTreeSet<P>,
    checked: &BTreeSet<usize>,
    mut permit: impl FnMut(usize, P) -> bool,
) -> Vec<TurnVerdict> {
    // Rule 1; `None` for turns that follow others.
    let own: Vec<Option<TurnVerdict>> =
        turns.iter().enumerate().map(|(i, speakers)| own_verdict(speakers, participants, |p| permit(i, p))).collect();
    let stays = |i: usize| matches!(own.get(i), Some(Some(TurnVerdict::LeftOut(_))));
    let before = nearest(turns, false);
    let after = nearest(turns, true);

    let mut verdicts = Vec::with_capacity(turns.len());
    for (i, verdict) in own.iter().enumerate() {
        let beside: Vec<usize> = [before.get(i), after.get(i)].into_iter().flatten().copied().flatten().collect();
        let mut next_to_silence = i.checked_sub(1).is_some_and(stays) || stays(i + 1);
        let verdict = match verdict {
            Some(verdict) => *verdict,
            None => {
                next_to_silence |= beside.iter().any(|n| stays(*n));
                let heard: BTreeSet<P> = beside
                    .iter()
                    .filter(|n| !stays(**n))
                    .filter_map(|n| turns.get(*n))
                    .flat_map(|speakers| voices(speakers, participants))
                    .collect();
                if !heard.is_empty() && heard.into_iter().all(|p| permit(i, p)) {
                    TurnVerdict::Go
                } else {
                    TurnVerdict::LeftOut(LeftOut::Beside)
                }
            }
        };
        verdicts.push(match verdict {
            TurnVerdict::Go if next_to_silence && !checked.contains(&i) => TurnVerdict::LeftOut(LeftOut::Neighbour),
            verdict => verdict,
        });
    }
    verdicts
}

fn own_verdict<P: Copy + Ord>(
    speakers: &[Speaker<P>],
    participants: &BTreeSet<P>,
    mut permit: impl FnMut(P) -> bool,
) -> Option<TurnVerdict> {
    if speakers.contains(&Speaker::Bystander) {
        return Some(TurnVerdict::LeftOut(LeftOut::Bystander));
    }
    if !speakers.is_empty() && speakers.iter().all(|s| *s == Speaker::Aside) {
        return None;
    }
    let attributed = !speakers.is_empty() && !speakers.contains(&Speaker::Unknown);
    let needed = voices(speakers, participants);
    let goes = !needed.is_empty() && needed.into_iter().all(&mut permit);
    Some(match (goes, attributed) {
        (true, _) => TurnVerdict::Go,
        (false, true) => TurnVerdict::LeftOut(LeftOut::Voice),
        (false, false) => TurnVerdict::LeftOut(LeftOut::Unattributed),
    })
}

/// For each turn the nearest one before it (or after it) that is not one of interviewers, interpreters or bystanders alone.
fn nearest<P: Copy + Ord>(turns: &[Vec<Speaker<P>>], backwards: bool) -> Vec<Option<usize>> {
    let mut found = vec![None; turns.len()];
    let mut last = None;
    let order: Box<dyn Iterator<Item = usize>> =
        if backwards { Box::new((0..turns.len()).rev()) } else { Box::new(0..turns.len()) };
    for i in order {
        if let Some(slot) = found.get_mut(i) {
            *slot = last;
        }
        let voiced = turns.get(i).is_some_and(|speakers| {
            speakers.is_empty() || speakers.iter().any(|s| matches!(s, Speaker::Participant(_) | Speaker::Unknown))
        });
        if voiced {
            last = Some(i);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Speaker<u8> = Speaker::Participant(1);
    const B: Speaker<u8> = Speaker::Participant(2);
    const I: Speaker<u8> = Speaker::Aside;

    fn run(turns: &[&[Speaker<u8>]], out: &[(usize, u8)], checked: &[usize]) -> Vec<TurnVerdict> {
        let turns: Vec<Vec<Speaker<u8>>> = turns.iter().map(|t| t.to_vec()).collect();
        let checked = checked.iter().copied().collect();
        select_turns(&turns, &BTreeSet::from([1, 2]), &checked, |turn, p| {
            !out.iter().any(|(t, q)| *q == p && (*t == turn || *t == usize::MAX))
        })
    }

    fn stays(reason: LeftOut) -> TurnVerdict {
        TurnVerdict::LeftOut(reason)
    }

    const GO: TurnVerdict = TurnVerdict::Go;
    const ALWAYS: usize = usize::MAX;

    #[test]
    fn of_two_voices_one_can_be_taken_out() {
        let turns: [&[_]; 7] = [&[I], &[A], &[I], &[B], &[I], &[B], &[I]];
        let expected = vec![stays(LeftOut::Beside), stays(LeftOut::Voice), stays(LeftOut::Neighbour), GO, GO, GO, GO];
        assert_eq!(run(&turns, &[(ALWAYS, 1)], &[]), expected);
        let checked = run(&turns, &[(ALWAYS, 1)], &[0, 1, 2]);
        assert_eq!(checked[..3], [stays(LeftOut::Beside), stays(LeftOut::Voice), GO]);
    }

    #[test]
    fn a_turn_of_two_voices_and_one_of_nobody_need_both() {
        let turns: [&[_]; 5] = [&[A, B], &[Speaker::Unknown], &[], &[I], &[B]];
        let verdicts = run(&turns, &[(ALWAYS, 1)], &[]);
        assert_eq!(verdicts[0], stays(LeftOut::Voice));
        assert_eq!(verdicts[1], stays(LeftOut::Unattributed));
        assert_eq!(verdicts[2], stays(LeftOut::Unattributed));
        assert!(run(&turns, &[], &[]).into_iter().all(TurnVerdict::goes));
    }

    #[test]
    fn a_passage_takes_its_questions_with_it() {
        let turns: [&[_]; 5] = [&[A], &[I], &[A], &[I], &[A]];
        let verdicts = run(&turns, &[(1, 1), (2, 1)], &[1, 3]);
        assert_eq!(verdicts, vec![GO, stays(LeftOut::Beside), stays(LeftOut::Voice), GO, GO]);
    }

    #[test]
    fn bystanders_stay_and_silence_their_neighbours() {
        let turns: [&[_]; 4] = [&[A], &[Speaker::Bystander], &[A], &[A]];
        let verdicts = run(&turns, &[], &[]);
        assert_eq!(verdicts, vec![stays(LeftOut::Neighbour), stays(LeftOut::Bystander), stays(LeftOut::Neighbour), GO]);
    }

    #[test]
    fn an_interpreter_two_turns_away_counts_as_next() {
        let turns: [&[_]; 4] = [&[A], &[I], &[I], &[B]];
        let verdicts = run(&turns, &[(ALWAYS, 1)], &[]);
        assert_eq!(verdicts[1..], [stays(LeftOut::Neighbour), stays(LeftOut::Neighbour), GO]);
    }

    #[test]
    fn without_participants_nothing_goes() {
        let turns = vec![vec![Speaker::<u8>::Aside], vec![], vec![Speaker::Unknown]];
        let verdicts = select_turns(&turns, &BTreeSet::new(), &BTreeSet::new(), |_, _| true);
        assert!(!verdicts.into_iter().any(TurnVerdict::goes));
    }
}
