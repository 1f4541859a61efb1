//! Mails: what they say, in whose language, and how they are told apart from one another.
//!
//! A [`Letter`] is what follows from an entry for one person; [`Templates`] makes the text and the
//! HTML of one or more of them. The texts are in `texts/`, a folder for each language; files of the
//! configuration replace them one by one. HTML is made of the text, unless there is a template for it.

mod alerts;
mod built_in;
mod context;
mod device;
mod examples;
mod html;
mod ids;
mod jobs;
mod layout;
mod letter;
mod obsolete;
mod pace;
mod part;
mod render;
mod templates;
mod trial;

pub(crate) use device::DeviceText;
pub(crate) use ids::{first_id, group_id};
pub(crate) use jobs::jobs;
pub(crate) use letter::Letter;
pub(crate) use obsolete::obsolete;
pub(crate) use pace::{Pace, together};
pub(crate) use part::{Extras, Part};
pub(crate) use render::render;
pub(crate) use templates::{Source, TemplateError, Templates};
pub(crate) use trial::load;

#[cfg(test)]
mod tests;
