//! `fleetform import`

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::author;
use super::checkout::{Content, refuse_pulled};
use super::exit::Exit;
use super::failure::Failure;
use super::format::Format;
use super::process::runtime;
use super::setup::Setup;
use super::value::{Label, word};
use crate::app::wiring;
use crate::domain::diff::diff;
use crate::domain::fleet::Desired;
use crate::domain::import::{
    self, Field, FileChange, Layout, Mapping, Merged, NameTemplate, Options, Records,
};
use crate::domain::manifest::finding::Finding;
use crate::domain::model::{Invalid, Name, Ownership, Platform, words};
use crate::edges::fs::durable;
use crate::edges::fs::guarded::Guarded;
use crate::edges::source::{self, MAX_BYTES};
use crate::ui::render::findings::Drawing;
use crate::ui::render::imported::Imported;
use crate::ui::render::out::Out;

/// A hundred thousand hardware hashes.
const LARGEST: usize = 512 << 20;

words! {
    /// What a list is.
    pub(crate) enum List {
        Csv = "csv",
        Autopilot = "autopilot",
        CorporateIds = "corporate-ids",
        Apple = "apple",
        Intune = "intune",
    }
}

/// Write manifests for the devices of a list. A device that has a manifest is edited in place;
/// what the list does not say of it stays.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform import csv devices.csv --profile Standard --os 10.0.26100
  fleetform import csv stock.csv --map Asset=labels.asset --map Room= \\
    --layout {site}/{name}.yaml --name {user}-{serial}
  fleetform import autopilot hashes.csv --profile Standard \\
    --user it@example.com --os 10.0.26100
  fleetform import corporate-ids ids.csv --platform ios --profile Mobile \\
    --user it@example.com --os 18.1
  fleetform import apple orgDevices.json --profile Mobile --os 18.1 \\
    --user it@example.com
  fleetform import intune --profile Standard --partial

Lists: csv (any table with a header), autopilot (hardware hashes), corporate-ids
(serial numbers, or manufacturer, model and serial number), apple (the saved
answer of GET /v1/orgDevices of Apple Business or School Manager), intune (the
devices of the tenant that the configuration names; nothing is changed there).
Placeholders of --layout and --name: {name}, {serial}, {user}, {email},
{profile}, {platform}, {ownership}, {manufacturer}, {model}, and the key of any
label. Fields of --map: name, serialNumber, userEmail, profile, platform,
osVersion, ownership, manufacturer, model, autopilotHash, labels.KEY. All
problems are shown at once, and nothing is written; --partial skips the invalid
rows and writes the rest. Exits with 1 if there are problems. Only the fleet
directory is edited: commit the change. A second run changes nothing. Formats:
text, json.")]
pub(crate) struct Args {
    /// Kind of list
    #[arg(value_name = "LIST", value_parser = word!(List), ignore_case = true)]
    pub(crate) list: List,
    /// The list; - is standard input. Not for intune, which is read over the network
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// How new devices are written
    #[command(flatten)]
    pub(crate) writing: Writing,
    /// Which field a column is; an empty FIELD ignores the column
    #[arg(long, value_name = "COLUMN=FIELD", value_parser = column)]
    pub(crate) map: Vec<(String, Option<Field>)>,
}

impl Args {
    /// Whether the list comes from a tenant.
    pub(crate) fn asks_a_tenant(&self) -> bool {
        self.list == List::Intune
    }
}

/// How devices are written that have no manifest yet.
#[derive(Debug, clap::Args)]
pub(crate) struct Writing {
    /// Path of each manifest below the fleet directory; without {name} or {serial}, devices share
    /// files
    #[arg(long, value_name = "PATH", default_value = "devices/{name}.yaml")]
    pub(crate) layout: Layout,
    /// Names for devices, if the list has none
    #[arg(long, value_name = "NAME", default_value = "{user}-{serial}")]
    pub(crate) name: NameTemplate,
    /// Profile for devices without one
    #[arg(long, value_name = "PROFILE")]
    pub(crate) profile: Option<Name>,
    /// E-mail address for devices without a user
    #[arg(long, value_name = "EMAIL", value_parser = valid::<crate::domain::model::Email>)]
    pub(crate) user: Option<String>,
    /// OS version for devices without one
    #[arg(long, value_name = "VERSION", value_parser = valid::<crate::domain::model::OsVersion>)]
    pub(crate) os: Option<String>,
    /// Platform for devices without one
    #[arg(long, value_name = "PLATFORM", value_parser = word!(Platform), ignore_case = true)]
    pub(crate) platform: Option<Platform>,
    /// Owner for devices whose owner the list does not say
    #[arg(long, value_name = "WHO", value_parser = word!(Ownership), ignore_case = true)]
    pub(crate) ownership: Option<Ownership>,
    /// Label for devices that lack it; may be repeated
    #[arg(long = "label", value_name = "KEY=VALUE")]
    pub(crate) labels: Vec<Label>,
    /// Import the valid rows and skip the others
    #[arg(long)]
    pub(crate) partial: bool,
}

