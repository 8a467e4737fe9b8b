//! What can be done: one file for what belongs together. Each resolver parses its input, calls a use
//! case, and maps what comes back.

pub mod accounts;
pub mod back_office;
pub mod dead_letters;
pub mod deals;
pub mod items;
pub mod orders;
pub mod passwords;
pub mod returns;
pub mod sessions;
pub mod wishlists;

use async_graphql::MergedObject;

/// What can be done. Each answers with a payload that has what was done, or `userErrors` that say why
/// it was refused; it is null, with an error, only when a part of the service can't be reached.
#[derive(MergedObject, Default)]
pub struct Mutation(
    orders::Orders,
    returns::Returns,
    wishlists::Wishlists,
    items::Items,
    deals::Deals,
    accounts::Accounts,
    sessions::Sessions,
    passwords::Passwords,
    back_office::Operators,
    dead_letters::DeadLetters,
);
