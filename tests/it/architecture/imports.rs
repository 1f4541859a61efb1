//! What each file of the program imports, read from its syntax: every `use` (with braces, `super`,
//! `self`, renames) and every inline path, also inside macros, but for code that is compiled in
//! tests only. A name that a module re-exports is looked up where it is defined.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// A module's path below the crate: empty for `lib.rs`.
pub type Module = Vec<String>;

/// One file imports something of another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Import {
    pub from: Module,
    pub to: Module,
    pub line: usize,
}

/// All files of the program, and what they import.
pub struct Tree {
    modules: BTreeSet<Module>,
    imports: Vec<Import>,
}

/// A path as it is written, made absolute, and where.
struct Written {
    path: Vec<String>,
    line: usize,
}

/// What a file says.
#[derive(Default)]
struct Said {
    paths: Vec<Written>,
    /// `pub use`: the name here, and the absolute path that it stands for.
    exports: BTreeMap<String, Vec<String>>,
}

impl Tree {
    /// Reads every file below `src`.
    pub fn read(src: &Path) -> Self {
        let mut said: BTreeMap<Module, Said> = BTreeMap::new();
        for path in super::rust_files(src) {
            let module = module(path.strip_prefix(src).expect("below src"));
            if module.iter().any(|part| part == "tests" || part == "testing") {
                continue;
            }
            let text = fs::read_to_string(&path).expect("readable source");
            let file = syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            let children = Vec::new();
            let mut reading = Reading { module: module.clone(), children, said: Said::default() };
            reading.visit_file(&file);
            said.insert(module, reading.said);
        }
        let modules: BTreeSet<Module> = said.keys().cloned().collect();
        let mut imports = Vec::new();
        for (from, file) in &said {
            for Written { path, line } in &file.paths {
                let to = define(&said, path);
                if let Some(to) = to.filter(|to| to != from && !to.is_empty()) {
                    imports.push(Import { from: from.clone(), to, line: *line });
                }
            }
        }
        Self { modules, imports }
    }

    pub fn modules(&self) -> impl Iterator<Item = &Module> {
        self.modules.iter()
    }

    pub fn imports(&self) -> impl Iterator<Item = &Import> {
        self.imports.iter()
    }
}

fn module(file: &Path) -> Module {
    let file = file.with_extension("");
    let mut parts: Module = file.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if parts.last().is_some_and(|last| last == "mod") || parts == ["lib"] {
        parts.pop();
    }
    parts
}

/// The file that defines what a path names: through re-exports, as far as they go.
fn define(said: &BTreeMap<Module, Said>, path: &[String]) -> Option<Module> {
    let mut path = path.to_vec();
    // A re-export of a re-export of …: no more often than there are files.
    for _ in 0..said.len() {
        let holder =
            (0..=path.len()).rev().map(|n| &path[..n]).find(|part| said.contains_key(*part))?;
        let Some(name) = path.get(holder.len()) else { return Some(holder.to_vec()) };
        match said[holder].exports.get(name) {
            Some(target) if *target != path[..=holder.len()] => {
                path = [target, &path[holder.len() + 1..]].concat();
            }
            _ => return Some(holder.to_vec()),
        }
    }
    panic!("{} is re-exported in a circle", path.join("::"))
}

struct Reading {
    module: Module,
    /// Names of the modules below this one: `child::name` means `self::child::name`.
    children: Vec<String>,
    said: Said,
}

impl Reading {
    /// Absolute, where it begins with `crate`, `self` or `super`.
    fn absolute(&self, path: &[String]) -> Option<Vec<String>> {
        let mut base = match path.first()?.as_str() {
            "crate" | "fleetform" => Vec::new(),
            "self" => self.module.clone(),
            "super" => self.module[..self.module.len().checked_sub(1)?].to_vec(),
            first if self.children.iter().any(|child| child == first) => {
                [&self.module[..], &path[..1]].concat()
            }
            _ => return None,
        };
        for part in &path[1..] {
            match part.as_str() {
                "super" => drop(base.pop()),
                part => base.push(part.to_owned()),
            }
        }
        Some(base)
    }

    fn note(&mut self, path: &[String], line: usize) {
        if let Some(path) = self.absolute(path) {
            self.said.paths.push(Written { path, line });
        }
    }

