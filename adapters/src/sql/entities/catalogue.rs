//! Items and their stock.

/// What is sold, with its deal's window.
pub mod items {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "items")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub seller_id: Uuid,
        pub sku: Option<String>,
        pub name: String,
        pub name_folded: String,
        #[sea_orm(column_type = "Text")]
        pub description: String,
        pub category: String,
        pub price_minor: i64,
        pub currency: String,
        pub kind: String,
        pub opens_at: Option<i64>,
        pub closes_at: Option<i64>,
        pub limit_per_buyer: Option<i64>,
        pub paused: bool,
        pub version: i64,
        pub created_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(has_one = "super::stock::Entity")]
        Stock,
    }

    impl Related<super::stock::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Stock.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// How much of an item there is.
pub mod stock {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "stock")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub item_id: Uuid,
        pub total: i64,
        pub held: i64,
        pub admitted: i64,
        pub released: i64,
        pub version: i64,
        pub changed_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "super::items::Entity",
            from = "Column::ItemId",
            to = "super::items::Column::Id"
        )]
        Item,
    }

    impl Related<super::items::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Item.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// What a buyer took of a time deal, and what came back.
pub mod buyer_stock {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "buyer_stock")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub item_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub buyer_id: Uuid,
        pub admitted: i64,
        pub released: i64,
        pub changed_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
