//! The last judgement, right before a wipe is issued and once more when that is in the log.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use chrono::TimeDelta;

use super::requests::*;
use crate::domain::manifest::{Unusable, UnusableKind};
use crate::domain::model::{DesiredDevice, Digest, Ownership, Place};
use crate::domain::plan::Op;
use crate::domain::plan::tests::World;
use crate::domain::plan::wipes::{Fresh, IssuableWipe, NotIssued, ahead_of, issuable};
use crate::domain::state::WipeState;
use crate::domain::wipe::WipeFile;
use crate::domain::wipe::trust::Trust;
use crate::domain::wipe::trust_state::TrustState;

/// A wipe that is accepted and to be issued now, with what it rests on.
struct Issue {
    world: World,
    file: Arc<WipeFile>,
    manifest: Option<DesiredDevice>,
    fresh: Fresh,
    ahead: usize,
}

impl Issue {
    fn new() -> Self {
        Self::signed_by(&[ANA], &[(3, 1)])
    }

    fn signed_by(signers: &[&str], quorum: &[(u32, u32)]) -> Self {
        let mut world = world(&["A1", "B2"]);
        world.settings.wipes.quorum = tiers(quorum);
        world.settings.wipes.delay = TimeDelta::hours(1);
        ask(&mut world, "lost", "A1", signers);
        assert_eq!(world.settle(), ["acceptWipe D001"]);
        later(&mut world, TimeDelta::hours(1));
        let actions = world.plan().actions;
        let op = actions.into_iter().find_map(|action| match action.op {
            Op::Wipe { file, manifest, .. } => Some((file, manifest)),
            _ => None,
        });
        let (file, manifest) = op.expect("a wipe");
        assert!(manifest.is_some(), "its manifest is read again");
        let fresh = Fresh {
            now: world.now,
            clock: None,
            heads: vec![],
            settings: world.settings.clone(),
            trust: world.trust.clone(),
            file: Ok(WipeFile::clone(&file)),
            manifest: manifest.as_ref().map(|manifest| manifest.digest),
            unusable: vec![],
            corporate: BTreeSet::new(),
        };
        Self { world, file, manifest, fresh, ahead: 0 }
    }

    fn judge(&self) -> Result<IssuableWipe, NotIssued> {
        let planned = (&*self.file, self.manifest.as_ref());
        issuable(&self.world.state, planned, &self.fresh, self.ahead)
    }

    fn code(&self) -> String {
        self.judge().map_or_else(|not| not.code, |_| "issued".to_owned())
    }

    fn file(&mut self) -> &mut WipeFile {
        self.fresh.file.as_mut().expect("a file")
    }
}

#[test]
fn what_still_holds_is_issued_with_those_who_signed_and_were_needed() {
    for (signers, quorum, needed) in [
        (&[ANA][..], &[(3, 1)][..], 1),
        (&[ANA, BOB], &[(3, 2)], 2),
        (&[ANA, BOB, CAROL], &[(3, 2)], 2),
        (&[ANA, BOB, CAROL], &[(3, 3)], 3),
    ] {
        let issue = Issue::signed_by(signers, quorum);
        let wipe = issue.judge().expect("issuable");
        assert_eq!(wipe.needed(), needed, "{signers:?}");
        assert_eq!(*wipe.wipe().request(), issue.file.request);
        assert_eq!(wipe.wipe().signers().len(), signers.len());
    }
}