    fn used(&mut self, tree: &syn::UseTree, before: &[String], public: bool) {
        let mut leaf = |name: String, target: Vec<String>, at: &syn::Ident| {
            let line = at.span().start().line;
            if public && let Some(path) = self.absolute(&target) {
                self.said.exports.insert(name, path);
            } else {
                self.note(&target, line);
            }
        };
        match tree {
            syn::UseTree::Path(path) => {
                let before = [before, &[path.ident.to_string()]].concat();
                self.used(&path.tree, &before, public);
            }
            syn::UseTree::Name(name) if name.ident == "self" => {
                leaf(before.last().cloned().unwrap_or_default(), before.to_vec(), &name.ident);
            }
            syn::UseTree::Name(name) => {
                let target = [before, &[name.ident.to_string()]].concat();
                leaf(name.ident.to_string(), target, &name.ident);
            }
            syn::UseTree::Rename(rename) => {
                let target = match rename.ident.to_string().as_str() {
                    "self" => before.to_vec(),
                    name => [before, &[name.to_owned()]].concat(),
                };
                leaf(rename.rename.to_string(), target, &rename.ident);
            }
            // What a file hands on by a glob cannot be followed to where it is defined.
            syn::UseTree::Glob(_) => {
                assert!(!public, "{}: name what is handed on", self.module.join("::"));
                self.note(before, 0);
            }
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.used(tree, before, public);
                }
            }
        }
    }

    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at += 1;
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(first) if first == "crate" || first == "super" => {
                    let mut path = vec![first.to_string()];
                    while let [TokenTree::Punct(a), TokenTree::Punct(b), TokenTree::Ident(next), ..] =
                        &tokens[at..]
                        && a.as_char() == ':'
                        && b.as_char() == ':'
                    {
                        path.push(next.to_string());
                        at += 3;
                    }
                    self.note(&path, first.span().start().line);
                }
                _ => {}
            }
        }
    }
}

fn only_in_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        syn::Meta::Path(path) => path.is_ident("test"),
        syn::Meta::NameValue(_) => false,
    })
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Macro(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

impl<'ast> Visit<'ast> for Reading {
    fn visit_file(&mut self, file: &'ast syn::File) {
        self.items(&file.items);
    }

    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !only_in_tests(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !only_in_tests(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.used(&item.tree, &[], false);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        if let Some(first) = path.segments.first() {
            self.note(&names, first.ident.span().start().line);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.tokens(call.tokens.clone());
        visit::visit_macro(self, call);
    }
}

impl Reading {
    fn items(&mut self, items: &[syn::Item]) {
        let children = items
            .iter()
            .filter_map(|item| match item {
                syn::Item::Mod(child) if !only_in_tests(&child.attrs) => {
                    Some(child.ident.to_string())
                }
                _ => None,
            })
            .collect();
        let outer = std::mem::replace(&mut self.children, children);
        for item in items.iter().filter(|item| !only_in_tests(attributes(item))) {
            match item {
                syn::Item::Use(item) => {
                    let public = !matches!(item.vis, syn::Visibility::Inherited);
                    self.used(&item.tree, &[], public);
                }
                syn::Item::Mod(syn::ItemMod { content: Some((_, inner)), ident, .. }) => {
                    self.module.push(ident.to_string());
                    self.items(inner);
                    self.module.pop();
                }
                item => self.visit_item(item),
            }
        }
        self.children = outer;
    }
}

/// Groups of files that import each other, directly or through others.
pub fn cycles<'t>(
    graph: &BTreeMap<&'t [String], BTreeSet<&'t [String]>>,
) -> Vec<Vec<&'t [String]>> {
    let reach = |from: &'t [String]| -> BTreeSet<&'t [String]> {
        let mut seen = BTreeSet::new();
        let mut open = vec![from];
        while let Some(file) = open.pop() {
            for next in graph.get(file).into_iter().flatten() {
                if seen.insert(*next) {
                    open.push(next);
                }
            }
        }
        seen
    };
    let reached: BTreeMap<_, _> = graph.keys().map(|file| (*file, reach(file))).collect();
    let mut done = BTreeSet::new();
    let mut groups = Vec::new();
    for (file, below) in &reached {
        if !below.contains(file) || done.contains(file) {
            continue;
        }
        let group: Vec<&'t [String]> = below
            .iter()
            .copied()
            .filter(|other| reached.get(other).is_some_and(|back| back.contains(file)))
            .collect();
        done.extend(group.iter().copied());
        groups.push(group);
    }
    groups
}
