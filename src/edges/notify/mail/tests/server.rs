//! A real server (aiosmtpd), and authorities that sign its certificate (openssl).

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::domain::notice::Attempt;
use crate::domain::notify_settings::{MailCredentials, MailLogin, MailServer, MailTls};
use crate::edges::notify::mail::{Composed, Mail, Smtp, compose};

pub(super) struct Server {
    child: Child,
    dir: tempfile::TempDir,
    settings: MailServer,
}

impl Server {
    /// Without TLS and login.
    pub(super) fn plain() -> Self {
        Self::start(MailTls::None, &json!({}))
    }

    pub(super) fn start(tls: MailTls, options: &Value) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let certificates = certificates();
        let mut all = json!({
            "dir": dir.path(),
            "tls": tls,
            "cert": certificates.join("server.pem"),
            "key": certificates.join("server.key"),
        });
        for (key, value) in options.as_object().unwrap() {
            all[key] = value.clone();
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/mail_server.py");
        let mut child = Command::new("/usr/bin/python3")
            .arg(script)
            .arg(all.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 starts: install what tests/run lists");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().strip_prefix("PORT ").and_then(|port| port.parse().ok());
        let port =
            port.expect("aiosmtpd listens: `apt-get install python3-aiosmtpd`, or tests/run");
        let settings = MailServer {
            host: "127.0.0.1".into(),
            port,
            tls,
            ca_file: Some(certificates.join("ca.pem")),
            login: None,
        };
        Self { child, dir, settings }
    }

    /// What it does with every mail from now on.
    pub(super) fn mode(&self, mode: &str) {
        std::fs::write(self.dir.path().join("mode"), mode).unwrap();
    }

    pub(super) fn settings(&self) -> MailServer {
        self.settings.clone()
    }

    pub(super) fn smtp(&self) -> Smtp {
        Smtp::new(self.settings(), "example.com")
    }

    /// With a user and a secret in files.
    pub(super) fn with_login(&self, login: Option<MailLogin>, user: &str, secret: &str) -> Smtp {
        let file = |name: &str, text: &str| {
            let path = self.dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            std::fs::set_permissions(&path, private).unwrap();
            path
        };
        let credentials = MailCredentials {
            login,
            user_file: file("user", user),
            secret_file: file("secret", secret),
        };
        Smtp::new(MailServer { login: Some(credentials), ..self.settings() }, "example.com")
    }

    pub(super) fn secret_file(&self) -> PathBuf {
        self.dir.path().join("secret")
    }

    /// The mails that it took, in their order.
    pub(super) fn taken(&self) -> Vec<String> {
        let read = |n: usize| std::fs::read_to_string(self.dir.path().join(format!("{n}.eml")));
        (1..).map_while(|n| read(n).ok()).collect()
    }

    /// From whom, to whom, and whether it was encrypted.
    pub(super) fn envelope(&self, n: usize) -> Value {
        let text = std::fs::read_to_string(self.dir.path().join(format!("{n}.json"))).unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

pub(super) fn mail(to: &str) -> Mail {
    Mail {
        from: "Fleet notices <fleet@example.com>".parse().unwrap(),
        reply_to: Some("it@example.com".parse().unwrap()),
        to: to.parse().unwrap(),
        id: "mail.4f0c6a1e.1790.nonCompliant.ab12cd34".into(),
        references: vec!["<mail.4f0c6a1e.1780.nonCompliant.ab12cd34@example.com>".into()],
        at: "2026-11-25T09:30:00Z".parse().unwrap(),
        subject: "Ihr Gerät D007 braucht Ihre Aufmerksamkeit".into(),
        text: "Guten Tag,\n\nschön, dass Sie da sind.\n.\nEin Punkt allein beendet nichts.\n"
            .into(),
        html: "<!doctype html><p>Guten Tag</p>".into(),
    }
}

pub(super) fn composed(to: &str) -> Composed {
    compose(&mail(to)).unwrap()
}

pub(super) async fn send(smtp: &Smtp, to: &str) -> Attempt {
    smtp.send(composed(to)).await
}

/// A folder with `ca.pem`, `server.pem` for 127.0.0.1, and `expired.pem`; made once.
pub(super) fn certificates() -> PathBuf {
    static MADE: OnceLock<tempfile::TempDir> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let script = r"
            set -e
            new='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
            openssl req -x509 $new -keyout ca.key -out ca.pem -subj /CN=authority -days 2 \
                -addext basicConstraints=critical,CA:TRUE
            openssl req -x509 $new -keyout other.key -out other-ca.pem -subj /CN=other -days 2
            openssl req $new -keyout server.key -out server.csr -subj /CN=mail
            printf 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n' > ext
            sign='openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile ext'
            $sign -days 2 -out server.pem
            faketime '2020-01-01 00:00:00' $sign -days 1 -out expired.pem
        ";
        let made = Command::new("sh").args(["-c", script]).current_dir(dir.path()).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        dir
    });
    made.path().to_owned()
}
