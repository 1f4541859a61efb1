//! Headers of the archive, in the one way in which this program writes them (POSIX `ustar`).

/// Everything in an archive begins at a multiple of this.
pub(super) const BLOCK: usize = 512;
/// What the header's eleven octal digits can say.
pub(super) const MOST: u64 = 0o777_7777_7777;
/// What ends an archive: two blocks of zeros.
pub(super) const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];

const SIZE: std::ops::Range<usize> = 124..136;
const CHECKSUM: std::ops::Range<usize> = 148..156;

/// The header of a file of at most [`MOST`] bytes, which only its owner may read.
pub(super) fn header(name: &str, size: u64, seconds: u64) -> [u8; BLOCK] {
    let mut header = [0; BLOCK];
    let mut put = |at: usize, text: &[u8]| header[at..at + text.len()].copy_from_slice(text);
    put(0, name.as_bytes());
    put(100, b"0000600\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(SIZE.start, format!("{:011o}\0", size.min(MOST)).as_bytes());
    put(136, format!("{:011o}\0", seconds.min(MOST)).as_bytes());
    // The checksum is made with blanks in its place.
    put(CHECKSUM.start, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[CHECKSUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

/// The size that a header says; whether it is one of ours is for the caller to compare.
pub(super) fn size(header: &[u8; BLOCK]) -> Option<u64> {
    let digits = std::str::from_utf8(&header[SIZE]).ok()?.strip_suffix('\0')?;
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| u64::from_str_radix(digits, 8).ok())?
}

/// Zeros between the end of a file of this size and the next header.
pub(super) fn padding(size: u64) -> usize {
    let over = usize::try_from(size % BLOCK as u64).unwrap_or_default();
    (BLOCK - over) % BLOCK
}
