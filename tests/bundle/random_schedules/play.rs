//! Plays a schedule: does what its steps say, and writes down what was really so.

use std::{fmt::Write, sync::atomic::Ordering};

use futures_util::future::join_all;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    record::{End, Hours, Record, Silence, Span, Thing},
    stage::{Asked, Function, Stage},
    steps::{Action, CHANNELS, Fate, Fault, Step, WATCHED},
};

/// Who is asked, in which role, on duty from which hour to which.
const PEOPLE: [(&str, &str, Hours); 6] = [
    ("Anna", "on_call_primary", Some((6, 18))),
    ("Bo", "on_call_primary", Some((18, 6))),
    ("Cleo", "on_call_secondary", None),
    ("Dora", "engineering_manager", Some((8, 20))),
    ("Emil", "cto", None),
    ("Fay", "executive", None),
];

/// How often a caller at a door tries until it is answered.
const TRIES: usize = 4;

pub(super) struct Play {
    pub(super) stage: Stage,
    pub(super) record: Record,
    /// How much of what ticks saw is in the record.
    observed: usize,
    raised: usize,
    pub(super) ticks: usize,
    pub(super) calls: usize,
    shifts_swapped: bool,
}

impl Play {
    pub(super) async fn start(seed: u64) -> Self {
        let hours = i64::try_from(seed % 168).unwrap();
        let monday: Timestamp = "2027-03-01T00:00:20Z".parse().unwrap();
        let start = monday + SignedDuration::from_hours(hours);
        let mut play = Self {
            stage: Stage::start(seed, start, seed % 2 == 1).await,
            record: Record::default(),
            observed: 0,
            raised: 0,
            ticks: 0,
            calls: 0,
            shifts_swapped: false,
        };
        play.record.shifts = PEOPLE.map(|(name, _, hours)| (start, name, hours)).into();
        for (nth, (name, role, hours)) in PEOPLE.into_iter().enumerate() {
            let email = format!("{}@wine.example", name.to_lowercase());
            let fields =
                json!({"name": name, "role": role, "email": email, "hours": hours.map(duty)});
            play.save_contact(nth, &fields).await;
        }
        for (token, severity) in WATCHED.into_iter().zip(["critical", "critical", "high"]) {
            let thing = play.record.things.entry(token.to_owned()).or_default();
            thing.severity = severity;
            thing.watched = true;
        }
        // So that every job and channel is known.
        play.ticks(&[Fate::Lives]).await;
        play
    }

    fn now(&self) -> Timestamp {
        self.stage.wire.now()
    }

    fn pass(&self, seconds: i64) {
        self.stage.wire.pass_time(seconds);
    }

    fn since(&self, from: Timestamp) -> Span {
        Span {
            from,
            until: self.now(),
        }
    }

    async fn save_contact(&self, nth: usize, fields: &Value) {
        let id = Uuid::from_u128(1 + nth as u128).to_string();
        let save = "select public.ops_save_contact($1::text::uuid, $2::text::jsonb, 'test', $3::text::timestamptz)::text";
        let now = self.now().to_string();
        self.stage
            .ask(save, &[&id, &fields.to_string(), &now])
            .await;
    }

