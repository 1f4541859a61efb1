//! What is asked: texts as a client sent them.

/// May this user come in with this device?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Question<'a> {
    /// What kind of subject it is; only a `user` has devices.
    pub(crate) subject_type: &'a str,
    /// The user's e-mail address; letter case does not count.
    pub(crate) user: &'a str,
    pub(crate) device: Named<'a>,
    /// Only an `application` is a resource here.
    pub(crate) resource_type: &'a str,
    pub(crate) resource: &'a str,
}

/// The device, as far as it is named. Both may be given, and must then name the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Named<'a> {
    pub(crate) id: Option<&'a str>,
    pub(crate) serial: Option<&'a str>,
}

impl<'a> Question<'a> {
    /// Of a user and a resource of the usual kinds.
    #[must_use]
    pub(crate) fn new(user: &'a str, resource: &'a str) -> Self {
        Self {
            subject_type: USER,
            user,
            device: Named::default(),
            resource_type: APPLICATION,
            resource,
        }
    }
}

pub(super) const USER: &str = "user";
pub(super) const APPLICATION: &str = "application";
