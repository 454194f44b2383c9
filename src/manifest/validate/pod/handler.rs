//! What is done to a container to look after it: by probes, and at its beginning and end.

use k8s_openapi::api::core::v1::{
    ExecAction, GRPCAction, HTTPGetAction, LifecycleHandler, Probe, SleepAction, TCPSocketAction,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::super::{Findings, Hint, names};
use crate::manifest::path::FieldPath;

const SCHEMES: [&str; 2] = ["HTTP", "HTTPS"];

/// One of these.
#[derive(Debug, Default)]
pub(super) struct Handler<'a> {
    exec: Option<&'a ExecAction>,
    grpc: Option<&'a GRPCAction>,
    http_get: Option<&'a HTTPGetAction>,
    tcp_socket: Option<&'a TCPSocketAction>,
    sleep: Option<&'a SleepAction>,
}

impl<'a> From<&'a Probe> for Handler<'a> {
    fn from(probe: &'a Probe) -> Self {
        Handler {
            exec: probe.exec.as_ref(),
            grpc: probe.grpc.as_ref(),
            http_get: probe.http_get.as_ref(),
            tcp_socket: probe.tcp_socket.as_ref(),
            sleep: None,
        }
    }
}

impl<'a> From<&'a LifecycleHandler> for Handler<'a> {
    fn from(handler: &'a LifecycleHandler) -> Self {
        Handler {
            exec: handler.exec.as_ref(),
            grpc: None,
            http_get: handler.http_get.as_ref(),
            tcp_socket: handler.tcp_socket.as_ref(),
            sleep: handler.sleep.as_ref(),
        }
    }
}

impl Handler<'_> {
    /// Checks that it is one thing, and that this can be done in the time that a pod has for its end.
    pub(super) fn check(&self, grace_seconds: i64, path: &FieldPath, found: &mut Findings) {
        let handlers = [
            ("exec", self.exec.is_some()),
            ("httpGet", self.http_get.is_some()),
            ("tcpSocket", self.tcp_socket.is_some()),
            ("grpc", self.grpc.is_some()),
            ("sleep", self.sleep.is_some()),
        ];
        let mut written = handlers.into_iter().filter(|(_, is_written)| *is_written);
        match written.next() {
            None => found.required(path, "must specify a handler type"),
            Some((field, _)) => self.check_action(grace_seconds, &path.child(field), found),
        }
        for (field, _) in written {
            found.forbidden(&path.child(field), "may not specify more than 1 handler type");
        }
    }

    /// Checks the first action that is written, which is at `path`.
    fn check_action(&self, grace_seconds: i64, path: &FieldPath, found: &mut Findings) {
        if let Some(exec) = self.exec {
            if exec.command.as_deref().unwrap_or_default().is_empty() {
                found.required(&path.child("command"), "");
            }
        } else if let Some(get) = self.http_get {
            check_port(&get.port, &path.child("port"), found);
            let scheme = get.scheme.as_deref().unwrap_or_default();
            if !scheme.is_empty() && !SCHEMES.contains(&scheme) {
                found.not_supported(&path.child("scheme"), scheme, &SCHEMES);
            }
            for (index, header) in get.http_headers.iter().flatten().enumerate() {
                let list = path.child("httpHeaders");
                for rule in names::http_header(&header.name) {
                    let error = found.invalid(&list, &header.name, rule);
                    error.at(list.index(index).child("name"));
                }
            }
        } else if let Some(socket) = self.tcp_socket {
            check_port(&socket.port, &path.child("port"), found);
        } else if let Some(call) = self.grpc {
            check_port(&IntOrString::Int(call.port), &path.child("port"), found);
        } else if let Some(sleep) = self.sleep
            && !(0..=grace_seconds).contains(&sleep.seconds)
        {
            let rule =
                format!("must be non-negative and less than terminationGracePeriodSeconds ({grace_seconds})");
            found.invalid(path, sleep.seconds, rule).at(path.child("seconds"));
        }
    }
}

/// A port by its number or its name.
fn check_port(port: &IntOrString, path: &FieldPath, found: &mut Findings) {
    match port {
        IntOrString::Int(1..=65_535) => {}
        IntOrString::Int(number) => {
            let error = found.invalid(path, *number, "must be between 1 and 65535, inclusive");
            // A port that is not written is read as this.
            if *number == 0 {
                error.hint(Hint {
                    message: format!("`{}` is required, and is not 0", path.name()),
                    help: Some("write the number of a port, or its name".to_owned()),
                    ..Hint::default()
                });
            }
        }
        IntOrString::String(name) => {
            for rule in names::port(name) {
                let error = found.invalid(path, name, rule);
                if name.parse::<u16>().is_ok() {
                    error.hint(Hint {
                        message: format!("a text is the name of a port, and {name:?} is none"),
                        help: Some(format!("write `{name}` without quotation marks")),
                        ..Hint::default()
                    });
                }
            }
        }
    }
}
