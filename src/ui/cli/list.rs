//! `fleetform list`

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::time::Duration;

use serde_json::Value;

use super::deliveries;
use super::exit::Exit;
use super::failure::Failure;
use super::filters::Filters;
use super::format::Format;
use super::select;
use super::server::{self, ServerArgs};
use super::setup::Setup;
use crate::domain::model::{DeviceId, Timestamp};
use crate::domain::settings::Settings;
use crate::domain::state::{Device, State};
use crate::domain::wipe::target::LedgerId;
use crate::domain::wording::{closest, quote};
use crate::edges::provider::unmanaged;
use crate::ui::render::custom_columns::Columns;
use crate::ui::render::deliveries::Delivery;
use crate::ui::render::device::{DeviceView, FIELDS, notes, wipes_by_device};
use crate::ui::render::jsonpath::{self, Template, compare};
use crate::ui::render::list::Listing;
use crate::ui::render::out::Out;
use crate::ui::render::unmanaged::{Received, Undeclared};
use crate::ui::wire::documents;

/// What `--output` may ask for.
pub(super) const FORMATS: &[Format] = &[
    Format::Text,
    Format::Json,
    Format::Csv,
    Format::Yaml,
    Format::Wide,
    Format::Name,
    Format::JsonPath,
    Format::CustomColumns,
];

/// Lists devices, by id; filters are combined with AND.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform list
  fleetform list --user ana.ruiz@example.com
  fleetform list --compliance nonCompliant -l 'site in (madrid,lisbon),!spare'
  fleetform list --overdue -o csv > overdue.csv
  fleetform list -o wide --sort-by lastSync
  fleetform list -o custom-columns=ID:.id,SITE:.labels.site,OS:.osVersion
  fleetform list -o jsonpath='{range .devices[*]}{.id} {.status}{\"\\n\"}{end}'
  fleetform list --status Pending --watch
  fleetform list --notes                  Only what needs a look

Formats: text, json, csv, yaml, wide, name, jsonpath=TEMPLATE and
custom-columns=TITLE:PATH,… . Paths are those of the JSON: -o json shows them.
In CSV, values that a spreadsheet would take for a formula get an apostrophe in
front. On a narrow terminal columns are cut or hidden, except ID, SERIAL and
STATUS.")]
pub(crate) struct Args {
    /// Which ones.
    #[command(flatten)]
    pub(crate) filters: Filters,
    /// Sort by a field of the JSON, such as lastSync or .labels.site; a leading `-` sorts in
    /// descending order
    #[arg(long, value_name = "PATH", allow_hyphen_values = true)]
    pub(crate) sort_by: Option<SortBy>,
    /// After the list, print devices as they change, until interrupted
    #[arg(long, short)]
    pub(crate) watch: bool,
    /// Only devices that have notes: what needs a look, such as `block failed` or `not notified yet`
    #[arg(long)]
    pub(crate) notes: bool,
    /// Devices that the MDM has and no manifest declares, as of the last reconciliation
    #[arg(long, conflicts_with_all = ["user", "status", "profile", "compliance", "platform", "labels", "selector", "orphaned", "overdue", "archived", "notes", "sort_by", "watch"])]
    pub(crate) unmanaged: bool,
    /// Where the recorded state is.
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

impl Args {
    /// Whether it says which devices, or how to list them.
    pub(super) fn chooses(&self) -> bool {
        let Self { filters, sort_by, watch, notes, unmanaged, server: _ } = self;
        *filters != Filters::default() || sort_by.is_some() || *watch || *notes || *unmanaged
    }
}

/// `--sort-by`
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SortBy {
    path: jsonpath::Path,
    descending: bool,
}

impl std::str::FromStr for SortBy {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (text, descending) = text.strip_prefix('-').map_or((text, false), |text| (text, true));
        let text = text.trim().trim_start_matches('{').trim_end_matches('}');
        if text.trim_matches('.').is_empty() {
            return Err("is not a field like lastSync".into());
        }
        let path = jsonpath::Path::parse(text)?;
        if let Some(field) = path.first_field().filter(|field| !FIELDS.contains(field)) {
            let meant = closest(field, FIELDS.iter().copied());
            let meant = meant.map_or_else(String::new, |meant| format!(" (did you mean {meant}?)"));
            return Err(format!(
                "a device has no field {}{meant}: use {}, or a path below one of them such as \
                 .labels.site",
                quote(field),
                FIELDS.join(", ")
            ));
        }
        Ok(Self { path, descending })
    }
}

