//! What the program prints of hostile texts, read by parsers that others wrote: CommonMark, a
//! terminal, CSV, JSON, YAML, and the rules by which a runner of jobs finds its commands.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use serde_json::Value;

use crate::hostile::{fleet_with, harmless};
use crate::support::{Fixture, Snapshot, git};

/// In every text below: where it appears, a stranger's text does.
const MARK: &str = "ZQ";

/// What YAML lets into free texts, each with [`MARK`].
const PLAIN: [&str; 8] = [
    "ZQ [x](javascript:alert(1)) ![i](http://e.example/x.png) <img src=x onerror=y> <!-- ZQ",
    "ZQ @octocat #123 GH-12 https://e.example www.e.example <https://e.example> a@e.example",
    "# ZQ | a | `b` ```` c ~~~ **d** __e__ ~~f~~ [^1] $g$ | --- | :smile: \\` ZQ \\| \\",
    "</details></summary><script>ZQ</script><h1>ZQ &#60;b&#62; ]]> --> ZQ",
    "::set-output name=a::ZQ ##[set-output name=b]ZQ ##vso[task.setvariable variable=c]ZQ",
    "=HYPERLINK(\"http://e.example\",\"ZQ\")",
    "+ZQ|' /C calc'!A0",
    "[ZQ]: http://e.example 'ZQ' ```` ZQ ` ZQ %0A::error::ZQ %0d%0a##[stop-commands]ZQ",
];

/// What no text may hold; it comes in as names of files, broken values and rejected reports.
const EVIL: [&str; 4] = [
    "ZQ\u{1b}]0;title\u{7}\u{1b}[2J\u{1b}[1;1H\n::set-output name=d::ZQ\n# ZQ",
    "ZQ\u{1b}]8;;http:e\u{1b}\\ZQ\u{9b}31m\u{90}ZQ\u{9c}\u{85}\u{2028}| ZQ |\n```\n</details>",
    "ZQ\u{202e}gpj\u{2066}\u{200f}\u{feff}\u{61c}\r\n##[add-mask]ZQ\r=ZQ",
    "ZQ\u{8}\u{8}\u{7f}\u{b}\u{c}\u{1b}c\u{1b}P1$r\u{1b}\\\n\n- [ZQ](x)\n\n> ZQ\n\n    ZQ",
];

const READING: [(&[&str], &[&str]); 13] = [
    (&["check"], &["text", "json", "markdown", "github", "sarif"]),
    (&["plan"], &["text", "json", "markdown", "github"]),
    (&["diff", "HEAD~1", "HEAD"], &["text", "json", "markdown", "github"]),
    (&["diff", "HEAD~1"], &["text", "json", "markdown", "github"]),
    (&["list"], &["text", "json", "csv", "yaml"]),
    (&["show", "D001"], &["text", "json"]),
    (&["show", "D002"], &["text", "json"]),
    (&["explain"], &["text", "json"]),
    (&["audit", "log"], &["text", "json"]),
    (&["audit", "replay"], &["text", "json"]),
    (&["audit", "verify"], &["text", "json"]),
    (&["wipe", "verify", "fleet/wipe.yaml"], &["text", "json"]),
    (&["wipe", "verify", "fleet/wipe-evil.yaml"], &["text", "json"]),
];

/// Each text in a fleet of its own, of which a part is recorded and a part refused.
fn fleets() -> impl Iterator<Item = Fixture> {
    static FLEETS: LazyLock<Vec<Snapshot>> =
        LazyLock::new(|| made().map(|fixture| fixture.snapshot()).collect());
    FLEETS.iter().map(Fixture::from)
}

fn made() -> impl Iterator<Item = Fixture> {
    PLAIN.iter().enumerate().map(|(n, plain)| {
        let evil = EVIL[n % EVIL.len()];
        let fixture = fleet_with(plain, evil);
        // Its settings give rights, and so lie outside of the work tree.
        git(&fixture.path("fleet"), &["init", "-q", "-b", "main"]);
        git(&fixture.path("fleet"), &["commit", "-q", "--allow-empty", "-m", evil]);
        git(&fixture.path("fleet"), &["add", "-A"]);
        git(&fixture.path("fleet"), &["commit", "-q", "-m", evil]);
        fixture.run(&["apply", "--yes"]);
        assert!(fixture.read(".fleetform/audit.jsonl").contains(MARK), "{plain} is recorded");
        fixture
    })
}

