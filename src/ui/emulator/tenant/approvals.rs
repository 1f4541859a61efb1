//! Multi Admin Approval: commands that a second administrator has to approve.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::Serialize;

use crate::domain::model::{Timestamp, words};

words! {
    /// Where a request stands.
    pub(crate) enum Status {
        NeedsApproval = "needsApproval",
        Approved = "approved",
        Rejected = "rejected",
        Cancelled = "cancelled",
        Completed = "completed",
        Expired = "expired",
    }
}

words! {
    /// What a policy is about.
    pub(crate) enum Protected { Wipe = "deviceWipe", Retire = "deviceRetire", Delete = "deviceDelete" }
}

/// A policy: such commands need approval.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApprovalPolicy {
    pub(crate) id: String,
    pub(crate) display_name: String,
    pub(crate) policy_type: Protected,
    /// Applications that it does not concern.
    pub(crate) excluded_apps: Vec<String>,
    pub(crate) modified: Timestamp,
}

/// A request for approval.
#[derive(Debug, Clone)]
pub(crate) struct Approval {
    /// The approval code.
    pub(crate) id: String,
    pub(crate) about: Protected,
    pub(crate) path: String,
    pub(crate) body: Vec<u8>,
    pub(crate) app: String,
    pub(crate) justification: String,
    pub(crate) answer: Option<String>,
    decided: Option<Status>,
    pub(crate) requested: Timestamp,
    pub(crate) modified: Timestamp,
}

/// How long a request waits.
const WAITS: TimeDelta = TimeDelta::days(3);

impl Approval {
    pub(crate) fn expires(&self) -> Timestamp {
        self.requested + WAITS
    }

    pub(crate) fn status(&self, now: Timestamp) -> Status {
        let open = matches!(self.decided, None | Some(Status::Approved));
        match self.decided {
            _ if open && now >= self.expires() => Status::Expired,
            Some(decided) => decided,
            None => Status::NeedsApproval,
        }
    }

    pub(crate) fn decide(&mut self, status: Status, now: Timestamp) {
        self.decided = Some(status);
        self.modified = now;
    }
}

/// All policies and requests.
#[derive(Debug, Clone, Default)]
pub(crate) struct ApprovalDesk {
    pub(crate) policies: Vec<ApprovalPolicy>,
    pub(crate) requests: BTreeMap<String, Approval>,
}

/// A call that may need approval.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) about: Protected,
    pub(crate) path: &'a str,
    pub(crate) body: &'a [u8],
    pub(crate) app: &'a str,
    pub(crate) code: Option<&'a str>,
}

/// What becomes of such a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ruling {
    /// It needs no approval.
    Free,
    /// It has this one.
    Approved(String),
    /// It needs one that nobody has asked for yet.
    Needed,
    /// This one waits to be decided.
    Waits(String),
    /// Its code is of no use, and why.
    Useless(String, &'static str),
}

impl ApprovalDesk {
    pub(crate) fn rule(&self, asked: Asked<'_>, now: Timestamp) -> Ruling {
        let concerns = |policy: &&ApprovalPolicy| {
            policy.policy_type == asked.about
                && !policy.excluded_apps.iter().any(|app| app == asked.app)
        };
        if !self.policies.iter().any(|policy| concerns(&policy)) {
            return Ruling::Free;
        }
        let Some(code) = asked.code else {
            let waiting = self.requests.values().find(|request| {
                request.path == asked.path && request.status(now) == Status::NeedsApproval
            });
            return waiting.map_or(Ruling::Needed, |request| Ruling::Waits(request.id.clone()));
        };
        let useless = |why| Ruling::Useless(code.to_owned(), why);
        let Some(request) = self.requests.get(code) else {
            return useless("there is no such approval request");
        };
        if request.path != asked.path || request.about != asked.about {
            return useless("the approval request is for another call");
        }
        match request.status(now) {
            Status::Approved if request.body != asked.body => {
                useless("the body is not the one that was approved")
            }
            Status::Approved => Ruling::Approved(code.to_owned()),
            Status::NeedsApproval => Ruling::Waits(code.to_owned()),
            Status::Rejected => useless("the approval request was rejected"),
            Status::Cancelled => useless("the approval request was cancelled"),
            Status::Completed => useless("the approval request is completed"),
            Status::Expired => useless("the approval request has expired"),
        }
    }

    /// Takes a request in.
    pub(crate) fn ask(
        &mut self,
        id: String,
        asked: Asked<'_>,
        justification: String,
        now: Timestamp,
    ) {
        let request = Approval {
            id: id.clone(),
            about: asked.about,
            path: asked.path.to_owned(),
            body: asked.body.to_vec(),
            app: asked.app.to_owned(),
            justification,
            answer: None,
            decided: None,
            requested: now,
            modified: now,
        };
        self.requests.insert(id, request);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::EPOCH + TimeDelta::hours(hours)
    }

    fn asked<'a>(code: Option<&'a str>, body: &'a [u8]) -> Asked<'a> {
        Asked { about: Protected::Wipe, path: "/wipe", body, app: "app", code }
    }

    fn desk() -> ApprovalDesk {
        let policy = ApprovalPolicy {
            id: "p".into(),
            display_name: "Wipes".into(),
            policy_type: Protected::Wipe,
            excluded_apps: vec!["trusted".into()],
            modified: at(0),
        };
        ApprovalDesk { policies: vec![policy], ..ApprovalDesk::default() }
    }

    #[test]
    fn only_the_approved_body_passes_and_only_until_the_request_expires() {
        let mut desk = desk();
        assert_eq!(desk.rule(asked(None, b"{}"), at(0)), Ruling::Needed);
        desk.ask("c".into(), asked(None, b"{}"), String::new(), at(0));
        assert_eq!(desk.rule(asked(None, b"{}"), at(1)), Ruling::Waits("c".into()));
        assert_eq!(desk.rule(asked(Some("c"), b"{}"), at(1)), Ruling::Waits("c".into()));
        desk.requests.get_mut("c").unwrap().decide(Status::Approved, at(2));
        assert_eq!(desk.rule(asked(Some("c"), b"{}"), at(3)), Ruling::Approved("c".into()));
        assert!(matches!(desk.rule(asked(Some("c"), b"{ }"), at(3)), Ruling::Useless(..)));
        assert!(matches!(desk.rule(asked(Some("c"), b"{}"), at(72)), Ruling::Useless(..)));
        assert!(matches!(desk.rule(asked(Some("d"), b"{}"), at(3)), Ruling::Useless(..)));
        let retire = Asked { about: Protected::Retire, ..asked(Some("c"), b"{}") };
        assert_eq!(desk.rule(retire, at(3)), Ruling::Free, "no policy is about retiring");
        let trusted = Asked { app: "trusted", ..asked(None, b"{}") };
        assert_eq!(desk.rule(trusted, at(3)), Ruling::Free);
    }

    #[test]
    fn what_was_decided_otherwise_stays_so() {
        for (status, expired) in [
            (Status::Rejected, Status::Rejected),
            (Status::Cancelled, Status::Cancelled),
            (Status::Completed, Status::Completed),
            (Status::Approved, Status::Expired),
        ] {
            let mut desk = desk();
            desk.ask("c".into(), asked(None, b""), String::new(), at(0));
            let request = desk.requests.get_mut("c").unwrap();
            request.decide(status, at(1));
            assert_eq!((request.status(at(2)), request.status(at(99))), (status, expired));
        }
    }
}