    pub(super) async fn step(&mut self, step: &Step) {
        if !self.stage.wire.all_work() {
            self.record.disturbed.push(self.now());
        }
        match step {
            Step::Ticks(fates) => {
                self.ticks(fates).await;
                self.pass(60);
            }
            Step::Deliveries(fates) => {
                self.deliveries(fates).await;
                self.pass(7);
            }
            Step::Raise {
                severity,
                odd,
                fate,
            } => self.raise_new(*severity, *odd, *fate).await,
            Step::RaiseAgain(nth) => {
                let known: Vec<_> = self.raised_things(|_| true);
                if let Some(token) = known.iter().cycle().nth(*nth).cloned() {
                    let severity = self.record.things[&token].severity;
                    self.raise(&token, severity, 0, Fate::Lives).await;
                }
            }
            Step::EndRaised(nth, fate) => {
                let open = self.raised_things(|thing| thing.open().is_some());
                if let Some(token) = open.iter().cycle().nth(*nth).cloned() {
                    self.end_raised(&token, *fate).await;
                }
            }
            Step::Turn(nth) => {
                self.stage.away[*nth].fetch_xor(true, Ordering::SeqCst);
            }
            Step::Break(nth, fault) => self.set_fault(*nth, *fault),
            Step::Heal(nth) => self.set_fault(*nth, Fault::Works),
            Step::Act {
                action,
                nth,
                minutes,
                fate,
            } => self.act(*action, *nth, *minutes, *fate).await,
            Step::Silence { nth, minutes } => self.silence(*nth, *minutes).await,
            Step::Maintain { after, minutes } => self.maintain(*after, *minutes).await,
            Step::OpenIncident => self.open_incident().await,
            Step::ChangeIncident { close } => self.change_incident(*close).await,
            Step::ChangeShifts => self.change_shifts().await,
            Step::Pass(seconds) => self.pass(*seconds),
        }
        self.observe();
        if !self.stage.wire.all_work() {
            self.record.disturbed.push(self.now());
        }
        self.pass(3);
    }

    /// Writes down what ticks have seen since.
    fn observe(&mut self) {
        let log = self.stage.wire.log.lock().unwrap();
        for tick in &log.observed[self.observed..] {
            let at = Span {
                from: tick.from,
                until: tick.until,
            };
            for (name, good) in &tick.seen {
                self.record.observe(name, *good, at);
            }
        }
        self.observed = log.observed.len();
    }

    fn set_fault(&self, nth: usize, fault: Fault) {
        let mut faults = self.stage.wire.faults.lock().unwrap();
        faults.insert(CHANNELS[nth], fault);
    }

    async fn ticks(&mut self, fates: &[Fate]) {
        self.ticks += fates.len();
        self.several(Function::Monitor, fates).await;
    }

    async fn deliveries(&mut self, fates: &[Fate]) {
        self.calls += fates.len();
        self.several(Function::Dispatch, fates).await;
    }

    async fn several(&mut self, function: Function, fates: &[Fate]) {
        let from = self.now();
        let calls = fates
            .iter()
            .map(|fate| self.stage.call(function, &Asked::Scheduled, *fate));
        let answers = join_all(calls).await;
        let all = answers.iter().all(|answer| {
            answer
                .as_ref()
                .is_some_and(|(status, _)| *status == StatusCode::OK)
        });
        if !all || fates.iter().any(|fate| *fate != Fate::Lives) {
            self.record.disturbed.push(self.now());
        } else if self.stage.wire.all_work() {
            self.record.undisturbed.push(from);
        }
        self.observe();
    }

    /// Asks until it is answered, as a caller does; the answer, and whether one was lost
    /// before.
    async fn insist(&mut self, function: Function, asked: &Asked, fate: Fate) -> (Value, bool) {
        for turn in 0..TRIES {
            let fate = if turn == 0 { fate } else { Fate::Lives };
            self.calls += 1;
            if fate != Fate::Lives {
                self.record.disturbed.push(self.now());
            }
            match self.stage.call(function, asked, fate).await {
                Some((status, body)) if status.is_success() => return (body, turn > 0),
                Some((status, body)) if status.is_client_error() => {
                    return (
                        json!({"refused": status.as_u16(), "because": body}),
                        turn > 0,
                    );
                }
                _ => self.pass(2),
            }
        }
        panic!("{function:?} answers nothing: {asked:?}");
    }

    fn raised_things(&self, which: impl Fn(&Thing) -> bool) -> Vec<String> {
        let things = self.record.things.iter();
        let raised = things.filter(|(_, thing)| !thing.watched && which(thing));
        raised.map(|(token, _)| token.clone()).collect()
    }

    async fn raise_new(&mut self, severity: usize, odd: usize, fate: Fate) {
        self.raised += 1;
        let token = format!("Case{}q", self.raised);
        let severity = [
            "critical", "critical", "critical", "high", "high", "medium", "medium", "low",
        ][severity];
        self.raise(&token, severity, odd, fate).await;
    }

