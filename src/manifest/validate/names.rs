//! What names, labels and their like may be made of.
//!
//! Rules and wording: `k8s.io/apimachinery/pkg/util/validation`. Each function returns what is wrong, in
//! Kubernetes' words, and nothing when all is well.

/// The longest DNS label, and with it the longest name of a Job, a container or a label's value, in bytes.
pub const LABEL_BYTES_MAX: usize = 63;

/// The longest DNS subdomain, and with it the longest name of most objects, in bytes.
pub const SUBDOMAIN_BYTES_MAX: usize = 253;

/// The longest name of a port, in bytes.
const PORT_BYTES_MAX: usize = 15;

const LABEL_RULE: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and \
    must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

const SUBDOMAIN_RULE: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' \
    or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

const SEARCH_RULE: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' \
    or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')";

const HEADER_RULE: &str = "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', \
    regex used for validation is '[-A-Za-z0-9]+')";

const QUALIFIED_RULE: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with \
    an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
    '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

const VALUE_RULE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or \
    '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex \
    used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

const CONFIG_KEY_RULE: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. \
    'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

/// A DNS label (RFC 1123): the name of a namespace, a container, a volume.
pub fn dns_label(name: &str) -> Vec<String> {
    let mut wrong = too_long(name, LABEL_BYTES_MAX, "characters");
    if !is_label(name) {
        // Several labels are nearly right.
        let is_subdomain = name.split('.').all(is_label);
        let rule = if is_subdomain {
            "must not contain dots"
        } else {
            LABEL_RULE
        };
        wrong.push(rule.to_owned());
    }
    wrong
}

/// A DNS subdomain (RFC 1123), labels joined by dots: the name of a CronJob or a Job.
pub fn dns_subdomain(name: &str) -> Vec<String> {
    let mut wrong = too_long(name, SUBDOMAIN_BYTES_MAX, "characters");
    if !name.split('.').all(is_label) {
        wrong.push(SUBDOMAIN_RULE.to_owned());
    }
    wrong
}

/// A domain in which names are searched: as names of services, which may have `_`.
pub fn dns_search(name: &str) -> Vec<String> {
    let mut wrong = too_long(name, SUBDOMAIN_BYTES_MAX, "characters");
    let is_part = |part: &str| {
        let part = part.strip_prefix('_').unwrap_or(part);
        is_label(&part.replace('_', "-"))
    };
    if !name.split('.').all(is_part) {
        wrong.push(SEARCH_RULE.to_owned());
    }
    wrong
}

/// Whether this can be the name of a setting of the kernel, its parts joined by dots or slashes.
pub fn is_sysctl(name: &str) -> bool {
    let is_part =
        |part: &str| is_label(&part.replace('_', "-")) && !part.starts_with('_') && !part.ends_with('_');
    name.len() <= SUBDOMAIN_BYTES_MAX && name.split(['.', '/']).all(is_part)
}

/// The name of a header of HTTP.
pub fn http_header(name: &str) -> Vec<String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if !name.is_empty() && name.bytes().all(is_plain) {
        Vec::new()
    } else {
        vec![HEADER_RULE.to_owned()]
    }
}

/// A name with an optional domain before it, `example.com/my-name`: the key of a label or an annotation.
pub fn qualified(name: &str) -> Vec<String> {
    let mut parts = name.split('/');
    let (prefix, part) = match (parts.next(), parts.next(), parts.next()) {
        (Some(part), None, _) => (None, part),
        (Some(prefix), Some(part), None) => (Some(prefix), part),
        _ => {
            let optional = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
            return vec![format!("a valid label key {QUALIFIED_RULE} {optional}")];
        }
    };
    let mut wrong = Vec::new();
    match prefix {
        Some("") => wrong.push("prefix part must be non-empty".to_owned()),
        Some(prefix) => {
            wrong.extend(too_long(prefix, SUBDOMAIN_BYTES_MAX, "bytes"));
            if !prefix.split('.').all(is_label) {
                wrong.push(SUBDOMAIN_RULE.to_owned());
            }
            wrong = wrong
                .into_iter()
                .map(|rule| format!("prefix part {rule}"))
                .collect();
        }
        None => {}
    }
    if part.is_empty() {
        wrong.push("name part must be non-empty".to_owned());
    }
    wrong.extend(
        too_long(part, LABEL_BYTES_MAX, "bytes")
            .into_iter()
            .map(|rule| format!("name part {rule}")),
    );
    if !is_word(part) {
        wrong.push(format!("name part {QUALIFIED_RULE}"));
    }
    wrong
}

