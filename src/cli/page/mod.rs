//! A forecast or a simulation as one HTML page: heat map, crowded minutes, timeline.
//!
//! The page needs nothing else: no font, no library, no network, and its policy allows none. What is most important is in
//! the text; the drawings are made by its script from the data in it, and only what is in sight is drawn, so that it
//! stays quick with thousands of CronJobs.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use chrono::{DateTime, FixedOffset, TimeDelta, Timelike as _};
use serde_json::{Value, json};

use crate::foresight::{Crowd, Kind};
use crate::schedule::{Timestamp, Zone};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// How the CronJobs can be ordered as well, where something did not go by itself.
const ORDER: &str = r#"<option value="rough">most trouble first</option>"#;

/// What the colours of the timeline mean: how the style and the script know it, what it is, and what is drawn so.
const COLOURS: [(&str, &str, &[Kind]); 7] = [
    (
        "late",
        "late, or ended for the next run",
        &[Kind::CatchUp, Kind::Replaced],
    ),
    ("wait", "due, and waits", &[Kind::Wait]),
    ("queue", "due, and stands in a line", &[Kind::Queue]),
    ("skip", "skipped", &[Kind::Skip]),
    ("bad", "failed", &[Kind::Failure]),
    ("pause", "paused", &[Kind::Pause]),
    ("overdue", "no success in time", &[Kind::Overdue]),
];

/// What a page is made of.
pub(super) struct Page<'a> {
    /// What it is about.
    pub(super) title: String,
    /// The figures at the top: each with what it counts.
    pub(super) tiles: Vec<(String, String)>,
    /// The crowded minutes, or what did not go by itself.
    pub(super) middle: Middle,
    /// The CronJobs, by their numbers.
    pub(super) members: Vec<Member>,
    /// When what starts.
    pub(super) crowd: &'a Crowd,
    /// On whose clock it is shown.
    pub(super) zone: &'a Zone,
    /// What has to be known about the figures.
    pub(super) footnotes: Vec<String>,
}

/// A table, and what to do about it.
pub(super) struct Middle {
    /// Its title.
    pub(super) title: &'static str,
    /// The titles of its columns.
    pub(super) header: Vec<&'static str>,
    /// Its rows.
    pub(super) rows: Vec<Vec<String>>,
    /// What is said where there are no rows.
    pub(super) otherwise: &'static str,
    /// What to do about it, a paragraph each.
    pub(super) advice: Vec<String>,
}

/// A CronJob of the timeline.
pub(super) struct Member {
    /// Namespace and name.
    pub(super) name: String,
    /// Its schedule as written.
    pub(super) schedule: String,
    /// Its schedule as a sentence.
    pub(super) said: String,
    /// How long a run takes.
    pub(super) run_time: TimeDelta,
    /// What did not go by itself, and when.
    pub(super) events: Vec<(Timestamp, Kind)>,
}

impl Page<'_> {
    /// The page.
    pub(super) fn html(&self) -> String {
        let peak = self
            .crowd
            .minutes()
            .iter()
            .map(|minute| minute.starts)
            .max()
            .unwrap_or(0);
        let label = format!(
            "A heat map of the starts in each minute; at most {peak}. The table below lists the most crowded ones"
        );
        let legend = self.legend();
        let order = if legend.is_empty() { "" } else { ORDER };
        let places = [
            ("version", escape(env!("CARGO_PKG_VERSION"))),
            ("title", escape(&self.title)),
            ("style", STYLE.to_owned()),
            ("range", escape(&self.range())),
            ("tiles", self.tiles()),
            ("heat_label", escape(&label)),
            ("crowded_title", escape(self.middle.title)),
            ("crowded", self.middle.html()),
            ("orders", order.to_owned()),
            ("kinds", legend),
            ("footer", paragraphs(&self.footnotes)),
            ("data", for_script(&self.data())),
            ("script", SCRIPT.to_owned()),
        ];
        fill(PAGE, &places)
    }

    /// From when to when, on whose clock.
    fn range(&self) -> String {
        let from = self.local(0);
        let to = self.local(self.crowd.minutes().len());
        let format = "%a %-d %b %Y, %H:%M";
        format!(
            "{} to {}, {}",
            from.format(format),
            to.format(format),
            self.zone.name()
        )
    }

    fn local(&self, minute: usize) -> DateTime<FixedOffset> {
        local(self.crowd.begin_of(minute), self.zone)
    }

    fn tiles(&self) -> String {
        let tiles = self.tiles.iter().map(|(figure, what)| {
            format!(
                "<div class=\"tile\"><b>{}</b><span>{}</span></div>\n",
                escape(figure),
                escape(what)
            )
        });
        tiles.collect::<Vec<String>>().concat()
    }

    /// What the colours of the timeline mean, where there are several.
    fn legend(&self) -> String {
        let events = self.members.iter().flat_map(|member| &member.events);
        let kinds: BTreeSet<Kind> = events.map(|(_, kind)| *kind).collect();
        let drawn = COLOURS
            .iter()
            .filter(|(.., drawn)| drawn.iter().any(|kind| kinds.contains(kind)));
        let entries: Vec<String> = drawn
            .map(|(colour, text, _)| format!("<span><i class=\"{colour}\"></i>{text}</span>\n"))
            .collect();
        if entries.is_empty() {
            return String::new();
        }
        let run = "<span><i class=\"run\"></i>runs</span>\n";
        format!("<div class=\"legend kinds\">{run}{}</div>\n", entries.concat())
    }

    fn data(&self) -> Value {
        let minutes = self.crowd.minutes();
        let hours = (0..minutes.len()).step_by(60).map(|minute| {
            let at = self.local(minute);
            json!([at.format("%a %-d %b").to_string(), at.hour()])
        });
        let members = self.members.iter().enumerate().map(|(number, member)| {
            let starts = self.crowd.starts_of(number);
            let even = starts
                .even()
                .iter()
                .flat_map(|even| [even.first, even.step, even.count]);
            let second = |at: &Timestamp| (*at - self.crowd.begin_of(0)).num_seconds();
            let events = member
                .events
                .iter()
                .filter_map(|(at, kind)| Some(json!([second(at), colour(*kind)?])));
            json!({
                "name": member.name,
                "schedule": member.schedule,
                "said": member.said,
                "seconds": member.run_time.num_seconds(),
                "count": starts.len(),
                "starts": even.collect::<Vec<u32>>(),
                "events": events.collect::<Vec<Value>>(),
            })
        });
        let kinds = COLOURS
            .iter()
            .map(|(colour, text, _)| ((*colour).to_owned(), Value::from(*text)));
        json!({
            "kinds": kinds.collect::<serde_json::Map<String, Value>>(),
            "hours": hours.collect::<Vec<Value>>(),
            "starts": minutes.iter().map(|minute| minute.starts).collect::<Vec<u32>>(),
            "running": minutes.iter().map(|minute| minute.running).collect::<Vec<u32>>(),
            "members": members.collect::<Vec<Value>>(),
        })
    }
}

