//! Matrix products on AMX's tiles: elements as 8-bit limbs, and the products of limbs summed by `tdpbuud`.

mod limbs;
mod product;
mod tiles;

pub(crate) use limbs::Limbs;
pub(crate) use tiles::Tiles;