/// The value of a label.
pub fn label_value(value: &str) -> Vec<String> {
    let mut wrong = too_long(value, LABEL_BYTES_MAX, "bytes");
    if !value.is_empty() && !is_word(value) {
        wrong.push(VALUE_RULE.to_owned());
    }
    wrong
}

/// The name of a port (RFC 6335).
pub fn port(name: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if name.len() > PORT_BYTES_MAX {
        wrong.push(format!("must be no more than {PORT_BYTES_MAX} characters"));
    }
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let rules = [
        (
            name.bytes().all(is_plain),
            "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
        ),
        (
            name.bytes().any(|byte| byte.is_ascii_lowercase()),
            "must contain at least one letter (a-z)",
        ),
        (!name.contains("--"), "must not contain consecutive hyphens"),
        (
            !name.starts_with('-') && !name.ends_with('-'),
            "must not begin or end with a hyphen",
        ),
    ];
    let broken = rules.into_iter().filter(|(holds, _)| !holds);
    wrong.extend(broken.map(|(_, rule)| rule.to_owned()));
    wrong
}

/// The name of an environment variable: since Kubernetes 1.34 any printable ASCII but `=`.
pub fn environment_variable(name: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if name.is_empty() {
        wrong.push("environment variable name must be non-empty".to_owned());
    }
    if !name
        .bytes()
        .all(|byte| matches!(byte, b' '..=b'~') && byte != b'=')
    {
        wrong.push(
            "a valid environment variable name must consist only of printable ASCII characters other than '='"
                .to_owned(),
        );
    }
    wrong
}

/// A key of a config map or a secret, which may become the name of a file.
pub fn config_key(key: &str) -> Vec<String> {
    let mut wrong = too_long(key, SUBDOMAIN_BYTES_MAX, "characters");
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if key.is_empty() || !key.bytes().all(is_plain) {
        wrong.push(CONFIG_KEY_RULE.to_owned());
    }
    match key {
        "." => wrong.push("must not be '.'".to_owned()),
        ".." => wrong.push("must not be '..'".to_owned()),
        _ if key.starts_with("..") => wrong.push("must not start with '..'".to_owned()),
        _ => {}
    }
    wrong
}

/// The name that was probably meant: lower case, with `-` for what may not stand in a DNS label.
pub fn like(name: &str) -> Option<String> {
    let plain: String = name
        .to_ascii_lowercase()
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '.' {
                c
            } else {
                '-'
            }
        })
        .collect();
    let plain = plain.trim_matches(['-', '.']).to_owned();
    (plain != name && plain.split('.').all(is_label)).then_some(plain)
}

/// `unit` is what Kubernetes calls a byte there.
fn too_long(text: &str, bytes_max: usize, unit: &str) -> Vec<String> {
    if text.len() > bytes_max {
        vec![format!("must be no more than {bytes_max} {unit}")]
    } else {
        Vec::new()
    }
}

fn is_label(text: &str) -> bool {
    let is_edge = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let bytes = text.as_bytes();
    is_edge(bytes.first())
        && is_edge(bytes.last())
        && bytes
            .iter()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
}

fn is_word(text: &str) -> bool {
    let is_edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    is_edge(bytes.first())
        && is_edge(bytes.last())
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
}
