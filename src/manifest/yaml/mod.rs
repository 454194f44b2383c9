//! YAML and JSON, read into trees that know their places, and JSON written as YAML.
//!
//! JSON is read by the same parser, being YAML in all but its messages.

mod build;
mod mapping;
mod mistake;
mod scalar;
mod write;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use granit_parser::{Event, Options, Parser};

use self::build::Builder;
pub(super) use self::mistake::in_crontab;
pub use self::write::write;
use super::diagnostic::Diagnostic;
use super::source::Source;
use super::tree::Node;

/// How deep lists and mappings may stand within each other, aliases followed.
///
/// A CronJob needs about 15. The limit keeps every walk over a tree well within a thread's stack.
pub const DEPTH_MAX: usize = 64;

/// How many values a file may hold, aliases followed.
///
/// Ten thousand CronJobs of ordinary size hold about as many. The limit stops a short file whose aliases
/// multiply into billions of values (a "billion laughs" file).
pub const VALUES_MAX: usize = 1_000_000;

/// The documents of a source that could be read, and what is wrong with the others. Empty documents are left
/// out.
pub fn read(source: &Arc<Source>) -> (Vec<Node>, Vec<Diagnostic>) {
    let mut builder = Builder::new(source);
    if let Some(diagnostic) = mistake::in_json_file(source) {
        return (Vec::new(), vec![diagnostic]);
    }
    let mut parser = Parser::new_from_str_with_options(&source.text, options());
    while let Some(next) = parser.next_event() {
        match next {
            Ok((Event::StreamEnd, _)) => break,
            Ok((event, span)) => builder.take(event, span.byte_range().unwrap_or_default()),
            Err(error) => {
                builder.give_up(mistake::in_yaml(source, &error));
                // A broken document says nothing about the next one.
                if !parser.proceed_next_document().unwrap_or(false) {
                    break;
                }
            }
        }
        if builder.is_full() {
            break;
        }
    }
    builder.finish()
}

fn options() -> Options {
    granit_parser::options! { flow_nesting_limit: DEPTH_MAX, block_nesting_limit: DEPTH_MAX }
}
