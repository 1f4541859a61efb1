//! A fleet repository as `init` makes it, and the parts of GitHub's and GitLab's runners that the
//! examples need: commands are taken from the files themselves and run by bash.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::directory;

pub const GITHUB: &str = ".github/workflows/fleetform.yml";
pub const GITLAB: &str = ".gitlab-ci.yml";
pub const DEVICE: &str = "fleet/devices/example-laptop.yaml";
pub const MARKER: &str = "<!-- fleetform diff -->\n";

pub fn change_user(lab: &Lab) {
    lab.replace(DEVICE, "somebody@example.com", "else@example.com");
}

pub fn break_profile(lab: &Lab) {
    lab.replace(DEVICE, "profile: Standard", "profile: Standrad");
}

/// What a command or a job said.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    /// The step that ended it, where one failed.
    pub failed: Option<String>,
    pub stdout: String,
    pub stderr: String,
    /// What GitHub takes as output of the job's steps.
    pub outputs: BTreeMap<String, String>,
}

impl Ran {
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// How many devices `list -o json` printed.
    pub fn devices(&self) -> usize {
        let list: Value = serde_json::from_str(&self.stdout).expect("JSON");
        list["devices"].as_array().expect("devices").len()
    }
}

/// `repo`, the `bin` that comes first on the `PATH`, and the outside `world` as files.
pub struct Lab {
    dir: tempfile::TempDir,
}

impl Lab {
    /// What `init` writes, committed on `main`.
    pub fn new() -> Self {
        let lab = Self { dir: directory() };
        for name in ["bin", "world", "temp"] {
            fs::create_dir(lab.dir.path().join(name)).expect("a directory");
        }
        let stubs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/examples");
        for name in ["gh", "curl"] {
            symlink(stubs.join(name), lab.dir.path().join("bin").join(name)).expect("a link");
        }
        let program = env!("CARGO_BIN_EXE_fleetform");
        symlink(program, lab.dir.path().join("bin/fleetform")).expect("a link");
        lab.set_comments("[]");
        fs::create_dir(lab.repo()).expect("a directory");
        lab.bash("fleetform init && git init -q -b main", &[]).exits(0);
        lab.commit("base");
        lab
    }

    pub fn repo(&self) -> PathBuf {
        self.dir.path().join("repo")
    }

