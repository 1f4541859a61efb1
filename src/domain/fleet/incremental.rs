//! A desired fleet that follows its files one at a time.
//!
//! Nearly every change is an edit of one manifest, and touches no rule that needs another: who
//! has which serial number and which name stays as it is. Then the file's devices are replaced
//! where they stand. What may depend on other files is refused, and nothing is changed: the
//! caller assembles the fleet anew. Equal to that, always, and as a test proves.

use std::collections::HashMap;
use std::sync::Arc;

use super::desired::Desired;
use super::exemptions::exempted;
use super::profiles::platform_of;
use crate::domain::manifest::Documents;
use crate::domain::model::{DesiredDevice, SerialNumber};
use crate::domain::state::State;

/// Validated intent, kept up to date.
#[derive(Debug, Default)]
pub struct IncrementalFleet {
    desired: Arc<Desired>,
    files: Files,
}

/// How many valid devices there are in each file that holds several: in a fleet of one device a file,
/// nothing.
#[derive(Debug, Default)]
struct Files(HashMap<Arc<str>, usize>);

impl Files {
    fn of(devices: &[DesiredDevice]) -> Self {
        let mut counts: HashMap<&Arc<str>, usize> = HashMap::with_capacity(devices.len());
        for device in devices {
            *counts.entry(&device.place.path).or_default() += 1;
        }
        let several = counts.into_iter().filter(|(_, count)| *count > 1);
        Self(several.map(|(path, count)| (path.clone(), count)).collect())
    }

    /// How many there are in the file at this path, if there is any.
    fn count(&self, path: &str) -> usize {
        self.0.get(path).copied().unwrap_or(1)
    }
}

impl IncrementalFleet {
    /// All files, just assembled.
    #[must_use]
    pub fn new(desired: Desired) -> Self {
        let files = Files::of(&desired.devices);
        Self { desired: Arc::new(desired), files }
    }

    /// Lets go of what is recorded in the very same words: most of a fleet in which nothing is left
    /// to do.
    pub(crate) fn share(&mut self, recorded: &State) {
        let desired = Arc::make_mut(&mut self.desired);
        desired.devices.iter_mut().for_each(|device| recorded.share_with(device));
    }

    /// As it is by now.
    #[must_use]
    pub fn desired(&self) -> &Arc<Desired> {
        &self.desired
    }

    /// Takes in what one file holds by now, and gives the serial numbers of its devices; `None`
    /// if other files may matter.
    pub(crate) fn replace_file(&mut self, documents: Documents) -> Option<Vec<SerialNumber>> {
        let path = &documents.devices.first()?.place().path;
        // That there was one is seen below: each has to be there already, and in this file.
        let same_number = self.files.count(path) == documents.devices.len();
        if !same_number || !documents.is_plain() || self.depends_on_others(path) {
            return None;
        }
        let desired = &self.desired;
        let mut revised: Vec<(usize, DesiredDevice)> = Vec::new();
        let mut exemptions = Vec::new();
        for draft in documents.devices {
            let at = desired.find(draft.serial_number()).ok()?;
            let DesiredDevice { place, spec, .. } = &desired.devices[at];
            if place.path != draft.place().path || spec.name != *draft.name() {
                return None;
            }
            let profile = desired.profiles.get(draft.profile())?;
            // Its findings are those of the whole fleet's assembly.
            let platform = platform_of(&draft, profile, &mut Vec::new())?;
            if revised.iter().any(|(other, _)| *other == at) {
                return None;
            }
            exemptions.push((draft.serial_number().clone(), exempted(&draft)));
            revised.push((at, draft.finish(platform)));
        }
        let desired = Arc::make_mut(&mut self.desired);
        for (serial, exempted) in exemptions {
            desired.exemptions.remove(&serial);
            desired.exemptions.extend(exempted);
        }
        let serials = revised.into_iter().map(|(at, device)| {
            let serial = device.spec.serial_number.clone();
            desired.devices[at] = device;
            serial
        });
        Some(serials.collect())
    }

