//! The data owner's book of reserved and spent privacy.
