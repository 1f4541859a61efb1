//! Groups, and who is in them.

use std::collections::{BTreeMap, HashSet};

use serde_json::json;

use crate::domain::model::GraphId;
use crate::domain::state::event::ErrorClass;
use crate::edges::provider::error::Error;
use crate::edges::provider::intune::connection::{again, soon};
use crate::edges::provider::intune::directory::{self, Listed};
use crate::edges::provider::intune::graph::{Call, Everyday};

/// Members of groups by their ids in small letters; each group is asked once, when it is needed.
#[derive(Debug)]
pub(super) struct Groups<'a> {
    everyday: &'a Everyday,
    /// Of Graph, without a final slash.
    url: &'a str,
    members: BTreeMap<GraphId, Result<Option<HashSet<String>>, Error>>,
}

impl<'a> Groups<'a> {
    pub(super) fn new(everyday: &'a Everyday, url: &'a str) -> Self {
        Self { everyday, url, members: BTreeMap::new() }
    }

    /// Adds somebody to a group, unless they are in it; whether they were not.
    ///
    /// # Errors
    /// If that is not possible.
    pub(super) async fn add(&mut self, group: &GraphId, object: &GraphId) -> Result<bool, Error> {
        let Some(members) = self.members(group).await? else {
            let why = format!(
                "the tenant has no group {group}: make one, and write its id into `spec.intune.group`"
            );
            return Err(Error::new(ErrorClass::Permanent, why));
        };
        if members.contains(&key(object)) {
            return Ok(false);
        }
        let address = format!("{}/v1.0/directoryObjects/{object}", self.url);
        let body = json!({"@odata.id": address});
        let call = Call::post(format!("/groups/{group}/members/$ref"), body);
        let added = match self.everyday.write(call).await {
            Ok(_) => true,
            // A list may lag behind, and an attempt before may have done it.
            Err(failure)
                if failure.refusal().is_some_and(|refusal| {
                    refusal.status == 400 && refusal.message.contains("already exist")
                }) =>
            {
                false
            }
            Err(failure) => return Err(soon(&failure)),
        };
        self.know(group, |members| members.insert(key(object)));
        Ok(added)
    }

    /// Takes somebody out of a group, if they are in it; whether they were.
    ///
    /// # Errors
    /// If that is not possible.
    pub(super) async fn remove(
        &mut self,
        group: &GraphId,
        object: &GraphId,
    ) -> Result<bool, Error> {
        let members = self.members(group).await?;
        if members.is_none_or(|members| !members.contains(&key(object))) {
            return Ok(false);
        }
        let call = Call::delete(format!("/groups/{group}/members/{object}/$ref"));
        let removed = match self.everyday.write(call).await {
            Ok(_) => true,
            Err(failure) if failure.is_absent() => false,
            Err(failure) => return Err(again(&failure)),
        };
        self.know(group, |members| members.remove(&key(object)));
        Ok(removed)
    }

    fn know(&mut self, group: &GraphId, change: impl FnOnce(&mut HashSet<String>) -> bool) {
        if let Some(Ok(Some(members))) = self.members.get_mut(group) {
            change(members);
        }
    }

    /// Nothing where there is no such group.
    async fn members(&mut self, group: &GraphId) -> Result<Option<&HashSet<String>>, Error> {
        if !self.members.contains_key(group) {
            let mut ids = HashSet::new();
            let take = |listed: Listed| ids.extend([listed.id.to_ascii_lowercase()]);
            let read = match directory::members(self.everyday, group, take).await {
                Ok(()) => Ok(Some(ids)),
                Err(failure) if failure.is_absent() => Ok(None),
                Err(failure) => Err(again(&failure)),
            };
            self.members.insert(group.clone(), read);
        }
        match self.members.get(group) {
            Some(Ok(members)) => Ok(members.as_ref()),
            Some(Err(error)) => Err(error.clone()),
            None => Ok(None),
        }
    }
}

fn key(id: &GraphId) -> String {
    id.as_str().to_ascii_lowercase()
}
