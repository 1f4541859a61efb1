//! File systems that other machines may change: these tell neither changes nor, reliably, times.

use std::path::Path;

/// The name of the file system of a path, if other machines may write it; of one that does not
/// exist yet, that of the nearest directory above.
#[must_use]
pub(crate) fn of(path: &Path) -> Option<&'static str> {
    let found = path.ancestors().find_map(|dir| rustix::fs::statfs(dir).ok())?;
    kind(i128::from(found.f_type))
}

/// The name of a file system that other machines may write, by its number in statfs(2).
fn kind(magic: i128) -> Option<&'static str> {
    // As 32 bits, since some of them look negative.
    let magic = magic & 0xffff_ffff;
    [
        (0x6969, "NFS"),
        (0x517b, "SMB"),
        (0xff53_4d42, "CIFS"),
        (0xfe53_4d42, "SMB2"),
        (0x0102_1997, "9P"),
        (0x00c3_6400, "Ceph"),
        (0x0bd0_0bd0, "Lustre"),
        (0x6573_5546, "FUSE"),
        (0x5346_414f, "AFS"),
    ]
    .into_iter()
    .find(|(number, _)| *number == magic)
    .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_systems_of_other_machines_are_known_by_their_numbers() {
        // From linux/magic.h and the sources of the file systems; some come sign-extended.
        for (magic, name) in [
            (0x6969, Some("NFS")),
            (0xff53_4d42, Some("CIFS")),
            (i128::from(0xff53_4d42_u32.cast_signed()), Some("CIFS")),
            (0x0102_1997, Some("9P")),
            (0x6573_5546, Some("FUSE")),
            (0x00c3_6400, Some("Ceph")),
            (0xef53, None),
            (0x9123_683e, None),
            (0x5846_5342, None),
            (0x0102_1994, None),
            (0x794c_7630, None),
        ] {
            assert_eq!(kind(magic), name, "{magic:#x}");
        }
        assert_eq!(of(std::path::Path::new("/proc/of/nobody")), None);
    }
}
