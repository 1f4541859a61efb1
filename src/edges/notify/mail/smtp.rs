//! Handing a mail to a server.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    Certificate, SmtpConnection, TlsParameters, TlsParametersBuilder,
};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;

use super::claim::Claim;
use super::message::{Composed, address};
use super::outcome::{Step, outcome, redacted};
use crate::domain::notice::Attempt;
use crate::domain::notify_settings::{MailCredentials, MailLogin, MailServer, MailTls};
use crate::domain::wording::harmless_within;
use crate::edges::fs::guarded::Guarded;
use crate::edges::notify::secret::{bytes, unusable};

/// How long one delivery may take, from the name of the server to its last answer.
const WHOLE: Duration = Duration::from_secs(60);
/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(30);
/// To say goodbye: the mail is taken, and nobody waits for it.
const GOODBYE: Duration = Duration::from_secs(2);
/// Of a file with certificates.
const LARGEST: usize = 1 << 20;
/// As much of what a server calls a mail is kept.
const LONGEST_REFERENCE: usize = 200;

/// A server that takes mail.
#[derive(Debug, Clone)]
pub(crate) struct Smtp {
    server: Arc<MailServer>,
    hello: String,
    whole: Duration,
    answer: Duration,
}

impl Smtp {
    /// `hello` is the domain that we say we are of.
    pub(crate) fn new(server: MailServer, hello: impl Into<String>) -> Self {
        Self { server: Arc::new(server), hello: hello.into(), whole: WHOLE, answer: ANSWER }
    }

    /// With other limits of time.
    #[cfg(test)]
    pub(super) fn within(self, whole: Duration, answer: Duration) -> Self {
        Self { whole, answer, ..self }
    }

    /// Tries once to hand it over. It ends in time, whatever the server does.
    pub(crate) async fn send(&self, mail: Composed) -> Attempt {
        let claim = Arc::new(Claim::default());
        let (this, taken) = (self.clone(), claim.clone());
        let work = tokio::task::spawn_blocking(move || {
            let talk =
                Talk { until: Instant::now() + this.whole, smtp: &this, secrets: Vec::new() };
            talk.deliver(&mail, &taken)
        });
        match tokio::time::timeout(self.whole, work).await {
            Ok(Ok(attempt)) => attempt,
            Ok(Err(panicked)) => std::panic::resume_unwind(panicked.into_panic()),
            Err(_) => {
                let why = format!("{} took longer than {:?}", self.name(), self.whole);
                if claim.give_up() {
                    Attempt::Retry { why, after: None }
                } else {
                    Attempt::InDoubt { why }
                }
            }
        }
    }

    fn name(&self) -> String {
        format!("{}:{}", self.server.host, self.server.port)
    }
}

/// One conversation.
struct Talk<'a> {
    smtp: &'a Smtp,
    until: Instant,
    /// What was sent to log in, as it is seen on the wire.
    secrets: Vec<String>,
}

