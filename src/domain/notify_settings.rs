//! Who is told what follows from the log, and how to reach them: `notify` of the configuration.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use chrono::TimeDelta;

use crate::domain::model::{AddressRange, Email, Invalid, Name, as_string, check_text, words};

words! {
    /// `notify.mail.transport`
    pub(crate) enum MailTransport {
        /// A server that takes mail.
        Smtp = "smtp",
        /// Microsoft Graph, with the credentials of the provider.
        Graph = "graph",
    }
}
words! {
    /// `notify.mail.tls`
    pub(crate) enum MailTls {
        /// From the first byte on.
        Implicit = "implicit",
        /// Before anything else is said; a server that does not offer it gets nothing.
        Starttls = "starttls",
        /// For loopback only.
        None = "none",
    }
}
words! {
    /// `notify.mail.login`: how it says who it is.
    pub(crate) enum MailLogin { Plain = "plain", Login = "login", Xoauth2 = "xoauth2" }
}
words! {
    /// `notify.mail.send`: the mails that can be left out.
    pub(crate) enum MailKind {
        NonCompliant = "nonCompliant",
        Reminder = "reminder",
        Blocked = "blocked",
        Compliant = "compliant",
        EnrollmentFailed = "enrollmentFailed",
        WipeIssued = "wipeIssued",
        WipeRefused = "wipeRefused",
        Digest = "digest",
    }
}
words! {
    /// `notify.webhooks[].format`
    pub(crate) enum WebhookFormat {
        /// As Standard Webhooks has it.
        Plain = "plain",
        Cloudevents = "cloudevents",
        Slack = "slack",
        Teams = "teams",
    }
}

/// `notify`
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct NotifySettings {
    pub(crate) mail: Option<Box<MailSettings>>,
    pub(crate) service_now: Option<Box<ServiceNowSettings>>,
    /// Names are unique.
    pub(crate) webhooks: Vec<WebhookSettings>,
    /// Names are unique.
    pub(crate) events: Vec<EventSettings>,
    pub(crate) alerts: AlertSettings,
}

impl NotifySettings {
    /// Where it names profiles that there are not, in a clause each.
    #[must_use]
    pub(crate) fn unknown_profiles(&self, is_known: impl Fn(&Name) -> bool) -> Vec<String> {
        let webhooks = self.webhooks.iter().flat_map(|webhook| {
            let setting = format!("notify.webhooks.{}.profiles", webhook.name);
            webhook.profiles.iter().map(move |name| (setting.clone(), name))
        });
        let tickets = self.service_now.iter().flat_map(|settings| settings.profiles.keys());
        let tickets = tickets.map(|name| ("notify.serviceNow.profiles".to_owned(), name));
        webhooks
            .chain(tickets)
            .filter(|(_, name)| !is_known(name))
            .map(|(setting, name)| format!("{setting} names {name}, and there is no such profile"))
            .collect()
    }
}

/// `notify.mail`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MailSettings {
    pub(crate) transport: MailTransport,
    /// Where mail is handed in; not for Graph.
    pub(crate) server: Option<MailServer>,
    pub(crate) from: Mailbox,
    pub(crate) reply_to: Option<Email>,
    /// Told beside the user of a device.
    pub(crate) cc: Vec<Email>,
    /// Who gets what is meant for IT: the digest.
    pub(crate) it: Vec<Email>,
    /// Whom a user asks, in words for people: "the service desk, extension 1234".
    pub(crate) contact: Option<String>,
    /// Where a user reads more.
    pub(crate) help_url: Option<String>,
    /// The mails that are sent.
    pub(crate) send: Vec<MailKind>,
    /// Whether the user of a device hears that it is being erased. A thief reads that mail too.
    pub(crate) tell_user_of_wipe: bool,
    /// How long before a device loses access its user is reminded.
    pub(crate) reminder_before: TimeDelta,
    /// How long a mail waits for others to the same user.
    pub(crate) gather: TimeDelta,
    /// More in an hour go to the digest.
    pub(crate) per_hour: u32,
    /// More in an hour to one user go to the digest.
    pub(crate) per_user_per_hour: u32,
    /// When the digest goes out: milliseconds after midnight, UTC.
    pub(crate) digest_at: TimeDelta,
    pub(crate) language: Languages,
    /// Files that replace built-in texts.
    pub(crate) templates: Option<PathBuf>,
}

