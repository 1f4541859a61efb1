//! Files and directories of tests, and Git in them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file or directory: its bytes, when it was last changed, and which one it is.
type Node = (Option<Vec<u8>>, (i64, i64), u64);

/// All below a directory, itself too.
pub fn tree(root: &Path) -> BTreeMap<PathBuf, Node> {
    fn walk(path: &Path, found: &mut BTreeMap<PathBuf, Node>) {
        let about = fs::symlink_metadata(path).expect("it is there");
        let bytes = about.is_file().then(|| fs::read(path).expect("it can be read"));
        let changed = (about.mtime(), about.mtime_nsec());
        found.insert(path.to_owned(), (bytes, changed, about.ino()));
        if about.is_dir() {
            for entry in fs::read_dir(path).expect("it can be listed") {
                walk(&entry.expect("an entry").path(), found);
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(root, &mut found);
    found
}

/// Writes a file, and the directories above it.
pub fn write(path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
    let path = path.as_ref();
    fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
    fs::write(path, bytes).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
}

/// Copies all below a directory.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("it can be listed") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("it can be copied");
        }
    }
}

/// All below a directory, to be written any number of times: what takes long to make is made once.
pub struct Snapshot(Vec<(PathBuf, Option<File>)>);

type File = (Vec<u8>, fs::Permissions);

impl Snapshot {
    pub fn of(root: &Path) -> Self {
        let mut found = vec![];
        let mut left = vec![root.to_owned()];
        while let Some(path) = left.pop() {
            let about = fs::symlink_metadata(&path).expect("it is there");
            if about.is_dir() {
                let entries = fs::read_dir(&path).expect("it can be listed");
                left.extend(entries.map(|entry| entry.expect("an entry").path()));
            }
            let bytes = about.is_file().then(|| fs::read(&path).expect("it can be read"));
            let below = path.strip_prefix(root).expect("below").to_owned();
            found.push((below, bytes.map(|bytes| (bytes, about.permissions()))));
        }
        Self(found)
    }

    pub fn write(&self, root: &Path) {
        for (path, file) in &self.0 {
            let path = root.join(path);
            match file {
                Some((bytes, permissions)) => {
                    fs::write(&path, bytes).expect("written");
                    fs::set_permissions(path, permissions.clone()).expect("its own file");
                }
                None => fs::create_dir_all(path).expect("a directory"),
            }
        }
    }
}

/// Runs Git quietly, with a known author and no configuration.
#[track_caller]
pub fn git(dir: &Path, args: &[&str]) {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.com",
            "-c",
            "init.defaultBranch=main",
        ])
        .args(args)
        .current_dir(dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .expect("git is needed: apt-get install git");
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}
