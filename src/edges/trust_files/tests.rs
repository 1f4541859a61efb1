//! Real files with real permissions; owners, which only root could change, as a table.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use rustix::fs::Mode;

use super::error::MAX_BYTES;
use super::read::{Kind, Ownership, check};
use super::*;
use crate::domain::model::Digest;
use crate::domain::wipe::trust::{List, Trust};

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";

/// `etc/allowed`, `etc/revoked` and `fleet`, in a directory of our own.
struct Place {
    dir: TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { dir: tempfile::tempdir().unwrap() };
        for name in ["etc", "fleet", "fleet/sub"] {
            fs::create_dir(place.path(name)).unwrap();
            place.mode(name, 0o755);
        }
        place.write(
            "etc/allowed",
            &format!("bob@example.com namespaces=\"wipe@fleetform\" {KEY}\n"),
        );
        place.write("etc/revoked", "# none yet\n");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        self.mode(name, 0o644);
    }

    fn mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn link(&self, target: &str, name: &str) {
        symlink(target, self.path(name)).unwrap();
    }

    fn read(&self, allowed: &str) -> Result<Trust, Error> {
        read(&self.path(allowed), None, &self.path("fleet"))
    }

    fn error(&self, allowed: &str) -> Error {
        let error = self.read(allowed).unwrap_err();
        assert!(error.to_string().contains(List::AllowedSigners.as_str()), "{error}");
        error
    }
}

#[test]
fn both_files_are_read() {
    let place = Place::new();
    let revoked = place.path("etc/revoked");
    let trust = read(&place.path("etc/allowed"), Some(&revoked), &place.path("fleet")).unwrap();
    assert_eq!(trust.signers().len(), 1);
    assert_eq!(trust.digest(), Digest::of(&fs::read(place.path("etc/allowed")).unwrap()));
    assert_eq!(trust.revoked_digest(), Some(Digest::of(b"# none yet\n")));
}

#[test]
fn nobody_else_may_be_able_to_write_the_file() {
    let place = Place::new();
    for mode in [0o664, 0o646, 0o666, 0o620, 0o602, 0o777] {
        place.mode("etc/allowed", mode);
        let error = place.error("etc/allowed");
        assert!(matches!(error, Error::Writable { mode: found, .. } if found == mode), "{error}");
        assert!(error.to_string().contains("chmod go-w"), "{error}");
    }
    for mode in [0o600, 0o640, 0o444, 0o755] {
        place.mode("etc/allowed", mode);
        assert!(place.read("etc/allowed").is_ok(), "{mode:o}");
    }
    let revoked = place.path("etc/revoked");
    place.mode("etc/revoked", 0o664);
    let error = read(&place.path("etc/allowed"), Some(&revoked), &place.path("fleet")).unwrap_err();
    assert!(matches!(error, Error::Writable { list: List::RevokedKeys, .. }), "{error}");
}

#[test]
fn nobody_else_may_be_able_to_replace_the_file() {
    let place = Place::new();
    for mode in [0o757, 0o777, 0o775] {
        place.mode("etc", mode);
        let error = place.error("etc/allowed");
        let expected = place.path("etc");
        assert!(matches!(&error, Error::Writable { path, .. } if *path == expected), "{error}");
    }
    place.mode("etc", 0o1777);
    assert!(place.read("etc/allowed").is_ok(), "sticky, as /tmp");
    // Nor any directory that a link on the way lies in.
    fs::create_dir(place.path("open")).unwrap();
    place.link("../etc/allowed", "open/link");
    place.mode("open", 0o777);
    assert!(matches!(place.error("open/link"), Error::Writable { .. }));
    place.mode("open", 0o755);
    assert!(place.read("open/link").is_ok());
}

#[test]
fn only_root_and_the_current_user_may_own_it() {
    let path = Path::new("/etc/x");
    for kind in [Kind::File, Kind::Directory, Kind::Link] {
        for (owner, me, allowed) in
            [(0, 0, true), (0, 7, true), (7, 7, true), (7, 0, false), (8, 7, false)]
        {
            for sticky in [0, 0o1000] {
                let ownership = Ownership { owner, mode: 0o755 | sticky, kind };
                let result = check(List::AllowedSigners, path, &ownership, me);
                assert_eq!(result.is_ok(), allowed, "{owner} {me}");
                let foreign =
                    matches!(result, Err(Error::ForeignOwner { owner: o, .. }) if o == owner);
                assert_eq!(foreign, !allowed);
            }
        }
    }
}

#[test]
fn sticky_excuses_directories_only_and_links_have_no_permissions() {
    for (kind, mode, allowed) in [
        (Kind::Directory, 0o1777, true),
        (Kind::Directory, 0o777, false),
        (Kind::Directory, 0o775, false),
        (Kind::File, 0o1666, false),
        (Kind::File, 0o644, true),
        (Kind::Link, 0o777, true),
    ] {
        let ownership = Ownership { owner: 0, mode, kind };
        let result = check(List::AllowedSigners, Path::new("/x"), &ownership, 7);
        assert_eq!(result.is_ok(), allowed, "{mode:o}");
    }
}