/// A server that takes mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MailServer {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: MailTls,
    /// Certificates of authorities that count beside the system's.
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) login: Option<MailCredentials>,
}

/// How it says who it is. The files are read for each connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MailCredentials {
    /// Nothing: whichever of PLAIN and LOGIN the server offers.
    pub(crate) login: Option<MailLogin>,
    pub(crate) user_file: PathBuf,
    /// A password, or for XOAUTH2 an access token.
    pub(crate) secret_file: PathBuf,
}

/// Which language a mail is in: by the label of the device, else by the domain of the user's
/// address, else the default. A language is the name of a folder of templates, as `en`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Languages {
    pub(crate) default: String,
    /// The label whose value is a language.
    pub(crate) label: Option<String>,
    /// By domain, in small letters; a domain counts for those below it too.
    pub(crate) domains: BTreeMap<String, String>,
}

/// An address, and the name beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mailbox {
    pub(crate) name: Option<String>,
    pub(crate) address: Email,
}

/// `notify.serviceNow`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceNowSettings {
    /// Scheme and host, without a final slash.
    pub(crate) url: String,
    pub(crate) login: ServiceNowLogin,
    pub(crate) ca_file: Option<PathBuf>,
    /// Addresses and ranges that its host may have though they are not of the public internet.
    pub(crate) private_addresses: Vec<AddressRange>,
    /// The table, as `incident`.
    pub(crate) table: String,
    /// Fields of a ticket, each a template.
    pub(crate) fields: BTreeMap<String, String>,
    /// Fields for devices of a profile, over `fields`.
    pub(crate) profiles: BTreeMap<Name, BTreeMap<String, String>>,
    /// Whether a ticket is closed when its cause is gone.
    pub(crate) close: bool,
    /// What is written to close one, over what ServiceNow documents.
    pub(crate) close_fields: BTreeMap<String, String>,
}

/// How ServiceNow knows who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ServiceNowLogin {
    Basic {
        user_file: PathBuf,
        password_file: PathBuf,
    },
    /// OAuth client credentials.
    Client {
        id_file: PathBuf,
        secret_file: PathBuf,
    },
    ApiKey {
        file: PathBuf,
    },
}

/// An entry of `notify.webhooks`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WebhookSettings {
    pub(crate) name: Name,
    pub(crate) url: WebhookUrl,
    /// Signs what is sent.
    pub(crate) secret_file: Option<PathBuf>,
    /// Signs it too, while receivers change from one to the other.
    pub(crate) previous_secret_file: Option<PathBuf>,
    pub(crate) ca_file: Option<PathBuf>,
    /// Addresses and ranges that its host may have though they are not of the public internet.
    pub(crate) private_addresses: Vec<AddressRange>,
    /// Kinds of entries, where `*` stands for anything; empty: all.
    pub(crate) kinds: Vec<String>,
    /// Empty: all.
    pub(crate) profiles: Vec<Name>,
    /// All of which a device must bear.
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) format: WebhookFormat,
    /// What CloudEvents calls the sender, over one made of the ledger.
    pub(crate) source: Option<String>,
}

/// Where a webhook leads.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum WebhookUrl {
    /// As written.
    Plain(String),
    /// The URL itself is a secret.
    File(PathBuf),
}