/// The results of every command in this format.
fn printed(format: &str, mut judge: impl FnMut(&str, &Fixture, &str)) {
    let mut hostile = 0;
    for fixture in fleets() {
        for (args, formats) in READING {
            if formats.contains(&format) {
                let done = fixture.run(&[args, &["-o", format]].concat());
                assert!(done.code.is_some_and(|code| code <= 3), "{args:?}: {done:?}");
                hostile += usize::from(done.stdout.contains(MARK));
                let what = format!("{args:?} -o {format}");
                harmless(&what, &done.stdout);
                no_command(&what, &done.stdout, format == "github");
                no_command(&what, &done.stderr, false);
                judge(&what, &fixture, &done.stdout);
            }
        }
    }
    // `check` alone has no free text, and shows a forbidden one only where it is escaped in the file.
    assert!(
        hostile >= PLAIN.len() / 2,
        "only {hostile} results in {format} have a hostile text at all"
    );
}

/// No line is a command to a runner: `::name …::` at its beginning, but where we give them, nor
/// `##[name …]` or `##vso[…]` anywhere.
#[track_caller]
fn no_command(what: &str, text: &str, ours: bool) {
    for line in text.lines() {
        assert!(ours || !line.trim_start().starts_with("::"), "{what}: {line}");
        for (at, _) in line.match_indices('#') {
            let name = line[at + 1..].trim_start_matches(|c: char| c.is_ascii_alphabetic());
            let command = line[..at].ends_with('#') && name.starts_with('[');
            assert!(!command, "{what}: {line}");
        }
    }
}

#[test]
fn no_text_of_a_stranger_is_markup_in_markdown() {
    printed("markdown", |what, _, text| {
        let mut code_block = false;
        let mut table = false;
        for event in Parser::new_ext(text, Options::all()) {
            match &event {
                Event::Start(Tag::CodeBlock(_)) => code_block = true,
                Event::End(TagEnd::CodeBlock) => code_block = false,
                // Here nothing is read as markup, mentions and links included.
                Event::Text(_) if code_block => {}
                Event::Code(_) => {}
                Event::Text(ours) => {
                    let risky = ["@", "#", "http", "www.", "$", MARK];
                    let found: Vec<_> = risky.iter().filter(|part| ours.contains(**part)).collect();
                    assert!(found.is_empty(), "{what}: {found:?} in {ours:?} of\n{text}");
                }
                Event::Html(ours) | Event::InlineHtml(ours) => {
                    assert!(is_fold(ours), "{what}: {ours:?} in\n{text}");
                }
                Event::Start(Tag::Table(_)) => table = true,
                Event::Start(
                    Tag::Heading { .. }
                    | Tag::Paragraph
                    | Tag::Strong
                    | Tag::HtmlBlock
                    | Tag::List(_)
                    | Tag::Item,
                )
                | Event::End(_)
                | Event::SoftBreak
                | Event::HardBreak => {}
                other => panic!("{what}: {other:?} in\n{text}"),
            }
        }
        assert!(!table, "{what}: a table arose in\n{text}");
    });
}

/// The HTML that the program itself writes, without a stranger's text.
fn is_fold(html: &str) -> bool {
    let html = html.trim();
    let title = html
        .strip_prefix("<details open><summary>")
        .or_else(|| html.strip_prefix("<details><summary>"))
        .and_then(|rest| rest.strip_suffix("</summary>"));
    html.is_empty()
        || html == "</details>"
        || title.is_some_and(|title| !title.contains(['<', '&', '@', '#']) && !title.contains(MARK))
}

/// What a terminal is told: it keeps what is forbidden.
#[derive(Default)]
struct Terminal {
    forbidden: BTreeSet<String>,
    shown: usize,
    last: Option<u8>,
}

impl vte::Perform for Terminal {
    fn print(&mut self, c: char) {
        self.shown += 1;
        if fleetform::domain::model::is_deceptive(c) {
            self.forbidden.insert(format!("prints {c:?}"));
        }
        if self.last.take() == Some(b'\r') {
            self.forbidden.insert("goes back to the beginning of the line".to_owned());
        }
    }

    fn execute(&mut self, byte: u8) {
        // A terminal makes CR LF of the end of a line.
        if !matches!(byte, b'\n' | b'\r') {
            self.forbidden.insert(format!("control character {byte:#04x}"));
        }
        self.last = Some(byte);
    }

    fn csi_dispatch(&mut self, params: &vte::Params, more: &[u8], ignored: bool, action: char) {
        // Bold, faint, italic, the colors of the palette, and none.
        let known = |n: u16| matches!(n, 0..=3 | 22 | 30..=39 | 90..=97);
        let plain = params.iter().flatten().all(|n| known(*n));
        if action != 'm' || !more.is_empty() || ignored || !plain {
            self.forbidden.insert(format!("CSI {params:?} {more:?} {action:?}"));
        }
    }

    fn hook(&mut self, _: &vte::Params, _: &[u8], _: bool, action: char) {
        self.forbidden.insert(format!("DCS {action:?}"));
    }

