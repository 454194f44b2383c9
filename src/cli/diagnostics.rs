//! Diagnostics of manifests, on standard error.

use crate::cli::complain;
use crate::manifest::{Diagnostic, Paint, render_all};

/// Prints what there is to say about manifests, coloured on a terminal.
pub(super) fn print(diagnostics: &[Diagnostic]) {
    if diagnostics.is_empty() {
        return;
    }
    complain(render_all(diagnostics, Paint::Coloured).trim_end());
}
