//! Behaviour over time: scripts that drive the real controller against the embedded API in simulated time.
//!
//! Each `cases/*.script` is one test, named by its file. What the controller decides and why, what it asks the API for,
//! and where that leads is compared with the `.out` beside it. `UPDATE_SCRIPTS=1` writes these files anew: read what
//! changed.
//!
//! | module | what is in it |
//! |---|---|
//! | `language` | the commands of a script: `punctual::foresight::script` |
//! | `world` | where they happen: the API, the controller, the connection between them, the clock |
//! | `play` | a script and its output |
//! | `simulated` | the same scripts in a simulation, which decides as the controller does |
//! | `random` | histories that nobody wrote, and what must hold in all of them |

mod play;
mod random;
mod simulated;
mod world;

use std::process::ExitCode;

use libtest_mimic::Arguments;
use punctual::foresight::script as language;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = play::trials().into_iter().chain(random::trials()).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}
