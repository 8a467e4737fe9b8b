//! What is only ever added to: movements of stock, acts of operators.

use domain::act::Act;
use domain::movement::Movement;
use sea_orm::ConnectionTrait;

use super::bulk;
use super::entities::{operator_acts, stock_movements};
use super::fault::Stop;
use super::rows::record::{act_row, movement_row};

/// Adds movements, in the transaction that moves the stock.
pub async fn insert_movements(
    on: &impl ConnectionTrait,
    movements: &[Movement],
) -> Result<(), Stop> {
    let rows = movements.iter().map(movement_row).collect();
    bulk::insert::<stock_movements::ActiveModel, _>(on, rows).await
}

/// Adds acts, in the transaction that does what they say.
pub async fn insert_acts(
    on: &impl ConnectionTrait,
    acts: impl Iterator<Item = &Act>,
) -> Result<(), Stop> {
    let rows = acts.map(act_row).collect::<Result<_, _>>()?;
    bulk::insert::<operator_acts::ActiveModel, _>(on, rows).await
}
