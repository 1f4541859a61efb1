//! Fleets of which much clashes and much is broken, and what happens to them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proptest::prelude::*;

use crate::support::{Device, Profile, Request};

const FILES: usize = 9;

/// A document in the making; small numbers, so that they meet.
#[derive(Debug, Clone)]
pub struct Document {
    file: usize,
    /// 0 to 6 a device, 7 and 8 a profile, 9 a wipe request.
    kind: usize,
    /// Of its name, and on all of its serial number.
    n: usize,
    serial: usize,
    profile: usize,
    platform: usize,
    revision: usize,
    status: usize,
    enrollment: u32,
    /// How it is written.
    style: usize,
    /// 0 to 7: it is not.
    broken: usize,
}

/// What happens between the base and the head.
#[derive(Debug, Clone)]
pub enum Edit {
    Add(Document),
    Remove(usize),
    RemoveFile(usize),
    Move(usize, usize),
    MoveFile(usize, usize),
    Serial(usize, usize),
    Name(usize, usize),
    Profile(usize, usize),
    Platform(usize, usize),
    Revision(usize, usize),
    Status(usize, usize),
    Enroll(usize, u32),
    Style(usize, usize),
    Break(usize, usize),
    Sign(usize),
    UnusableKind(usize),
}

/// Any.
pub fn document() -> impl Strategy<Value = Document> {
    let numbers = (0..FILES, 0..10_usize, 0..12_usize, 0..12_usize, 0..5_usize, 0..5_usize);
    let more = (0..3_usize, 0..6_usize, 1..4_u32, 0..9_usize, 0..14_usize);
    (numbers, more).prop_map(|((file, kind, n, serial, profile, platform), more)| {
        let (revision, status, enrollment, style, broken) = more;
        // Nearly all have a serial number of their own.
        let serial = if serial < 11 { n } else { 0 };
        Document {
            file,
            kind,
            n,
            serial,
            profile,
            platform,
            revision,
            status,
            enrollment,
            style,
            broken,
        }
    })
}

/// Any.
pub fn edit() -> impl Strategy<Value = Edit> {
    let any = || 0..30_usize;
    prop_oneof![
        3 => document().prop_map(Edit::Add),
        2 => any().prop_map(Edit::Remove),
        1 => (0..FILES).prop_map(Edit::RemoveFile),
        1 => (any(), 0..FILES).prop_map(|(d, f)| Edit::Move(d, f)),
        1 => (0..FILES, 0..FILES).prop_map(|(a, b)| Edit::MoveFile(a, b)),
        2 => (any(), 0..12_usize).prop_map(|(d, s)| Edit::Serial(d, s)),
        1 => (any(), 0..12_usize).prop_map(|(d, n)| Edit::Name(d, n)),
        1 => (any(), 0..5_usize).prop_map(|(d, p)| Edit::Profile(d, p)),
        1 => (any(), 0..5_usize).prop_map(|(d, p)| Edit::Platform(d, p)),
        5 => (any(), 0..3_usize).prop_map(|(d, r)| Edit::Revision(d, r)),
        2 => (any(), 0..6_usize).prop_map(|(d, s)| Edit::Status(d, s)),
        1 => (any(), 1..4_u32).prop_map(|(d, e)| Edit::Enroll(d, e)),
        1 => (any(), 0..9_usize).prop_map(|(d, s)| Edit::Style(d, s)),
        2 => (any(), 0..14_usize).prop_map(|(d, b)| Edit::Break(d, b)),
        1 => (0..FILES).prop_map(Edit::Sign),
        1 => (0..FILES).prop_map(Edit::UnusableKind),
    ]
}

/// A fleet directory in the making.
#[derive(Debug, Clone, Default)]
pub struct Fleet {
    pub documents: Vec<Document>,
    names: BTreeMap<usize, usize>,
    signed: BTreeSet<usize>,
    damaged: BTreeSet<usize>,
}

impl Fleet {
    fn change(&mut self, nth: usize, change: impl FnOnce(&mut Document)) {
        if let Some(document) = self.documents.get_mut(nth) {
            change(document);
        }
    }

