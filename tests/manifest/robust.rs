//! Nothing that can be read makes the reader fall over.
