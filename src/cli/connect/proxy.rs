//! Whether the way to an API server leads through a proxy.
//!
//! The rule is Go's, which kubectl goes by (`http.ProxyFromEnvironment`): `HTTPS_PROXY` or `HTTP_PROXY`, by what the server
//! speaks; not to what `NO_PROXY` names, and never to this machine.

use std::net::IpAddr;

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;

/// Why there is no saying through which proxy. The address is not repeated: it may have a password in it.
#[derive(Debug, thiserror::Error)]
#[error("not the address of a proxy{}; write http://HOST:PORT", .0.as_ref().map(|error| format!(" ({error})")).unwrap_or_default())]
pub(super) struct Unusable(Option<http::uri::InvalidUri>);

/// The same of a variable.
#[derive(Debug, thiserror::Error)]
#[error("{variable} is {why}")]
pub(super) struct UnusableVariable {
    variable: String,
    why: Unusable,
}

/// The proxy to a server, as the variables of an environment say.
///
/// # Errors
///
/// When a proxy is needed and the variable does not say where it is.
pub(super) fn on_the_way_to(
    server: &Uri,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<Uri>, UnusableVariable> {
    let set = |name: &str| {
        let names = [name.to_owned(), name.to_lowercase()];
        let mut set = names
            .into_iter()
            .filter_map(|name| Some((variable(&name)?, name)));
        set.find(|(value, _)| !value.is_empty())
    };
    let is_plain = server.scheme_str() == Some("http");
    let Some((proxy, variable)) = set(if is_plain { "HTTP_PROXY" } else { "HTTPS_PROXY" }) else {
        return Ok(None);
    };
    let excepted = set("NO_PROXY").map(|(value, _)| value).unwrap_or_default();
    if is_this_machine(server) || is_excepted(server, &excepted) {
        return Ok(None);
    }
    let found = address(&proxy).map(Some);
    found.map_err(|why| UnusableVariable { variable, why })
}

/// Where a proxy is; it speaks HTTP if nothing is said.
///
/// # Errors
///
/// When that is no address.
pub(super) fn address(proxy: &str) -> Result<Uri, Unusable> {
    let whole = if proxy.contains("://") {
        proxy.to_owned()
    } else {
        format!("http://{proxy}")
    };
    let address: Uri = whole.parse().map_err(|error| Unusable(Some(error)))?;
    let has_host = address.host().is_some_and(|host| !host.is_empty());
    if has_host {
        Ok(address)
    } else {
        Err(Unusable(None))
    }
}

/// Whether one of these names is the server's.
fn is_excepted(server: &Uri, names: &str) -> bool {
    let host = server.host().unwrap_or_default().to_lowercase();
    let usual = if server.scheme_str() == Some("http") {
        80
    } else {
        443
    };
    let port = server.port_u16().unwrap_or(usual);
    let of_port = names.split(',').filter_map(|entry| {
        let (name, its_port) = split_port(entry.trim());
        // The matcher knows no ports, takes `*.example` literally, and `.example` for `example` as well.
        let name = if name.starts_with("*.") { &name[1..] } else { name };
        let is_above = name.strip_prefix('.') == Some(host.as_str());
        (!name.is_empty() && !is_above && its_port.is_none_or(|its| its == port)).then_some(name)
    });
    let names = Matcher::builder()
        .all("http://proxy")
        .no(of_port.collect::<Vec<&str>>().join(","))
        .build();
    names.intercept(server).is_none()
}

/// `host:port`, `[address]:port`, or a name without a port.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    let split = entry.rsplit_once(':').and_then(|(host, port)| {
        let is_bracketed = host.starts_with('[') && host.ends_with(']');
        let is_host = is_bracketed || !host.contains(':');
        let port = port.parse().ok().filter(|_| is_host)?;
        Some((without_brackets(host), port))
    });
    split.map_or((entry, None), |(host, port)| (host, Some(port)))
}

fn is_this_machine(server: &Uri) -> bool {
    let host = server.host().unwrap_or_default();
    let address = without_brackets(host).parse();
    host == "localhost" || address.is_ok_and(|address: IpAddr| address.is_loopback())
}

