//! Git work trees around a path, found without asking Git.
//!
//! Who gets a change merged can write every file of a work tree, but never `.git`: Git refuses to
//! check out anything of that name. So only `.git`, in the directory itself or above it, says where
//! a work tree is. A directory that merely looks like a bare repository (`HEAD`, `objects`, `refs`)
//! can be part of a change, and says nothing. Never starts a process, never writes.

use std::ffi::OsString;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use super::guarded::Guarded;

/// The directory or file at the top of a work tree.
const DOT_GIT: &str = ".git";
/// A path of Linux has at most 4,096 bytes.
const MAX_LINK_FILE: usize = 8 * 1024;
/// As many symbolic links as Linux itself follows.
const MAX_LINKS: u32 = 40;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WorkTree {
    /// Its top directory, without symbolic links on the way.
    pub(crate) top: PathBuf,
    /// Where Git keeps its own files about it, without symbolic links on the way.
    pub(crate) git_dir: PathBuf,
}

impl WorkTree {
    /// The innermost work tree that holds the directory `root`, and the way down to `root`: empty
    /// at the top. `None` where there is none, or where its Git directory cannot be relied on.
    #[must_use]
    pub(crate) fn around(root: &Path) -> Option<(Self, PathBuf)> {
        let root = root.canonicalize().ok()?;
        let top = root.ancestors().find(|dir| dir.join(DOT_GIT).symlink_metadata().is_ok())?;
        let git_dir = git_dir(top)?;
        let below = root.strip_prefix(top).ok()?.to_owned();
        Some((Self { top: top.to_owned(), git_dir }, below))
    }

    /// Whether Git could have written this file from a commit: it is in the work tree and not in
    /// a Git directory.
    #[must_use]
    pub(crate) fn checks_out(&self, file: &Path) -> bool {
        file.canonicalize().map_or(true, |file| {
            file.strip_prefix(&self.top).is_ok_and(|below| !below.iter().any(|p| p == DOT_GIT))
        })
    }
}

/// Where the `.git` of this directory leads; `None` where it leads into files that a commit can
/// bring.
fn git_dir(top: &Path) -> Option<PathBuf> {
    let dot_git = top.join(DOT_GIT);
    let found = if dot_git.is_dir() { dot_git } else { top.join(linked(&dot_git)?) };
    let found = found.canonicalize().ok().filter(|found| found.is_dir())?;
    let inside_git = |below: &Path| below.iter().any(|part| part == DOT_GIT);
    let checked_out = found.ancestors().any(|dir| {
        dir.join(DOT_GIT).symlink_metadata().is_ok()
            && found.strip_prefix(dir).is_ok_and(|below| !inside_git(below))
    });
    (!checked_out).then_some(found)
}

/// What a `.git` file says: `gitdir: PATH`, as in a linked work tree or a submodule.
fn linked(file: &Path) -> Option<PathBuf> {
    let bytes = Guarded::up_to(MAX_LINK_FILE).read(file).ok()?;
    let text = std::str::from_utf8(&bytes).ok()?;
    let path = text.strip_prefix("gitdir:")?.trim();
    (!path.is_empty()).then(|| path.into())
}

/// A directory, by device and inode: the same one whatever path leads there.
pub(crate) type Identity = (u64, u64);

/// Of a file or directory.
#[must_use]
pub(crate) fn identity(metadata: &Metadata) -> Identity {
    (metadata.dev(), metadata.ino())
}

/// A directory whose content a merged change decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reviewed {
    identity: Identity,
    /// Where it is, without symbolic links on the way.
    pub(crate) path: PathBuf,
    /// Whether it is the fleet directory, rather than a work tree around it.
    pub(crate) is_fleet: bool,
}

/// All directories whose content a merged change decides: the fleet directory, and each work tree
/// that holds it or a symbolic link on the way to it. Settings and trust must not come from there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Checkout(Vec<Reviewed>);

impl Checkout {
    /// Of this fleet directory. One that does not exist has only the work trees around the place
    /// where it would be.
    ///
    /// # Errors
    /// If a directory on the way cannot be looked at.
    pub(crate) fn of(fleet: &Path) -> io::Result<Self> {
        let way = way(fleet)?;
        let is_fleet = |dir: &Dir| way.whole && way.dirs.last() == Some(dir);
        let mut found = Vec::new();
        for dir in &way.dirs {
            let is_fleet = is_fleet(dir);
            if is_fleet || dir.is_top()? {
                let Dir { identity, path } = dir.clone();
                found.push(Reviewed { identity, path, is_fleet });
            }
        }
        Ok(Self(found))
    }

