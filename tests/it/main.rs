//! End-to-end tests of the real binary, properties of whole passes, and checks of the house.

#![allow(clippy::disallowed_methods, reason = "no file of a fixture outlives its test")]

mod access;
mod architecture;
mod artefact;
mod authoring;
mod backups;
mod commands;
mod completions;
mod crashes;
mod daemon;
mod doctor;
mod documents;
mod emulator;
mod examples;
mod formatting;
mod hostile;
mod hostile_repository;
mod imports;
mod incremental;
mod index;
mod intune;
mod invariants;
mod ledgers;
mod mail;
mod orientation;
mod pages;
mod pairs;
mod partial;
mod promises;
mod properties;
mod provider;
mod pull_request;
mod queries;
mod receivers;
mod suite;
mod support;
mod sweeps;
mod syncs;
mod terminal;
mod wipes;
mod words;
