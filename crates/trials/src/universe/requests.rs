//! Operations on stores, request by request: each is sent, takes effect and is answered at a moment of its own.
//!
//! What was sent takes effect even when nobody waits for it any more: a slow store does so some time later, and a hanging one
//! perhaps long after its caller gave up.

use std::{sync::Arc, time::Duration};

use ramen_events::Outcome;
use ramen_ports::{
    Answer, StoreOperation, StoreProfile,
    requests::{Condition, Next, Reply, Request, Requests},
};
use ramen_sim::time::Time;

use super::{
    Due, Universe,
    operators::{CALL_LIMIT, unheard},
};
use crate::{
    hazards::{self, Mishap, Point},
    stores::{Access, Keys, LIMIT},
};

/// How long after it was sent a request to a hanging store may still take effect. Decision 6 reckons with a minute, less what
/// its look at the fence is trusted.
const LATEST: Duration = Duration::from_secs(45);

/// An operation under way.
pub(super) struct Underway {
    access: Arc<Access>,
    requests: Requests,
    begun: Time,
    /// Those to what was sent last, as far as they came.
    replies: Vec<Option<Reply>>,
}

/// A request that will take effect.
#[derive(Debug)]
pub(super) struct OnItsWay {
    access: Arc<Access>,
    request: Request,
    sent: Time,
    /// Who hears of it, and when; `None`: nobody does.
    heard: Option<(Caller, Time)>,
}

/// Who sent a request: one of those that a command has sent side by side.
#[derive(Clone, Copy, Debug)]
struct Caller {
    process: usize,
    life: u64,
    flight: u64,
    index: usize,
}

impl Universe {
    /// Begins with an operation on a store.
    pub(super) fn open(&mut self, process: usize, flight: u64, profile: StoreProfile, operation: StoreOperation) {
        let (life, begun) = (self.life_of(process), self.now());
        let Some(operated) = self.operators.get_mut(process) else { return };
        let home = operated.home.clone();
        let Some(place) = self.places.get(&home) else { return };
        let opened = Keys::of(&place.cluster, &profile).and_then(|keys| Ok((keys, Requests::of(operation)?)));
        match opened {
            Ok((keys, requests)) => {
                let access = Arc::new(Access { home, profile, keys, writer: requests.writer().cloned() });
                if let Some(airborne) = operated.flights.get_mut(&flight) {
                    airborne.underway = Some(Underway { access, requests, begun, replies: Vec::new() });
                }
                self.go_on(process, flight);
            }
            Err(outcome) => {
                let after = self.lag(1, 5);
                self.enqueue(after, Due::Answered { process, life, flight, outcome: Some(outcome) });
            }
        }
    }

    /// All that was asked for is answered: sends what comes next, or ends.
    fn go_on(&mut self, process: usize, flight: u64) {
        let (now, life) = (self.now(), self.life_of(process));
        let Some(airborne) = self.operators.get_mut(process).and_then(|o| o.flights.get_mut(&flight)) else { return };
        let Some(underway) = &mut airborne.underway else { return };
        let replies = std::mem::take(&mut underway.replies).into_iter().flatten().collect();
        match underway.requests.next(replies, now.since(underway.begun)) {
            Next::Send(requests) => {
                underway.replies = requests.iter().map(|_| None).collect();
                let is_one = requests.len() == 1;
                for (index, request) in requests.into_iter().enumerate() {
                    if is_one {
                        self.send(process, flight, index, request);
                    } else {
                        let after = self.lag(0, 3);
                        self.enqueue(after, Due::Send { process, life, flight, index, request: Box::new(request) });
                    }
                }
            }
            Next::Ended(ended) => {
                airborne.underway = None;
                let outcome = match ended {
                    Ok(answer) => {
                        self.note(process, flight, Answer::Store(answer), None);
                        None
                    }
                    Err(outcome) => Some(outcome),
                };
                self.answered(process, flight, outcome);
            }
        }
    }