/// How the list is shown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    Plain(Format),
    Template(Template),
    Columns(Columns),
}

impl Shape {
    /// From `--output`.
    ///
    /// # Errors
    /// If its template cannot be understood.
    pub(crate) fn new(format: Format, output: Option<&str>) -> Result<Self, Failure> {
        let template = output.and_then(|text| text.split_once('=')).map_or("", |(_, text)| text);
        let failed = |why: String| {
            Failure::new(format!("--output {format}: {why}"))
                .help("`fleetform list --help` has examples; -o json shows the fields")
        };
        match format {
            Format::JsonPath => Template::parse(template).map(Self::Template).map_err(failed),
            Format::CustomColumns => Columns::parse(template).map(Self::Columns).map_err(failed),
            format => Ok(Self::Plain(format)),
        }
    }
}

/// The list, once or as devices change.
///
/// # Errors
/// If the recorded state cannot be read, or writing fails.
pub(super) fn show(
    args: &Args,
    setup: &Setup,
    shape: &Shape,
    out: &mut Out,
) -> Result<Exit, Failure> {
    if args.watch {
        return watch(args, setup, shape, out);
    }
    let state = setup.recorded_by(&args.filters.filter())?;
    let settings = &setup.config.settings;
    let undelivered = undelivered(args.notes || says_undelivered(shape), setup, out);
    let is_empty = run(args, (&state, &undelivered), settings, setup.now(), shape, out)?;
    if is_empty {
        let nothing = || "No devices yet: `fleetform apply` provisions them.".to_owned();
        out.note(&match state.devices.is_empty() {
            true => setup.no_ledger_yet()?.unwrap_or_else(nothing),
            false => "No devices match.".to_owned(),
        });
    }
    Ok(Exit::Done)
}

/// What has not been told yet, by device.
type Undelivered = BTreeMap<DeviceId, Vec<Delivery>>;

/// What nobody has been told yet, where that is needed: all queues are read for it.
fn undelivered(needed: bool, setup: &Setup, out: &mut Out) -> Undelivered {
    if needed { deliveries::undelivered(setup, out) } else { Undelivered::new() }
}

/// Whether it says what nobody has been told yet.
fn says_undelivered(shape: &Shape) -> bool {
    match shape {
        Shape::Plain(Format::Csv | Format::Name) | Shape::Columns(_) => false,
        Shape::Plain(_) | Shape::Template(_) => true,
    }
}

/// Lists what of `state` the filters admit; whether that is nothing.
fn run(
    args: &Args,
    of: (&State, &Undelivered),
    settings: &Settings,
    now: Timestamp,
    shape: &Shape,
    out: &mut Out,
) -> Result<bool, Failure> {
    let devices = chosen(args, of, settings, now);
    write(&listing(&devices, of, settings, now), shape, out)?;
    Ok(devices.is_empty())
}

/// Lists one device.
///
/// # Errors
/// If there is no such device, the recorded state cannot be read, or writing fails.
pub(super) fn one(
    word: &str,
    setup: &Setup,
    shape: &Shape,
    out: &mut Out,
) -> Result<Exit, Failure> {
    setup.needs_ledger("and so no device is known")?;
    let state = setup.recorded_for(word)?;
    let devices = vec![select::device(&state, word)?];
    let undelivered = undelivered(says_undelivered(shape), setup, out);
    let of = (&state, &undelivered);
    write(&listing(&devices, of, &setup.config.settings, setup.now()), shape, out)?;
    Ok(Exit::Done)
}

fn write(listing: &Listing<'_>, shape: &Shape, out: &mut Out) -> io::Result<()> {
    match shape {
        Shape::Template(template) => listing.template(template, out),
        Shape::Columns(columns) => listing.columns(columns, out),
        Shape::Plain(Format::Json) => listing.json(out),
        Shape::Plain(Format::Csv) => listing.csv(out),
        Shape::Plain(Format::Yaml) => listing.yaml(out),
        Shape::Plain(Format::Wide) => listing.wide(out),
        Shape::Plain(Format::Name) => listing.names(out),
        Shape::Plain(_) => listing.text(out),
    }
}

type Listed<'s> = Vec<(DeviceId, &'s Device)>;