impl Talk<'_> {
    fn deliver(mut self, mail: &Composed, claim: &Claim) -> Attempt {
        self.converse(mail, claim)
            .map_or_else(|attempt| attempt, |reference| Attempt::Done { reference })
    }

    /// # Errors
    /// What came of it, where the mail was not surely taken.
    fn converse(&mut self, mail: &Composed, claim: &Claim) -> Result<Option<String>, Attempt> {
        let login = self.credentials()?;
        let mut connection = self.connect()?;
        if let Some((mechanisms, credentials)) = login {
            self.patience(&mut connection, self.smtp.answer)?;
            let said = connection.auth(&mechanisms, &credentials);
            said.map_err(|error| self.outcome(Step::Login, &error))?;
        }
        let from = Mail::new(Some(address(&mail.from)?), Vec::new());
        self.command(&mut connection, Step::Sender, from)?;
        let to = Rcpt::new(address(&mail.to)?, Vec::new());
        self.command(&mut connection, Step::Recipient, to)?;
        self.command(&mut connection, Step::Data, Data)?;
        self.patience(&mut connection, self.smtp.answer)?;
        if !claim.hand_over() {
            // Nobody hears it: whoever waited said so already.
            return Err(self.late());
        }
        let said = connection.message(&mail.bytes);
        let said = said.map_err(|error| self.outcome(Step::Content, &error))?;
        let reference = said.first_line().map(str::trim).filter(|line| !line.is_empty());
        let reference = reference.map(|line| {
            harmless_within(&redacted(line.to_owned(), &self.secrets), LONGEST_REFERENCE)
        });
        // It is taken: whether the server likes to be left is of no matter.
        if connection.set_timeout(Some(GOODBYE)).is_ok() {
            let _said = connection.quit();
        }
        Ok(reference)
    }

    fn connect(&self) -> Result<SmtpConnection, Attempt> {
        let MailServer { host, port, tls, .. } = &*self.smtp.server;
        let tls = match tls {
            MailTls::None => None,
            MailTls::Implicit | MailTls::Starttls => Some(self.tls(host)?),
        };
        let hello = ClientId::Domain(self.smtp.hello.clone());
        let wrapped = tls.as_ref().filter(|_| self.smtp.server.tls == MailTls::Implicit);
        let patience = self.left(self.smtp.answer)?;
        let connection =
            SmtpConnection::connect((host.as_str(), *port), Some(patience), &hello, wrapped, None);
        let mut connection = connection.map_err(|error| self.outcome(Step::Connect, &error))?;
        if let Some(tls) = tls.filter(|_| self.smtp.server.tls == MailTls::Starttls) {
            self.patience(&mut connection, self.smtp.answer)?;
            let upgraded = connection.starttls(&tls, &hello);
            upgraded.map_err(|error| self.outcome(Step::Starttls, &error))?;
        }
        Ok(connection)
    }

    /// The certificates of the system, and those that the configuration adds.
    fn tls(&self, host: &str) -> Result<TlsParameters, Attempt> {
        let mut builder: TlsParametersBuilder = TlsParameters::builder(host.to_owned());
        if let Some(path) = &self.smtp.server.ca_file {
            builder = builder.add_root_certificate(authorities(path)?);
        }
        builder.build().map_err(|error| self.outcome(Step::Connect, &error))
    }

    fn credentials(&mut self) -> Result<Option<(Vec<Mechanism>, Credentials)>, Attempt> {
        let Some(MailCredentials { login, user_file, secret_file }) = &self.smtp.server.login
        else {
            return Ok(None);
        };
        let mechanisms = match login {
            None => vec![Mechanism::Plain, Mechanism::Login],
            Some(MailLogin::Plain) => vec![Mechanism::Plain],
            Some(MailLogin::Login) => vec![Mechanism::Login],
            Some(MailLogin::Xoauth2) => vec![Mechanism::Xoauth2],
        };
        let (user, secret) = (line(user_file)?, line(secret_file)?);
        // As each mechanism has it on the wire: a server may echo a line that it does not understand.
        self.secrets = vec![
            secret.clone(),
            BASE64.encode(&secret),
            BASE64.encode(format!("\0{user}\0{secret}")),
            BASE64.encode(format!("user={user}\x01auth=Bearer {secret}\x01\x01")),
        ];
        Ok(Some((mechanisms, Credentials::new(user, secret))))
    }

    fn command(
        &self,
        connection: &mut SmtpConnection,
        step: Step,
        command: impl std::fmt::Display,
    ) -> Result<(), Attempt> {
        self.patience(connection, self.smtp.answer)?;
        let said = connection.command(command);
        said.map(|_| ()).map_err(|error| self.outcome(step, &error))
    }

    /// Sets how long the next answer may take.
    fn patience(&self, connection: &mut SmtpConnection, most: Duration) -> Result<(), Attempt> {
        let set = connection.set_timeout(Some(self.left(most)?));
        set.map_err(|error| Attempt::Retry {
            why: format!("{}: {error}", self.smtp.name()),
            after: None,
        })
    }

    /// # Errors
    /// If no time is left.
    fn left(&self, most: Duration) -> Result<Duration, Attempt> {
        let left = self.until.saturating_duration_since(Instant::now()).min(most);
        if left.is_zero() { Err(self.late()) } else { Ok(left) }
    }

    fn late(&self) -> Attempt {
        let why = format!("{} took longer than {:?}", self.smtp.name(), self.smtp.whole);
        Attempt::Retry { why, after: None }
    }

    fn outcome(&self, step: Step, error: &lettre::transport::smtp::Error) -> Attempt {
        outcome(step, error, &self.smtp.name(), &self.secrets)
    }
}

/// The one line of a file with a user or a secret.
fn line(path: &Path) -> Result<String, Attempt> {
    let text = String::from_utf8(bytes(path)?).map_err(|_| unusable(path, "is not UTF-8"))?;
    let text = text.trim_end_matches(['\r', '\n']);
    match text.chars().find(|c| c.is_control()) {
        Some(_) => Err(unusable(path, "holds more than one line")),
        None if text.is_empty() => Err(unusable(path, "is empty")),
        None => Ok(text.to_owned()),
    }
}

/// Certificates of authorities, PEM.
fn authorities(path: &Path) -> Result<Certificate, Attempt> {
    let read = Guarded::up_to(LARGEST).read(path);
    let pem = read.map_err(|why| Attempt::Misconfigured { why: why.to_string() })?;
    if !pem.windows(27).any(|window| window == b"-----BEGIN CERTIFICATE-----") {
        return Err(unusable(path, "holds no certificate (PEM)"));
    }
    Certificate::from_pem(&pem)
        .map_err(|_| unusable(path, "holds no certificates that can be read"))
}