    /// Sends one request. A command that has failed meanwhile sends none any more.
    pub(super) fn send(&mut self, process: usize, flight: u64, index: usize, request: Request) {
        let sent = self.now();
        let Some(operated) = self.operators.get(process) else { return };
        let Some(underway) = operated.flights.get(&flight).and_then(|airborne| airborne.underway.as_ref()) else {
            return;
        };
        let (access, home) = (Arc::clone(&underway.access), operated.home.clone());
        let caller = Caller { process, life: operated.life, flight, index };
        let store = access.profile.name.clone();
        let point = if request.writes() { Point::Call } else { Point::Read };
        let mishap = self.hazards.at(point, &home, || hazards::describe_request(&request, &store), sent);
        match mishap {
            Some(Mishap::CrashBefore) => return self.fall(process, 0),
            Some(Mishap::Conflict) if is_conditional(&request) => {
                let after = self.lag(1, 5);
                return self.reply(caller, after, Ok(Reply::Changed));
            }
            _ => {}
        }
        if let Some(outcome) = mishap.and_then(Mishap::failure) {
            let after = self.lag(1, 5);
            return self.reply(caller, after, Err(outcome));
        }
        let is_cut_off = self.places.get(&home).is_some_and(|place| place.cut_off_stores.contains(&store));
        if is_cut_off {
            let message = format!("no way to {}", access.profile.endpoint);
            self.reply(caller, CALL_LIMIT, Err(Outcome::Unreachable { message }));
        } else {
            let is_heard = !matches!(mishap, Some(Mishap::CrashAfter | Mishap::CrashLosingTail | Mishap::LostAnswer));
            self.launch(caller, access, request, is_heard);
        }
        match mishap {
            Some(Mishap::CrashAfter) => self.fall(process, 0),
            Some(Mishap::CrashLosingTail) => self.fall(process, usize::MAX),
            Some(Mishap::LostAnswer) => self.reply(caller, CALL_LIMIT, Err(unheard())),
            _ => {}
        }
    }

    /// Lets a request take effect, now or, if the store is slow, later.
    fn launch(&mut self, caller: Caller, access: Arc<Access>, request: Request, is_heard: bool) {
        let sent = self.now();
        let after = self.lag(2, 8);
        let Some(slowness) = self.stores.slowness(&access.profile.name) else {
            let heard = is_heard.then_some((caller, sent + after));
            return self.arrive(OnItsWay { access, request, sent, heard });
        };
        let is_in_time = slowness < LIMIT;
        let latest = u64::try_from(slowness.min(LATEST).as_millis()).unwrap_or(u64::MAX);
        let arrives = self.lag(0, latest);
        let heard = (is_heard && is_in_time).then_some((caller, sent + slowness + after));
        if is_heard && !is_in_time {
            let message = format!("no answer within {} s", LIMIT.as_secs());
            self.reply(caller, LIMIT, Err(Outcome::Unknown { message }));
        }
        self.enqueue(arrives, Due::Arrive(Box::new(OnItsWay { access, request, sent, heard })));
    }

    /// A request takes effect.
    pub(super) fn arrive(&mut self, on_its_way: OnItsWay) {
        let now = self.now();
        let OnItsWay { access, request, sent, heard } = on_its_way;
        let store = &access.profile.name;
        self.turn.stored |= request.writes() || matches!(request, Request::List(_));
        let doomed = match &request {
            Request::Delete(key) if self.stores.has(store, key) => Some(key),
            _ => None,
        };
        let reply = self.stores.receive(&access, &request, sent, now);
        if let Some(key) = doomed
            && reply.is_ok()
            && !self.stores.is_overtaken(&access, key, sent)
        {
            self.turn.deleted.push((access.home.clone(), store.clone(), key.clone()));
        }
        if let Some((caller, at)) = heard {
            self.reply(caller, at.since(now), reply);
        }
    }

    fn reply(&mut self, caller: Caller, after: Duration, reply: Result<Reply, Outcome>) {
        let Caller { process, life, flight, index } = caller;
        self.enqueue(after, Due::Replied { process, life, flight, index, reply: Box::new(reply) });
    }

    /// An answer to a request comes. A failure ends the command, whatever else it has sent.
    pub(super) fn replied(&mut self, process: usize, flight: u64, index: usize, reply: Result<Reply, Outcome>) {
        let Some(airborne) = self.operators.get_mut(process).and_then(|o| o.flights.get_mut(&flight)) else { return };
        let Some(underway) = &mut airborne.underway else { return };
        match reply {
            Ok(reply) => {
                if let Some(slot) = underway.replies.get_mut(index) {
                    *slot = Some(reply);
                }
                if underway.replies.iter().all(Option::is_some) {
                    self.go_on(process, flight);
                }
            }
            Err(outcome) => self.answered(process, flight, Some(outcome)),
        }
    }
}

fn is_conditional(request: &Request) -> bool {
    matches!(request, Request::Put { condition: Condition::Absent | Condition::Tag(_), .. })
}