/// An entry of `notify.events`: a receiver of CAEP events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventSettings {
    pub(crate) name: Name,
    pub(crate) url: String,
    pub(crate) audience: String,
    /// Who says it, over `access.publicUrl`: the URL under which receivers reach the daemon.
    pub(crate) issuer: Option<String>,
    /// The bearer token that the receiver wants, where it does.
    pub(crate) token_file: Option<PathBuf>,
    /// The private key that signs.
    pub(crate) key_file: PathBuf,
    /// Another one that is published, before it signs or after it did.
    pub(crate) other_key_file: Option<PathBuf>,
    pub(crate) ca_file: Option<PathBuf>,
    /// Addresses and ranges that its host may have though they are not of the public internet.
    pub(crate) private_addresses: Vec<AddressRange>,
    /// Whether the subject is inside the event too, where older receivers look for it.
    pub(crate) legacy_subject: bool,
}

/// `notify.alerts`: who hears what the people who run Fleetform must know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AlertSettings {
    pub(crate) mail: Vec<Email>,
    /// Names of webhooks.
    pub(crate) webhooks: Vec<Name>,
    /// A device not reconciled for longer is told.
    pub(crate) unreconciled_after: TimeDelta,
    /// A sink that delivers nothing for longer is told by the others.
    pub(crate) stuck_after: TimeDelta,
}

impl Default for AlertSettings {
    fn default() -> Self {
        Self {
            mail: Vec::new(),
            webhooks: Vec::new(),
            unreconciled_after: TimeDelta::hours(24),
            stuck_after: TimeDelta::hours(1),
        }
    }
}

impl Languages {
    /// The language of what is sent to this user about a device with these labels.
    #[must_use]
    pub(crate) fn of<'a>(
        &'a self,
        label: impl Fn(&str) -> Option<&'a str>,
        user: &Email,
    ) -> &'a str {
        if let Some(language) = self.label.as_deref().and_then(label).filter(|l| is_language(l)) {
            return language;
        }
        let host = user.host().to_ascii_lowercase();
        let mut rest = Some(host.as_str());
        while let Some(domain) = rest {
            if let Some(language) = self.domains.get(domain) {
                return language;
            }
            rest = domain.split_once('.').map(|(_, above)| above);
        }
        &self.default
    }
}

/// Whether a text can name a language: `en`, `pt-BR`.
#[must_use]
pub(crate) fn is_language(text: &str) -> bool {
    let part = |part: &str| {
        (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    text.split('-').count() <= 3 && text.split('-').all(part)
}

impl FromStr for Mailbox {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let Some((name, rest)) = text.split_once('<') else {
            return Ok(Self { name: None, address: text.trim().parse()? });
        };
        let address = rest
            .strip_suffix('>')
            .ok_or_else(|| Invalid("is not a mailbox like \"IT <it@example.com>\"".to_owned()))?;
        let name = name.trim().trim_matches('"').trim();
        check_text(name, 100)?;
        if name.contains(['"', '\\']) {
            return Err(Invalid("has a quote or a backslash in its name".to_owned()));
        }
        let name = (!name.is_empty()).then(|| name.to_owned());
        Ok(Self { name, address: address.parse()? })
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.address),
            None => write!(f, "{}", self.address),
        }
    }
}

as_string!(Mailbox);

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(url) => write!(f, "WebhookUrl({}/…)", origin(url)),
            Self::File(path) => write!(f, "WebhookUrl(of {})", path.display()),
        }
    }
}

/// Scheme and host of a URL: what may be shown of one.
#[must_use]
pub(crate) fn origin(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at);
    &url[..end]
}

