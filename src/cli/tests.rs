use expect_test::{Expect, expect};

use super::*;

fn ok(line: &str) -> (Cli, Format) {
    parse(line.split(' ')).unwrap_or_else(|e| panic!("{line}: {e}"))
}

fn error(line: &str) -> clap::Error {
    parse(line.split(' ')).expect_err(line)
}

/// The global options are the same for all: only the program's own help is looked at whole.
fn help(names: &[&str], expected: &Expect) {
    let mut command = Cli::command().term_width(100).color(ColorChoice::Never);
    command.build();
    let mut at = &mut command;
    for name in names {
        at = at.find_subcommand_mut(name).unwrap();
    }
    let text = at.render_help().to_string();
    let text = match (names, text.split_once("\nGlobal options:\n")) {
        ([_, ..], Some((own, rest))) => {
            format!("{own}\n{}", rest.split_once("\n\n").map_or("", |(_, end)| end))
        }
        _ => text,
    };
    expected.assert_eq(&text);
}

#[test]
fn clap_finds_no_contradiction() {
    Cli::command().debug_assert();
}

#[test]
fn help_of_the_program() {
    help(
        &[],
        &expect![[r#"
            A device fleet, declared in Git: reviewed in pull requests, wiped only by signed request

            Usage: fleetform [OPTIONS] <COMMAND>

            Commands:
              init         Start a fleet repository: profiles, an example device, checks for pull requests
              check        Validate the fleet directory; no ledger is needed
              explain      Explain the code of a finding, with a wrong and a right example
              diff         Show what a change of the fleet directory means, between Git revisions or directories
              plan         Show what apply would do now; nothing is changed or locked
              apply        Make the fleet as its manifests say, in one pass
              daemon       Keep the fleet as its manifests say, until stopped
              list         List devices: all, or those for which every filter holds
              show         Show one device: profile, versions, last sync, compliance check by check, history
              provision    Write the manifest of a new device, after checking it against the fleet
              set          Edit a device's manifest in place, after checking it against the fleet
              report       Hand device reports to the inbox
              wipe         Write a wipe request, sign it, see whether it would be accepted
              audit        Look into the audit log
              schema       Print the JSON Schema of the manifests, for editors
              completions  Print a script that completes commands and flags in a shell
              help         Print this message or the help of the given subcommand(s)

            Options:
              -h, --help     Print help
              -V, --version  Print version

            Global options:
                  --config <FILE>        Configuration file [default: fleetform.yaml, where there is one]
                  --fleet <DIR>          Fleet directory, over the configuration's
                  --data <DIR>           Data directory, over the configuration's
              -o, --output <FORMAT>      Format of the results: text, json and others that the command names
                                         [default: text]
              -q, --quiet                Errors only
              -v, --verbose...           Say more on standard error; twice for all details
                  --color <WHEN>         When to use colours [default: auto] [possible values: auto, always,
                                         never]
                  --log-format <FORMAT>  Format of the log on standard error [default: text] [possible values:
                                         text, json]

            Examples:
              fleetform init                      Start a fleet repository
              fleetform check                     Is every manifest valid?
              fleetform plan                      What would change?
              fleetform apply                     Make it so
              fleetform list --compliance nonCompliant
              fleetform show D007

            Exit codes: 0 done; 1 error or findings; 2 changes (plan --detailed-exitcode); 3 a guard refused.
        "#]],
    );
}

#[test]
fn help_of_init() {
    help(
        &["init"],
        &expect![[r#"
        Start a fleet repository: profiles, an example device, checks for pull requests

        Usage: fleetform init [OPTIONS] [DIR]

        Arguments:
          [DIR]  Directory; made where there is none [default: .]

        Options:
          -h, --help  Print help

        Examples:
          fleetform init                          Here
          fleetform init fleet-repository && cd fleet-repository && git init

        Writes profiles, an example device and the schema for editors below fleet/, fleetform.yaml,
        workflows for GitHub Actions and GitLab CI, CODEOWNERS, a Git hook and a README. What is there
        already is kept as it is, and named. `fleetform check` then passes, and `fleetform apply` works.
        Formats: text, json.
    "#]],
    );
}

#[test]
fn help_of_check() {
    help(
        &["check"],
        &expect![[r#"
            Validate the fleet directory; no ledger is needed

            Usage: fleetform check [OPTIONS] [FLEET]

            Arguments:
              [FLEET]  Fleet directory; as --fleet

            Options:
              -h, --help  Print help

            Examples:
              fleetform check
              fleetform check ./fleet
              fleetform check -o json | jq '.findings[].code'

              fleetform check -o github               Annotations on the lines of a pull request
              fleetform check -o sarif > fleetform.sarif

            Exits with 1 on any finding; `fleetform explain CODE` tells more about each. Formats: text, json,
            markdown (for a comment), github (workflow commands), sarif (2.1.0). The paths of the last two are
            relative to the repository where the fleet directory is given relative to it.
        "#]],
    );
}

#[test]
fn help_of_plan() {
    help(
        &["plan"],
        &expect![[r#"
            Show what apply would do now; nothing is changed or locked

            Usage: fleetform plan [OPTIONS]

            Options:
                  --detailed-exitcode   Exit with 2 when there are changes, and with 3 when a guard refuses them
                  --server <URL>        Plan with what a running daemon has recorded, instead of a data
                                        directory
                  --token-file <FILE>   What the daemon wants as bearer token [default: FLEETFORM_TOKEN, then
                                        http.tokenFile]
                  --unencrypted         Send the token over http:// to another machine, though anyone on the way
                                        can read it
                  --timeout <DURATION>  Give up when the daemon has not answered in full by then [default: 60s]
              -h, --help                Print help

            Examples:
              fleetform plan
              fleetform plan --detailed-exitcode      2: there are changes; 3: a guard refuses them
              fleetform plan -o json | jq .summary
              fleetform plan -o markdown              For a comment on a pull request
              fleetform plan --data ./ledger          With a copy of the data directory, say an artefact
              fleetform plan --server https://fleet.example.com

            A copy of the data directory needs audit.jsonl and state.json; without the latter, what devices
            last reported is not known, and compliance may be judged otherwise.

            With --server the recorded state is that of a running daemon, and all else is yours: the fleet
            directory, and from fleetform.yaml the deadlines, limits, quorum and trust files. Reports that
            the daemon has not taken yet are not seen. The token is, in this order, that of --token-file, of
            the variable FLEETFORM_TOKEN or of http.tokenFile; it is sent to the server named alone, and not
            over http:// beyond this machine. HTTPS_PROXY, NO_PROXY and SSL_CERT_FILE are honoured.

            Formats: text, json, markdown, github (workflow commands).
        "#]],
    );
}

#[test]
fn help_of_apply() {
    help(
        &["apply"],
        &expect![[r#"
            Make the fleet as its manifests say, in one pass

            Usage: fleetform apply [OPTIONS]

            Options:
              -y, --yes                  Do not ask; needed where standard input is no terminal
                  --plan <DIGEST>        Apply only the very plan that has this digest; exit with 3 if it has
                                         changed
                  --accept-removals <N>  Accept that exactly so many devices are gone from the fleet directory
              -h, --help                 Print help

            Examples:
              fleetform apply                         Show the plan, ask, do it
              fleetform apply --yes                   Do it without asking, as a script must
              fleetform apply --yes --plan "$(fleetform plan -o json | jq -r .digest)"
              fleetform apply --accept-removals 12    Thaw a frozen controller

            Formats: text, json.
        "#]],
    );
}

#[test]
fn help_of_daemon() {
    help(
        &["daemon"],
        &expect![[r#"
            Keep the fleet as its manifests say, until stopped

            Usage: fleetform daemon [OPTIONS]

            Options:
                  --resync <DURATION>      Look at everything at least this often [default: 60s]
                  --debounce <DURATION>    Wait until nothing has changed for so long, but for 2 s at most
                                           [default: 300ms]
                  --watch <HOW>            Whether to rely on the system to tell of changes [default: auto]
                                           [possible values: auto, poll]
                  --poll <DURATION>        Look for changes this often where the system does not tell of them
                                           [default: 5s]
                  --listen <ADDRESS:PORT>  Answer HTTP here, read-only; over the configuration's http.listen
                  --token-file <FILE>      What clients must send as bearer token; needed beyond loopback
              -h, --help                   Print help

            Examples:
              fleetform daemon
              fleetform daemon --resync 5m --log-format json
              fleetform daemon --watch poll            On network file systems
              fleetform daemon --listen 127.0.0.1:8080 With /healthz, /readyz, /metrics and /api/v1

            Signals: HUP reads the configuration again, whole or not at all; TERM and INT finish what is
            under way and exit with 0; once more stops at once, which does no harm.
        "#]],
    );
}

#[test]
fn help_of_list() {
    help(
        &["list"],
        &expect![[r#"
            List devices: all, or those for which every filter holds

            Usage: fleetform list [OPTIONS]

            Options:
                  --user <EMAIL>         Devices of this user
                  --status <STATUS>      Devices in this status [possible values: Pending, Enrolled, Failed,
                                         Wiped]
                  --profile <NAME>       Devices of this profile
                  --compliance <STATE>   Devices with this verdict [possible values: compliant, nonCompliant,
                                         unknown]
                  --platform <PLATFORM>  Devices of this platform [possible values: windows, macos, ios,
                                         android]
                  --label <K=V>          Devices with this label; may be repeated
                  --orphaned             Devices whose manifest is gone
                  --overdue              Devices not heard from for three sync intervals
              -h, --help                 Print help

            Examples:
              fleetform list
              fleetform list --user ana.ruiz@example.com
              fleetform list --compliance nonCompliant --label site=madrid
              fleetform list --overdue -o csv > overdue.csv

            Formats: text, json, csv, yaml. In CSV, values that a spreadsheet would take for a formula
            get an apostrophe in front.
        "#]],
    );
}

#[test]
fn help_of_show() {
    help(
        &["show"],
        &expect![[r#"
            Show one device: profile, versions, last sync, compliance check by check, history

            Usage: fleetform show [OPTIONS] <ID|SERIAL|NAME>

            Arguments:
              <ID|SERIAL|NAME>  Id, else serial number (its newest device), else name

            Options:
              -h, --help  Print help

            Examples:
              fleetform show D007
              fleetform show PF3XK9Q2
              fleetform show ana-ruiz-laptop -o json | jq .checks

            Formats: text, json.
        "#]],
    );
}

#[test]
fn help_of_report() {
    help(
        &["report"],
        &expect![[r#"
            Hand device reports to the inbox

            Usage: fleetform report [OPTIONS] [FILE]

            Arguments:
              [FILE]  Where to read them; `-` is standard input [default: -]

            Options:
              -h, --help  Print help

            Examples:
              fleetform report ana-ruiz-laptop.json
              echo '{"serialNumber":"PF3XK9Q2","at":"2026-11-22T09:00:00Z"}' | fleetform report

            A report, of which all but serialNumber and at may be left out:
              {"serialNumber":"PF3XK9Q2","at":"2026-11-22T09:00:00Z","osVersion":"10.0.26100.2314",
               "antivirus":{"enabled":true,"signaturesUpdatedAt":"2026-11-21T22:00:00Z"},
               "encryption":{"enabled":true},"screenLock":{"enabled":true,"pinLength":6},
               "enrollmentError":null,"wiped":false,"completed":["c17"]}

            Formats: text, json.
        "#]],
    );
}

#[test]
fn help_of_audit() {
    help(
        &["audit"],
        &expect![[r#"
            Look into the audit log

            Usage: fleetform audit [OPTIONS] <COMMAND>

            Commands:
              verify  Check the chain of the log, and the snapshot against it
              log     Print entries of the log
              replay  Print the state that the log alone gives
              help    Print this message or the help of the given subcommand(s)

            Options:
              -h, --help  Print help

        "#]],
    );
}

#[test]
fn help_of_audit_verify() {
    help(
        &["audit", "verify"],
        &expect![[r#"
            Check the chain of the log, and the snapshot against it

            Usage: fleetform audit verify [OPTIONS]

            Options:
              -h, --help  Print help

            Examples:
              fleetform audit verify
              fleetform audit verify -o json | jq -r .head      Keep it elsewhere: it vouches for all before it

            Exits with 1 if anything is wrong. Formats: text, json.
        "#]],
    );
}

#[test]
fn help_of_audit_log() {
    help(
        &["audit", "log"],
        &expect![[r#"
            Print entries of the log

            Usage: fleetform audit log [OPTIONS]

            Options:
                  --device <ID|SERIAL>         Entries about this device; a serial number stands for all ids
                                               that it ever had
                  --kind <KIND>                Entries of this kind; may be repeated [possible values:
                                               ledger.created, device.provisioned, device.updated,
                                               device.status, device.orphaned, device.adopted, profile.recorded,
                                               profile.intended, profile.pushed, profile.failed,
                                               compliance.changed, wipe.accepted, wipe.refused, wipe.held,
                                               wipe.issued, wipe.confirmed, wipe.failed, wipe.expired,
                                               wipe.vetoed, trust.changed, pass.frozen, pass.thawed,
                                               log.repaired]
                  --since <TIME|DURATION|SEQ>  Entries from then on: a time, a duration before now, or a
                                               sequence number
              -f, --follow                     Go on with entries as they are written, until interrupted
              -h, --help                       Print help

            Examples:
              fleetform audit log --since 2h
              fleetform audit log --device PF3XK9Q2
              fleetform audit log --kind device.status --kind compliance.changed -o json
              fleetform audit log --since 118 --follow

            Formats: text, json (with --follow one object a line).
        "#]],
    );
}

#[test]
fn help_of_audit_replay() {
    help(
        &["audit", "replay"],
        &expect![[r#"
            Print the state that the log alone gives

            Usage: fleetform audit replay [OPTIONS]

            Options:
              -h, --help  Print help

            Examples:
              fleetform audit replay -o json > state.json

            Formats: text, json.
        "#]],
    );
}

#[test]
fn global_flags_are_taken_before_and_after_the_command() {
    let flags = "--config c.yaml --fleet f --data d -o json -vv --color never --log-format json";
    for line in [
        format!("fleetform {flags} list"),
        format!("fleetform list {flags}"),
        format!("fleetform {flags} audit verify"),
        format!("fleetform audit {flags} verify"),
        format!("fleetform audit verify {flags}"),
    ] {
        let (cli, format) = ok(&line);
        let Global { config, fleet, data, output, quiet, verbose, color, log_format } = cli.global;
        assert_eq!(format, Format::Json);
        assert_eq!(config.unwrap().to_str(), Some("c.yaml"));
        assert_eq!(fleet.unwrap().to_str(), Some("f"));
        assert_eq!(data.unwrap().to_str(), Some("d"));
        assert_eq!(output.as_deref(), Some("json"));
        assert_eq!((quiet, verbose, color), (false, 2, ColorChoice::Never));
        assert_eq!(log_format, logging::LogFormat::Json);
    }
}

#[test]
fn each_command_has_its_formats() {
    for (line, formats) in [
        ("fleetform check", "text json markdown github sarif"),
        ("fleetform plan", "text json markdown github"),
        ("fleetform explain", "text json"),
        ("fleetform diff main", "text json markdown github"),
        ("fleetform apply", "text json"),
        ("fleetform list", "text json csv yaml"),
        ("fleetform show D001", "text json"),
        ("fleetform report", "text json"),
        ("fleetform audit verify", "text json"),
        ("fleetform audit log", "text json"),
        ("fleetform audit replay", "text json"),
    ] {
        assert_eq!(ok(line).1, Format::Text);
        for format in Format::ALL {
            let line = format!("{line} -o {format}");
            if formats.split(' ').any(|name| name == format.as_str()) {
                assert_eq!(ok(&line).1, *format);
            } else {
                let text = error(&line).to_string();
                assert!(text.contains(&format!("it has {}", formats.replace(' ', ", "))), "{text}");
            }
        }
    }
}

#[test]
fn usage_errors() {
    for (line, expected) in [
        ("fleetform aply", "similar subcommand exists: 'apply'"),
        ("fleetform list --profle X", "similar argument exists: '--profile'"),
        ("fleetform list -o xml", "list has no --output \"xml\": it has text, json, csv, yaml"),
        ("fleetform apply --plan abc", "is not a SHA-256"),
        ("fleetform apply --accept-removals -1", "unexpected argument '-1'"),
        ("fleetform list -q -v", "cannot be used with"),
        ("fleetform list --status Failed --status Wiped", "cannot be used multiple times"),
        ("fleetform list --label site", "is not a label like site=madrid"),
        ("fleetform audit log --since yesterday", "is not a time like"),
        ("fleetform check a --fleet b", "cannot be used with"),
        ("fleetform show", "required arguments were not provided"),
        ("fleetform", "Usage: fleetform"),
    ] {
        let error = error(line);
        let text = error.to_string();
        assert!(text.contains(expected), "{line}: {text}");
        assert!(error.use_stderr(), "{line}");
        assert_eq!(failure_of(&error), Exit::Failed, "{line}");
    }
}

#[test]
fn help_and_version_are_no_errors() {
    for line in
        ["fleetform --help", "fleetform -V", "fleetform help audit log", "fleetform list -h"]
    {
        let error = error(line);
        assert!(!error.use_stderr(), "{line}");
        assert_eq!(failure_of(&error), Exit::Done, "{line}");
    }
}

#[test]
fn what_is_tested_is_what_is_printed() {
    let printed = error("fleetform list --help").to_string();
    let mut command = Cli::command();
    command.build();
    let list = command.find_subcommand_mut("list").unwrap();
    assert_eq!(printed, list.render_help().to_string());
}

#[test]
fn arguments_arrive() {
    let digest = "a".repeat(64);
    let (cli, _) = ok(&format!("fleetform apply --yes --plan {digest} --accept-removals 12"));
    let Command::Apply(args) = cli.command else { panic!("not apply") };
    assert!(args.yes);
    assert_eq!(args.plan.unwrap().to_string(), digest);
    assert_eq!(args.accept_removals, Some(12));

    let Command::Plan(args) = ok("fleetform plan --detailed-exitcode").0.command else {
        panic!("not plan")
    };
    assert!(args.detailed_exitcode);

    for (line, stdin) in [
        ("fleetform report", true),
        ("fleetform report -", true),
        ("fleetform report a.json", false),
    ] {
        let Command::Report(args) = ok(line).0.command else { panic!("not report") };
        assert_eq!(args.is_stdin(), stdin, "{line}");
    }
}

#[test]
fn the_colour_of_usage_errors() {
    for (line, expected) in [
        ("fleetform lsit", ColorChoice::Auto),
        ("fleetform --color never lsit", ColorChoice::Never),
        ("fleetform lsit --color=always", ColorChoice::Always),
        ("fleetform --color", ColorChoice::Auto),
        ("fleetform --color sometimes", ColorChoice::Auto),
    ] {
        let args: Vec<OsString> = line.split(' ').map(Into::into).collect();
        assert_eq!(color_of(&args), expected, "{line}");
    }
}
