//! One file a command: its arguments and what it does.

#[cfg(feature = "cluster")]
pub(crate) mod approve;
pub(crate) mod budget;
#[cfg(feature = "cluster")]
pub(crate) mod cancel;
pub(crate) mod check;
pub(crate) mod completions;
#[cfg(feature = "cluster")]
pub(crate) mod deliver;
pub(crate) mod devices;
#[cfg(feature = "cluster")]
pub(crate) mod doctor;
#[cfg(feature = "cluster")]
pub(crate) mod logs;
pub(crate) mod party;
#[cfg(feature = "cluster")]
pub(crate) mod result;
pub(crate) mod run;
pub(crate) mod sample;
pub(crate) mod schema;
#[cfg(feature = "cluster")]
pub(crate) mod submit;
pub(crate) mod verify;
#[cfg(feature = "cluster")]
pub(crate) mod watch;