const REQUIRED: &[(Field, &str)] =
    &[(Field::UserEmail, "--user"), (Field::Profile, "--profile"), (Field::OsVersion, "--os")];

/// Of a device whose owner Intune does not know nobody guesses it: a personal one is never wiped.
const OF_INTUNE: &[(Field, &str)] = &[
    (Field::UserEmail, "--user"),
    (Field::Profile, "--profile"),
    (Field::OsVersion, "--os"),
    (Field::Ownership, "--ownership"),
];

/// `COLUMN=FIELD`
fn column(text: &str) -> Result<(String, Option<Field>), Invalid> {
    let Some((name, field)) = text.rsplit_once('=').filter(|(name, _)| !name.is_empty()) else {
        return Err(Invalid("is not COLUMN=FIELD".to_owned()));
    };
    let field = if field.is_empty() { None } else { Some(field.parse()?) };
    Ok((name.to_owned(), field))
}

/// A text that is a `T`, as it was given.
fn valid<T: std::str::FromStr<Err = Invalid>>(text: &str) -> Result<String, Invalid> {
    text.parse::<T>().map(|_| text.to_owned())
}

/// Reads the list, and writes manifests.
///
/// # Errors
/// If the list or the fleet cannot be read, or writing fails.
pub(super) fn run(
    args: &Args,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let fleet = source::load(&setup.config.fleet);
    author::there(&fleet)?;
    let mapping = Mapping(args.map.clone());
    if !args.map.is_empty() && !matches!(args.list, List::Csv | List::Autopilot) {
        return Err(Failure::new(format!("a list of {} has no columns to map", args.list)));
    }
    let list = match args.list {
        List::Csv => import::read_csv(&read(args)?, &mapping),
        List::Autopilot => {
            let profiles: Vec<Name> = fleet.profiles.keys().cloned().collect();
            import::read_autopilot(&read(args)?, &mapping, &profiles)
        }
        List::CorporateIds => import::read_corporate_ids(&read(args)?),
        List::Apple => import::read_apple(&read(args)?),
        List::Intune => inventory(args, setup)?,
    };
    let source = match &args.file {
        None => "Intune".to_owned(),
        Some(file) if is_stdin(file) => "standard input".to_owned(),
        Some(file) => file.display().to_string(),
    };
    let required = if args.asks_a_tenant() { OF_INTUNE } else { REQUIRED };
    take(list, &source, &args.writing, required, (setup, &fleet), (format, out))
}

/// The devices of the tenant that the configuration names.
fn inventory(args: &Args, setup: &Setup) -> Result<Records, Failure> {
    if args.file.is_some() {
        return Err(Failure::new("intune is asked itself, and takes no file")
            .help("the configuration names the tenant: provider: {kind: intune, …}"));
    }
    let Some(intune) = wiring::intune(&setup.config)? else {
        return Err(Failure::new("the configuration names no tenant of Intune")
            .help("set provider: {kind: intune, …}; docs/intune.md says how"));
    };
    let devices = runtime()?.block_on(intune.inventory())?;
    Ok(import::read_inventory(&devices))
}