/// An IPv6 address stands in brackets where a port may follow it.
fn without_brackets(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_leads_through_what_the_environment_says_but_not_to_this_machine() {
        type Variables = &'static [(&'static str, &'static str)];
        let table: [(&str, Variables, &str); 12] = [
            ("https://k8s.example", &[], ""),
            ("https://k8s.example", &[("HTTPS_PROXY", "")], ""),
            (
                "https://k8s.example",
                &[("HTTPS_PROXY", "http://p:1")],
                "http://p:1/",
            ),
            (
                "https://k8s.example",
                &[("https_proxy", "http://p:1")],
                "http://p:1/",
            ),
            ("https://k8s.example", &[("HTTPS_PROXY", "p:1")], "http://p:1/"),
            (
                "https://k8s.example",
                &[("HTTPS_PROXY", "http://me:x@p:1")],
                "http://me:x@p:1/",
            ),
            ("https://k8s.example", &[("HTTP_PROXY", "http://p:1")], ""),
            (
                "http://k8s.example",
                &[("HTTP_PROXY", "http://p:1")],
                "http://p:1/",
            ),
            ("https://127.0.0.1:6443", &[("HTTPS_PROXY", "http://p:1")], ""),
            ("https://[::1]:6443", &[("HTTPS_PROXY", "http://p:1")], ""),
            ("https://localhost:6443", &[("HTTPS_PROXY", "http://p:1")], ""),
            ("https://127.0.0.1:6443", &[("HTTPS_PROXY", "http://a b")], ""),
        ];
        for (server, environment, expected) in table {
            let proxy = on_the_way_to(&server.parse().unwrap(), of(environment)).unwrap();
            assert_eq!(
                proxy.map(|proxy| proxy.to_string()).unwrap_or_default(),
                expected,
                "{server} {environment:?}"
            );
        }
    }

    #[test]
    fn what_the_environment_excepts_is_reached_directly() {
        for (server, excepted, direct) in [
            ("k8s.example:6443", "*", true),
            ("k8s.example:6443", "other,.example", true),
            ("k8s.example:6443", ",other, ", false),
            ("k8s.example:6443", "k8s.example,", true),
            ("k8s.example:6443", "k8s.example:6443", true),
            ("k8s.example:6443", "k8s.example:443", false),
            ("k8s.example", "K8S.example:443", true),
            ("k8s.example:6443", "*.example", true),
            ("k8s.example:6443", ".k8s.example", false),
            ("a.k8s.example:6443", "k8s.example", true),
            ("10.1.2.3:6443", "10.0.0.0/8", true),
            ("11.1.2.3:6443", "10.0.0.0/8", false),
            ("10.1.2.3:6443", "10.1.2.3:6443", true),
            ("[2001:db8::1]:6443", "[2001:db8::1]:6443", true),
            ("[2001:db8::1]:6443", "2001:db8::1", true),
        ] {
            let server = format!("https://{server}").parse().unwrap();
            for variable in ["NO_PROXY", "no_proxy"] {
                let environment = [("HTTPS_PROXY", "http://p:1"), (variable, excepted)];
                let proxy = on_the_way_to(&server, of(&environment)).unwrap();
                assert_eq!(proxy.is_none(), direct, "{server} {variable}={excepted}");
            }
        }
    }

    #[test]
    fn an_address_that_is_none_is_told_by_the_name_of_its_variable() {
        for (variable, value, said) in [
            (
                "HTTPS_PROXY",
                "http://a b",
                "HTTPS_PROXY is not the address of a proxy (invalid uri character); write http://HOST:PORT",
            ),
            (
                "https_proxy",
                "http://:3128",
                "https_proxy is not the address of a proxy; write http://HOST:PORT",
            ),
        ] {
            let server = "https://k8s.example:6443".parse().unwrap();
            let refused = on_the_way_to(&server, of(&[(variable, value)])).unwrap_err();
            assert_eq!(refused.to_string(), said);
        }
    }

    fn of(environment: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        move |name| {
            let mut set = environment.iter();
            set.find(|(set, _)| *set == name)
                .map(|(_, value)| (*value).to_owned())
        }
    }
}
