//! Where the lines of the log are, byte for byte.

/// The path of the resource: `?since=SEQ`, `&device=ID`, `&limit=N`.
pub(crate) const PATH: &str = "/api/v1/log";
/// Lines as `audit.jsonl` has them.
pub(crate) const KIND: &str = "application/jsonl";
/// As many lines an answer has at most; with fewer there are no more now.
pub(crate) const PAGE: usize = 1000;
