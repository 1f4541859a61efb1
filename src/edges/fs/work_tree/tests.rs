#![allow(clippy::disallowed_methods, reason = "throw-away files in a temporary directory")]

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
    make(&at, &["repo/.git/modules/sub", "repo/.git/worktrees/w", "repo/evil", "repo/sub", "w"]);
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
fn links_without_end_are_an_error() {
    let (_dir, at) = place();
    symlink(at.join("b"), at.join("a")).unwrap();
    symlink(at.join("a"), at.join("b")).unwrap();
    assert!(holding(&at.join("a")).is_err() && Checkout::of(&at.join("a")).is_err());
}
