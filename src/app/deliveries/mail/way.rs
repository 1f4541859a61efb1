//! How mails leave this machine.

use crate::domain::model::Timestamp;
use crate::domain::notice::Attempt;
use crate::domain::notify_settings::MailSettings;
use crate::domain::provider_settings::ProviderSettings;
use crate::edges::notify::mail::{Composed, Smtp};
use crate::edges::provider::intune::{InvalidConnection, Mailing};

/// How mails leave this machine.
#[derive(Debug)]
pub(super) enum Way {
    Smtp(Smtp),
    Graph(Box<Mailing>),
}

impl Way {
    /// # Errors
    /// If mail is to go through a tenant that cannot be asked.
    pub(super) fn new(
        settings: &MailSettings,
        provider: &ProviderSettings,
        now: fn() -> Timestamp,
    ) -> Result<Self, InvalidConnection> {
        Ok(match (&settings.server, provider) {
            (Some(server), _) => {
                Self::Smtp(Smtp::new(server.clone(), settings.from.address.host()))
            }
            (None, ProviderSettings::Intune(tenant)) => {
                Self::Graph(Box::new(Mailing::new(tenant, now)?))
            }
            (None, ProviderSettings::Local) => {
                unreachable!("a configuration with Graph and without a tenant is refused")
            }
        })
    }

    /// Tries once.
    pub(super) async fn send(&self, mail: Composed) -> Attempt {
        match self {
            Self::Smtp(smtp) => smtp.send(mail).await,
            Self::Graph(mailing) => mailing.send(&mail.from, &mail.bytes).await,
        }
    }
}