    pub fn take(&mut self, edit: Edit) {
        match edit {
            Edit::Add(document) => self.documents.push(document),
            Edit::Remove(n) if n < self.documents.len() => drop(self.documents.remove(n)),
            Edit::Remove(_) => {}
            Edit::RemoveFile(file) => self.documents.retain(|d| d.file != file),
            Edit::Move(n, file) => self.change(n, |d| d.file = file),
            Edit::MoveFile(file, name) => {
                self.names.insert(file, FILES + name);
            }
            Edit::Serial(n, serial) => self.change(n, |d| d.serial = serial),
            Edit::Name(n, name) => self.change(n, |d| d.n = name),
            Edit::Profile(n, profile) => self.change(n, |d| d.profile = profile),
            Edit::Platform(n, platform) => self.change(n, |d| d.platform = platform),
            Edit::Revision(n, revision) => self.change(n, |d| d.revision = revision),
            Edit::Status(n, status) => self.change(n, |d| d.status = status),
            Edit::Enroll(n, enrollment) => self.change(n, |d| d.enrollment = enrollment),
            Edit::Style(n, style) => self.change(n, |d| d.style = style),
            Edit::Break(n, broken) => self.change(n, |d| d.broken = broken),
            Edit::Sign(file) => drop(self.signed.insert(file)),
            Edit::UnusableKind(file) => drop(self.damaged.insert(file)),
        }
    }

    /// Those that every fleet has, and the others.
    fn files(&self) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        for document in &self.documents {
            let file = self.names.get(&document.file).copied().unwrap_or(document.file);
            // A wipe request stands alone.
            let path = match document.kind {
                9 => format!("wipes/w{}-{file}.yaml", document.n),
                _ => format!("d{}/f{file}.yaml", file % 2),
            };
            if document.kind == 9 && self.signed.contains(&document.file) {
                files.insert(format!("{path}.bob.sig"), "signature".to_owned());
            }
            let text: &mut String = files.entry(path).or_default();
            if !text.is_empty() {
                text.push_str("---\n");
            }
            text.push_str(&document.text());
        }
        for file in &self.damaged {
            let path = format!("d{}/f{file}.yaml", file % 2);
            files.entry(path).and_modify(|text| text.insert(0, '\0'));
        }
        files
    }

    pub fn write(&self, root: &Path) {
        let _ = fs::remove_dir_all(root);
        fs::create_dir_all(root).expect("a directory");
        for (path, text) in self.files() {
            let path = root.join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            fs::write(path, text).expect("a file");
        }
    }
}

const PROFILES: [&str; 5] = ["Standard", "Executive", "Mobile", "dev3", "Absent"];
const PLATFORMS: [Option<&str>; 5] =
    [None, Some("windows"), Some("windows"), Some("macos"), Some("ios")];

impl Document {
    fn text(&self) -> String {
        let text = match self.kind {
            0..=6 => self.device(),
            7 | 8 => self.profile(),
            _ => self.wipe(),
        };
        match self.broken {
            8 => text + "  color: red\n",
            9 => text + "x: [\n",
            10 => text.replace("kind: ", "# "),
            11 => text.replace("kind: ", "kind: X"),
            12 => "metadata: {name: Standard}\n".to_owned(),
            13 => text.replace("serialNumber: SN", "serialNumber: 1"),
            _ => text,
        }
    }

    fn device(&self) -> String {
        let Self { n, serial, profile, platform, revision, status, enrollment, style, .. } = self;
        // A device may be called as a profile is.
        let name = if *n == 11 { "Standard".to_owned() } else { format!("dev{n}") };
        let serial = match style {
            1 => format!("'SN{serial}'"),
            2 => format!("\"\\x53N{serial}\""),
            3 => format!("|-\n    SN{serial}"),
            4 => format!("sn{serial}"),
            _ => format!("SN{serial}"),
        };
        let profile = match style {
            5 => format!("\"{}\"", PROFILES[*profile]),
            6 => format!("# of the device\n    {}", PROFILES[*profile]),
            _ => PROFILES[*profile].to_owned(),
        };
        let user = ["ana", "bob", "eva"][*revision];
        let device = Device::new(serial).named(name);
        let device = device.with("userEmail", format_args!("{user}@example.com"));
        let device = device.with("profile", profile).with("osVersion", "\"10\"");
        let device = device.with("enrollment", enrollment);
        let device = match PLATFORMS[*platform] {
            Some(platform) => device.with("platform", platform),
            None => device,
        };
        let status = ["Enrolled", "Enrolled", "Enrolled", "Enrolled", "Pending", "Failed"][*status];
        let text = device.with("status", status).yaml();
        if *style == 7 { format!("# seen {revision} times\n{text}") } else { text }
    }

    fn profile(&self) -> String {
        let platforms = ["windows", "windows", "macos, windows", "ios", "windows, ios"];
        let profile = Profile::new(PROFILES[self.n % 4], platforms[self.platform]);
        profile.with("settings", format_args!("{{ring: {}}}", self.revision)).yaml()
    }

    fn wipe(&self) -> String {
        let request = Request {
            name: format!("w{}", self.n % 3),
            device: format!("D00{}", 1 + self.n % 9),
            serial: format!("SN{}", self.serial),
            ..Request::of(1)
        };
        request.yaml()
    }
}