    async fn raise(&mut self, token: &str, severity: &'static str, odd: usize, fate: Fate) {
        let from = self.now();
        let asked = Asked::Json(json!({"alerts": oddly(token, severity, odd)}));
        let (answer, _) = self.insist(Function::Dispatch, &asked, fate).await;
        let results = answer["results"]
            .as_array()
            .unwrap_or_else(|| panic!("{answer}"));
        let outcome = &results.last().unwrap()["outcome"];
        assert!(
            outcome == "opened" || outcome == "updated",
            "{token}: {answer}"
        );
        let at = self.since(from);
        let thing = self.record.things.entry(token.to_owned()).or_default();
        thing.severity = severity;
        thing.begin(at);
    }

    pub(super) async fn end_raised(&mut self, token: &str, fate: Fate) {
        let from = self.now();
        let alert = json!({"status": "resolved", "source": "test", "type": "case", "subject": token, "title": token});
        self.insist(Function::Dispatch, &Asked::Json(json!([alert])), fate)
            .await;
        let at = self.since(from);
        self.record
            .things
            .get_mut(token)
            .unwrap()
            .end(at, End::Good);
    }

    /// Names of what is wrong now, as far as is known.
    pub(super) fn open(&self) -> Vec<String> {
        let things = self.record.things.iter();
        let open = things.filter(|(_, thing)| thing.open().is_some());
        open.map(|(token, _)| token.clone()).collect()
    }

