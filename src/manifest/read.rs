//! Reading manifests: files, folders, standard input. The only part of `manifest` that does I/O.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::diagnostic::Diagnostic;
use super::source::{Place, Source};

/// The largest file that is read, in bytes.
///
/// Ten thousand CronJobs of ordinary size take about this much. What is larger is not a manifest but a
/// mistake, such as a disk image in the folder.
pub(crate) const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The endings of the files that are read in a folder, as `kubectl apply -f` reads them.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];

/// A text, or why it cannot be had.
pub(crate) type ReadResult = Result<Arc<Source>, Box<Diagnostic>>;

/// The name of standard input among paths.
const STDIN: &str = "-";

/// Whether folders within a folder are looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// They are not, as `kubectl apply -f` does not.
    Flat,
    /// They are, as `kubectl apply -R -f` does.
    Recursive,
}

/// Reads everything that `paths` name, in their order and each file once; a folder's files by name.
pub(crate) fn read_all(paths: &[PathBuf], depth: Depth, stdin: &mut dyn Read) -> Vec<ReadResult> {
    let mut sources = Vec::new();
    let mut seen = HashSet::new();
    let mut is_new = |path: &Path| seen.insert(path.canonicalize().unwrap_or_else(|_| path.to_owned()));
    for path in paths {
        if path.as_os_str() == STDIN {
            if is_new(path) {
                sources.push(read_from(stdin, "<stdin>"));
            }
            continue;
        }
        match files_of(path, depth) {
            Ok(files) => {
                let new = files
                    .into_iter()
                    .filter(|file| file.as_ref().map_or(true, |file| is_new(file)));
                sources.extend(new.map(|file| read_file(&file?)));
            }
            Err(diagnostic) => sources.push(Err(diagnostic)),
        }
    }
    sources
}

/// A file, or why those of a folder can't be had.
type FileResult = Result<PathBuf, Box<Diagnostic>>;

/// The files that a path stands for: itself, or those of the folder that it is.
fn files_of(path: &Path, depth: Depth) -> Result<Vec<FileResult>, Box<Diagnostic>> {
    if !path.is_dir() {
        return Ok(vec![Ok(path.to_owned())]);
    }
    let files = files_of_folder(path, depth)?;
    if files.is_empty() {
        let message = format!("the folder {} holds no manifests", path.display());
        let help = match depth {
            Depth::Flat => {
                "punctual reads its *.yaml, *.yml and *.json files, not those of folders within it"
            }
            Depth::Recursive => "punctual reads *.yaml, *.yml and *.json files",
        };
        let diagnostic = Diagnostic::error("no-manifests", message).help(help);
        return Err(Box::new(diagnostic.of_file(path.display().to_string())));
    }
    Ok(files)
}

/// The files that a path stands for now, by name, as `read_all` would read them: a folder may hold none.
///
/// # Errors
///
/// When the path is not there, or can't be looked into. That says nothing about the files that it stood for before.
pub fn files(path: &Path) -> Result<Vec<PathBuf>, Box<Diagnostic>> {
    if path.is_dir() {
        return files_of_folder(path, Depth::Flat)?.into_iter().collect();
    }
    if path.as_os_str() != STDIN {
        let there = fs::metadata(path);
        there.map_err(|error| Box::new(unreadable(&path.display().to_string(), &error)))?;
    }
    Ok(vec![path.to_owned()])
}

/// A note for each path that is a folder with folders in it that hold what would be manifests: they are not read (see
/// [`Depth::Flat`]). No further down is looked for any, however much there is.
pub fn passed_over(paths: &[PathBuf]) -> Vec<Diagnostic> {
    paths.iter().filter_map(|path| passed_over_in(path)).collect()
}

fn passed_over_in(path: &Path) -> Option<Diagnostic> {
    // What can't be looked into is told of where it is read.
    let within = fs::read_dir(path)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()));
    let mut within: Vec<PathBuf> = within
        .filter(|folder| is_looked_into(folder))
        .filter(|folder| files_of_folder(folder, Depth::Flat).is_ok_and(|files| !files.is_empty()))
        .collect();
    within.sort();
    let first = within.first()?.display();
    let folders = match within.len() {
        1 => first.to_string(),
        more => format!("{more} folders within it, such as {first}"),
    };
    let path = path.display();
    let message = format!("of the folder {path} only its own files are read, not those in {folders}");
    let help = "name each folder that is meant";
    Some(Diagnostic::note("folder-not-read", message).help(help))
}

fn files_of_folder(folder: &Path, depth: Depth) -> Result<Vec<FileResult>, Box<Diagnostic>> {
    files_in(folder, depth, &look_into)
}

/// What is in a folder, by name.
fn look_into(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut entries = entries.collect::<io::Result<Vec<PathBuf>>>()?;
    entries.sort();
    Ok(entries)
}

/// The files of a folder that can be looked into; where one within it can't be, that is said in its place.
fn files_in(
    folder: &Path,
    depth: Depth,
    look: &impl Fn(&Path) -> io::Result<Vec<PathBuf>>,
) -> Result<Vec<FileResult>, Box<Diagnostic>> {
    let entries = look(folder).map_err(|error| Box::new(not_looked_into(folder, &error)))?;
    let mut files = Vec::new();
    for path in entries {
        let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default();
        if depth == Depth::Recursive && is_looked_into(&path) {
            let within = files_in(&path, depth, look);
            files.extend(within.unwrap_or_else(|diagnostic| vec![Err(diagnostic)]));
        } else if ENDINGS.contains(&ending) && may_be_read(&path) && !is_lock(&path) {
            files.push(Ok(path));
        }
    }
    Ok(files)
}

