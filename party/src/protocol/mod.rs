//! How parties compute on shares.
