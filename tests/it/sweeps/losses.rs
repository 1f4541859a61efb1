//! The ledger below a daemon is moved, replaced, cut or removed, and comes back: in between
//! nothing is issued, and afterwards everything goes on.
//!
//! Repeated and lengthened as [`super::fuzz`] is; `FUZZ_LOSS=LogRemoved` does only that.

#![expect(clippy::print_stdout, reason = "who repeats a run needs to see what came before")]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::entries;
use super::fuzz::{World, announced, commands, run};
use crate::support::{copy, device, trusted};

/// For something that must not happen: several times what the daemon takes to act.
const NOTHING_HAPPENS: Duration = Duration::from_millis(600);

#[test]
fn whatever_becomes_of_the_ledger_below_a_daemon_each_wipe_is_issued_once() {
    run(|world| {
        for _ in 0..world.dice.below(6) {
            world.step();
        }
        let only = std::env::var("FUZZ_LOSS").ok();
        let losses: Vec<_> = LOSSES
            .into_iter()
            .filter(|loss| only.as_ref().is_none_or(|only| *only == format!("{loss:?}")))
            .collect();
        let loss = losses[usize::try_from(world.dice.below(losses.len() as u64)).unwrap()];
        world.lose(loss);
    });
}

/// What happens to a ledger, its log, its lock or the trust file below a daemon.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Loss {
    /// The directory is renamed, and nothing is in its place.
    Moved,
    /// Something unmounted it: an empty directory is in its place.
    Unmounted,
    /// An older copy is in its place.
    Replaced,
    LogRenamed,
    /// As logrotate does with `create`.
    LogRotated,
    /// As logrotate does with `copytruncate`.
    LogTruncated,
    LogRemoved,
    LockRemoved,
    TrustBroken,
}

const LOSSES: [Loss; 9] = [
    Loss::Moved,
    Loss::Unmounted,
    Loss::Replaced,
    Loss::LogRenamed,
    Loss::LogRotated,
    Loss::LogTruncated,
    Loss::LogRemoved,
    Loss::LockRemoved,
    Loss::TrustBroken,
];

