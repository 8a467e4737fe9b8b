//! What no group could handle.

/// A record that was put aside.
pub mod dead_letters {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "dead_letters")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub member_group: String,
        pub topic: String,
        pub partition_number: i64,
        pub record_offset: i64,
        pub reason: String,
        pub attempts: i64,
        pub kept_at: i64,
        pub record_key: Option<Vec<u8>>,
        /// Absent with its key, where the record is not whole.
        pub payload: Option<Vec<u8>>,
        pub trace: Option<String>,
        pub settled_at: Option<i64>,
        pub settlement: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
