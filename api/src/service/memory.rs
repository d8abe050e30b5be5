//! Answers to requests under a key, as this process remembers them: the only place for them while the schema has none, and a
//! second one afterwards, so that a key outlives a step down of the schema.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::{Instant, Keyed, Record, RepeatKey, UserId};

/// What this process remembers; bounded.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory(Arc<Mutex<Remembered>>);

#[derive(Debug, Default)]
struct Remembered {
    entries: HashMap<Slot, Entry>,
    /// What has an answer, oldest first.
    answered: VecDeque<Slot>,
    /// Of all answers together.
    bytes: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Slot {
    owner: UserId,
    route: String,
    key: String,
}

#[derive(Debug)]
struct Entry {
    fingerprint: String,
    /// Nothing while the request is under way.
    answer: Option<(Record, Instant)>,
}

/// What is remembered under a key.
pub(super) enum Recall {
    /// Nothing: it is ours until the turn ends.
    Turn(Turn),
    /// Another request.
    Foreign,
    /// The same request is under way.
    Taken,
    /// The same request, its answer, and when that was given.
    Answered(Record, Instant),
}

/// The right to carry a request out; forgotten unless an answer comes of it.
pub(super) struct Turn {
    memory: Memory,
    slot: Slot,
    is_answered: bool,
}

/// Most answers, and most bytes of them.
const MOST_ANSWERS: usize = 10_000;
const MOST_BYTES: usize = 8 * 1024 * 1024;

impl Memory {
    pub(super) fn recall(&self, owner: &UserId, keyed: &Keyed, now: Instant) -> Recall {
        let slot = Slot {
            owner: owner.clone(),
            route: keyed.route.clone(),
            key: keyed.key.as_str().to_owned(),
        };
        let mut remembered = self.lock();
        remembered.forget_before(now);
        match remembered.entries.get(&slot) {
            Some(entry) if entry.fingerprint != keyed.fingerprint => return Recall::Foreign,
            Some(Entry { answer: None, .. }) => return Recall::Taken,
            Some(Entry {
                answer: Some((record, since)),
                ..
            }) => return Recall::Answered(record.clone(), *since),
            None => {}
        }
        let entry = Entry {
            fingerprint: keyed.fingerprint.clone(),
            answer: None,
        };
        remembered.entries.insert(slot.clone(), entry);
        Recall::Turn(Turn {
            memory: self.clone(),
            slot,
            is_answered: false,
        })
    }

    /// Forgets the answers to somebody who is gone.
    pub(super) fn forget(&self, owner: &UserId) {
        let mut remembered = self.lock();
        let mut answered = std::mem::take(&mut remembered.answered);
        answered.retain(|slot| {
            let stays = slot.owner != *owner;
            if !stays {
                remembered.remove(slot);
            }
            stays
        });
        remembered.answered = answered;
    }

    fn lock(&self) -> MutexGuard<'_, Remembered> {
        // Nothing in here is left half done by a panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// Remembers the answer.
    pub(super) fn keep(mut self, record: &Record, now: Instant) {
        self.is_answered = true;
        let mut remembered = self.memory.lock();
        if let Some(entry) = remembered.entries.get_mut(&self.slot) {
            entry.answer = Some((record.clone(), now));
            remembered.bytes += size(record);
            remembered.answered.push_back(self.slot.clone());
        }
        remembered.forget_surplus();
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.is_answered {
            self.memory.lock().entries.remove(&self.slot);
        }
    }
}

impl Remembered {
    fn forget_before(&mut self, now: Instant) {
        let kept = i64::try_from(RepeatKey::KEPT.as_secs()).unwrap_or(i64::MAX);
        while let Some(oldest) = self.answered.front() {
            let since = self.entries.get(oldest).and_then(|entry| entry.answer.as_ref());
            if since.is_some_and(|(_, since)| now.seconds() - since.seconds() < kept) {
                break;
            }
            self.forget_oldest();
        }
    }

    fn forget_surplus(&mut self) {
        while self.answered.len() > MOST_ANSWERS || self.bytes > MOST_BYTES {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some(slot) = self.answered.pop_front() {
            self.remove(&slot);
        }
    }

    fn remove(&mut self, slot: &Slot) {
        if let Some((record, _)) = self.entries.remove(slot).and_then(|entry| entry.answer) {
            self.bytes -= size(&record);
        }
    }
}

fn size(record: &Record) -> usize {
    record.head.len() + record.body.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyed(key: &str, fingerprint: &str) -> Keyed {
        Keyed {
            route: "POST /".to_owned(),
            key: RepeatKey::parse(key).unwrap(),
            fingerprint: fingerprint.to_owned(),
        }
    }

    fn at(day: &str) -> Instant {
        Instant::parse(day).unwrap()
    }

    fn answered(memory: &Memory, key: &str, body: &str, day: &str) {
        let record = Record {
            kind: 201,
            head: String::new(),
            body: body.to_owned(),
        };
        match memory.recall(&ada(), &keyed(key, "f"), at(day)) {
            Recall::Turn(turn) => turn.keep(&record, at(day)),
            _ => panic!("{key} is known already"),
        }
    }

    fn ada() -> UserId {
        UserId::parse("usr_ada").unwrap()
    }

    #[test]
    fn a_turn_without_an_answer_is_forgotten() {
        let memory = Memory::default();
        let now = at("2026-03-01");
        let turn = memory.recall(&ada(), &keyed("k", "f"), now);
        assert!(matches!(turn, Recall::Turn(_)));
        assert!(matches!(
            memory.recall(&ada(), &keyed("k", "f"), now),
            Recall::Taken
        ));
        assert!(matches!(
            memory.recall(&ada(), &keyed("k", "g"), now),
            Recall::Foreign
        ));
        drop(turn);
        assert!(matches!(
            memory.recall(&ada(), &keyed("k", "g"), now),
            Recall::Turn(_)
        ));
    }

    #[test]
    fn an_answer_is_remembered_for_a_day() {
        let memory = Memory::default();
        answered(&memory, "k", "{}", "2026-03-01");
        let later = at("2026-03-01T23:59:59Z");
        assert!(matches!(
            memory.recall(&ada(), &keyed("k", "f"), later),
            Recall::Answered(..)
        ));
        let much_later = at("2026-03-02");
        assert!(matches!(
            memory.recall(&ada(), &keyed("k", "g"), much_later),
            Recall::Turn(_)
        ));
    }

    #[test]
    fn what_somebody_was_answered_goes_with_them() {
        let memory = Memory::default();
        answered(&memory, "k", "{}", "2026-03-01");
        memory.forget(&UserId::parse("usr_eve").unwrap());
        let recall = || memory.recall(&ada(), &keyed("k", "f"), at("2026-03-01"));
        assert!(matches!(recall(), Recall::Answered(..)));
        memory.forget(&ada());
        assert!(matches!(recall(), Recall::Turn(_)));
        assert_eq!(memory.lock().bytes, 0);
    }

    #[test]
    fn the_oldest_answers_make_room() {
        let memory = Memory::default();
        let body = "x".repeat(MOST_BYTES / 4);
        for number in 0..6 {
            answered(&memory, &format!("k{number}"), &body, "2026-03-01");
        }
        let remembered = memory.lock();
        assert!(remembered.bytes <= MOST_BYTES);
        assert_eq!(remembered.entries.len(), 4);
        assert!(
            remembered
                .entries
                .keys()
                .all(|slot| !matches!(slot.key.as_str(), "k0" | "k1"))
        );
    }
}
