//! What the payment provider calls our payments: kept, because its own search lags behind.

use async_trait::async_trait;
use domain::{Fault, PaymentId};
use sea_orm::{ActiveValue, EntityTrait};

use super::Ledger;
use super::entities::payment_references::{ActiveModel, Entity};
use super::fault::while_doing;
use crate::payment::References;

#[async_trait]
impl References for Ledger {
    async fn remember(&self, payment: PaymentId, reference: &str) -> Result<(), Fault> {
        self.write("remembering a payment's reference", |on| async move {
            // Two may ask for one payment at once; the name they are told is the same.
            if Entity::find_by_id(payment.0).one(&on).await?.is_none() {
                let row = ActiveModel {
                    payment_id: ActiveValue::Set(payment.0),
                    reference: ActiveValue::Set(reference.to_owned()),
                };
                Entity::insert(row).exec_without_returning(&on).await?;
            }
            Ok(())
        })
        .await
    }

    async fn recall(&self, payment: PaymentId) -> Result<Option<String>, Fault> {
        let row = Entity::find_by_id(payment.0).one(&self.engine.reader);
        let row = while_doing("recalling a payment's reference", row).await?;
        Ok(row.map(|row| row.reference))
    }
}
