//! The engine from outside: the vectors, clock changes by name, an oracle, other libraries, and every error message.

mod mistakes;
mod vectors;