/// Joins a list with the fleet, and writes what is new.
///
/// # Errors
/// If a file is another one by now, or writing fails.
fn take(
    list: Records,
    source: &str,
    writing: &Writing,
    required: &'static [(Field, &'static str)],
    (setup, fleet): (&Setup, &Desired),
    (format, out): (Format, &mut Out),
) -> Result<Exit, Failure> {
    let root = &setup.config.fleet;
    let options = options(writing, required);
    let (mut list, texts) = (list, |path: &str| source::text_below(root, path));
    // A row that the fleet would have a finding with is left out, and the others are judged again.
    let (mut merged, left) = loop {
        let merged = import::merge(&list, fleet, &options, &texts);
        if merged.files.iter().any(|file| file.new.len() > MAX_BYTES) {
            return Err(Failure::new(format!("a file would be larger than {MAX_BYTES} bytes"))
                .help("choose a --layout with {name}, so that each device has its own file"));
        }
        let found = findings(&merged, root, fleet)?;
        if !list.blame(&merged, &found) {
            break (merged, found);
        }
    };
    if !left.is_empty() {
        let drawing = Drawing::new(root, out.color(), out.width());
        for finding in &left {
            writeln!(out, "{}\n", drawing.draw(finding))?;
        }
        out.note("Nothing is written: the fleet would have these findings.");
        return Ok(Exit::Failed);
    }
    let is_written = merged.problems.is_empty() || writing.partial;
    if !is_written {
        merged.files.clear();
    }
    if !merged.files.is_empty() {
        refuse_pulled(setup, Content::Manifest)?;
    }
    write(&merged, root)?;
    let exit = if merged.problems.is_empty() { Exit::Done } else { Exit::Failed };
    let Records { unused, notes, .. } = &list;
    let imported = Imported { source, merged: &merged, is_written, unused, notes };
    match format {
        Format::Json => imported.json(out)?,
        _ => imported.text(out)?,
    }
    Ok(exit)
}

fn options(writing: &Writing, required: &'static [(Field, &'static str)]) -> Options {
    let Writing { layout, name, profile, user, os, platform, ownership, labels, partial: _ } =
        writing;
    let fields = [
        (Field::Profile, profile.as_ref().map(ToString::to_string)),
        (Field::UserEmail, user.clone()),
        (Field::OsVersion, os.clone()),
        (Field::Platform, platform.map(|platform| platform.to_string())),
        (Field::Ownership, ownership.map(|ownership| ownership.to_string())),
    ];
    let fields = fields.into_iter().filter_map(|(field, value)| Some((field, value?)));
    let labels = labels.iter().map(|label| (Field::Label(label.key.clone()), label.value.clone()));
    Options {
        layout: layout.clone(),
        name: name.clone(),
        defaults: fields.chain(labels).collect(),
        required,
    }
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn read(args: &Args) -> Result<Vec<u8>, Failure> {
    let Some(path) = &args.file else {
        return Err(Failure::new(format!("import {} needs a file", args.list))
            .help("name it, or give - for standard input"));
    };
    let failed = |why: io::Error| {
        Failure::new(format!("cannot read the list {}: {why}", path.display()))
            .help("give a file, or - for standard input")
    };
    let mut bytes = Vec::new();
    let limit = LARGEST as u64 + 1;
    if is_stdin(path) {
        io::stdin().lock().take(limit).read_to_end(&mut bytes).map_err(failed)?;
    } else {
        let file = Guarded::stream().open(path).map_err(|error| failed(error.into()))?;
        file.into_file().take(limit).read_to_end(&mut bytes).map_err(failed)?;
    }
    if bytes.len() > LARGEST {
        return Err(failed(io::Error::other(format!("it is larger than {LARGEST} bytes"))));
    }
    Ok(bytes)
}

/// What the fleet with the new files would have of findings that it had not before.
fn findings(merged: &Merged, root: &Path, fleet: &Desired) -> Result<Vec<Finding>, Failure> {
    if merged.files.is_empty() {
        return Ok(Vec::new());
    }
    let written: Vec<(&str, &[u8])> =
        merged.files.iter().map(|file| (&*file.path, file.new.as_bytes())).collect();
    let head = source::load_with(root, &written);
    author::there(&head)?;
    Ok(diff(fleet, &head).new)
}

/// Writes the files, unless one of them is not what it was.
fn write(merged: &Merged, root: &Path) -> Result<(), Failure> {
    let mut files: Vec<(PathBuf, &[u8])> = Vec::new();
    for FileChange { path, old, new } in &merged.files {
        let target = root.join(path);
        let now = source::text_below(root, path);
        let is_signed = old.is_some() && source::raw_file(&target).is_signed;
        if now.as_ref() != Ok(old) || is_signed {
            let what = match is_signed {
                true => format!("{} has signatures beside it", target.display()),
                false => format!("{} has just been changed", target.display()),
            };
            return Err(
                Failure::new(what + ", so nothing is written").help("check it and try again")
            );
        }
        let parent = durable::parent(&target);
        fs::create_dir_all(parent).map_err(|why| {
            Failure::new(format!("cannot make the directory {}: {why}", parent.display()))
        })?;
        files.push((target, new.as_bytes()));
    }
    Ok(durable::replace_files("author.file", &files)?)
}
