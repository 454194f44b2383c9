//! Resources that have no rules of their own, and kinds of which there are no objects.

use k8s_openapi::api::core::v1::{Service, ServiceAccount};
use serde_json::Value;

use super::{ObjectType, Strategy, check_metadata};
use crate::schedule::TimeZones;
use crate::standalone::api::cause::Cause;

/// Kinds of which there are no objects.
#[derive(Debug)]
pub struct Absent;

/// Service accounts.
#[derive(Debug)]
pub struct ServiceAccounts;

/// Services.
#[derive(Debug)]
pub struct Services;

impl Strategy for Absent {
    fn object_type(&self) -> ObjectType {
        ObjectType::any()
    }

    fn check(&self, _object: &Value, _old: Option<&Value>, _zones: &TimeZones) -> Result<Vec<Cause>, String> {
        Ok(Vec::new())
    }
}

impl Strategy for ServiceAccounts {
    fn object_type(&self) -> ObjectType {
        ObjectType::of::<ServiceAccount>()
    }

    fn check(&self, object: &Value, old: Option<&Value>, _zones: &TimeZones) -> Result<Vec<Cause>, String> {
        check_metadata::<ServiceAccount>(object, old)
    }
}

impl Strategy for Services {
    fn object_type(&self) -> ObjectType {
        ObjectType::of::<Service>()
    }

    fn check(&self, object: &Value, old: Option<&Value>, _zones: &TimeZones) -> Result<Vec<Cause>, String> {
        check_metadata::<Service>(object, old)
    }
}