/// What the filters admit, in the order that was asked for.
fn chosen<'s>(
    args: &Args,
    (state, undelivered): (&'s State, &Undelivered),
    settings: &Settings,
    now: Timestamp,
) -> Listed<'s> {
    let filter = args.filters.filter();
    let wipes = wipes_by_device(&state.wipes);
    let noted = |id: DeviceId, device: &Device| {
        let late = undelivered.contains_key(&id);
        !notes(device, (wipes.get(&id).copied(), late), settings, now).is_empty()
    };
    let admitted = |(id, device): &(DeviceId, &Device)| {
        filter.admits(device, settings, now) && (!args.notes || noted(*id, device))
    };
    let mut devices: Listed<'_> =
        state.devices.iter().map(|(id, device)| (*id, device)).filter(admitted).collect();
    if let Some(SortBy { path, descending }) = &args.sort_by {
        // Each key once: taking a device apart costs more than comparing.
        let key = |(id, device): &(DeviceId, &Device)| {
            let view = DeviceView::new(*id, device, settings, now);
            let value = serde_json::to_value(view).unwrap_or_default();
            path.values(&value).first().map_or(Value::Null, |value| (*value).clone())
        };
        let mut keyed: Vec<_> = devices.into_iter().map(|listed| (key(&listed), listed)).collect();
        // What is not there is last both ways.
        keyed.sort_by(|(a, _), (b, _)| {
            let absent = a.is_null().cmp(&b.is_null());
            let order = compare(a, b);
            absent.then(if *descending { order.reverse() } else { order })
        });
        devices = keyed.into_iter().map(|(_, listed)| listed).collect();
    }
    devices
}

fn listing<'a>(
    devices: &'a Listed<'a>,
    (state, undelivered): (&'a State, &'a Undelivered),
    settings: &'a Settings,
    now: Timestamp,
) -> Listing<'a> {
    let ledger = state.lineage.map(LedgerId);
    Listing { devices, wipes: &state.wipes, ledger, undelivered, settings, now }
}

/// How often the recorded state is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Lists, and then goes on with the devices that change, a row each.
///
/// # Errors
/// If the format cannot be gone on with, the state cannot be read, or writing fails.
fn watch(args: &Args, setup: &Setup, shape: &Shape, out: &mut Out) -> Result<Exit, Failure> {
    let format = match shape {
        Shape::Plain(format @ (Format::Text | Format::Wide | Format::Name | Format::Json)) => {
            *format
        }
        _ => {
            return Err(Failure::new("--watch does not support this --output")
                .help("use text, wide, name or json (one object a line)"));
        }
    };
    let ledger = setup.ledger()?;
    let settings = &setup.config.settings;
    let mut shown: BTreeMap<DeviceId, Device> = BTreeMap::new();
    let mut first = true;
    let mut seen = None;
    loop {
        let at = ledger.version();
        // Where nobody can tell whether it changed, only a look at all of it does.
        if first || at.is_none() || at != seen {
            let (state, now) = (setup.recorded()?, setup.now());
            // A line of JSON is a device, and says nothing of it.
            let says = says_undelivered(shape) && format != Format::Json;
            let undelivered = undelivered(args.notes || says, setup, out);
            let of = (&state, &undelivered);
            let admitted = chosen(args, of, settings, now);
            let changed: Listed<'_> = admitted
                .iter()
                .filter(|(id, device)| shown.get(id) != Some(*device))
                .copied()
                .collect();
            let listing = listing(&changed, of, settings, now);
            match (format, first) {
                (Format::Json, _) => listing.json_lines(out)?,
                (Format::Name, _) => listing.names(out)?,
                (Format::Wide, true) => listing.wide(out)?,
                (Format::Wide, false) => listing.wide_rows(out)?,
                (_, true) => listing.text(out)?,
                (_, false) => listing.rows(out)?,
            }
            let is_admitted = |id: &DeviceId| admitted.iter().any(|(admitted, _)| admitted == id);
            if shown.len() > admitted.len() {
                shown.retain(|id, _| is_admitted(id));
            }
            shown.extend(changed.iter().map(|(id, device)| (*id, Device::clone(device))));
            out.flush()?;
            (first, seen) = (false, at);
        }
        if out.is_closed() {
            return Ok(Exit::Done);
        }
        std::thread::sleep(LOOK);
    }
}

