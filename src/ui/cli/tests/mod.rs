mod help;

use std::ffi::OsString;

use clap::{ColorChoice, CommandFactory as _, FromArgMatches as _};

use super::args::{Cli, Command, color_of, parse, with_one_command};
use super::exit::Exit;
use super::format::Format;
use super::global::{Global, LogFormat};
use super::run::failure_of;

fn ok(line: &str) -> (Cli, Format) {
    parse(line.split(' ')).unwrap_or_else(|e| panic!("{line}: {e}"))
}

fn error(line: &str) -> clap::Error {
    parse(line.split(' ')).expect_err(line)
}

#[test]
fn clap_finds_no_contradiction() {
    Cli::command().debug_assert();
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
        assert_eq!(log_format, LogFormat::Json);
    }
}

#[test]
fn what_one_command_understands_is_what_the_whole_program_does() {
    let program = Cli::command();
    for (line, understood) in [
        ("fleetform plan", true),
        ("fleetform --fleet list plan -q --no-index", true),
        ("fleetform plan --fleet list --detailed-exitcode", true),
        ("fleetform --fleet plan list", true),
        ("fleetform list --profile plan -o json", true),
        ("fleetform set D001 status=Failed", true),
        ("fleetform audit log --device D001 --kind wipe.issued", true),
        ("fleetform wipe list", true),
        ("fleetform show -- -D001", true),
        // For these somebody wants to know about all commands, or needs to.
        ("fleetform", false),
        ("fleetform -V", false),
        ("fleetform plan --help", false),
        ("fleetform help plan", false),
        ("fleetform plna", false),
        ("fleetform show", false),
        ("fleetform audit", false),
    ] {
        let args: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let alone = with_one_command(&args);
        assert_eq!(alone.is_some(), understood, "{line}");
        let Some(alone) = alone else { continue };
        let whole = program.clone().try_get_matches_from(&args).unwrap();
        let whole = Cli::from_arg_matches(&whole).unwrap();
        assert_eq!(format!("{alone:?}"), format!("{whole:?}"), "{line}");
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
        ("fleetform list", "text json csv yaml wide name jsonpath custom-columns"),
        ("fleetform show D001", "text json"),
        ("fleetform report", "text json"),
        ("fleetform audit verify", "text json"),
        ("fleetform audit log", "text json"),
        ("fleetform audit replay", "text json"),
    ] {
        assert_eq!(ok(line).1, Format::Text);
        for format in Format::ALL {
            let template = match format {
                Format::JsonPath => "={.x}",
                Format::CustomColumns => "=X:.x",
                _ => "",
            };
            let line = format!("{line} -o {format}{template}");
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
        (
            "fleetform list -o xml",
            "list does not support --output \"xml\": it has text, json, csv, yaml",
        ),
        ("fleetform list -o jsonpath", "it needs a template, as jsonpath='{.devices[*].id}'"),
        ("fleetform list -o json={.x}", "json takes no template"),
        ("fleetform apply --plan abc", "is not a SHA-256 of 64 lowercase hexadecimal digits: copy"),
        ("fleetform apply --plan abc", "`digest` of `fleetform plan -o json`"),
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