    fn osc_dispatch(&mut self, params: &[&[u8]], _: bool) {
        self.forbidden.insert(format!("OSC {params:?}"));
    }

    fn esc_dispatch(&mut self, _: &[u8], _: bool, byte: u8) {
        self.forbidden.insert(format!("ESC {byte:#04x}"));
    }
}

/// What a terminal of 90 columns gets from a command, both streams together.
fn on_a_terminal(fixture: &Fixture, args: &[&str]) -> Vec<u8> {
    let program = [env!("CARGO_BIN_EXE_fleetform")].into_iter().chain(args.iter().copied());
    let quoted: Vec<_> = program.map(|word| format!("'{word}'")).collect();
    let line = format!("stty cols 90 rows 30; TERM=xterm {}", quoted.join(" "));
    let mut command = Command::new("script");
    command.args(["-qec", &line, "/dev/null"]).current_dir(fixture.path("")).env_clear();
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    let done = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    done.expect("script is needed: apt-get install bsdutils").stdout
}

#[test]
fn a_terminal_gets_colors_and_printable_text_only() {
    let mut shown = 0;
    for fixture in fleets() {
        for (args, _) in READING {
            let bytes = on_a_terminal(&fixture, args);
            let mut terminal = Terminal::default();
            vte::Parser::new().advance(&mut terminal, &bytes);
            let text = String::from_utf8_lossy(&bytes);
            assert!(terminal.forbidden.is_empty(), "{args:?}: {:?} in\n{text}", terminal.forbidden);
            assert!(bytes.contains(&0x1b) || args[0] == "audit", "{args:?} has colors:\n{text}");
            shown += terminal.shown;
        }
    }
    assert!(shown > 10_000, "{shown} characters");
}

#[test]
fn a_sheet_has_no_formula_and_every_row_every_cell() {
    printed("csv", |what, _, text| {
        let mut sheet = csv::Reader::from_reader(text.as_bytes());
        let width = sheet.headers().expect("a header").len();
        let mut rows = 0;
        for row in sheet.records() {
            let row = row.unwrap_or_else(|e| panic!("{what}: {e} in\n{text}"));
            assert_eq!(row.len(), width, "{what}: {row:?}");
            for cell in &row {
                let formula = cell.trim_start().starts_with(['=', '+', '-', '@', '\t', '\r']);
                assert!(!formula && !cell.contains('\n'), "{what}: {cell:?}");
            }
            rows += 1;
        }
        assert_eq!(rows, text.lines().count() - 1, "{what}: a row is a line:\n{text}");
    });
}

#[test]
fn json_and_yaml_are_read_back_and_say_the_same() {
    printed("json", |what, _, text| {
        // An error stands on standard error, and nothing here.
        let read: Result<Value, _> =
            serde_json::from_str(if text.is_empty() { "{}" } else { text });
        assert!(read.is_ok(), "{what}: {read:?} in\n{text}");
    });
    printed("sarif", |what, _, text| {
        let log: Value = serde_json::from_str(text).unwrap_or_else(|e| panic!("{what}: {e}"));
        for result in log["runs"][0]["results"].as_array().expect("results") {
            // A viewer makes a link of `[text](target)`, unless the brackets are escaped.
            let message = result["message"]["text"].as_str().expect("a message");
            let open = message.match_indices('[').filter(|(at, _)| !message[..*at].ends_with('\\'));
            assert_eq!(open.count(), 0, "{what}: {message}");
        }
    });
    printed("yaml", |what, fixture, text| {
        let read: Value = serde_yaml::from_str(text).unwrap_or_else(|e| panic!("{what}: {e}"));
        let json = fixture.run(&["list", "-o", "json"]).json();
        let spelled =
            json.to_string().replace("##[", "#\\\\u{23}[").replace("##vso[", "#\\\\u{23}vso[");
        assert_eq!(read.to_string(), spelled, "{what}");
    });
}

#[test]
fn an_annotation_is_one_line_and_says_nothing_but_what_we_say() {
    printed("github", |what, _, text| {
        for line in text.lines() {
            // As the runner reads it: name, properties up to the next `::`, and the message.
            let command = line.strip_prefix("::").unwrap_or_else(|| panic!("{what}: {line}"));
            let (command, _) = command.split_once("::").expect("two parts");
            let (name, properties) = command.split_once(' ').expect("properties");
            assert!(["error", "warning", "notice"].contains(&name), "{what}: {line}");
            let names: Vec<_> =
                properties.split(',').map(|p| p.split('=').next().expect("a name")).collect();
            let known = ["file", "line", "col", "endLine", "endColumn", "title"];
            assert!(names.iter().all(|name| known.contains(name)), "{what}: {line}");
            assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{what}: {line}");
        }
    });
    // Text in a job's log is read for commands as well.
    printed("text", |_, _, _| {});
}
