//! The pages of the documentation: every command in them is run, what they show is what it prints, and the
//! reference is complete.
//!
//! A fenced block in `sh` is run as it stands; one in `console` is run line by line, `$` and `#` being the
//! prompts, and what follows a command is compared with what it prints. There, `…` stands for anything, and
//! alone on a line for any number of lines; a command whose output begins with `error` has to fail. A word
//! behind the language, as in `sh server`, says why a block is not run: see [`commands::WORDS`].

mod block;
mod commands;
mod output;
mod picture;
mod place;
mod reference;
mod runbook;
