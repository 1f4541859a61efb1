//! All checks of a tenant, in their order.

use std::collections::BTreeSet;
use std::future::Future;

use super::answers::{Reading, Unknown, until};
use super::hosts::{GRAPH, LOGIN, clock, host};
use super::registrations::{APP, Names, WIPE_APP, credential, no_wipe_app, token};
use super::{approvals, licenses, permissions, profiles};
use crate::domain::diagnosis::{Check, CheckState, Needed};
use crate::domain::fleet::Desired;
use crate::domain::model::Timestamp;
use crate::domain::provider_settings::AppRegistration;
use crate::edges::provider::diagnosis::Diagnosis;
use crate::edges::provider::intune::graph::{Failure, Host};
use crate::edges::provider::intune::provider::Inner;

impl Inner {
    /// Whether the tenant has all that is needed of it.
    pub(in crate::edges::provider::intune) async fn diagnose(
        &self,
        asked: Diagnosis<'_>,
    ) -> Vec<Check> {
        let Diagnosis { fleet, data: _, now, until: end } = asked;
        let everyday = &self.connection.everyday;
        let (login, graph) = tokio::join!(
            until(end, everyday.reach(Host::Login)),
            until(end, everyday.reach(Host::Graph)),
        );
        let login_answers = login.as_ref().map(|_| ()).map_err(|_| LOGIN);
        let app = registration(
            (APP, &self.settings.app, now),
            login_answers,
            until(end, everyday.certificate_not_after()),
            until(end, everyday.roles()),
        );
        let wipe_app = async {
            let settings = self.settings.wipe_app.as_ref()?;
            let wiping = self.connection.wiping.as_ref()?;
            let not_after = until(end, wiping.certificate_not_after());
            let roles = until(end, wiping.roles());
            Some(registration((WIPE_APP, settings, now), login_answers, not_after, roles).await)
        };
        let (app, wipe_app) = tokio::join!(app, wipe_app);

        let mut checks =
            vec![host(LOGIN, &login), host(GRAPH, &graph), clock(graph.is_ok(), everyday.skew())];
        let has_token = app.has_token;
        let marks = self.settings.block_attribute.is_some();
        let of_app = app.checks(|roles, client| {
            permissions::everyday(roles, client, self.settings.licenses, marks)
        });
        let lacks =
            |check: &Check| check.name == APP.permission && check.state == CheckState::Fails;
        let reading = Reading {
            everyday: everyday.clone(),
            ready: graph.as_ref().map_err(|_| GRAPH).and(has_token),
            lacks: of_app.iter().any(lacks).then_some(APP.permission),
            until: end,
        };
        checks.extend(of_app);
        match wipe_app {
            Some(wipe_app) => checks.extend(wipe_app.checks(permissions::wiping)),
            None => checks.push(no_wipe_app()),
        }
        checks.extend(self.objects(&reading, fleet).await);
        checks
    }

    /// What the profiles name in the tenant, and its policies of approval.
    async fn objects(&self, reading: &Reading, fleet: Needed<&Desired>) -> Vec<Check> {
        let (mut checks, approvals) = match fleet {
            Ok(fleet) => {
                let all = || fleet.profiles.values().map(|profile| &**profile);
                let (mut checks, licenses, approvals) = tokio::join!(
                    profiles::look(reading, profiles::named(all())),
                    licenses::look(reading, all(), self.settings.licenses),
                    approvals::look(reading),
                );
                checks.extend(licenses);
                (checks, approvals)
            }
            Err(because) => {
                let skipped = vec![profiles::skipped(because), licenses::skipped(because)];
                (skipped, approvals::look(reading).await)
            }
        };
        checks.push(approvals);
        checks
    }
}

/// An app registration, looked at.
struct Registration {
    client: String,
    credential: Check,
    token: Check,
    has_token: Needed<()>,
    /// Its permissions, or the check that says why they are not known.
    roles: Result<BTreeSet<String>, Check>,
}

/// Asks for a token, where that makes sense.
async fn registration(
    (names, settings, now): (Names, &AppRegistration, Timestamp),
    login_answers: Needed<()>,
    not_after: impl Future<Output = Result<Option<Timestamp>, Unknown>>,
    roles: impl Future<Output = Result<BTreeSet<String>, Unknown>>,
) -> Registration {
    let client = settings.client_id.clone();
    let not_after = not_after.await;
    let usable = not_after.as_ref().map(|_| ()).map_err(|_| names.credential);
    let (token, has_token, roles) = match usable.and(login_answers) {
        Err(because) => {
            let unknown = Check::skipped(names.permission, because);
            (Check::skipped(names.token, because), Err(because), Err(unknown))
        }
        Ok(()) => match roles.await {
            Ok(roles) => (token(names.token, &client, None), Ok(()), Ok(roles)),
            // There is a token, and it keeps to itself what it allows.
            Err(Unknown::Failed(failure @ Failure::Unreadable { .. })) => {
                let help = "compare them with docs/intune.md in the Entra admin center";
                let unknown = Check::warning(names.permission, failure.to_string(), help);
                (token(names.token, &client, None), Ok(()), Err(unknown))
            }
            Err(unknown) => {
                let refused = token(names.token, &client, Some(&unknown));
                let roles = Check::skipped(names.permission, names.token);
                (refused, Err(names.token), Err(roles))
            }
        },
    };
    let credential = credential(names.credential, &settings.credential, &not_after, now);
    Registration { client, credential, token, has_token, roles }
}

impl Registration {
    fn checks(self, permissions: impl Fn(&BTreeSet<String>, &str) -> Vec<Check>) -> Vec<Check> {
        let Self { client, credential, token, has_token: _, roles } = self;
        let mut checks = vec![credential, token];
        match roles {
            Ok(roles) => checks.extend(permissions(&roles, &client)),
            Err(unknown) => checks.push(unknown),
        }
        checks
    }
}
