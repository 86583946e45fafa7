//! What processes have used, from Linux' /proc.

use std::fs;

/// CPU seconds of one process.
pub fn cpu_seconds(pid: u32) -> f64 {
    stat(pid).map_or(0.0, |stat| stat.cpu_seconds)
}

/// CPU seconds of everything below a process, itself aside; what has ended counts for its parent.
pub fn cpu_seconds_of_children(pid: u32) -> f64 {
    let mut seconds = 0.0;
    let mut parents = vec![pid];
    let all: Vec<Stat> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(stat)
        .collect();
    while let Some(parent) = parents.pop() {
        for child in all.iter().filter(|process| process.parent == parent) {
            seconds += child.cpu_seconds + child.ended_seconds;
            parents.push(child.pid);
        }
    }
    seconds
}

/// The most memory that a process has had resident, in MB.
pub fn peak_memory_mb(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes: Option<f64> = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kilobytes.map_or(f64::NAN, |kilobytes| kilobytes / 1024.0)
}

struct Stat {
    pid: u32,
    parent: u32,
    cpu_seconds: f64,
    ended_seconds: f64,
}

fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold spaces; after it, from the third field on: state, ppid, … utime (14), stime, cutime, cstime.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field - 3)?.parse::<f64>().ok();
    let ticks_per_second = rustix::param::clock_ticks_per_second() as f64;
    Some(Stat {
        pid,
        parent: fields.get(1)?.parse().ok()?,
        cpu_seconds: (ticks(14)? + ticks(15)?) / ticks_per_second,
        ended_seconds: (ticks(16)? + ticks(17)?) / ticks_per_second,
    })
}

/// Time of all cores on which this program may run, and how much of it the hypervisor gave to others (steal time: proc_stat(5)).
#[derive(Debug, Clone, Copy, Default)]
pub struct CoreTime {
    pub all: f64,
    pub stolen: f64,
}

impl CoreTime {
    /// Since the machine started, in ticks.
    pub fn now() -> Self {
        let text = fs::read_to_string("/proc/stat").unwrap_or_default();
        let lines = text.lines().filter_map(|line| {
            let (core, ticks) = line.strip_prefix("cpu")?.split_once(' ')?;
            Some((core.parse::<usize>().ok()?, ticks))
        });
        let mut time = Self::default();
        let cores = cores();
        for (_, ticks) in lines.filter(|(core, _)| cores.contains(core)) {
            // user, nice, system, idle, iowait, irq, softirq, steal; guests' time after that is in the first two.
            let ticks = (ticks.split_whitespace().take(8)).filter_map(|text| text.parse().ok());
            let ticks: Vec<f64> = ticks.collect();
            time.all += ticks.iter().sum::<f64>();
            time.stolen += ticks.get(7).copied().unwrap_or_default();
        }
        time
    }

    /// The part of the time since then that was stolen.
    pub fn stolen_since(self, before: Self) -> f64 {
        let all = self.all - before.all;
        if all > 0.0 {
            (self.stolen - before.stolen) / all
        } else {
            0.0
        }
    }
}

/// The last of the cores on which this program may run.
pub fn last_core() -> usize {
    cores().last().copied().unwrap_or(0)
}

/// The cores on which this program may run.
fn cores() -> Vec<usize> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let allowed = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
        .unwrap_or_default();
    let ranges = allowed.trim().split(',').filter_map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Some(first.parse().ok()?..=last.parse().ok()?)
    });
    ranges.flatten().collect()
}

/// The machine's memory.
pub fn memory_mb() -> u64 {
    meminfo_mb("MemTotal:")
}

/// Memory that holds nothing at all, not even a file that was read once.
pub fn free_memory_mb() -> u64 {
    meminfo_mb("MemFree:")
}

/// A line of proc_meminfo(5), which says kB and means kibibytes.
fn meminfo_mb(name: &str) -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes: Option<u64> = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kilobytes.unwrap_or(0) >> 10
}

/// The machine, in a line.
pub fn machine() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let value = |line: &str| Some(line.split_once(':')?.1.trim().to_owned());
    let model = cpu
        .lines()
        .find(|line| line.starts_with("model name"))
        .and_then(value);
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZeroUsize::get);
    format!(
        "{cores} cores of {}, {} GB of memory, Linux {}",
        model.unwrap_or_default(),
        memory_mb() >> 10,
        read("/proc/sys/kernel/osrelease").trim(),
    )
}
