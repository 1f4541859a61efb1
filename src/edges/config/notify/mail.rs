//! `notify.mail`

use chrono::TimeDelta;
use serde::Deserialize;

use super::values::{Line, Pairs, TimeOfDay};
use crate::domain::manifest::strict_map::StrictMap;
use crate::domain::model::Email;
use crate::domain::notify_settings::{
    Languages, MailCredentials, MailKind, MailLogin, MailServer, MailSettings, MailTls,
    MailTransport, Mailbox, is_language,
};
use crate::edges::config::url;
use crate::edges::config::values::{Number, Span, Text};
use crate::edges::http_client::is_loopback_host;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub(super) struct WrittenMail {
    transport: Option<MailTransport>,
    server: Option<Line>,
    tls: Option<MailTls>,
    ca_file: Option<Text>,
    login: Option<MailLogin>,
    user_file: Option<Text>,
    password_file: Option<Text>,
    token_file: Option<Text>,
    from: Option<Mailbox>,
    reply_to: Option<Email>,
    cc: Option<Vec<Email>>,
    it: Option<Vec<Email>>,
    contact: Option<Line>,
    help_url: Option<Line>,
    send: Option<Vec<MailKind>>,
    tell_user_of_wipe: Option<bool>,
    reminder_before: Option<Span<0>>,
    gather: Option<Span<0>>,
    per_hour: Option<Number<1, 1_000_000>>,
    per_user_per_hour: Option<Number<1, 1000>>,
    digest_at: Option<TimeOfDay>,
    language: Option<StrictMap<WrittenLanguages>>,
    templates: Option<Text>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct WrittenLanguages {
    default: Option<Line>,
    label: Option<Line>,
    domains: Option<Pairs<String, Line>>,
}

/// Which mails a user gets where nobody chose: all of them.
const SENT: &[MailKind] = MailKind::ALL;

impl WrittenMail {
    pub(super) fn settings(self) -> Result<MailSettings, String> {
        let Self {
            transport,
            server,
            tls,
            ca_file,
            login,
            user_file,
            password_file,
            token_file,
            from,
            reply_to,
            cc,
            it,
            contact,
            help_url,
            send,
            tell_user_of_wipe,
            reminder_before,
            gather,
            per_hour,
            per_user_per_hour,
            digest_at,
            language,
            templates,
        } = self;
        let transport = transport.unwrap_or(MailTransport::Smtp);
        let way = Way { server, tls, ca_file, login, user_file, password_file, token_file };
        let server = match transport {
            MailTransport::Smtp => Some(way.server()?),
            MailTransport::Graph => way.nothing()?,
        };
        let help_url = match help_url {
            None => None,
            Some(Line(written)) => Some(url::whole("notify.mail.helpUrl", &written)?),
        };
        Ok(MailSettings {
            transport,
            server,
            from: from.ok_or("`notify.mail.from` is missing: who the mails are from")?,
            reply_to,
            cc: cc.unwrap_or_default(),
            it: it.unwrap_or_default(),
            contact: contact.map(|Line(text)| text),
            help_url,
            send: send.unwrap_or_else(|| SENT.to_vec()),
            tell_user_of_wipe: tell_user_of_wipe.unwrap_or(false),
            reminder_before: reminder_before.map_or(TimeDelta::hours(4), |Span(span)| span),
            gather: gather.map_or(TimeDelta::zero(), |Span(span)| span),
            per_hour: per_hour.map_or(500, |Number(n)| n),
            per_user_per_hour: per_user_per_hour.map_or(5, |Number(n)| n),
            digest_at: digest_at.map_or(TimeDelta::hours(7), |TimeOfDay(time)| time),
            language: language.unwrap_or_default().0.settings()?,
            templates: templates.map(|Text(path)| path.into()),
        })
    }
}

impl WrittenLanguages {
    fn settings(self) -> Result<Languages, String> {
        let Self { default, label, domains } = self;
        let default = default.map_or_else(|| "en".to_owned(), |Line(language)| language);
        let domains = domains.unwrap_or_default().0.into_iter();
        let domains = domains.map(|(domain, Line(language))| {
            (domain.trim_start_matches('@').to_ascii_lowercase(), language)
        });
        let languages = Languages {
            default,
            label: label.map(|Line(label)| label),
            domains: domains.collect(),
        };
        let all = [&languages.default].into_iter().chain(languages.domains.values());
        let bad: Vec<&String> = all.filter(|language| !is_language(language)).collect();
        match bad.first() {
            None => Ok(languages),
            Some(bad) => {
                Err(format!("`notify.mail.language`: {bad} is not a language like en, es or pt-BR"))
            }
        }
    }
}

/// How a server is reached.
struct Way {
    server: Option<Line>,
    tls: Option<MailTls>,
    ca_file: Option<Text>,
    login: Option<MailLogin>,
    user_file: Option<Text>,
    password_file: Option<Text>,
    token_file: Option<Text>,
}

impl Way {
    fn nothing(self) -> Result<Option<MailServer>, String> {
        let Self { server, tls, ca_file, login, user_file, password_file, token_file } = self;
        let given = [
            ("server", server.is_some()),
            ("tls", tls.is_some()),
            ("caFile", ca_file.is_some()),
            ("login", login.is_some()),
            ("userFile", user_file.is_some()),
            ("passwordFile", password_file.is_some()),
            ("tokenFile", token_file.is_some()),
        ];
        match given.into_iter().find(|(_, given)| *given) {
            None => Ok(None),
            Some((key, _)) => Err(format!("`notify.mail.{key}` is only for `transport: smtp`")),
        }
    }

    fn server(self) -> Result<MailServer, String> {
        let Self { server, tls, ca_file, login, user_file, password_file, token_file } = self;
        let Line(server) = server.ok_or("`notify.mail.server` is missing: a host and a port")?;
        let tls = tls.unwrap_or(MailTls::Starttls);
        let (host, port) = host_and_port(&server, tls)?;
        if tls == MailTls::None && !is_loopback_host(&host) {
            return Err(format!(
                "`notify.mail.tls`: none is for loopback only, and {host} is another machine; use \
                 starttls or implicit"
            ));
        }
        let path = |Text(path)| path.into();
        Ok(MailServer {
            login: credentials(login, user_file, password_file, token_file)?,
            host,
            port,
            tls,
            ca_file: ca_file.map(path),
        })
    }
}

fn credentials(
    login: Option<MailLogin>,
    user_file: Option<Text>,
    password_file: Option<Text>,
    token_file: Option<Text>,
) -> Result<Option<MailCredentials>, String> {
    let oauth = login == Some(MailLogin::Xoauth2);
    let wrong = |why: &str| Err(format!("`notify.mail`: {why}"));
    let (user, secret) = match (user_file, password_file, token_file) {
        (None, None, None) if login.is_none() => return Ok(None),
        (Some(_), Some(_), None) if oauth => {
            return wrong("`login: xoauth2` takes a tokenFile and no passwordFile");
        }
        (Some(_), None, Some(_)) if !oauth => {
            return wrong("tokenFile is only for `login: xoauth2`");
        }
        (Some(Text(user)), Some(Text(secret)), None)
        | (Some(Text(user)), None, Some(Text(secret))) => (user, secret),
        _ if oauth => return wrong("`login: xoauth2` needs userFile and tokenFile"),
        _ => return wrong("a login needs userFile and passwordFile"),
    };
    Ok(Some(MailCredentials { login, user_file: user.into(), secret_file: secret.into() }))
}

/// `smtp.example.com:587`, `[::1]:25`; without a port it is that of the protocol.
fn host_and_port(text: &str, tls: MailTls) -> Result<(String, u16), String> {
    let wrong = || {
        format!("`notify.mail.server`: {text} is not a host and a port like smtp.example.com:587")
    };
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let port_of_protocol = match tls {
        MailTls::Implicit => 465,
        MailTls::Starttls => 587,
        MailTls::None => 25,
    };
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => {
            address.parse::<std::net::Ipv6Addr>().map_err(|_| wrong())?;
            (address.to_owned(), port.strip_prefix(':'))
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host.to_owned(), Some(port)),
            None => (text.to_owned(), None),
        },
    };
    let named = text.starts_with('[') || (!host.is_empty() && host.chars().all(bare));
    let port = match port {
        None if text.starts_with('[') && !text.ends_with(']') => return Err(wrong()),
        None => port_of_protocol,
        Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)?,
    };
    if named { Ok((host, port)) } else { Err(wrong()) }
}
