//! What pods are called, and how they find others: host names, name resolution, and ports of the machine.

use std::net::{IpAddr, Ipv6Addr};

use k8s_openapi::api::core::v1::{Container, HostAlias, PodDNSConfig, PodSpec};

use super::super::{Findings, metadata, names};
use super::containers;
use crate::manifest::path::FieldPath;

const DNS_POLICIES: [&str; 4] = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];

/// The most name servers, as resolvers have no room for more (`MaxDNSNameservers`).
const NAME_SERVERS_MAX: usize = 3;

/// The most domains that are searched (`MaxDNSSearchPaths`).
const SEARCHES_MAX: usize = 32;

/// The most characters of all domains that are searched, with the blanks between them (`MaxDNSSearchListChars`).
const SEARCH_CHARACTERS_MAX: usize = 2048;

/// The longest `hostnameOverride`, in bytes: what Linux takes.
const HOST_NAME_BYTES_MAX: usize = 64;

const ADDRESS_RULE: &str = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";

/// Checks by whom names are resolved.
pub(super) fn check_dns_policy(pod: &PodSpec, path: &FieldPath, found: &mut Findings) {
    let policy = pod.dns_policy.as_deref().unwrap_or_default();
    if !policy.is_empty() && !DNS_POLICIES.contains(&policy) {
        found.not_supported(path, policy, &DNS_POLICIES);
    }
}

/// Checks how names are resolved.
pub(super) fn check_dns(pod: &PodSpec, path: &FieldPath, found: &mut Findings) {
    let is_own = pod.dns_policy.as_deref() == Some("None");
    match &pod.dns_config {
        None if is_own => found.required(path, "must provide `dnsConfig` when `dnsPolicy` is None"),
        None => {}
        Some(config) => {
            if is_own && config.nameservers.as_deref().unwrap_or_default().is_empty() {
                let rule = "must provide at least one DNS nameserver when `dnsPolicy` is None";
                found.required(&path.child("nameservers"), rule);
            }
            check_dns_config(config, path, found);
        }
    }
}

fn check_dns_config(config: &PodDNSConfig, path: &FieldPath, found: &mut Findings) {
    let servers = config.nameservers.as_deref().unwrap_or_default();
    let place = path.child("nameservers");
    if servers.len() > NAME_SERVERS_MAX {
        let rule = format!("must not have more than {NAME_SERVERS_MAX} nameservers");
        found.invalid(&place, servers, rule);
    }
    for (index, server) in servers.iter().enumerate() {
        check_address(server, &place.index(index), found);
    }
    let searches = config.searches.as_deref().unwrap_or_default();
    let place = path.child("searches");
    if searches.len() > SEARCHES_MAX {
        let rule = format!("must not have more than {SEARCHES_MAX} search paths");
        found.invalid(&place, searches, rule);
    }
    if searches.join(" ").len() > SEARCH_CHARACTERS_MAX {
        let rule = format!(
            "must not have more than {SEARCH_CHARACTERS_MAX} characters (including spaces) in the search list"
        );
        found.invalid(&place, searches, rule);
    }
    for (index, search) in searches.iter().enumerate() {
        // The root, and domains that say that they are whole.
        let domain = search.strip_suffix('.').unwrap_or(search);
        if search != "." {
            for rule in names::dns_search(domain) {
                found.invalid(&place.index(index), search, rule);
            }
        }
    }
    for (index, option) in config.options.iter().flatten().enumerate() {
        if option.name.as_deref().unwrap_or_default().is_empty() {
            found.required(&path.child("options").index(index), "must not be empty");
        }
    }
}

fn check_address(text: &str, path: &FieldPath, found: &mut Findings) {
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) if is_mapped(address) => {
            found.invalid(path, text, "must not be an IPv4-mapped IPv6 address");
        }
        Ok(_) => {}
        Err(_) if without_leading_zeros(text).parse::<IpAddr>().is_ok() => {
            found.invalid(path, text, "must not have leading 0s");
        }
        Err(_) => {
            found.invalid(path, text, ADDRESS_RULE);
        }
    }
}

fn is_mapped(address: Ipv6Addr) -> bool {
    address.to_ipv4_mapped().is_some()
}

fn without_leading_zeros(text: &str) -> String {
    let part = |part: &str| match part.trim_start_matches('0') {
        "" if !part.is_empty() => "0".to_owned(),
        part => part.to_owned(),
    };
    text.split('.').map(part).collect::<Vec<_>>().join(".")
}

/// Checks what pods are called.
pub(super) fn check_host_names(pod: &PodSpec, path: &FieldPath, found: &mut Findings) {
    for (field, name) in [("hostname", &pod.hostname), ("subdomain", &pod.subdomain)] {
        let Some(name) = name.as_deref().filter(|name| !name.is_empty()) else {
            continue;
        };
        for rule in names::dns_label(name) {
            let error = found.invalid(&path.child(field), name, rule);
            error.hint(metadata::name_hint(name));
        }
    }
}

/// Checks the name that takes the place of all others.
pub(super) fn check_override(pod: &PodSpec, path: &FieldPath, found: &mut Findings) {
    let Some(name) = pod.hostname_override.as_deref() else {
        return;
    };
    for rule in names::dns_subdomain(name) {
        found.invalid(path, name, rule).hint(metadata::name_hint(name));
    }
    if name.len() > HOST_NAME_BYTES_MAX {
        found.too_long(path, HOST_NAME_BYTES_MAX);
    }
    for (other, is_set) in [
        ("setHostnameAsFQDN", pod.set_hostname_as_fqdn),
        ("hostNetwork", pod.host_network),
    ] {
        if is_set == Some(true) {
            found.forbidden(path, format!("may not be specified when {other} is true"));
        }
    }
}

/// Checks names that a pod knows without asking.
pub(super) fn check_aliases(aliases: &[HostAlias], path: &FieldPath, found: &mut Findings) {
    for (index, alias) in aliases.iter().enumerate() {
        let path = path.index(index);
        check_address(&alias.ip, &path.child("ip"), found);
        for (index, name) in alias.hostnames.iter().flatten().enumerate() {
            for rule in names::dns_subdomain(name) {
                found.invalid(&path.child("hostnames").index(index), name, rule);
            }
        }
    }
}

/// On the machine's own network a port can't be another one of the machine.
pub(super) fn check_ports_of_host(pod: &PodSpec, path: &FieldPath, found: &mut Findings) {
    if pod.host_network != Some(true) {
        return;
    }
    for (path, container) in containers(pod, path) {
        for (index, port) in container.ports.iter().flatten().enumerate() {
            let host = port.host_port.unwrap_or(port.container_port);
            if host != port.container_port {
                let path = path.child("ports").index(index).child("hostPort");
                let rule = "must match `containerPort` when `hostNetwork` is true";
                found.invalid(&path, host, rule);
            }
        }
    }
}

/// A port of the machine belongs to one container.
pub(super) fn check_shared_ports(containers: &[Container], path: &FieldPath, found: &mut Findings) {
    let mut taken: Vec<String> = Vec::new();
    for (index, container) in containers.iter().enumerate() {
        let path = path.index(index).child("ports");
        for (index, port) in container.ports.iter().flatten().enumerate() {
            let Some(host) = port.host_port.filter(|port| *port != 0) else {
                continue;
            };
            let protocol = port.protocol.as_deref().unwrap_or("TCP");
            let address = port.host_ip.as_deref().unwrap_or_default();
            let port = format!("{protocol}/{address}/{host}");
            if taken.contains(&port) {
                found.duplicate(&path.index(index).child("hostPort"), &port);
            } else {
                taken.push(port);
            }
        }
    }
}
