//! Objects of Intune get assigned to the group of a profile.

use serde_json::Value;

use super::assignment::{Assignable, Step};
use crate::domain::model::GraphId;
use crate::domain::state::event::ErrorClass;
use crate::edges::provider::error::Error;
use crate::edges::provider::intune::connection::soon;
use crate::edges::provider::intune::graph::{Call, Everyday, Failure};

/// How often an assignment is made after all that there are were read anew.
const ATTEMPTS: usize = 2;

/// All assignments of an object: to miss one would take it away from somebody.
///
/// # Errors
/// If they could not all be read.
pub(in crate::edges::provider::intune) async fn assignments(
    everyday: &Everyday,
    kind: Assignable,
    id: &GraphId,
) -> Result<Vec<Value>, Failure> {
    let call = Call::get(format!("{}/{id}/assignments", kind.path())).of(kind.version());
    let mut all = Vec::new();
    everyday.pages(call, |page: Vec<Value>| all.extend(page)).await?;
    Ok(all)
}

/// What the id of a `configurationPolicies` entry is, with its assignments: nothing where there is no
/// such object.
///
/// # Errors
/// If it cannot be read.
pub(in crate::edges::provider::intune) async fn configuration(
    everyday: &Everyday,
    id: &GraphId,
) -> Result<Option<(Assignable, Vec<Value>)>, Failure> {
    for kind in [Assignable::ConfigurationPolicy, Assignable::DeviceConfiguration] {
        match assignments(everyday, kind, id).await {
            Ok(all) => return Ok(Some((kind, all))),
            Err(failure) if failure.is_absent() => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(None)
}

/// An object that somebody has to put right.
#[derive(Debug, Clone, Copy)]
pub(super) struct Assigning<'a> {
    pub(super) kind: Assignable,
    pub(super) id: &'a GraphId,
    pub(super) group: &'a GraphId,
}

impl Assigning<'_> {
    /// Assigns it to the group, where these are its assignments; says what was written.
    ///
    /// # Errors
    /// If that was not possible.
    pub(super) async fn ensure(
        self,
        everyday: &Everyday,
        mut seen: Vec<Value>,
    ) -> Result<Option<String>, Error> {
        let Self { kind, id, group } = self;
        let mut lost: Option<Failure> = None;
        for _ in 0..ATTEMPTS {
            let step = kind.step(&seen, group);
            if step == Step::Excluded {
                return Err(self.excluded());
            }
            let Some(call) = self.call(&seen, step) else {
                let call = lost.as_ref().and_then(Failure::client_request_id);
                return Ok(call.map(|call| self.written(&format!("{call}, not answered"))));
            };
            match everyday.write_once(call).await {
                Ok(answer) => return Ok(Some(self.written(&answer.client_request_id))),
                Err(failure) if failure.surely_not_taken() => return Err(soon(&failure)),
                Err(failure) => {
                    // It may be done, and others may have written since.
                    seen = assignments(everyday, kind, id).await.map_err(|_| soon(&failure))?;
                    lost = Some(failure);
                }
            }
        }
        let step = kind.step(&seen, group);
        match lost {
            Some(failure) if step == Step::Nothing => {
                let call = failure.client_request_id().unwrap_or("unknown");
                Ok(Some(self.written(&format!("{call}, not answered"))))
            }
            Some(failure) => Err(soon(&failure)),
            None => Ok(None),
        }
    }

    /// `assign` puts what it is given in the place of all that there is; of apps, one can be added.
    fn call(self, seen: &[Value], step: Step) -> Option<Call> {
        let Self { kind, id, group: _ } = self;
        let path = kind.path();
        let call = match step {
            Step::Add(one) if kind == Assignable::App => {
                Call::post(format!("{path}/{id}/assignments"), one)
            }
            step => Call::post(format!("{path}/{id}/assign"), kind.whole(seen, step)?),
        };
        Some(call.of(kind.version()))
    }

    fn written(self, call: &str) -> String {
        let Self { kind, id, group } = self;
        format!("assigned the {} {id} to group {group} (client-request-id {call})", kind.what())
    }

    fn excluded(self) -> Error {
        let Self { kind, id, group } = self;
        let why = format!(
            "somebody excludes group {group} from the {} {id}: remove that in the Intune admin \
             center, or take it out of the profile",
            kind.what()
        );
        Error::new(ErrorClass::Transient, why)
    }
}