    async fn alert_of(&self, token: &str) -> Option<String> {
        let find = "select (select to_jsonb(id)::text from ops.alerts
                    where status <> 'resolved' and subject like '%' || $1 and rule not like '%\\_slow')";
        let id = self.stage.ask(find, &[token]).await;
        id.as_str().map(str::to_owned)
    }

    async fn act(&mut self, action: Action, nth: usize, minutes: i64, fate: Fate) {
        let open = self.open();
        let Some(token) = open.iter().cycle().nth(nth).cloned() else {
            return;
        };
        let Some(alert) = self.alert_of(&token).await else {
            panic!("{token} is open and has no alert");
        };
        let from = self.now();
        let until = from + SignedDuration::from_mins(minutes);
        let (word, until) = match action {
            Action::Acknowledge | Action::FollowLink => ("acknowledge", None),
            Action::Snooze => ("snooze", Some(until)),
            Action::Unacknowledge => ("unacknowledge", None),
            Action::Resolve => ("resolve", None),
        };
        let asked = match action {
            Action::FollowLink => match self.link(&token) {
                Some(link) => Asked::Form(link),
                None => return,
            },
            _ => Asked::Json(json!({"alertId": alert, "action": word, "until": until})),
        };
        let (answer, repeated) = self.insist(Function::Acknowledge, &asked, fate).await;
        let linked = action == Action::FollowLink;
        let done =
            answer["outcome"] == "done" || answer["outcome"] == "unchanged" && repeated || linked;
        if !done {
            return;
        }
        let at = self.since(from);
        let thing = self.record.things.get_mut(&token).unwrap();
        match action {
            // A link that was used, or of an alert before, does nothing; what it does is
            // then looked up.
            Action::FollowLink => {
                let holds = "select (select to_jsonb(acknowledged_at)::text from ops.alerts where id = $1::text::uuid)";
                let given = self.stage.ask(holds, &[&alert]).await;
                let given = given
                    .as_str()
                    .map(|given| given.parse::<Timestamp>().unwrap());
                if given.is_some_and(|given| given >= at.from) {
                    thing.answer(at, None);
                }
            }
            Action::Acknowledge | Action::Snooze => thing.answer(at, until),
            Action::Unacknowledge => thing.take_answer_back(at),
            Action::Resolve => thing.end(at, End::ByHand),
        }
    }

    /// The token of the newest link by which something can be acknowledged.
    fn link(&self, token: &str) -> Option<String> {
        let log = self.stage.wire.log.lock().unwrap();
        let arrived = log.attempts.iter().rev().filter(|attempt| attempt.arrived);
        let letters = arrived.filter_map(|attempt| attempt.body["text"].as_str());
        let about = letters.filter(|text| text.contains(token));
        let links = about.filter_map(|text| {
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix("Acknowledge: "))?;
            Some(line.split_once("token=")?.1.to_owned())
        });
        links.into_iter().next()
    }

    async fn silence(&mut self, nth: usize, minutes: i64) {
        let open = self.open();
        let Some(token) = open.iter().cycle().nth(nth).cloned() else {
            return;
        };
        let Some(alert) = self.alert_of(&token).await else {
            return;
        };
        let until = self.now() + SignedDuration::from_mins(minutes);
        let silence = "select public.ops_add_silence(
            gen_random_uuid(), (select jsonb_build_object('fingerprint', fingerprint) from ops.alerts where id = $1::text::uuid),
            $2::text::timestamptz, 'rebuilding', 'Anna', $3::text::timestamptz)::text";
        let now = self.now().to_string();
        self.stage
            .ask(silence, &[&alert, &until.to_string(), &now])
            .await;
        self.record.silences.push(Silence {
            of: Some(token),
            from: self.now(),
            until,
        });
    }

    async fn maintain(&mut self, after: i64, minutes: i64) {
        let from = self.now() + SignedDuration::from_mins(after);
        let until = from + SignedDuration::from_mins(minutes);
        let window = json!({"reason": "moving", "startsAt": from, "endsAt": until});
        let add = "select public.ops_add_maintenance(gen_random_uuid(), $1::text::jsonb, 'Anna', $2::text::timestamptz)::text";
        let now = self.now().to_string();
        self.stage.ask(add, &[&window.to_string(), &now]).await;
        self.record.silences.push(Silence {
            of: None,
            from: from.max(self.now()),
            until,
        });
    }

    async fn open_incident(&mut self) {
        let title = format!("Trouble{}q", self.record.incidents.len());
        let open = "select public.ops_open_incident(gen_random_uuid(), $1, 'high', '{email}', 'Anna', null, $2::text::timestamptz)::text";
        let now = self.now().to_string();
        self.stage.ask(open, &[&title, &now]).await;
        self.record.incidents.push(title);
    }

    async fn change_incident(&self, close: bool) {
        let Some(title) = self.record.incidents.last() else {
            return;
        };
        let state = if close { "resolved" } else { "identified" };
        let change = "select public.ops_update_incident(
            gen_random_uuid(), (select number from ops.incidents where title = $1), $2, null, null, null, 'Anna', $3::text::timestamptz)::text";
        let now = self.now().to_string();
        self.stage.ask(change, &[title, state, &now]).await;
    }

    async fn change_shifts(&mut self) {
        self.shifts_swapped = !self.shifts_swapped;
        let [(anna, _, early), (bo, _, late)] = [PEOPLE[0], PEOPLE[1]];
        let (early, late) = if self.shifts_swapped {
            (late, early)
        } else {
            (early, late)
        };
        for (nth, name, hours) in [(0, anna, early), (1, bo, late)] {
            let fields = json!({"hours": hours.map(duty)});
            self.save_contact(nth, &fields).await;
            self.record.shifts.push((self.now(), name, hours));
        }
        // Nobody is asked between the two.
        self.pass(1);
    }

    /// Everything works again, and ticks go on until everybody was told of what still
    /// goes on; then until everybody was told of its end.
    pub(super) async fn heal(&mut self) {
        for nth in 0..CHANNELS.len() {
            self.set_fault(nth, Fault::Works);
        }
        // The longest pause between two attempts is over by then.
        for _ in 0..6 {
            self.ticks(&[Fate::Lives]).await;
            self.pass(960);
        }
    }

    /// The hour of the digest comes.
    pub(super) async fn sleep_over_it(&mut self) {
        self.pass(86_400);
        self.ticks(&[Fate::Lives]).await;
        self.pass(120);
    }

    pub(super) async fn end_all(&mut self) {
        for away in self.stage.away.iter() {
            away.store(false, Ordering::SeqCst);
        }
        for token in self.raised_things(|thing| thing.open().is_some()) {
            self.end_raised(&token, Fate::Lives).await;
        }
        // As many as what flaps needs to count as well.
        for _ in 0..4 {
            self.ticks(&[Fate::Lives]).await;
            self.pass(61);
        }
        for _ in 0..40 {
            if self.waiting().await.is_empty() {
                return;
            }
            self.ticks(&[Fate::Lives]).await;
            self.pass(600);
        }
    }

    /// What is still to be sent of what the schedule is about.
    pub(super) async fn waiting(&self) -> String {
        let pending = "select to_json(string_agg(concat_ws(
                ' ', kind, channel, facts ->> 'subject', ops.waiting_reason(message, $1::text::timestamptz)), ', '))::text
            from ops.outbox as message where status = 'pending' and not digest";
        let now = self.now().to_string();
        let pending = self.stage.ask(pending, &[&now]).await;
        pending.as_str().unwrap_or_default().to_owned()
    }

    /// The messages and alerts as the database has them, to find out what happened.
    pub(super) async fn story(&self) -> String {
        let rows = "select jsonb_agg(line order by at, line)::text from (
                select created_at as at, concat_ws(' ', to_char(created_at, 'DD HH24:MI:SS'), 'message', left(id::text, 8), kind, channel, status,
                    'tries', attempts, to_char(sent_at, 'DD HH24:MI:SS'), facts ->> 'rule', facts ->> 'subject', left(alert::text, 8),
                    facts #>> '{recipients,people,0,name}', facts ->> 'standsInFor', last_error) as line from ops.outbox
                union all
                select opened_at, concat_ws(' ', to_char(opened_at, 'DD HH24:MI:SS'), 'alert', left(id::text, 8), rule, subject, severity, status, to_char(resolved_at, 'DD HH24:MI:SS'))
                from ops.alerts
                union all
                select at, concat_ws(' ', to_char(at, 'DD HH24:MI:SS'), 'event', left(alert::text, 8), kind, actor, left(detail::text, 100)) from ops.alert_events
                union all
                select started_at, concat_ws(' ', to_char(started_at, 'DD HH24:MI:SS'), 'delivery of', left(message::text, 8), outcome, error) from ops.deliveries
            ) as lines";
        let lines = self.stage.ask(rows, &[]).await;
        let lines = lines.as_array().cloned().unwrap_or_default();
        lines.iter().fold(String::new(), |mut story, line| {
            let _ = writeln!(story, "{}", line.as_str().unwrap_or_default());
            story
        })
    }
}

