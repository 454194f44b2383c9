//! What the kernel tells of a process: its memory and its time on a processor.

use std::fs;

/// Kernels count time on a processor in hundredths of a second (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// Memory by a field of `/proc/<pid>/status`, such as `VmRSS:`, in megabytes.
pub(crate) fn memory_mb(pid: u32, field: &str) -> f64 {
    let status = read(pid, "status");
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.expect("a figure of the kernel") / 1_024.0
}

/// Time on a processor so far, in seconds.
pub(crate) fn processor_seconds(pid: u32) -> f64 {
    let stat = read(pid, "stat");
    // The name of the program comes before, in brackets; utime and stime are the 14th and 15th field of all.
    let (_, fields) = stat.rsplit_once(')').expect("the kernel's format");
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks
        .map(|ticks| ticks.parse::<f64>().expect("a number"))
        .sum::<f64>()
        / TICKS_PER_SECOND
}

fn read(pid: u32, file: &str) -> String {
    fs::read_to_string(format!("/proc/{pid}/{file}")).expect("it runs")
}
