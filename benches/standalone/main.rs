//! How late do processes start, what does it cost to stand by, how fast is it written? `cargo bench --bench standalone`
//!
//! Three figures of `punctual up` with its database on disk, each beside what a bare program reaches on this machine in
//! the same run. `cargo bench --bench standalone -- starts` measures one of them.
//!
//! | file | what is measured |
//! |---|---|
//! | `writes` | objects written in a second, each acknowledged when it is on disk |
//! | `starts` | from the due instant to the start of the process, one by one and many at once |
//! | `bare` | the loop beside it |
//! | `standing` | memory, and time on a processor, of 10,000 CronJobs that are not due |
//! | `up` | `punctual up` as a process of its own |

mod bare;
#[path = "../support/kernel.rs"]
mod kernel;
mod standing;
mod starts;
mod up;
mod writes;

fn main() {
    // Cargo adds `--bench`.
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    let is_asked = |what: &str| words.is_empty() || words.iter().any(|word| word == what);
    if is_asked("writes") {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(writes::measure());
    }
    if is_asked("starts") {
        starts::measure();
    }
    if is_asked("standing") {
        standing::measure();
    }
}
