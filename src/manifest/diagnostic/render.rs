//! Diagnostics drawn the way rustc draws them: the line, a caret, what is wrong, what to write instead.

use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Diagnostic, Related, Severity};
use crate::manifest::source::Place;

/// Whether to draw in colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// Text alone, for files, pipes and `NO_COLOR`.
    Plain,
    /// Text with ANSI colours, for terminals (`anstream` takes them out again where they are not wanted).
    Coloured,
}

/// Draws diagnostics one after another, with an empty line between them.
pub fn render_all(diagnostics: &[Diagnostic], paint: Paint) -> String {
    let drawn: Vec<String> = diagnostics
        .iter()
        .map(|diagnostic| diagnostic.render(paint))
        .collect();
    drawn.join("\n\n")
}

impl Diagnostic {
    /// Draws this diagnostic; no newline at the end.
    pub fn render(&self, paint: Paint) -> String {
        let renderer = match paint {
            Paint::Plain => Renderer::plain(),
            Paint::Coloured => Renderer::styled(),
        };
        renderer.render(&[self.group()])
    }

    fn group(&self) -> Group<'_> {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            Severity::Note => Level::NOTE,
        };
        let title = level.primary_title(self.message.as_str());
        let title = match self.rule {
            Some(rule) => title.id(rule),
            None => title,
        };
        let mut group = Group::with_title(title);
        if let Some(place) = &self.place {
            let (here, elsewhere): (Vec<_>, Vec<_>) = self
                .related
                .iter()
                .partition(|related| related.place.source == place.source);
            let mut marks = vec![Mark {
                kind: AnnotationKind::Primary,
                place,
                label: self.label.as_deref(),
            }];
            marks.extend(here.into_iter().map(Mark::context));
            group = group.element(snippet(&marks));
            for related in elsewhere {
                group = group.element(snippet(&[Mark::context(related)]));
            }
        }
        if let Some(context) = self.context() {
            group = group.element(Level::NOTE.with_name("in").message(context));
        }
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        group
    }

    /// "CronJob shop/report, spec.schedule", as far as it is known.
    fn context(&self) -> Option<String> {
        let subject = self.subject.as_ref()?;
        match &self.path {
            Some(path) if !path.steps().is_empty() => Some(format!("{subject}, {path}")),
            _ => Some(subject.clone()),
        }
    }
}

/// A place to underline and what to write beside it.
struct Mark<'a> {
    kind: AnnotationKind,
    place: &'a Place,
    label: Option<&'a str>,
}

impl<'a> Mark<'a> {
    fn context(related: &'a Related) -> Mark<'a> {
        Mark {
            kind: AnnotationKind::Context,
            place: &related.place,
            label: Some(&related.label),
        }
    }
}

/// The lines that the marks of one source touch.
///
/// Only those lines are handed on: annotate-snippets looks at every line it is given, and a file can be long.
fn snippet<'a>(marks: &[Mark<'a>]) -> Snippet<'a, Annotation<'a>> {
    let spans: Vec<Range<usize>> = marks.iter().map(|mark| caret(mark.place)).collect();
    let source = &marks[0].place.source;
    let first = spans.iter().map(|span| span.start).min().unwrap_or(0);
    let last = spans.iter().map(|span| span.end).max().unwrap_or(0);
    let start = source.text[..first].rfind('\n').map_or(0, |newline| newline + 1);
    let end = source.text[last..]
        .find('\n')
        .map_or(source.text.len(), |newline| last + newline);
    let line = source.text[..start].bytes().filter(|byte| *byte == b'\n').count() + 1;
    let annotations = marks.iter().zip(spans).map(|(mark, span)| {
        let annotation = mark.kind.span(span.start - start..span.end - start);
        match mark.label {
            Some(label) => annotation.label(label),
            None => annotation,
        }
    });
    // The carriage return of a Windows line end is not part of the line.
    Snippet::source(source.text[start..end].trim_end_matches('\r'))
        .line_start(line)
        .path(source.name.as_str())
        .annotations(annotations)
}

/// The part of a place to underline: on its first line only, and always at least one character.
fn caret(place: &Place) -> Range<usize> {
    let text = &place.source.text;
    let start = floor_char_boundary(text, place.span.start);
    let line_end = text[start..]
        .find('\n')
        .map_or(text.len(), |newline| start + newline);
    let end = floor_char_boundary(text, place.span.end.min(line_end));
    if end > start {
        return start..end;
    }
    let next = text[start..line_end]
        .chars()
        .next()
        .map_or(start, |c| start + c.len_utf8());
    start..next
}

/// The nearest character boundary at or before `index`.
fn floor_char_boundary(text: &str, index: usize) -> usize {
    (0..=index.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}