impl World<'_> {
    /// Loses it, looks that nothing is issued, puts it back, and looks that recovered:
    /// reconciliation succeeds again.
    fn lose(&mut self, loss: Loss) {
        println!("{loss:?}");
        let place = self.place;
        let (data, away) = (self.data(), place.path("away"));
        let (log, kept) = (data.join("audit.jsonl"), data.join("audit.jsonl.1"));
        self.until_it_runs();
        let directory = matches!(loss, Loss::Moved | Loss::Unmounted | Loss::Replaced);
        let saved = fs::read(&log).unwrap();
        match loss {
            Loss::Moved => fs::rename(&data, &away).unwrap(),
            Loss::Unmounted => {
                fs::rename(&data, &away).unwrap();
                fs::create_dir(&data).unwrap();
            }
            Loss::Replaced => {
                let copied = place.path("copied");
                fs::rename(&data, &away).unwrap();
                copy(&away, &copied);
                let older = saved.trim_ascii_end().iter().rposition(|byte| *byte == b'\n').unwrap();
                fs::write(copied.join("audit.jsonl"), &saved[..=older]).unwrap();
                let _ = fs::remove_file(copied.join("state.json"));
                fs::rename(copied, &data).unwrap();
            }
            Loss::LogRenamed => fs::rename(&log, &kept).unwrap(),
            Loss::LogRotated => {
                fs::rename(&log, &kept).unwrap();
                fs::write(&log, "").unwrap();
            }
            Loss::LogTruncated => {
                fs::copy(&log, &kept).unwrap();
                fs::File::options().write(true).open(&log).unwrap().set_len(0).unwrap();
            }
            Loss::LogRemoved => {
                fs::hard_link(&log, &kept).unwrap();
                fs::remove_file(&log).unwrap();
            }
            Loss::LockRemoved => {
                fs::hard_link(data.join("lock"), data.join("lock.kept")).unwrap();
                fs::remove_file(data.join("lock")).unwrap();
            }
            Loss::TrustBroken => place.write("signers", &(trusted("bob") + "broken\n")),
        }
        if loss == Loss::LockRemoved {
            let (code, _, said) = place.outcome(&["apply", "--yes"]);
            assert_eq!(code, 1, "a second writer was let in: {said}");
            fs::rename(data.join("lock.kept"), data.join("lock")).unwrap();
            let fresh = self.ask(&data, 0);
            return self.until_issued(fresh, loss);
        }
        // What was being done is done; what is asked for now must wait.
        thread::sleep(Duration::from_millis(200));
        let named = if directory { away.clone() } else { self.ledger_copy(&saved) };
        let fresh = self.ask(&named, 0);
        // A new process cannot know that there was more than an old copy has.
        let restarted = directory && loss != Loss::Replaced && self.dice.below(3) == 0;
        if restarted {
            self.daemon.signal("KILL");
            self.daemon.ended();
            self.start();
        }
        if let Some(fresh) = &fresh {
            let end = Instant::now() + NOTHING_HAPPENS;
            while Instant::now() < end {
                let issued = announced(&place.path(""), fresh, None)
                    || commands(&place.path("")).iter().any(|(request, _)| request == fresh);
                assert!(!issued, "{loss:?}: a wipe was issued without its ledger");
                self.sightings.nothing_wrong();
                thread::sleep(Duration::from_millis(10));
            }
        }
        if restarted {
            // It may have ended by itself: what it was told to use is not there.
            let _ = Command::new("kill").args(["-KILL", &self.daemon.pid()]).output();
            self.daemon.ended();
        }
        match loss {
            Loss::Moved | Loss::Unmounted | Loss::Replaced => {
                if loss != Loss::Replaced {
                    let wipes = commands(&place.path(""));
                    let before: BTreeSet<_> = wipes.iter().collect();
                    assert_eq!(before.len(), wipes.len(), "{loss:?}: issued again in a new ledger");
                }
                let _ = fs::remove_dir_all(&data);
                fs::rename(&away, &data).unwrap();
            }
            Loss::LogRenamed | Loss::LogRotated | Loss::LogRemoved => {
                fs::rename(&kept, &log).unwrap();
            }
            Loss::LogTruncated => {
                let grown = fs::read(&log).unwrap();
                assert!(grown.is_empty(), "{loss:?}: it wrote on after a hole");
                fs::write(&log, &saved).unwrap();
                fs::remove_file(&kept).unwrap();
            }
            Loss::LockRemoved => unreachable!("it is back"),
            Loss::TrustBroken => place.write("signers", trusted("bob")),
        }
        if restarted {
            self.start();
        }
        self.until_issued(fresh, loss);
    }

    /// The first line of the log says which ledger a request is for, wherever the log is.
    fn ledger_copy(&self, log: &[u8]) -> PathBuf {
        let path = self.place.path("ledger-copy");
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("audit.jsonl"), log).unwrap();
        path
    }

    /// With its ledger back it does what it was asked for.
    fn until_issued(&mut self, fresh: Option<String>, loss: Loss) {
        let Some(fresh) = fresh else { return };
        // A manifest that cannot be read holds them, as it may say that the device is personal.
        let number = self.used - 1;
        self.place.write(&format!("fleet/{number}.yaml"), device(&format!("S{number:03}")));
        // A clock behind the log holds wipes.
        self.ahead += 3;
        self.place.save("clock", &format!("+{}", self.ahead * 60));
        let log = self.place.path("data/audit.jsonl");
        self.daemon.until(&format!("its recovery from {loss:?}"), || {
            let issued = entries(&log)
                .iter()
                .any(|e| e["kind"] == "wipe.issued" && e["data"]["request"] == *fresh);
            if issued { Ok(()) } else { Err("not done".to_owned()) }
        });
    }
}
