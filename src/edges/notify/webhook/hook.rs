//! One webhook: where it leads, what signs, and one try to send.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::signature::{Key, headers};
use crate::domain::model::{Digest, Timestamp};
use crate::domain::notice::{Announcement, Attempt, source};
use crate::domain::notify_settings::{WebhookFormat, WebhookSettings, WebhookUrl};
use crate::edges::fs::secret::Secret;
use crate::edges::notify::http::{Address, Http, said};
use crate::edges::notify::secret::{blocking, bytes, one, unusable};

/// A receiver has nothing to say that is longer.
const LARGEST: u64 = 64 << 10;

/// A receiver of webhooks.
#[derive(Debug)]
pub(crate) struct Webhook {
    url: WebhookUrl,
    secrets: Vec<PathBuf>,
    format: WebhookFormat,
    source: Option<String>,
    http: Arc<Http>,
    /// The URL that said that it is gone for good.
    gone: Mutex<Option<Digest>>,
}

impl Webhook {
    pub(crate) fn new(settings: &WebhookSettings, now: fn() -> Timestamp) -> Self {
        let http = Http::new(LARGEST, &settings.private_addresses, settings.ca_file.clone(), now);
        Self::over(http, settings)
    }

    pub(crate) fn over(http: Http, settings: &WebhookSettings) -> Self {
        let WebhookSettings { url, secret_file, previous_secret_file, format, source, .. } =
            settings;
        Self {
            url: url.clone(),
            secrets: secret_file.iter().chain(previous_secret_file).cloned().collect(),
            format: *format,
            source: source.clone(),
            http: Arc::new(http),
            gone: Mutex::default(),
        }
    }

    /// Sends it once, under this id.
    pub(crate) async fn deliver(
        &self,
        id: &str,
        announcement: &Announcement,
        ledger: Option<uuid::Uuid>,
    ) -> Attempt {
        match self.tried(id, announcement, ledger).await {
            // That it was taken says all: the log gets no status for each.
            Ok(_) => Attempt::Done { reference: None },
            Err(failed) => failed,
        }
    }

    /// As [`Webhook::deliver`], with what the receiver answered.
    pub(crate) async fn test(&self, id: &str, announcement: &Announcement) -> Attempt {
        match self.tried(id, announcement, None).await {
            Ok(status) => Attempt::Done { reference: Some(format!("HTTP {status}")) },
            Err(failed) => failed,
        }
    }

    /// The status of an answer that is good.
    async fn tried(
        &self,
        id: &str,
        announcement: &Announcement,
        ledger: Option<uuid::Uuid>,
    ) -> Result<u16, Attempt> {
        let (url, secrets) = (self.url.clone(), self.secrets.clone());
        let (to, keys, known) = blocking(move || read(&url, &secrets)).await?;
        if *self.gone() == Some(to.digest()) {
            return Err(gone(&to));
        }
        let message =
            announcement.message(self.format, id, &source(self.source.as_deref(), ledger));
        let mut sent = vec![("content-type", message.content_type.to_owned())];
        if !keys.is_empty() {
            let seconds = (self.http.now)().millis() / 1000;
            sent.extend(headers(&keys, id, seconds, &message.body));
        }
        let reply = self.http.send("POST", &to, sent, Some(message.body.into_bytes())).await?;
        match reply.status {
            status @ 200..300 => Ok(status),
            410 => {
                *self.gone() = Some(to.digest());
                Err(gone(&to))
            }
            // It says so, and means that it is too busy.
            502 | 504 => {
                let (why, after) = (said(&to, &reply, known.as_ref()), self.http.after(&reply));
                Err(Attempt::Retry { why, after })
            }
            _ => Err(self.http.declined(&to, &reply, known.as_ref())),
        }
    }

    fn gone(&self) -> std::sync::MutexGuard<'_, Option<Digest>> {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn gone(to: &Address) -> Attempt {
    Attempt::Misconfigured {
        why: format!(
            "{} answered 410 Gone: the receiver wants no more, and gets no more notifications \
             until its URL changes or fleetform is restarted",
            to.shown
        ),
    }
}

/// Where it goes, what signs it, and what of it must not be shown.
fn read(
    url: &WebhookUrl,
    secrets: &[PathBuf],
) -> Result<(Address, Vec<Key>, Option<Secret>), Attempt> {
    let (to, known) = match url {
        WebhookUrl::Plain(url) => {
            let address = Address::parse(url).map_err(|why| Attempt::Misconfigured {
                why: format!("the URL of the webhook {why}"),
            });
            (address?, None)
        }
        WebhookUrl::File(path) => {
            let url = one(path, "URL")?;
            (Address::parse(url.expose()).map_err(|why| unusable(path, &why))?, Some(url))
        }
    };
    let mut keys = Vec::new();
    for path in secrets {
        keys.extend(keys_of(path)?);
    }
    Ok((to, keys, known))
}

/// All secrets of a file, a line each.
fn keys_of(path: &Path) -> Result<Vec<Key>, Attempt> {
    let bytes = bytes(path)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let keys = lines.map(Key::parse).collect::<Result<Vec<_>, _>>();
    match keys.map_err(|why| unusable(path, &why))? {
        keys if keys.is_empty() => Err(unusable(path, "is empty: it holds no secret")),
        keys => Ok(keys),
    }
}
