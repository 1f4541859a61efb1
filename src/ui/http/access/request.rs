//! The bodies that clients send, read strictly: a member of the wrong type, one that is given
//! twice, and `null` are mistakes; members that nobody knows are passed over.

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::domain::access::{Named, Question};
use crate::domain::manifest::strict_map::StrictMap;

/// More questions at once are refused: the specification leaves the number open.
pub(super) const MOST_EVALUATIONS: usize = 100;

/// One question, or defaults for several.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default, deserialize_with = "given")]
    subject: Option<StrictMap<Subject>>,
    #[serde(default, deserialize_with = "given")]
    action: Option<StrictMap<Action>>,
    #[serde(default, deserialize_with = "given")]
    resource: Option<StrictMap<Resource>>,
    #[expect(dead_code, reason = "only whether it is an object matters")]
    #[serde(default, deserialize_with = "given")]
    context: Option<StrictMap<Anything>>,
}

/// Several questions, each as it was written: one that is wrong spoils no other.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Several {
    #[serde(default, deserialize_with = "given")]
    pub(super) evaluations: Option<Vec<Box<RawValue>>>,
    #[serde(default, deserialize_with = "given")]
    options: Option<StrictMap<Options>>,
}

#[derive(Debug, Default, Deserialize)]
struct Options {
    #[serde(default, deserialize_with = "given")]
    evaluations_semantic: Option<String>,
}

/// When to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Semantic {
    ExecuteAll,
    DenyOnFirstDeny,
    PermitOnFirstPermit,
}

#[derive(Debug, Deserialize)]
struct Subject {
    #[serde(default, rename = "type", deserialize_with = "given")]
    kind: Option<String>,
    #[serde(default, deserialize_with = "given")]
    id: Option<String>,
    #[serde(default, deserialize_with = "given")]
    properties: Option<StrictMap<Device>>,
}

/// Of the properties of a subject, those that name the device.
#[derive(Debug, Deserialize)]
struct Device {
    #[serde(default, deserialize_with = "given")]
    device_id: Option<String>,
    #[serde(default, deserialize_with = "given")]
    device_serial: Option<String>,
}

/// It must be there, and its name makes no difference: what a device may do once it is in, is
/// not decided here.
#[derive(Debug, Deserialize)]
struct Action {
    #[serde(default, deserialize_with = "given")]
    name: Option<String>,
    #[expect(dead_code, reason = "only whether it is an object matters")]
    #[serde(default, deserialize_with = "given")]
    properties: Option<StrictMap<Anything>>,
}

#[derive(Debug, Deserialize)]
struct Resource {
    #[serde(default, rename = "type", deserialize_with = "given")]
    kind: Option<String>,
    #[serde(default, deserialize_with = "given")]
    id: Option<String>,
    #[expect(dead_code, reason = "only whether it is an object matters")]
    #[serde(default, deserialize_with = "given")]
    properties: Option<StrictMap<Anything>>,
}

/// An object, whatever it holds.
#[derive(Debug, Default, Deserialize)]
struct Anything {}

/// A member that is there is a `T`, and not `null`.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// An object of JSON.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, String> {
    match serde_json::from_slice::<StrictMap<T>>(body) {
        Ok(StrictMap(read)) => Ok(read),
        Err(error) => Err(wrong_member(body).unwrap_or_else(|| error.to_string())),
    }
}

/// What a member that is there has to be.
#[derive(Clone, Copy)]
enum Kind {
    Object,
    Text,
    List,
}

/// Every member that is looked at.
const MEMBERS: [(&str, Kind); 17] = [
    ("subject", Kind::Object),
    ("subject.type", Kind::Text),
    ("subject.id", Kind::Text),
    ("subject.properties", Kind::Object),
    ("subject.properties.device_id", Kind::Text),
    ("subject.properties.device_serial", Kind::Text),
    ("action", Kind::Object),
    ("action.name", Kind::Text),
    ("action.properties", Kind::Object),
    ("resource", Kind::Object),
    ("resource.type", Kind::Text),
    ("resource.id", Kind::Text),
    ("resource.properties", Kind::Object),
    ("context", Kind::Object),
    ("evaluations", Kind::List),
    ("options", Kind::Object),
    ("options.evaluations_semantic", Kind::Text),
];

/// The first member of another type, by name: the parser knows only where it is.
fn wrong_member(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok().filter(Value::is_object)?;
    MEMBERS.iter().find_map(|(name, kind)| {
        let value = body.pointer(&format!("/{}", name.replace('.', "/")))?;
        let (fits, kind) = match kind {
            Kind::Object => (value.is_object(), "an object"),
            Kind::Text => (value.is_string(), "a string"),
            Kind::List => (value.is_array(), "an array"),
        };
        (!fits).then(|| format!("{name} is not {kind}"))
    })
}

impl Several {
    /// # Errors
    /// If it is none that there is.
    pub(super) fn semantic(&self) -> Result<Semantic, String> {
        let options = self.options.as_ref().map(|StrictMap(options)| options);
        match options.and_then(|options| options.evaluations_semantic.as_deref()) {
            None | Some("execute_all") => Ok(Semantic::ExecuteAll),
            Some("deny_on_first_deny") => Ok(Semantic::DenyOnFirstDeny),
            Some("permit_on_first_permit") => Ok(Semantic::PermitOnFirstPermit),
            Some(_) => Err("options.evaluations_semantic must be one of execute_all, \
                            deny_on_first_deny, permit_on_first_permit"
                .into()),
        }
    }
}

impl Asked {
    /// The question; a member that is not there is that of `defaults`, whole.
    ///
    /// # Errors
    /// If something that is needed is nowhere.
    pub(super) fn question<'q>(&'q self, defaults: &'q Self) -> Result<Question<'q>, String> {
        let StrictMap(subject) = needed(&self.subject, &defaults.subject, "subject")?;
        let StrictMap(action) = needed(&self.action, &defaults.action, "action")?;
        let StrictMap(resource) = needed(&self.resource, &defaults.resource, "resource")?;
        needed(&action.name, &None, "action.name")?;
        let properties = subject.properties.as_ref();
        let device = properties.map_or_else(Named::default, |StrictMap(device)| Named {
            id: device.device_id.as_deref(),
            serial: device.device_serial.as_deref(),
        });
        Ok(Question {
            subject_type: needed(&subject.kind, &None, "subject.type")?,
            user: needed(&subject.id, &None, "subject.id")?,
            device,
            resource_type: needed(&resource.kind, &None, "resource.type")?,
            resource: needed(&resource.id, &None, "resource.id")?,
        })
    }
}

fn needed<'q, T>(own: &'q Option<T>, default: &'q Option<T>, name: &str) -> Result<&'q T, String> {
    own.as_ref().or(default.as_ref()).ok_or_else(|| format!("{name} is missing"))
}
