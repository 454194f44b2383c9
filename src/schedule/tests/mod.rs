//! Tests of the parts of the engine that are not public.