impl NotifySettings {
    /// Where each sink sends to, for the log: names of sinks, and of where they lead no more than
    /// may be shown.
    #[must_use]
    pub(crate) fn rights(&self) -> BTreeMap<String, String> {
        let Self { mail, service_now, webhooks, events, alerts } = self;
        let mut rights = BTreeMap::new();
        if let Some(mail) = mail {
            let to = match &mail.server {
                Some(server) => format!("{}:{} ({})", server.host, server.port, server.tls),
                None => "Microsoft Graph".to_owned(),
            };
            let copies: String =
                mail.cc.iter().chain(&mail.it).map(|cc| format!(", {cc}")).collect();
            rights.insert("mail".to_owned(), format!("{to} from {}{copies}", mail.from.address));
        }
        if let Some(service_now) = service_now {
            rights.insert("serviceNow".to_owned(), service_now.url.clone());
        }
        for webhook in webhooks {
            let to = match &webhook.url {
                WebhookUrl::Plain(url) => origin(url).to_owned(),
                WebhookUrl::File(path) => format!("the URL in {}", path.display()),
            };
            rights.insert(format!("webhook:{}", webhook.name), to);
        }
        for stream in events {
            rights.insert(format!("events:{}", stream.name), origin(&stream.url).to_owned());
        }
        let AlertSettings { mail, webhooks, unreconciled_after: _, stuck_after: _ } = alerts;
        let told: Vec<String> = mail
            .iter()
            .map(ToString::to_string)
            .chain(webhooks.iter().map(|name| format!("webhook:{name}")))
            .collect();
        if !told.is_empty() {
            rights.insert("alerts".to_owned(), told.join(", "));
        }
        rights
    }

    /// The files that hold secrets.
    pub(crate) fn secret_files(&self) -> Vec<&Path> {
        let Self { mail, service_now, webhooks, events, alerts: _ } = self;
        let server = mail.as_ref().and_then(|mail| mail.server.as_ref());
        let mut files: Vec<&PathBuf> = Vec::new();
        if let Some(login) = server.and_then(|server| server.login.as_ref()) {
            files.extend([&login.user_file, &login.secret_file]);
        }
        if let Some(service_now) = service_now {
            files.extend(match &service_now.login {
                ServiceNowLogin::Basic { user_file, password_file } => {
                    vec![user_file, password_file]
                }
                ServiceNowLogin::Client { id_file, secret_file } => vec![id_file, secret_file],
                ServiceNowLogin::ApiKey { file } => vec![file],
            });
        }
        for webhook in webhooks {
            let WebhookSettings { secret_file, previous_secret_file, url, .. } = webhook;
            files.extend([secret_file, previous_secret_file].into_iter().flatten());
            if let WebhookUrl::File(path) = url {
                files.push(path);
            }
        }
        for stream in events {
            let EventSettings { token_file, key_file, other_key_file, .. } = stream;
            files.push(key_file);
            files.extend([token_file, other_key_file].into_iter().flatten());
        }
        files.into_iter().map(PathBuf::as_path).collect()
    }

    /// Every file that is named, to be resolved.
    pub(crate) fn paths_mut(&mut self) -> Vec<&mut PathBuf> {
        let Self { mail, service_now, webhooks, events, alerts: _ } = self;
        let mut paths: Vec<&mut PathBuf> = Vec::new();
        if let Some(mail) = mail {
            paths.extend(&mut mail.templates);
            if let Some(server) = &mut mail.server {
                paths.extend(&mut server.ca_file);
                if let Some(login) = &mut server.login {
                    paths.extend([&mut login.user_file, &mut login.secret_file]);
                }
            }
        }
        if let Some(service_now) = service_now {
            paths.extend(&mut service_now.ca_file);
            match &mut service_now.login {
                ServiceNowLogin::Basic { user_file, password_file } => {
                    paths.extend([user_file, password_file]);
                }
                ServiceNowLogin::Client { id_file, secret_file } => {
                    paths.extend([id_file, secret_file]);
                }
                ServiceNowLogin::ApiKey { file } => paths.push(file),
            }
        }
        for webhook in webhooks {
            let WebhookSettings { url, secret_file, previous_secret_file, ca_file, .. } = webhook;
            paths.extend([secret_file, previous_secret_file, ca_file].into_iter().flatten());
            if let WebhookUrl::File(path) = url {
                paths.push(path);
            }
        }
        for stream in events {
            let EventSettings { token_file, key_file, other_key_file, ca_file, .. } = stream;
            paths.push(key_file);
            paths.extend([token_file, other_key_file, ca_file].into_iter().flatten());
        }
        paths
    }
}

#[cfg(test)]
mod tests;