/// Lists what the MDM has and no manifest declares.
///
/// # Errors
/// If what was written down of the last look cannot be read.
pub(crate) fn unmanaged(setup: &Setup, format: Format, out: &mut Out) -> Result<Exit, Failure> {
    if !matches!(format, Format::Text | Format::Json | Format::Csv | Format::Yaml) {
        return Err(Failure::new(format!("--unmanaged does not support --output {format}"))
            .help("use text, json, csv or yaml"));
    }
    let seen = match &setup.remote {
        Some(remote) => {
            let received: Received = remote.json(documents::UNMANAGED).map_err(server::explain)?;
            received.unmanaged()
        }
        None => unmanaged::read(&setup.config.data).map_err(Failure::new)?,
    };
    let undeclared = Undeclared { unmanaged: seen.as_ref(), now: setup.now() };
    match format {
        Format::Json => undeclared.json(out)?,
        Format::Csv => undeclared.csv(out)?,
        Format::Yaml => undeclared.yaml(out)?,
        _ => undeclared.text(out)?,
    }
    match seen {
        None => out.note("Nothing is known: no list of an MDM's devices is in the data directory."),
        Some(seen) if seen.count > seen.devices.len() => {
            let more = seen.count - seen.devices.len();
            out.note(&format!("{more} more are counted and not listed."));
        }
        Some(seen) if seen.count == 0 => out.note("The MDM has no device that is not declared."),
        Some(_) => {}
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::cli::args::{Command, parse};
    use crate::ui::render::testing::{Screen, now, state};

    fn ids(args: &[&str]) -> Vec<String> {
        let args = ["fleetform", "list"].into_iter().chain(args.iter().copied());
        let (cli, format) = parse(args).unwrap();
        let Command::List(args) = cli.command else { panic!("not list") };
        let screen = Screen::piped();
        let (settings, shape) = (Settings::default(), Shape::new(format, None).unwrap());
        let of = (&state(), &[("D004".parse().unwrap(), Vec::new())].into());
        let is_empty = run(&args, of, &settings, now(), &shape, &mut screen.out()).unwrap();
        assert_eq!(screen.results().is_empty(), is_empty);
        let first = |line: &str| line.split(' ').next().map(str::to_owned);
        screen.results().lines().skip(1).filter_map(first).collect()
    }

    #[test]
    fn filters_are_combined_by_and() {
        for (args, expected) in [
            (vec![], "D001 D002 D003 D004"),
            (vec!["--user", "ANA.Ruiz@example.COM"], "D001"),
            (vec!["--user", "nobody@example.com"], ""),
            (vec!["--status", "enrolled"], "D001 D002"),
            (vec!["--profile", "Mobile"], "D002 D003"),
            (vec!["--profile", "Mobile", "--status", "Failed"], "D003"),
            (vec!["--compliance", "NONCOMPLIANT"], "D001"),
            (vec!["--platform", "windows"], "D001 D004"),
            (vec!["--platform", "ios", "--overdue", "--orphaned"], "D002"),
            (vec!["--label", "site=madrid"], "D001 D002 D003 D004"),
            (vec!["--label", "site=madrid", "--label", "floor=2"], ""),
            (vec!["--label", "site=Madrid"], ""),
            (vec!["--orphaned"], "D002"),
            (vec!["--overdue"], "D002"),
            (vec!["--overdue", "--status", "Wiped"], ""),
            (vec!["-l", "site in (madrid,lisbon)"], "D001 D002 D003 D004"),
            (vec!["-l", "!site"], ""),
            (vec!["--archived"], ""),
            (vec!["--notes"], "D001 D002 D003 D004"),
            (vec!["--notes", "--status", "Wiped"], "D004"),
            (vec!["--sort-by", "serialNumber"], "D002 D001 D004 D003"),
            (vec!["--sort-by", "-.serialNumber"], "D003 D004 D001 D002"),
            (vec!["--sort-by", "-lastSync"], "D001 D002 D003 D004"),
        ] {
            assert_eq!(ids(&args).join(" "), expected, "{args:?}");
        }
    }

    #[test]
    fn a_word_that_is_none_is_a_usage_error() {
        let error = parse(["fleetform", "list", "--status", "Enroled"]).unwrap_err().to_string();
        assert!(error.contains("Pending, Enrolled, Failed, Wiped"), "{error}");
        assert!(error.contains("similar value exists: 'Enrolled'"), "{error}");
    }

    #[test]
    fn what_no_device_has_is_no_order() {
        let error =
            |path: &str| parse(["fleetform", "list", "--sort-by", path]).unwrap_err().to_string();
        assert!(error("nope").contains("a device has no field `nope`: use id, name, "));
        assert!(error("-LASTSYNC").contains("no field `LASTSYNC` (did you mean lastSync?)"));
        assert!(error(".site").contains("such as .labels.site"), "{}", error(".site"));
        for path in ["labels.nope", "-.labels['a.b']", "{.compliance.state}", "lastSync"] {
            parse(["fleetform", "list", "--sort-by", path]).unwrap();
        }
    }
}
