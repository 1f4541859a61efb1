//! The examples, by their own commands: workflows, pipeline and hook in a repository that `init`
//! made. Only GitHub and GitLab themselves are played, by `examples/gh` and `examples/curl`.

mod github;
mod gitlab;
mod hook;
mod init;
mod lab;
mod monitoring;
