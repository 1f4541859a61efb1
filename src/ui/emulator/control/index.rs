//! What there is under `/emulator/`.

use serde_json::json;

use super::answer::Done;
use crate::ui::emulator::tenant::Answer;

/// Each call with what it does.
pub(crate) const CALLS: [(&str, &str); 38] = [
    ("GET /emulator", "This list"),
    ("GET /emulator/clock", "The emulated time and its speed"),
    (
        "POST /emulator/clock",
        "Moves it: `{\"advance\": \"8h\"}`, `{\"now\": \"…\"}`, `{\"speed\": 0}`",
    ),
    ("GET /emulator/state", "Counts, and the commands that were accepted"),
    ("GET /emulator/calls", "What was called; `method`, `path`, `app`, `writes`, `since`"),
    ("DELETE /emulator/calls", "Forgets these calls"),
    ("GET /emulator/settings", "All settings"),
    ("PATCH /emulator/settings", "Changes some of them"),
    ("GET /emulator/faults", "The rules in force"),
    ("POST /emulator/faults", "Adds a rule"),
    ("DELETE /emulator/faults", "Removes all rules"),
    ("DELETE /emulator/faults/{id}", "Removes one rule"),
    ("GET /emulator/hardware", "The hardware there is, 1000 pieces after `skip`"),
    ("POST /emulator/hardware", "Adds hardware, also many pieces with `count`"),
    ("GET /emulator/hardware/{serial}", "One piece of hardware"),
    (
        "PATCH /emulator/hardware/{serial}",
        "Changes its facts, whether it is online, its fate, `extensionAttributes`",
    ),
    ("POST /emulator/hardware/{serial}/check-in", "It contacts Intune at once"),
    ("POST /emulator/hardware/{serial}/enroll", "It is enrolled at once, whatever it waits for"),
    ("POST /emulator/hardware/{serial}/lose", "Its record vanishes without a command"),
    ("POST /emulator/hardware/{serial}/duplicate", "A second, newer record with its serial number"),
    ("GET /emulator/apps", "The application registrations"),
    ("PUT /emulator/apps/{clientId}", "Adds or changes one: secret, roles, certificate, issuers"),
    ("DELETE /emulator/apps/{clientId}/tokens", "Makes its tokens void"),
    ("POST /emulator/users", "Adds a user"),
    ("GET /emulator/users/{upn}", "One user"),
    ("PATCH /emulator/users/{upn}", "Changes a user"),
    ("POST /emulator/groups", "Adds a group, with a given id and members if wanted"),
    ("GET /emulator/groups/{id}", "Its members, as they are"),
    ("DELETE /emulator/groups/{id}", "Removes the group"),
    ("PUT /emulator/groups/{id}/members/{member}", "Adds a member, by id or principal name"),
    ("DELETE /emulator/groups/{id}/members/{member}", "Removes a member behind everybody's back"),
    ("POST /emulator/skus", "A subscription and its units"),
    ("GET /emulator/mails", "The mails that were sent"),
    ("GET /emulator/policies", "Policies, configurations and applications"),
    ("POST /emulator/policies", "Adds one that is there already"),
    ("GET /emulator/policies/{id}", "One of them"),
    ("PATCH /emulator/policies/{id}", "Somebody changes it at the console"),
    ("DELETE /emulator/policies/{id}", "Somebody deletes it at the console"),
];

/// What is about Multi Admin Approval.
pub(crate) const APPROVALS: [(&str, &str); 4] = [
    ("GET /emulator/approvals", "Approval policies and requests"),
    ("POST /emulator/approvals/policies", "Such commands need approval from now on"),
    ("DELETE /emulator/approvals/policies", "None do any more"),
    ("POST /emulator/approvals/{code}", "approve, reject, cancel or expire; also `latest`"),
];

/// `GET /emulator`
pub(super) fn index() -> Done {
    let calls =
        CALLS.iter().chain(&APPROVALS).map(|(call, what)| json!({"call": call, "does": what}));
    Ok(Answer::ok(json!({
        "emulator": "intune",
        "notice": "This is an emulator by Fleetform, not a service of Microsoft.",
        "calls": calls.collect::<Vec<_>>(),
    })))
}
