//! Whether the way to an API server leads through a proxy.
//!
//! The rule is Go's, which kubectl goes by (`http.ProxyFromEnvironment`): `HTTPS_PROXY` or `HTTP_PROXY`, by what the server
//! speaks; not to what `NO_PROXY` names, and never to this machine.

use std::net::IpAddr;

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;

/// The proxy to a server, as the variables of an environment say.
pub(super) fn on_the_way_to(server: &Uri, variable: impl Fn(&str) -> Option<String>) -> Option<Uri> {
    let set = |name: &str| {
        let either = variable(name).filter(|value| !value.is_empty());
        either.or_else(|| variable(&name.to_lowercase()))
    };
    let proxy = set(if server.scheme_str() == Some("http") {
        "HTTP_PROXY"
    } else {
        "HTTPS_PROXY"
    })?;
    let proxied = Matcher::builder()
        .http(proxy.as_str())
        .https(proxy.as_str())
        .no(set("NO_PROXY").unwrap_or_default())
        .build();
    if is_this_machine(server) || proxied.intercept(server).is_none() {
        return None;
    }
    let whole = if proxy.contains("://") {
        proxy
    } else {
        format!("http://{proxy}")
    };
    whole.parse().ok()
}

fn is_this_machine(server: &Uri) -> bool {
    let host = server.host().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse();
    host == "localhost" || address.is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_leads_through_what_the_environment_says_but_not_to_what_it_excepts() {
        type Variables = &'static [(&'static str, &'static str)];
        let table: [(&str, Variables, &str); 15] = [
            ("https://k8s.example:6443", &[], ""),
            ("https://k8s.example:6443", &[("HTTPS_PROXY", "")], ""),
            (
                "https://k8s.example:6443",
                &[("HTTPS_PROXY", "http://p:1")],
                "http://p:1/",
            ),
            (
                "https://k8s.example:6443",
                &[("https_proxy", "http://p:1")],
                "http://p:1/",
            ),
            (
                "https://k8s.example:6443",
                &[("HTTPS_PROXY", "p:1")],
                "http://p:1/",
            ),
            (
                "https://k8s.example:6443",
                &[("HTTPS_PROXY", "http://me:secret@p:1")],
                "http://me:secret@p:1/",
            ),
            ("https://k8s.example:6443", &[("HTTP_PROXY", "http://p:1")], ""),
            (
                "http://k8s.example:8080",
                &[("HTTP_PROXY", "http://p:1")],
                "http://p:1/",
            ),
            (
                "https://k8s.example:6443",
                &[("HTTPS_PROXY", "http://p:1"), ("NO_PROXY", "*")],
                "",
            ),
            (
                "https://k8s.example:6443",
                &[("HTTPS_PROXY", "http://p:1"), ("no_proxy", "other,.example")],
                "",
            ),
            (
                "https://10.1.2.3:6443",
                &[("HTTPS_PROXY", "http://p:1"), ("NO_PROXY", "10.0.0.0/8")],
                "",
            ),
            (
                "https://11.1.2.3:6443",
                &[("HTTPS_PROXY", "http://p:1"), ("NO_PROXY", "10.0.0.0/8")],
                "http://p:1/",
            ),
            ("https://127.0.0.1:6443", &[("HTTPS_PROXY", "http://p:1")], ""),
            ("https://[::1]:6443", &[("HTTPS_PROXY", "http://p:1")], ""),
            ("https://localhost:6443", &[("HTTPS_PROXY", "http://p:1")], ""),
        ];
        for (server, environment, expected) in table {
            let variable = |name: &str| {
                let mut set = environment.iter();
                set.find(|(set, _)| *set == name)
                    .map(|(_, value)| (*value).to_owned())
            };
            let proxy = on_the_way_to(&server.parse().unwrap(), variable);
            assert_eq!(
                proxy.map(|proxy| proxy.to_string()).unwrap_or_default(),
                expected,
                "{server} {environment:?}"
            );
        }
    }
}