#[test]
fn no_way_leads_through_the_fleet_directory() {
    let place = Place::new();
    let line = fs::read_to_string(place.path("etc/allowed")).unwrap();
    place.write("fleet/allowed", &line);
    place.write("fleet/sub/allowed", &line);
    place.link("../fleet/sub/allowed", "etc/link");
    place.link("../fleet", "etc/dir");
    place.link("../fleet/../etc/allowed", "etc/through");
    place.link("../etc/allowed", "fleet/out");
    place.link("etc/link", "twice");
    let absolute = place.path("fleet/allowed");
    place.link(absolute.to_str().unwrap(), "etc/absolute");
    for path in [
        "fleet/allowed",
        "fleet/sub/allowed",
        "etc/../fleet/allowed",
        "etc/link",
        "etc/dir/allowed",
        "etc/through",
        "etc/absolute",
        "fleet/out",
        "twice",
    ] {
        let error = place.error(path);
        assert!(matches!(error, Error::InsideFleet { .. }), "{path}: {error}");
    }
    // The fleet directory itself may be reached by a link, which is swapped.
    place.link("fleet", "current");
    let error = read(&absolute, None, &place.path("current")).unwrap_err();
    assert!(matches!(error, Error::InsideFleet { .. }), "{error}");
    let error = read(&place.path("current/allowed"), None, &place.path("current")).unwrap_err();
    assert!(matches!(error, Error::InsideFleet { .. }), "{error}");
}

#[test]
fn a_fleet_directory_elsewhere_or_not_there_is_no_hindrance() {
    let place = Place::new();
    place.link("etc/allowed", "link");
    fs::create_dir(place.path("etc/fleet")).unwrap();
    for fleet in ["fleet", "etc/fleet", "gone"] {
        assert!(read(&place.path("link"), None, &place.path(fleet)).is_ok(), "{fleet}");
    }
    let error = read(&place.path("link"), None, &place.path("etc/allowed/fleet")).unwrap_err();
    assert!(matches!(error, Error::Fleet { .. }), "{error}");
}

#[test]
fn what_is_not_a_file_is_refused_without_waiting() {
    let place = Place::new();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        place.path("etc/fifo"),
        rustix::fs::FileType::Fifo,
        Mode::from_raw_mode(0o644),
        0,
    )
    .unwrap();
    place.link("loop", "etc/loop");
    place.link("nowhere", "etc/dangling");
    assert!(matches!(place.error("etc/fifo"), Error::NotAFile { .. }));
    assert!(matches!(place.error("etc"), Error::NotAFile { .. }));
    assert!(matches!(place.error("etc/loop"), Error::TooManyLinks { .. }));
    assert!(matches!(place.error("etc/dangling"), Error::Missing { .. }));
    assert!(matches!(place.error("etc/missing"), Error::Missing { .. }));
    assert!(matches!(place.error("etc/allowed/x"), Error::Unreadable { .. }));
    assert!(matches!(place.error("etc/missing/../allowed"), Error::Missing { .. }));
}

#[test]
fn size_is_bounded() {
    let place = Place::new();
    let comment = format!("#{}\n", "x".repeat(1022)).repeat(1024);
    place.write("etc/allowed", &comment);
    assert_eq!(comment.len(), MAX_BYTES);
    assert!(place.read("etc/allowed").is_ok());
    place.write("etc/allowed", &(comment + "#"));
    assert!(matches!(place.error("etc/allowed"), Error::TooLarge { .. }));
}

#[test]
fn a_malformed_line_is_named_with_its_file() {
    let place = Place::new();
    place.write("etc/allowed", "# x\n*@example.com ssh-ed25519 AAAA\n");
    let error = place.read("etc/allowed").unwrap_err().to_string();
    assert!(
        error.contains("etc/allowed, line 2: ") && error.contains("no signature counts"),
        "{error}"
    );
    place.write("etc/allowed", "");
    place.write("etc/revoked", "SSHKRL\n\0");
    let revoked = place.path("etc/revoked");
    let error = read(&place.path("etc/allowed"), Some(&revoked), &place.path("fleet")).unwrap_err();
    assert!(error.to_string().contains("etc/revoked, line 1: "), "{error}");
}

#[test]
fn relative_paths_start_at_the_working_directory() {
    let place = Place::new();
    let here = std::env::current_dir().unwrap();
    let up: PathBuf = here.components().skip(1).map(|_| "..").collect();
    let relative = up.join(place.path("etc/allowed").strip_prefix("/").unwrap());
    assert!(relative.is_relative());
    // The way leads through the working directory, which may itself be open to its group.
    match read(&relative, None, &place.path("fleet")) {
        Ok(trust) => assert_eq!(trust.signers().len(), 1),
        Err(Error::Writable { path, .. } | Error::ForeignOwner { path, .. }) => {
            assert!(here.starts_with(path));
        }
        Err(error) => panic!("{error}"),
    }
}