    /// Whether this directory is one of them.
    #[must_use]
    pub(crate) fn find(&self, identity: Identity) -> Option<&Reviewed> {
        self.0.iter().find(|reviewed| reviewed.identity == identity)
    }

    /// The first of them that the way to `file` leads through, by the place of a symbolic link or
    /// by its target.
    ///
    /// # Errors
    /// If a directory on the way cannot be looked at.
    pub(crate) fn holding(&self, file: &Path) -> io::Result<Option<&Reviewed>> {
        let way = way(file)?;
        Ok(way.dirs.iter().find_map(|dir| self.find(dir.identity)))
    }
}

/// The top of a work tree that the way to `file` leads through, by the place of a symbolic link
/// or by its target.
///
/// # Errors
/// If a directory on the way cannot be looked at.
pub(crate) fn holding(file: &Path) -> io::Result<Option<PathBuf>> {
    for dir in way(file)?.dirs {
        if dir.is_top()? {
            return Ok(Some(dir.path));
        }
    }
    Ok(None)
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Dir {
    identity: Identity,
    path: PathBuf,
}

impl Dir {
    fn is_top(&self) -> io::Result<bool> {
        match self.path.join(DOT_GIT).symlink_metadata() {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Directories on the way to a path, in order.
struct Way {
    dirs: Vec<Dir>,
    /// Whether the path is there, and the last of them is where it leads.
    whole: bool,
}

/// The path from the root. Of the working directory it is not asked how it is called when a path leads
/// out of it, so that `../etc` does not lead through a checkout that one stands in.
fn from_here(path: &Path, here: impl FnOnce() -> io::Result<PathBuf>) -> io::Result<PathBuf> {
    if path.is_absolute() {
        return Ok(path.to_owned());
    }
    let (mut here, mut rest) = (here()?, path);
    while let Ok(below) = rest.strip_prefix("..").or_else(|_| rest.strip_prefix("."))
        && below != rest
    {
        if rest.starts_with("..") {
            here.pop();
        }
        rest = below;
    }
    Ok(here.join(rest))
}

/// Follows a path through every symbolic link, as far as there is something.
fn way(path: &Path) -> io::Result<Way> {
    let mut ahead = Vec::new();
    push_components(&mut ahead, &from_here(path, std::env::current_dir)?);
    let mut here = PathBuf::from("/");
    let mut dirs = Vec::new();
    let mut links = 0;
    while let Some(name) = ahead.pop() {
        let next = if name == "/" {
            PathBuf::from("/")
        } else if name == ".." {
            here.parent().unwrap_or(&here).to_owned()
        } else {
            here.join(&name)
        };
        let metadata = match next.symlink_metadata() {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Way { dirs, whole: false });
            }
            Err(error) => return Err(error),
        };
        if metadata.is_symlink() {
            links += 1;
            if links > MAX_LINKS {
                return Err(io::Error::other("too many symbolic links"));
            }
            push_components(&mut ahead, &std::fs::read_link(&next)?);
        } else if metadata.is_dir() {
            dirs.push(Dir { identity: identity(&metadata), path: next.clone() });
            here = next;
        } else if ahead.is_empty() {
            return Ok(Way { dirs, whole: false });
        } else {
            return Err(io::ErrorKind::NotADirectory.into());
        }
    }
    Ok(Way { dirs, whole: true })
}

/// Puts the components of a path before what is still to be walked; the next one is the last.
pub(crate) fn push_components(ahead: &mut Vec<OsString>, path: &Path) {
    for component in path.components().rev() {
        match component {
            Component::CurDir | Component::Prefix(_) => {}
            Component::RootDir | Component::ParentDir | Component::Normal(_) => {
                ahead.push(component.as_os_str().to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn place() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path().canonicalize().unwrap();
        (dir, at)
    }

    fn make(at: &Path, dirs: &[&str]) {
        dirs.iter().for_each(|dir| fs::create_dir_all(at.join(dir)).unwrap());
    }

    #[test]
    fn only_dot_git_says_where_a_work_tree_is() {
        let (_dir, at) = place();
        make(&at, &["repo/.git", "repo/fleet/objects", "repo/fleet/refs", "repo/fleet/x"]);
        fs::write(at.join("repo/fleet/HEAD"), "ref: refs/heads/main\n").unwrap();
        let tree = WorkTree { top: at.join("repo"), git_dir: at.join("repo/.git") };
        let around = |path: &str| WorkTree::around(&at.join(path));
        assert_eq!(around("repo"), Some((tree.clone(), PathBuf::new())));
        assert_eq!(around("repo/fleet"), Some((tree.clone(), "fleet".into())));
        assert_eq!(around("repo/fleet/x"), Some((tree.clone(), "fleet/x".into())));
        assert_eq!((around("."), around("gone")), (None, None));
        for (file, checked_out) in
            [("repo/fleet/HEAD", true), ("repo/.git", false), ("repo/gone", true), (".", false)]
        {
            assert_eq!(tree.checks_out(&at.join(file)), checked_out, "{file}");
        }
    }

    #[test]
    fn a_git_directory_among_checked_out_files_is_not_believed() {
        let (_dir, at) = place();
        make(
            &at,
            &["repo/.git/modules/sub", "repo/.git/worktrees/w", "repo/evil", "repo/sub", "w"],
        );
        make(&at, &["apart", "bare.git/worktrees/w", "clone/.git", "clone/inner/.git"]);
        let dot_git = |text: &str, of: &str| {
            let file = at.join(of).join(".git");
            let _ = fs::remove_file(&file);
            fs::write(&file, text).unwrap();
            WorkTree::around(&at.join(of)).map(|(tree, _)| tree.git_dir)
        };
        for (of, target, believed) in [
            ("repo/sub", "../.git/modules/sub", Some("repo/.git/modules/sub")),
            ("w", "../repo/.git/worktrees/w", Some("repo/.git/worktrees/w")),
            ("w", "../bare.git/worktrees/w", Some("bare.git/worktrees/w")),
            ("w", "../repo/evil", None),
            ("w", "../nowhere", None),
            ("w", ".", None),
            ("repo/sub", "../evil", None),
            ("repo/sub", "", None),
        ] {
            let found = dot_git(&format!("gitdir: {target}\n"), of);
            assert_eq!(found, believed.map(|path| at.join(path)), "{of}: {target}");
        }
        assert_eq!(dot_git(&"x".repeat(1 << 20), "w"), None, "no such file of Git");
        fs::remove_file(at.join("w/.git")).unwrap();
        symlink("../apart", at.join("w/.git")).unwrap();
        let git_dir = |of: &str| WorkTree::around(&at.join(of)).map(|(tree, _)| tree.git_dir);
        assert_eq!(git_dir("w"), Some(at.join("apart")));
        assert_eq!(git_dir("clone/inner"), Some(at.join("clone/inner/.git")), "a clone in a clone");
        // A FIFO is not waited for.
        fs::remove_file(at.join("w/.git")).unwrap();
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        let fifo = at.join("w/.git");
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        assert_eq!(git_dir("w"), None);
    }

    #[test]
    fn a_path_that_leads_out_of_the_working_directory_does_not_lead_through_it() {
        for (path, led) in [
            ("/etc/x", "/etc/x"),
            ("x", "/home/clone/fleet/x"),
            ("./x/../y", "/home/clone/fleet/x/../y"),
            ("..", "/home/clone"),
            ("../../etc/x", "/home/etc/x"),
            (".././../etc/../x", "/home/etc/../x"),
            ("../../../../x", "/x"),
            ("", "/home/clone/fleet"),
        ] {
            let from = from_here(Path::new(path), || Ok("/home/clone/fleet".into())).unwrap();
            assert_eq!(from, Path::new(led), "{path}");
        }
    }

    #[test]
    fn links_without_end_are_an_error() {
        let (_dir, at) = place();
        symlink(at.join("b"), at.join("a")).unwrap();
        symlink(at.join("a"), at.join("b")).unwrap();
        assert!(holding(&at.join("a")).is_err() && Checkout::of(&at.join("a")).is_err());
    }
}
