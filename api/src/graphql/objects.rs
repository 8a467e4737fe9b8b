//! The schema's objects, each made from a type of the domain by hand.

pub mod account;
pub mod audit;
pub mod back_office;
pub mod dead_letter;
pub mod item;
pub mod money;
pub mod node;
pub mod order;
pub mod payment;
pub mod record;
pub mod return_request;
pub mod shipment;
pub mod stock;
pub mod wishlist;