fn duty((from, until): (i64, i64)) -> Value {
    json!({"days": [1, 2, 3, 4, 5, 6, 7], "from": format!("{from:02}:00"), "until": format!("{until:02}:00")})
}

/// The alert in its place in a request, written so that a door has something to mend, or
/// behind one that is odd.
fn oddly(token: &str, severity: &str, odd: usize) -> Vec<Value> {
    let mut alert = json!({"status": "firing", "source": "test", "type": "case", "severity": severity,
                           "title": token, "subject": token, "message": "as it is"});
    let mut before = None;
    match odd {
        0 => alert["title"] = format!("{token} {}", "over and over ".repeat(40)).into(),
        1 => alert["title"] = format!("{token}\n\u{202e}two\u{200b} lines").into(),
        2 => {
            alert["data"] =
                json!({"a": "\u{0}", "deep": (0..30).fold(json!(1), |inner, _| json!([inner]))});
        }
        3 => {
            alert["message"] = "\u{200b}\u{2060}".into();
            alert["unheard"] = json!([1, {"of": null}]);
        }
        4 => {
            let of_the_library = json!({"$serde_json::private::RawValue": "{"});
            before = Some(json!({"title": "\u{200b}", "data": of_the_library}));
        }
        _ => {}
    }
    before.into_iter().chain([alert]).collect()
}
