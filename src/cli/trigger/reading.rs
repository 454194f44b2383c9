//! Reads one log from its first line to its last, also where the connection breaks in between.

use std::time::Duration;

use futures::AsyncBufReadExt as _;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::LogParams;

use crate::cli::trigger::patience::Patience;

/// The pause before a log is asked for again, which doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Which of the logs of a container is read.
pub(super) struct Which<'a> {
    pub(super) pod: &'a str,
    pub(super) container: &'a str,
    /// The one of the start before.
    pub(super) previous: bool,
}

/// Hands the lines of a log to `show` as they are written.
///
/// # Errors
///
/// When there is no such log, or it could not be read for so long that nobody would wait longer.
pub(super) async fn read(pods: &Api<Pod>, which: Which<'_>, mut show: impl FnMut(&str)) -> kube::Result<()> {
    let mut place = Place::default();
    let mut patience = Patience::default();
    let mut pause = FIRST_PAUSE;
    loop {
        let mut shown = false;
        let end = follow(pods, &which, &mut place, |line| {
            shown = true;
            show(line);
        });
        let Err(error) = end.await else {
            return Ok(());
        };
        if shown {
            patience.renew();
            pause = FIRST_PAUSE;
        }
        if !patience.bears(&error) {
            return Err(error);
        }
        tokio::time::sleep(pause).await;
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

/// Shows what has not been shown, over one connection.
async fn follow(
    pods: &Api<Pod>,
    which: &Which<'_>,
    place: &mut Place,
    mut show: impl FnMut(&str),
) -> kube::Result<()> {
    let params = LogParams {
        container: Some(which.container.to_owned()),
        follow: true,
        previous: which.previous,
        timestamps: true,
        since_time: place.find_again(),
        ..LogParams::default()
    };
    let mut log = pods.log_stream(which.pod, &params).await?;
    let mut line = vec![];
    loop {
        line.clear();
        let length = log.read_until(b'\n', &mut line).await;
        if length.map_err(kube::Error::ReadEvents)? == 0 {
            return Ok(());
        }
        // What is no text is shown as far as it is.
        let text = String::from_utf8_lossy(&line);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        if let Some(text) = place.pass(text.strip_suffix('\r').unwrap_or(text)) {
            show(text);
        }
    }
}

/// How far a log has been shown, by the times that its lines begin with.
#[derive(Debug, Default)]
struct Place {
    /// The time of the last line.
    at: Option<Timestamp>,
    /// How many lines of this time were shown.
    lines: usize,
    /// How many of these are still to come again. While there may be some, those of times before are old as well.
    again: Option<usize>,
}

impl Place {
    /// From when on the log is asked for, so that nothing is missed. That is told by the second.
    fn find_again(&mut self) -> Option<Timestamp> {
        let at = self.at?;
        self.again = Some(self.lines);
        Timestamp::from_second(at.as_second()).ok()
    }

    /// What a line says after its time, unless it has been shown. What has no time is no line of the container's.
    fn pass<'a>(&mut self, line: &'a str) -> Option<&'a str> {
        let (time, text) = line.split_once(' ').unwrap_or((line, ""));
        let Ok(time) = time.parse::<Timestamp>() else {
            return Some(line);
        };
        if let (Some(again), Some(at)) = (&mut self.again, self.at) {
            if time < at {
                return None;
            }
            if time == at && *again > 0 {
                *again -= 1;
                return None;
            }
            self.again = None;
        }
        self.lines = if self.at == Some(time) { self.lines + 1 } else { 1 };
        self.at = Some(time);
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Mutex;

    use axum::body::Body;
    use http::{Request, Response};
    use kube::Client;
    use tokio::time::Instant;

    use super::*;
    use crate::cli::trigger::patience;

    /// How one request for a log is answered.
    enum Answer {
        Refused(u16),
        /// These lines, and then the end.
        Whole(&'static str),
        /// These lines, and then the connection breaks.
        Broken(&'static str),
    }
    use Answer::{Broken, Refused, Whole};

    /// What is shown of a log, how the reading ended, and from when on the log was asked for; the last answer stays.
    async fn reading(answers: Vec<Answer>) -> (Vec<String>, bool, Vec<String>) {
        let asked = Mutex::new(vec![]);
        let seen = std::sync::Arc::new(asked);
        let noted = std::sync::Arc::clone(&seen);
        let answer = move |request: Request<kube::client::Body>| {
            let mut noted = noted.lock().expect("no panic");
            let answer = &answers[noted.len().min(answers.len() - 1)];
            let query = request.uri().query().unwrap_or_default();
            let since = query.split('&').find_map(|pair| pair.strip_prefix("sinceTime="));
            noted.push(since.unwrap_or("-").replace("%3A", ":"));
            let (code, body) = match answer {
                Refused(code) => {
                    let status = serde_json::json!({ "status": "Failure", "message": "no", "reason": "No", "code": code });
                    (*code, Body::from(status.to_string()))
                }
                Whole(lines) => (200, Body::from(*lines)),
                Broken(lines) => {
                    let broken = std::io::Error::other("broken");
                    let parts = [Ok(*lines), Err(broken)];
                    (200, Body::from_stream(futures::stream::iter(parts)))
                }
            };
            let response = Response::builder().status(code).body(body).expect("a response");
            std::future::ready(Ok::<_, Infallible>(response))
        };
        let client = Client::new(tower::service_fn(answer), "default");
        let which = Which {
            pod: "pod-a",
            container: "main",
            previous: false,
        };
        let mut shown = vec![];
        let end = read(&Api::default_namespaced(client), which, |line| {
            shown.push(line.to_owned());
        })
        .await;
        let asked = seen.lock().expect("no panic").clone();
        (shown, end.is_ok(), asked)
    }

    /// One row a log: how it is answered, what is shown, and from when on it was asked for.
    #[tokio::test(start_paused = true)]
    async fn a_log_is_shown_once_and_whole_wherever_its_connection_breaks() {
        const ONE: &str = "2026-11-25T10:00:00.6Z one\n";
        const TWO: &str =
            "2026-11-25T10:00:00.6Z one\n2026-11-25T10:00:00.7Z two\n2026-11-25T10:00:00.7Z two\n";
        const THREE: &str = "2026-11-25T10:00:00.7Z two\n2026-11-25T10:00:00.7Z two\n2026-11-25T10:00:00.7Z two\n2026-11-25T10:00:02Z \n";
        let second = "2026-11-25T10:00:00Z";
        for (answers, shown, asked) in [
            (vec![Whole(ONE)], &["one"][..], &["-"][..]),
            (vec![Whole("lost\n")], &["lost"], &["-"]),
            (vec![Refused(503), Whole(ONE)], &["one"], &["-", "-"]),
            (vec![Broken(""), Whole(ONE)], &["one"], &["-", "-"]),
            (
                vec![Broken(ONE), Whole(TWO)],
                &["one", "two", "two"],
                &["-", second],
            ),
            (
                vec![Broken(TWO), Refused(500), Whole(THREE)],
                &["one", "two", "two", "two", ""],
                &["-", second, second],
            ),
            // Half a line is not shown before it is whole.
            (
                vec![
                    Broken("2026-11-25T10:00:00.6Z one\n2026-11-25T10:00:00.7Z tw"),
                    Whole(TWO),
                ],
                &["one", "two", "two"],
                &["-", second],
            ),
        ] {
            let (lines, ended, requests) = reading(answers).await;
            assert_eq!(lines, shown);
            assert_eq!(requests, asked);
            assert!(ended, "{shown:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_there_is_not_is_asked_for_once_and_what_stays_away_is_given_up() {
        let (_, ended, asked) = reading(vec![Refused(404)]).await;
        assert_eq!((ended, asked.len()), (false, 1));
        let began = Instant::now();
        let (_, ended, asked) = reading(vec![Refused(503)]).await;
        assert!(!ended && asked.len() > 20, "{asked:?}");
        assert!(began.elapsed() < patience::LONGEST * 2, "{:?}", began.elapsed());
    }
}
