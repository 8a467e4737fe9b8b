//! The schema's objects, each made from a type of the domain by hand.

pub mod account;
pub mod audit;
pub mod item;
pub mod money;
pub mod node;
pub mod order;
pub mod payment;
pub mod shipment;
pub mod stock;
pub mod wishlist;
