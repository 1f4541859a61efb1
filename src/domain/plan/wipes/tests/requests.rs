//! Requests for devices of a [`World`], and the people who sign them.

use std::sync::Arc;

use chrono::TimeDelta;
use uuid::Uuid;

use crate::domain::model::{DeviceId, Digest, Place, Timestamp, WipeReason, WipeScope};
use crate::domain::plan::tests::World;
use crate::domain::plan::wipes::WipeView;
use crate::domain::wipe::quorum::{Tier, Tiers};
use crate::domain::wipe::target::LedgerId;
use crate::domain::wipe::testing::TestKey;
use crate::domain::wipe::trust::Trust;
use crate::domain::wipe::trust_state::TrustState;
use crate::domain::wipe::{Namespace, Request, WipeFile};

pub(crate) const ANA: &str = "ana@example.com";
pub(crate) const BOB: &str = "bob@example.com";
pub(crate) const CAROL: &str = "carol@example.com";

fn key(person: &str) -> TestKey {
    TestKey::ed25519(person.as_bytes()[0])
}

/// These devices are enrolled, and wipes are taken from Ana, Bob and Carol.
pub(crate) fn world(serials: &[&str]) -> World {
    let mut world = World::enrolled(serials);
    let lines = [ANA, BOB, CAROL].map(|person| key(person).line(person)).concat();
    world.trust = TrustState::Usable(Trust::parse(lines.as_bytes(), None).expect("a trust file"));
    assert_eq!(world.settle(), ["trust"]);
    world
}

/// A full wipe of the device with this serial number: the first who signs asks for it, and it is
/// valid for a day from now.
pub(crate) fn ask(world: &mut World, name: &str, serial: &str, signed_by: &[&str]) -> Digest {
    ask_for(world, name, serial, signed_by, |_| {})
}

/// Likewise, with a request that differs in this.
pub(crate) fn ask_for(
    world: &mut World,
    name: &str,
    serial: &str,
    signed_by: &[&str],
    change: impl FnOnce(&mut Request),
) -> Digest {
    let serial = serial.parse().expect("a serial number");
    let mut request = Request {
        name: name.parse().expect("a name"),
        path: path(name).into(),
        ledger: LedgerId(Uuid::nil()),
        head: None,
        device_id: world.state.by_serial(&serial).map_or(DeviceId::FIRST, |(id, _)| id),
        serial,
        scope: WipeScope::Full,
        reason: WipeReason::Lost,
        requested_by: signed_by.first().unwrap_or(&ANA).parse().expect("an address"),
        confirm: true,
        issued_at: world.now,
        expires_at: world.now + TimeDelta::days(1),
        digest: Digest::ZERO,
    };
    change(&mut request);
    // What the bytes say is read elsewhere; here they only have to be its own.
    let bytes = format!("{request:?}").into_bytes();
    request.digest = Digest::of(&bytes);
    let (digest, place) = (request.digest, Place { path: request.path.clone(), line: 1 });
    world.desired.wipes.push(Arc::new(WipeFile::new(request, place, bytes)));
    signed_by.iter().for_each(|person| sign(world, name, person));
    digest
}

fn path(name: &str) -> String {
    format!("wipes/{name}.yaml")
}

pub(crate) fn edit(world: &mut World, name: &str, change: impl FnOnce(&mut WipeFile)) {
    let mut files = world.desired.wipes.iter_mut();
    let file = files.find(|file| file.request.name.as_str() == name).expect("the request");
    change(Arc::make_mut(file));
}

pub(crate) fn sign(world: &mut World, name: &str, person: &str) {
    edit(world, name, |file| {
        let signature = key(person).sign(Namespace::Wipe, &file.bytes);
        file.signatures.insert(format!("{name}.yaml.{person}.sig"), signature);
    });
}

pub(crate) fn veto(world: &mut World, name: &str, person: &str) {
    edit(world, name, |file| {
        let veto = key(person).sign(Namespace::Veto, &file.bytes);
        file.vetoes.insert(format!("{name}.yaml.{person}.veto.sig"), veto);
    });
}

/// A file beside it cannot be read, and may be a veto.
pub(crate) fn hide(world: &mut World, name: &str) {
    edit(world, name, |file| {
        file.unreadable.insert(format!("{name}.yaml.x.sig"), "permission denied".to_owned());
    });
}

pub(crate) fn delete(world: &mut World, name: &str) {
    world.desired.wipes.retain(|file| file.request.name.as_str() != name);
}

/// What the next plan says of it.
pub(crate) fn view(world: &World, name: &str) -> WipeView {
    let wipes = world.plan().wipes;
    wipes.into_iter().find(|view| view.subject.name.as_str() == name).expect("the request is shown")
}

/// How it stands, and why.
pub(crate) fn stands(world: &World, name: &str) -> (String, String) {
    let view = view(world, name);
    (view.standing.to_string(), view.code)
}

pub(crate) fn told(standing: &str, code: &str) -> (String, String) {
    (standing.to_owned(), code.to_owned())
}

/// Tiers of a day: wipes, and the people whom they need.
pub(crate) fn tiers(tiers: &[(u32, u32)]) -> Tiers {
    let per = TimeDelta::days(1);
    let tier = |&(up_to, signers): &(u32, u32)| Tier { up_to, per, signers };
    Tiers::new(tiers.iter().map(tier).collect()).expect("tiers")
}

pub(crate) fn later(world: &mut World, by: TimeDelta) {
    world.now = world.now + by;
}

/// The device wants something else than to be wiped.
pub(crate) fn move_device(world: &mut World, serial: &str, user: &str) {
    world.edit(serial, |device| {
        Arc::make_mut(&mut device.spec).user_email = user.parse().expect("an address");
    });
}

pub(crate) fn signature_of(person: &str, bytes: &[u8]) -> Vec<u8> {
    key(person).sign(Namespace::Wipe, bytes)
}

/// A wipe of A1 that is issued, and when it expires.
pub(crate) fn issued() -> (World, Digest, Timestamp) {
    let mut world = world(&["A1", "B2"]);
    let request = ask(&mut world, "lost", "A1", &[ANA]);
    let expires = world.now + TimeDelta::days(1);
    assert_eq!(world.settle(), ["acceptWipe D001", "wipe D001"]);
    (world, request, expires)
}