    /// Whether a file holds more than valid devices, or a finding elsewhere points to it.
    #[must_use]
    pub(crate) fn depends_on_others(&self, path: &str) -> bool {
        let Desired { profile_places, wipes, unusable, findings, .. } = &*self.desired;
        let points = |span: &crate::domain::manifest::finding::Span| *span.path == *path;
        profile_places.values().any(|place| *place.path == *path)
            || wipes.iter().any(|wipe| *wipe.place.path == *path)
            || unusable.iter().any(|unusable| *unusable.place.path == *path)
            || findings.iter().any(|finding| {
                points(&finding.span) || finding.related.as_ref().is_some_and(|(at, _)| points(at))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fleet::assemble;
    use crate::domain::fleet::tests::{device, profile, wipe};
    use crate::domain::manifest::parse_file;
    use crate::domain::plan::tests::World;

    type Files = std::collections::BTreeMap<String, String>;

    fn parse(path: &str, text: &str) -> Documents {
        parse_file(&path.into(), text.as_bytes())
    }

    fn assembled(files: &Files) -> Desired {
        assemble(files.iter().map(|(path, text)| parse(path, text)))
    }

    fn two(first: &str, second: &str) -> String {
        format!("{first}---\n{second}")
    }

    fn sample() -> Files {
        let files = [
            ("p.yaml", profile("P", "ios")),
            ("q.yaml", profile("Q", "ios, macos")),
            ("a.yaml", device("a", "A", "P", "")),
            ("b.yaml", two(&device("b", "B", "P", ""), &device("c", "C", "P", ""))),
            ("d.yaml", device("d", "D", "P", "")),
            ("e.yaml", device("e", "D", "P", "")),
            ("f.yaml", device("f", "F", "P", "  color: red\n")),
            ("g.yaml", two(&device("g", "G", "P", ""), &profile("R", "ios"))),
            ("w.yaml", wipe("w")),
        ];
        files.map(|(path, text)| (path.to_owned(), text)).into()
    }

    /// What it makes of one edit; whatever it takes is what assembling anew gives.
    fn edit(path: &str, text: &str) -> Option<Vec<String>> {
        let mut files = sample();
        let mut live = IncrementalFleet::new(assembled(&files));
        let taken = live.replace_file(parse(path, text));
        if taken.is_some() {
            files.insert(path.to_owned(), text.to_owned());
        }
        assert_eq!(**live.desired(), assembled(&files), "{path}\n{text}");
        taken.map(|serials| serials.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn an_edit_of_the_devices_of_a_file_is_taken() {
        let taken = |serials: &[&str]| Some(serials.iter().map(|s| s.to_string()).collect());
        for (path, text, want) in [
            ("a.yaml", device("a", "A", "P", "  enrollment: 2\n"), taken(&["A"])),
            ("a.yaml", device("a", "a", "P", ""), taken(&["a"])),
            ("a.yaml", device("a", "A", "Q", "  platform: macos\n"), taken(&["A"])),
            ("a.yaml", format!("# moved\n{}", device("a", "A", "P", "")), taken(&["A"])),
            (
                "b.yaml",
                two(&device("c", "C", "P", ""), &device("b", "B", "P", "  status: Failed\n")),
                taken(&["C", "B"]),
            ),
        ] {
            assert_eq!(edit(path, &text), want, "{path}\n{text}");
        }
    }

    #[test]
    fn what_other_files_may_matter_for_is_not() {
        for (path, text) in [
            ("a.yaml", device("a", "Z", "P", "")),
            ("a.yaml", device("z", "A", "P", "")),
            ("a.yaml", device("b", "A", "P", "")),
            ("a.yaml", device("a", "B", "P", "")),
            ("a.yaml", device("a", "A", "Nope", "")),
            ("a.yaml", device("a", "A", "Q", "")),
            ("a.yaml", device("a", "A", "P", "  platform: windows\n")),
            ("a.yaml", device("a", "A", "P", "  color: red\n")),
            ("a.yaml", two(&device("a", "A", "P", ""), &device("z", "Z", "P", ""))),
            ("a.yaml", two(&device("a", "A", "P", ""), &profile("Z", "ios"))),
            ("a.yaml", profile("Z", "ios")),
            ("a.yaml", String::new()),
            ("b.yaml", device("b", "B", "P", "")),
            ("b.yaml", two(&device("b", "B", "P", ""), &device("b", "B", "P", ""))),
            ("d.yaml", format!("# moved\n{}", device("d", "D", "P", ""))),
            ("e.yaml", device("e", "E", "P", "")),
            ("f.yaml", device("f", "F", "P", "")),
            ("g.yaml", device("g", "G", "P", "")),
            ("new.yaml", device("n", "N", "P", "")),
            ("p.yaml", profile("P", "macos")),
            ("w.yaml", device("w", "W", "P", "")),
        ] {
            assert_eq!(edit(path, &text), None, "{path}\n{text}");
        }
    }

    #[test]
    fn what_is_recorded_in_the_very_same_words_is_held_once() {
        let world = World::enrolled(&["A", "B"]);
        let recorded = |serial: &str| {
            let (_, device) = world.state.by_serial(&serial.parse().unwrap()).unwrap();
            device.spec.clone()
        };
        let mut desired = world.desired.clone();
        for device in &mut desired.devices {
            let mut spec = (*device.spec).clone();
            if spec.serial_number.as_str() == "B" {
                // Equal, and written otherwise.
                spec.os_version = format!("{}.0", spec.os_version).parse().unwrap();
            }
            device.spec = Arc::new(spec);
        }
        let mut live = IncrementalFleet::new(desired.clone());
        live.share(&world.state);
        assert_eq!(**live.desired(), desired);
        let [a, b] = &*live.desired().devices else { panic!("two devices") };
        assert!(Arc::ptr_eq(&a.spec, &recorded("A")));
        assert!(b.spec == recorded("B") && !Arc::ptr_eq(&b.spec, &recorded("B")));
        assert_eq!(b.spec.os_version.as_str(), desired.devices[1].spec.os_version.as_str());
    }
}
