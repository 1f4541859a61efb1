//! Fleets to measure with: made from a seed, one device a file, twelve lines each.
//!
//! Equal sizes and seeds give equal bytes, so figures of two runs are of the same work.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Profiles with the platform that each serves.
const PROFILES: [(&str, &str); 3] =
    [("Standard", "windows"), ("Mobile", "ios"), ("Executive", "macos")];
const SITES: [&str; 8] = ["berlin", "lisbon", "madrid", "oslo", "paris", "porto", "rome", "turin"];
/// Devices of one directory: about as many as a site's team keeps together.
const DIRECTORY: usize = 1000;

/// A generator of numbers that are the same for ever (SplitMix64, Steele and others 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % n
    }
}

/// Writes a fleet of `devices` devices below `root`, and gives the path of the first one.
///
/// # Errors
/// Those of the file system.
pub fn write(root: &Path, devices: usize, seed: u64) -> io::Result<PathBuf> {
    let mut random = Random(seed);
    fs::create_dir_all(root.join("profiles"))?;
    for (name, platform) in PROFILES {
        fs::write(root.join(format!("profiles/{name}.yaml")), profile(name, platform))?;
    }
    for n in 0..devices {
        let path = path(root, n);
        if n % DIRECTORY == 0 {
            fs::create_dir_all(path.parent().unwrap_or(root))?;
        }
        fs::write(path, device(n, &mut random))?;
    }
    Ok(path(root, 0))
}

fn path(root: &Path, n: usize) -> PathBuf {
    let directory = n / DIRECTORY;
    let site = SITES[directory % SITES.len()];
    root.join(format!("{site}/team-{directory:04}/device-{n:06}.yaml"))
}

fn profile(name: &str, platform: &str) -> String {
    format!(
        "apiVersion: fleetform/v1\n\
         kind: Profile\n\
         metadata: {{name: {name}}}\n\
         spec:\n  \
           description: What every {name} device gets\n  \
           platforms: [{platform}]\n  \
           apps: [Microsoft 365 Apps, VPN, Antivirus]\n  \
           settings: {{vpn: {{server: vpn.example.com}}}}\n  \
           licenses: [SPE_E3]\n  \
           compliance:\n    \
             encryption: {{required: true}}\n    \
             screenLock: {{required: true, minPinLength: 6}}\n"
    )
}

/// Most devices are Windows workstations, few are of executives.
fn device(n: usize, random: &mut Random) -> String {
    let (profile, platform) = PROFILES[[0, 0, 0, 1, 1, 2][random.below(6) as usize]];
    let site = SITES[n / DIRECTORY % SITES.len()];
    let (build, patch) = (10_000 + random.below(16_000), random.below(4_000));
    let mut text = String::with_capacity(512);
    // Serials come from a factory, not from a counter: their order is not that of the files.
    let batch = random.below(1 << 20);
    let written = write!(
        text,
        "apiVersion: fleetform/v1\n\
         kind: Device\n\
         metadata:\n  \
           name: device-{n:06}\n  \
           labels: {{site: {site}}}\n\
         spec:\n  \
           serialNumber: PF{batch:05X}{n:06}\n  \
           userEmail: user.{n:06}@example.com\n  \
           profile: {profile}\n  \
           platform: {platform}\n  \
           osVersion: \"10.0.{build}.{patch}\"\n  \
           ownership: corporate\n"
    );
    written.map(|()| text).unwrap_or_default()
}
