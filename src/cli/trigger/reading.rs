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

/// Hands the lines of a log to `show` as they are written. Where the kubelet goes away, as it is restarted, the log seems to be
/// at its end: it `goes_on` where the container may write more, which is told at the latest after the given time.
///
/// # Errors
///
/// When there is no such log, or it could not be read for so long that nobody would wait longer.
pub(super) async fn read<F: Future<Output = bool>>(
    pods: &Api<Pod>,
    which: Which<'_>,
    mut show: impl FnMut(&str),
    goes_on: impl Fn(Duration) -> F,
) -> kube::Result<()> {
    let mut place = Place::default();
    let mut patience = Patience::default();
    let mut pause = FIRST_PAUSE;
    loop {
        let mut shown = false;
        let end = follow(pods, &which, &mut place, |line| {
            shown = true;
            show(line);
        });
        let end = end.await;
        if shown {
            pause = FIRST_PAUSE;
        }
        if shown || end.is_ok() {
            patience.renew();
        }
        match end {
            Ok(()) if goes_on(pause).await => {}
            Ok(()) => return Ok(()),
            Err(error) if patience.bears(&error) => tokio::time::sleep(pause).await,
            Err(error) => return Err(error),
        }
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
    /// What the kubelet said last of the log itself, as that it can't follow it. It says so each time.
    remark: String,
}

impl Place {
    /// From when on the log is asked for, so that nothing is missed. That is told by the second.
    fn find_again(&mut self) -> Option<Timestamp> {
        let at = self.at?;
        self.again = Some(self.lines);
        Timestamp::from_second(at.as_second()).ok()
    }

    /// What a line says after its time, unless it has been shown. What has no time is no line of the container's, but the kubelet's.
    fn pass<'a>(&mut self, line: &'a str) -> Option<&'a str> {
        let (time, text) = line.split_once(' ').unwrap_or((line, ""));
        let Ok(time) = time.parse::<Timestamp>() else {
            if self.remark == line {
                return None;
            }
            line.clone_into(&mut self.remark);
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

    /// What is shown of a log, how the reading ended, and from when on the log was asked for; the last answer stays. The container
    /// writes until that is asked for.
    async fn reading(answers: Vec<Answer>) -> (Vec<String>, bool, Vec<String>) {
        let asked = Mutex::new(vec![]);
        let seen = std::sync::Arc::new(asked);
        let noted = std::sync::Arc::clone(&seen);
        let last = answers.len();
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
        let show = |line: &str| shown.push(line.to_owned());
        let goes_on = |_| std::future::ready(seen.lock().expect("no panic").len() < last);
        let end = read(&Api::default_namespaced(client), which, show, goes_on).await;
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
            // The kubelet goes away, and comes again.
            (
                vec![Whole(ONE), Refused(503), Whole(TWO)],
                &["one", "two", "two"],
                &["-", second, second],
            ),
            (
                vec![Whole("can't watch\n"), Whole("can't watch\n"), Whole(ONE)],
                &["can't watch", "one"],
                &["-", "-", "-"],
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