#[test]
fn what_does_not_hold_any_more_is_not_issued() {
    type Harm = fn(&mut Issue);
    let harms: [(&str, Harm); 16] = [
        ("issued", |_| {}),
        ("requestChanged", |issue| issue.file().request.digest = Digest::ZERO),
        ("requestUnreadable", |issue| issue.fresh.file = Err("it is gone".into())),
        ("manifestChanged", |issue| issue.fresh.manifest = Some(Digest::ZERO)),
        ("manifestChanged", |issue| issue.fresh.manifest = None),
        ("manifestChanged", |issue| issue.manifest = None),
        ("clockBehind", |issue| issue.fresh.now = issue.fresh.now + TimeDelta::hours(-2)),
        ("clockBehind", |issue| issue.fresh.clock = Some(issue.fresh.now + TimeDelta::hours(1))),
        ("veto", |issue| {
            veto(&mut issue.world, "lost", BOB);
            issue.fresh.file = Ok(WipeFile::clone(&issue.world.desired.wipes[0]));
        }),
        ("noTrust", |issue| issue.fresh.trust = TrustState::Broken("is gone".into())),
        ("notSigned", |issue| {
            issue.fresh.trust = TrustState::Usable(Trust::parse(b"", None).expect("a file"));
        }),
        ("expired", |issue| issue.fresh.now = issue.fresh.now + TimeDelta::hours(24)),
        ("notAccepted", |issue| {
            issue.world.state.wipes.values_mut().for_each(|wipe| wipe.state = WipeState::Held);
        }),
        ("notAccepted", |issue| issue.world.state.wipes.clear()),
        ("needsSignatures", |issue| issue.fresh.settings.wipes.quorum = tiers(&[(3, 2)])),
        ("overEveryTier", |issue| issue.ahead = 3),
    ];
    for (code, harm) in harms {
        let mut issue = Issue::new();
        harm(&mut issue);
        assert_eq!(issue.code(), code);
        if let Err(not) = issue.judge() {
            assert!(!not.detail.is_empty() && !not.detail.ends_with('.'), "{not:?}");
        }
    }
}

#[test]
fn cooling_off_is_over_at_its_very_end() {
    let mut issue = Issue::new();
    issue.fresh.settings.wipes.delay = TimeDelta::hours(2);
    let end = issue.fresh.now + TimeDelta::hours(1);
    for (millis, code) in [(-1, "coolingOff"), (0, "issued"), (1, "issued")] {
        issue.fresh.now = end + TimeDelta::milliseconds(millis);
        assert_eq!(issue.code(), code, "{millis}");
    }
}

#[test]
fn a_wipe_does_not_count_against_itself_and_others_do() {
    let mut issue = Issue::signed_by(&[ANA], &[(1, 1), (2, 2)]);
    assert_eq!(issue.world.settle(), ["wipe D001"]);
    assert_eq!(issue.code(), "issued", "its own entry is durable, and it is not handed over yet");
    let mut other = issue.world.state.wipes[&issue.file.request.digest].clone();
    other.subject.request = Digest::ZERO;
    issue.world.state.wipes.insert(Digest::ZERO, other);
    assert_eq!(issue.code(), "needsSignatures");
}

#[test]
fn whose_the_device_is_is_read_again() {
    let place = Place { path: "A1.yaml".into(), line: 7 };
    let what = UnusableKind::Device { serial: Some("A1".parse().expect("a serial")), name: None };
    let mut issue = Issue::new();
    issue.fresh.unusable = vec![Unusable { place: place.clone(), what }];
    assert_eq!(issue.code(), "ownershipUnclear");
    issue.fresh.corporate.insert(place);
    assert_eq!(issue.code(), "issued");
    let manifest = issue.manifest.as_mut().expect("a manifest");
    Arc::make_mut(&mut manifest.spec).ownership = Ownership::Personal;
    assert_eq!(issue.code(), "personalFull");
}

#[test]
fn those_accepted_before_and_still_going_on_go_before() {
    let mut world = world(&["A1", "B2", "C3", "D4"]);
    world.settings.wipes.delay = TimeDelta::hours(5);
    world.settings.wipes.quorum = tiers(&[(9, 1)]);
    let accept = |world: &mut World, name: &str, serial: &str| {
        let request = ask(world, name, serial, &[ANA]);
        assert_eq!(world.settle().len(), 1);
        request
    };
    let one = accept(&mut world, "one", "A1");
    let same_time = accept(&mut world, "same-time", "B2");
    later(&mut world, TimeDelta::minutes(1));
    let two = accept(&mut world, "two", "C3");
    later(&mut world, TimeDelta::minutes(1));
    let three = accept(&mut world, "three", "D4");
    let all = HashSet::from([one, same_time, two, three]);
    let ahead = |request, going_on: &HashSet<Digest>| ahead_of(&world.state, request, going_on);
    assert_eq!([one, same_time, two, three].map(|request| ahead(request, &all)), [0, 0, 2, 3]);
    assert_eq!(ahead(three, &HashSet::from([two, three])), 1, "others do not go on");
    assert_eq!(ahead(three, &HashSet::new()), 0);
    assert_eq!(ahead(Digest::ZERO, &all), 0, "nothing is known of it");
    let mut state = world.state.clone();
    state.wipes.get_mut(&two).expect("a wipe").state = WipeState::Issued;
    assert_eq!(ahead_of(&state, three, &all), 2, "what is issued counts as such");
}
