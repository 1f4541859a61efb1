//! The daemon at work: from the rename of one changed manifest to its line durable in the log,
//! what a burst that changes nothing costs, and how much memory it holds at rest.
//!
//! An entry is durable at the latest when `lock` says that the log is whole up to its end: that is
//! what the clock stops at. The debounce is 0, and nothing but events wakes the daemon.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Write as _, stdout};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant, SystemTime};

use crate::Subject;
use crate::table::median;
use crate::tools::{Place, resident};

/// Changes that are timed, one after the other.
pub const CHANGES: usize = 101;
/// No step takes that long.
const LIMIT: Duration = Duration::from_secs(300);

/// What was measured of one fleet.
pub struct Row {
    devices: usize,
    /// From a rename to its durable line: in the middle, and that which nine of ten keep to.
    change: Duration,
    most: Duration,
    /// From the last file that was touched to the line of a change after that.
    burst: Duration,
    /// A cold plan, in the same run.
    plan: Duration,
    /// Resident memory once all is quiet, in bytes.
    memory: u64,
}

/// Ends the daemon with the measurement, whatever becomes of that.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Measures one fleet.
///
/// # Errors
/// If the daemon ends, or something takes for ever.
pub fn row(subject: &Subject, changes: usize) -> Result<Row, Box<dyn Error>> {
    let place = &subject.recorded;
    let plan = subject.cold_plan()?;
    let arguments = ["daemon", "--debounce", "0s", "--resync", "1h", "--quiet"];
    let mut command = place.fleetform(&arguments);
    let mut daemon = Daemon(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?);
    // What changes before it watches is found by its first pass.
    one(&mut daemon, subject, 1)?;
    let mut times = Vec::new();
    for turn in 2..=changes + 1 {
        times.push(one(&mut daemon, subject, turn)?);
    }
    let burst = burst(&mut daemon, subject, changes + 2)?;
    let memory = at_rest(&daemon)?;
    drop(daemon);
    subject.restore()?;
    times.sort_unstable();
    let most = times[times.len() * 9 / 10];
    let devices = subject.devices;
    Ok(Row { devices, change: median(times), most, burst, plan, memory })
}

/// The time of one change.
fn one(daemon: &mut Daemon, subject: &Subject, turn: usize) -> Result<Duration, Box<dyn Error>> {
    let seq = entries(&subject.recorded)?;
    let renamed = subject.change(turn)?;
    wait(daemon, &subject.recorded, seq + 1)?;
    Ok(renamed.elapsed())
}

/// Touches every file, and waits for the line of one that is changed after them: it comes once
/// the daemon is done with them, and it is the only one.
fn burst(daemon: &mut Daemon, subject: &Subject, turn: usize) -> Result<Duration, Box<dyn Error>> {
    let seq = entries(&subject.recorded)?;
    let now = SystemTime::now();
    for path in subject.files()? {
        File::options().append(true).open(path)?.set_modified(now)?;
    }
    let touched = Instant::now();
    subject.change(turn)?;
    wait(daemon, &subject.recorded, seq + 1)?;
    let took = touched.elapsed();
    match entries(&subject.recorded)? - seq {
        1 => Ok(took),
        more => Err(format!("{more} entries for one change and many touched files").into()),
    }
}

/// Until the log is durable up to an entry of this number.
fn wait(daemon: &mut Daemon, place: &Place, seq: u64) -> Result<(), Box<dyn Error>> {
    let begun = Instant::now();
    loop {
        let log = fs::metadata(place.data.join("audit.jsonl")).map_or(0, |log| log.len());
        let whole = whole(place).unwrap_or_default();
        if log > 0 && whole == log && entries(place)? >= seq {
            return Ok(());
        }
        if let Some(status) = daemon.0.try_wait()? {
            return Err(format!("the daemon ended: {status}").into());
        }
        if begun.elapsed() > LIMIT {
            return Err("the daemon does not come to an end".into());
        }
        std::thread::sleep(Duration::from_micros(50));
    }
}

/// Up to which byte the log is of whole passes, as the writer says.
fn whole(place: &Place) -> Option<u64> {
    let lock = fs::read_to_string(place.data.join("lock")).ok()?;
    lock.lines().nth(1)?.split(' ').next()?.parse().ok()
}

/// The number of the last entry, by its line alone.
fn entries(place: &Place) -> io::Result<u64> {
    use std::os::unix::fs::FileExt as _;
    const ENOUGH: u64 = 128 * 1024;
    let log = File::open(place.data.join("audit.jsonl"))?;
    let length = log.metadata()?.len();
    let from = length.saturating_sub(ENOUGH);
    let mut tail = vec![0; (length - from) as usize];
    log.read_exact_at(&mut tail, from)?;
    let text = String::from_utf8_lossy(&tail);
    let seq = text.lines().last().and_then(|line| line.strip_prefix("{\"seq\":"));
    let seq = seq.and_then(|rest| rest.split(',').next()?.parse().ok());
    Ok(seq.unwrap_or_default())
}

/// Resident memory once it does not change any more.
fn at_rest(daemon: &Daemon) -> Result<u64, Box<dyn Error>> {
    let begun = Instant::now();
    let (mut last, mut since) = (0, Instant::now());
    while begun.elapsed() < LIMIT {
        let now = resident(daemon.0.id()).ok_or("the daemon ended")?;
        if now != last {
            (last, since) = (now, Instant::now());
        }
        if since.elapsed() > Duration::from_secs(5) {
            return Ok(last);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Err("the daemon does not come to rest".into())
}

/// Prints the table.
///
/// # Errors
/// If it cannot be printed.
pub fn print(rows: &[Row]) -> io::Result<()> {
    let mut out = stdout().lock();
    writeln!(
        out,
        "\nThe daemon: from a rename to its line durable in the log ({CHANGES} times), and from the \
         last of a burst\nof touched files to the end of the passes after it; milliseconds.\n\n\
         | devices | change, median | 90 of 100 | / the smallest fleet's | burst | cold plan | \
         burst / plan | MiB at rest |\n|--:|--:|--:|--:|--:|--:|--:|--:|"
    )?;
    let millis = |time: &Duration| time.as_secs_f64() * 1000.0;
    for row in rows {
        let Row { devices, change, most, burst, plan, memory } = row;
        let least = rows.first().map_or(*change, |row| row.change);
        writeln!(
            out,
            "| {devices} | {:.1} | {:.1} | {:.2} | {:.0} | {:.0} | {:.2} | {:.0} |",
            millis(change),
            millis(most),
            change.as_secs_f64() / least.as_secs_f64(),
            millis(burst),
            millis(plan),
            burst.as_secs_f64() / plan.as_secs_f64(),
            *memory as f64 / f64::from(1 << 20)
        )?;
    }
    Ok(())
}