impl Middle {
    fn html(&self) -> String {
        let mut html = String::new();
        if self.rows.is_empty() {
            let _ = writeln!(html, "<p class=\"quiet\">{}</p>", escape(self.otherwise));
        } else {
            html += "<div class=\"card scroll\"><table><thead><tr>";
            for title in &self.header {
                let _ = write!(html, "<th>{}</th>", escape(title));
            }
            html += "</tr></thead><tbody>\n";
            for row in &self.rows {
                let cells: String = row
                    .iter()
                    .enumerate()
                    .map(|(column, text)| cell(column, text))
                    .collect();
                let _ = writeln!(html, "<tr>{cells}</tr>");
            }
            html += "</tbody></table></div>\n";
        }
        if !self.advice.is_empty() {
            let _ = writeln!(html, "<div class=\"advice\">{}</div>", paragraphs(&self.advice));
        }
        html
    }
}

/// The first column says when, and figures stand to the right.
fn cell(column: usize, text: &str) -> String {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b',');
    let class = match column {
        0 => " class=\"when\"",
        _ if is_number => " class=\"number\"",
        _ => "",
    };
    format!("<td{class}>{}</td>", escape(text))
}

/// The colour that a kind is drawn in, if it is.
fn colour(kind: Kind) -> Option<&'static str> {
    let drawn = COLOURS.iter().find(|(.., drawn)| drawn.contains(&kind));
    drawn.map(|(colour, ..)| *colour)
}

/// An instant as a clock in the zone shows it.
pub(super) fn local(at: Timestamp, zone: &Zone) -> DateTime<FixedOffset> {
    let offset = FixedOffset::east_opt(zone.offset_seconds(at));
    offset.map_or_else(|| at.fixed_offset(), |offset| at.with_timezone(&offset))
}

/// Puts texts into their places, once: what is put in is not looked at again.
fn fill(page: &str, places: &[(&str, String)]) -> String {
    let mut html = String::with_capacity(page.len());
    let mut rest = page;
    while let Some((before, after)) = rest.split_once("{{") {
        html += before;
        let Some((name, after)) = after.split_once("}}") else {
            break;
        };
        let text = places.iter().find(|(place, _)| *place == name);
        html += text.map_or("", |(_, text)| text.as_str());
        rest = after;
    }
    html + rest
}

/// `12,345`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Texts in which `backticks` mark what is to be written, a paragraph each.
fn paragraphs(texts: &[String]) -> String {
    let paragraphs = texts.iter().map(|text| format!("<p>{}</p>", inline(text)));
    paragraphs.collect::<Vec<String>>().concat()
}

/// A text that is no markup.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            c => escaped.push(c),
        }
    }
    escaped
}

/// A text in which `backticks` mark what is to be written.
fn inline(text: &str) -> String {
    let pieces = text.split('`').enumerate();
    let marked = pieces.map(|(index, piece)| match index % 2 {
        0 => escape(piece),
        _ => format!("<code>{}</code>", escape(piece)),
    });
    marked.collect()
}

/// JSON that can't end the element that it stands in.
fn for_script(data: &Value) -> String {
    data.to_string().replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_grouped() {
        let texts = [0, 999, 1_000, 12_345, 1_234_567].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "12,345", "1,234,567"]);
    }

    #[test]
    fn nothing_that_is_put_in_is_markup() {
        assert_eq!(escape("<b title=\"x\">&"), "&lt;b title=&quot;x&quot;&gt;&amp;");
        assert_eq!(
            inline("write `H < 3` & go"),
            "write <code>H &lt; 3</code> &amp; go"
        );
        assert_eq!(for_script(&json!(["</script>"])), r#"["\u003c/script>"]"#);
        let places = [("a", "{{b}}".to_owned()), ("b", "no".to_owned())];
        assert_eq!(fill("<{{a}}> {{b}} {{c}}", &places), "<{{b}}> no ");
    }
}