fn not_looked_into(folder: &Path, error: &io::Error) -> Diagnostic {
    let message = format!(
        "cannot look into the folder {}: {}",
        folder.display(),
        reason(error)
    );
    let diagnostic = Diagnostic::error("unreadable", message).of_file(folder.display().to_string());
    match error.kind() {
        io::ErrorKind::PermissionDenied => diagnostic.help("check who may read the folder"),
        _ => diagnostic,
    }
}

/// Whether reading it comes to an end: a pipe in a folder has nobody at its other side. A link to nothing is told of.
fn may_be_read(path: &Path) -> bool {
    fs::metadata(path).map_or(true, |metadata| metadata.is_file())
}

/// Whether a file is what Emacs puts beside one that is being edited: a link to nothing.
fn is_lock(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str);
    name.is_some_and(|name| name.starts_with(".#"))
}

/// Whether a path is a folder that may be looked into. A link to one may lead back to where it is.
fn is_looked_into(path: &Path) -> bool {
    path.is_dir() && !path.is_symlink() && !is_hidden(path)
}

/// Whether a folder is not for people, as `.git` is not.
fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str);
    name.is_some_and(|name| name.starts_with('.'))
}

fn read_file(path: &Path) -> ReadResult {
    let name = path.display().to_string();
    let mut file = fs::File::open(path).map_err(|error| Box::new(unreadable(&name, &error)))?;
    read_from(&mut file, &name)
}

fn read_from(input: &mut dyn Read, name: &str) -> ReadResult {
    let mut bytes = Vec::new();
    // One byte more than the limit is enough to know that there is more.
    let read = input.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| Box::new(unreadable(name, &error)))?;
    decode(name, bytes)
}

fn unreadable(name: &str, error: &io::Error) -> Diagnostic {
    let diagnostic =
        Diagnostic::error("unreadable", format!("cannot read {name}: {}", reason(error))).of_file(name);
    match error.kind() {
        io::ErrorKind::NotFound => diagnostic.help("check the path; `-` stands for standard input"),
        io::ErrorKind::PermissionDenied => diagnostic.help("check who may read the file"),
        _ => diagnostic,
    }
}

/// The text that `bytes` are, if they can be a manifest.
pub(crate) fn decode(name: &str, bytes: Vec<u8>) -> ReadResult {
    if bytes.len() as u64 > FILE_BYTES_MAX {
        let message = format!("{name} is larger than {} MiB", FILE_BYTES_MAX / 1024 / 1024);
        let help = "split it into several files";
        return Err(Box::new(
            Diagnostic::error("too-large", message).help(help).of_file(name),
        ));
    }
    let text = String::from_utf8(bytes).map_err(|error| Box::new(not_utf8(name, &error)))?;
    if text.trim().is_empty() {
        let help = "a manifest begins with `apiVersion: batch/v1` and `kind: CronJob`";
        return Err(Box::new(
            Diagnostic::error("no-manifests", format!("{name} is empty"))
                .help(help)
                .of_file(name),
        ));
    }
    Ok(Arc::new(Source {
        name: name.to_owned(),
        text,
    }))
}

/// Points at the first byte that is not UTF-8, in what can be shown of the text.
fn not_utf8(name: &str, error: &std::string::FromUtf8Error) -> Diagnostic {
    let at = error.utf8_error().valid_up_to();
    let diagnostic = Diagnostic::error("not-utf8", format!("{name} is not UTF-8 text"))
        .help("save it as UTF-8; manifests are text in this encoding")
        .of_file(name);
    if [b"\xFF\xFE", b"\xFE\xFF"]
        .iter()
        .any(|mark| error.as_bytes().starts_with(*mark))
    {
        return diagnostic.help("this is UTF-16, which PowerShell's `>` writes; save it as UTF-8");
    }
    if error.as_bytes().contains(&0) {
        // Binary: there is no line worth showing.
        return diagnostic;
    }
    let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
    let source = Arc::new(Source {
        name: name.to_owned(),
        text,
    });
    let place = Place::new(&source, at..at + char::REPLACEMENT_CHARACTER.len_utf8());
    diagnostic
        .at(place)
        .labelled(format!("the byte {:#04X}", error.as_bytes()[at]))
}

/// What the operating system says, in lower case and without its number.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Root may look into any folder, so that it can't be is made up.
    #[test]
    fn a_folder_within_that_cannot_be_looked_into_is_named_and_the_others_are_read() {
        let top = tempfile::tempdir().unwrap();
        for folder in ["a", "priv", "z"] {
            fs::create_dir(top.path().join(folder)).unwrap();
            fs::write(top.path().join(folder).join("cron.yaml"), "").unwrap();
        }
        let look = |folder: &Path| {
            if folder.ends_with("priv") {
                Err(io::ErrorKind::PermissionDenied.into())
            } else {
                look_into(folder)
            }
        };
        let files = files_in(top.path(), Depth::Recursive, &look).unwrap();
        let of_top = |text: String| text.replace(&top.path().display().to_string(), "top");
        let said = files.into_iter().map(|file| match file {
            Ok(path) => of_top(path.display().to_string()),
            Err(diagnostic) => of_top(diagnostic.message),
        });
        assert_eq!(
            said.collect::<Vec<_>>(),
            [
                "top/a/cron.yaml",
                "cannot look into the folder top/priv: permission denied",
                "top/z/cron.yaml",
            ]
        );
    }
}