    /// A configuration of the runner's own, outside of the checkout.
    pub fn configuration(&self) -> String {
        let path = self.repo().with_file_name("runner.yaml");
        fs::write(&path, "sync: {interval: 8h}\n").expect("a file");
        path.to_str().expect("UTF-8").to_owned()
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.repo().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(path, text).expect("a file");
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.repo().join(path)).expect(path)
    }

    #[track_caller]
    pub fn replace(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "{from:?} is not in {path}");
        self.write(path, &text.replace(from, to));
    }

    /// A file of the outside world, empty where there is none.
    pub fn world(&self, name: &str) -> String {
        fs::read_to_string(self.dir.path().join("world").join(name)).unwrap_or_default()
    }

    pub fn set_comments(&self, json: &str) {
        fs::write(self.dir.path().join("world/comments.json"), json).expect("a file");
    }

    /// The bodies of all comments.
    pub fn comments(&self) -> Vec<String> {
        let all: Vec<Value> = serde_json::from_str(&self.world("comments.json")).expect("JSON");
        all.iter().map(|c| c["body"].as_str().expect("a body").to_owned()).collect()
    }

    /// From now on nothing may be written there.
    pub fn forbid_writing(&self) {
        fs::write(self.dir.path().join("world/read-only"), "").expect("a file");
    }

    /// Begins a ledger that knows no device, by hand, as the comments in the pipelines say: from a
    /// fleet directory without any, which freezes until there are some.
    pub fn begin(&self, data: &str) {
        let begin = "mkdir empty\n\
            fleetform --data \"$DATA\" --fleet empty apply --yes --new-ledger || [ $? -eq 3 ]\n\
            rmdir empty";
        self.bash(begin, &[("DATA", data)]).exits(0);
    }

    /// As the runners start it, in the repository.
    pub fn bash(&self, script: &str, variables: &[(&str, &str)]) -> Ran {
        let mut path = self.dir.path().join("bin").into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").expect("PATH"));
        let done = Command::new("bash")
            .args(["--noprofile", "--norc", "-euo", "pipefail", "-c", script])
            .current_dir(self.repo())
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.dir.path())
            .envs([("GIT_CONFIG_NOSYSTEM", "1"), ("LC_ALL", "C")])
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_NAME"), "t")))
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_EMAIL"), "t@example.com")))
            .env("RUNNER_TEMP", self.dir.path().join("temp"))
            .env("GITHUB_STEP_SUMMARY", self.dir.path().join("world/summary.md"))
            .env("GITHUB_OUTPUT", self.dir.path().join("world/output"))
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .output()
            .expect("bash");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Ran {
            code: done.status.code().expect("no signal"),
            failed: None,
            stdout: text(done.stdout),
            stderr: text(done.stderr),
            outputs: BTreeMap::new(),
        }
    }

    #[track_caller]
    pub fn git(&self, args: &str) -> String {
        self.bash(&format!("git {args}"), &[]).exits(0).stdout.trim().to_owned()
    }

    pub fn commit(&self, message: &str) {
        self.git(&format!("add -A && git commit -q --allow-empty -m {message}"));
    }

    /// As a pull request is checked out: merged into `main`, whose tip is the first parent.
    pub fn propose(&self, change: impl FnOnce(&Self)) {
        self.git("checkout -q -B topic main");
        change(self);
        self.commit("change");
        self.git("checkout -q -B merge main");
        self.git("merge -q --no-ff -m merge topic");
    }

    /// Runs a job of the workflow; `context` says what the expressions are that it may use.
    pub fn github(&self, job: &str, context: &[(&str, &str)]) -> Ran {
        let file = self.yaml(GITHUB);
        let job = &file["jobs"][job];
        let sha = self.git("rev-parse HEAD");
        let fixed = [
            ("GITHUB_REPOSITORY", "example/fleet"),
            ("GITHUB_SHA", &sha),
            ("GITHUB_REF", "refs/pull/7/merge"),
        ];
        let mut all = Ran {
            code: 0,
            failed: None,
            stdout: String::new(),
            stderr: String::new(),
            outputs: BTreeMap::new(),
        };
        for step in job["steps"].as_array().expect("steps") {
            assert!(step["if"].is_null(), "conditions of steps are not played: {step}");
            let Some(script) = step["run"].as_str() else { continue };
            let mut variables: Vec<(String, String)> =
                fixed.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
            for env in [&file["env"], &job["env"], &step["env"]] {
                for (name, value) in env.as_object().into_iter().flatten() {
                    let value = expand(value.as_str().expect("a string"), context);
                    variables.push((name.clone(), value));
                }
            }
            let borrowed: Vec<_> = variables.iter().map(|(n, v)| (&**n, &**v)).collect();
            let ran = self.bash(script, &borrowed);
            all.stdout += &ran.stdout;
            all.stderr += &ran.stderr;
            if ran.code != 0 {
                (all.code, all.failed) = (ran.code, step["name"].as_str().map(str::to_owned));
                break;
            }
        }
        let output = self.world("output");
        let lines = output.lines().filter_map(|line| line.split_once('='));
        all.outputs = lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        all
    }

    /// Runs a job of the pipeline with these variables, over its own.
    pub fn gitlab(&self, job: &str, variables: &[(&str, &str)]) -> Ran {
        let file = self.yaml(GITLAB);
        let job = &file[job];
        let lines = job["script"].as_array().expect("a script").iter();
        let script: Vec<_> = lines.map(|line| line.as_str().expect("a string")).collect();
        let fixed = [
            ("CI_API_V4_URL", "https://gitlab.example.com/api/v4"),
            ("CI_PROJECT_ID", "3"),
            ("CI_MERGE_REQUEST_IID", "7"),
        ];
        self.bash(&script.join("\n"), &[&fixed, variables].concat())
    }

    /// A YAML file of the repository.
    pub fn yaml(&self, path: &str) -> Value {
        serde_yaml::from_str(&self.read(path)).expect("YAML")
    }
}

/// `${{ … }}`, of expressions that are known.
fn expand(text: &str, context: &[(&str, &str)]) -> String {
    let Some((before, rest)) = text.split_once("${{") else { return text.to_owned() };
    let (expression, after) = rest.split_once("}}").expect("an end");
    let expression = expression.trim();
    let known = context.iter().find(|(name, _)| *name == expression);
    let (_, value) = known.unwrap_or_else(|| panic!("{expression} is not played"));
    format!("{before}{value}{}", expand(after, context))
}
