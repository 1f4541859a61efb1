//! Lists, page by page.

use std::collections::HashSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use ureq::http::Uri;

use super::call::Call;
use super::client::{Graph, Purpose};
use super::endpoints::Origin;
use super::failure::Failure;
use crate::domain::model::Digest;

/// Ten million devices, a thousand on each.
const MOST: usize = 10_000;

#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Page<T> {
    value: Vec<T>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

impl Graph {
    /// Reads a list to its end; `each` gets one page after the other, and no other is in memory.
    ///
    /// # Errors
    /// If a page is missing, or leads to another host or to one that was read already. What `each`
    /// got until then is not all of the list.
    pub(crate) async fn pages<T: DeserializeOwned>(
        &self,
        first: Call,
        mut each: impl FnMut(Vec<T>),
    ) -> Result<(), Failure> {
        let mut request = self.request(&first, Purpose::Read);
        let mut read = HashSet::from([Digest::of(request.url.as_bytes())]);
        loop {
            let answer = self.repeat(&request).await?;
            let Page { value, next } = answer.json()?;
            each(value);
            let Some(next) = next else { return Ok(()) };
            if !self.is_own(&next) {
                return Err(answer.unreadable("its next page is at another host".to_owned()));
            }
            if !read.insert(Digest::of(next.as_bytes())) {
                return Err(answer.unreadable("its next page is one that was read".to_owned()));
            }
            if read.len() > MOST {
                return Err(answer.unreadable(format!("it has more than {MOST} pages")));
            }
            request.url = next;
        }
    }

    /// Whether it is where tokens may go.
    fn is_own(&self, link: &str) -> bool {
        let origin = link.parse::<Uri>().ok().and_then(|uri| Origin::of(&uri));
        origin.as_ref() == Some(self.tenant().endpoints.graph())
    }
}
