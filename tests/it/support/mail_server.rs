//! A real mail server, aiosmtpd, that does whatever can go wrong.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::daemon::needs;
use super::scratch::directory;

/// Listens on loopback, without TLS and without a login. It dies with its test.
pub struct MailServer {
    child: Child,
    dir: tempfile::TempDir,
    port: u16,
}

impl MailServer {
    pub fn start() -> Self {
        needs("aiosmtpd");
        let dir = directory();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/mail_server.py");
        let mut child = Command::new("/usr/bin/python3")
            .arg(script)
            .arg(json!({"dir": dir.path()}).to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 is needed: tests/run installs it, or says how");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().strip_prefix("PORT ").and_then(|port| port.parse().ok());
        let port =
            port.expect("aiosmtpd is needed: tests/run installs python3-aiosmtpd, or says how");
        Self { child, dir, port }
    }

    /// `notify.mail` that leads here, with what else it is to say, as YAML.
    pub fn settings(&self, more: &str) -> String {
        format!(
            "notify: {{mail: {{server: '127.0.0.1:{}', tls: none, from: fleet@example.com, {more}}}}}\n",
            self.port
        )
    }

    /// What it does with every mail from now on; see the script.
    pub fn mode(&self, mode: &str) {
        let path = self.dir.path().join("mode");
        fs::write(path.with_extension("tmp"), mode).unwrap();
        fs::rename(path.with_extension("tmp"), path).unwrap();
    }

    /// Whether somebody waits for an answer that its mode holds back.
    pub fn hangs(&self) -> bool {
        self.dir.path().join("hangs").exists()
    }

    /// The mails that it took, in their order.
    pub fn taken(&self) -> Vec<String> {
        let read = |n: usize| fs::read_to_string(self.dir.path().join(format!("{n}.eml"))).ok();
        (1..).map_while(read).collect()
    }

    /// To whom each was.
    pub fn recipients(&self) -> Vec<String> {
        let read = |n: usize| fs::read_to_string(self.dir.path().join(format!("{n}.json"))).ok();
        let to = |text: String| {
            let envelope: Value = serde_json::from_str(&text).unwrap();
            envelope["to"][0].as_str().unwrap().to_owned()
        };
        (1..).map_while(read).map(to).collect()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
