//! Messages between parties over mutually authenticated TLS.
//!
//! [`Mesh`] holds one logical link to each peer; a link outlives the TCP connections under it. Inside: `tls` says who a
//! certificate speaks for, [`frame`] is the form of the bytes, `link` keeps what was not yet acknowledged, `connection`
//! moves frames over one TLS stream, `dial` makes and remakes connections.

mod connection;
mod dial;
pub mod frame;
mod link;
pub mod links;
mod mesh;
mod outbox;
mod spares;
mod tls;

pub use mesh::{Binding, Mesh, MeshConfig};
