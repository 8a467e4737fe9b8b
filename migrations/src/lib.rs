//! The ledger's schema history, in the language all three engines share: SQLite, MariaDB/MySQL 8
//! and PostgreSQL 15.
//!
//! Conventions: ids are 16 bytes (`uuid`), instants are epoch milliseconds (`bigint`), money is
//! minor units beside a currency code, states are short upper-case words, constraints are named.
//! A later migration only adds (tables, nullable columns, indexes); what it replaces is dropped one
//! release after the last program that used it.

mod dialect;
mod m0001_catalogue;
mod m0002_orders;
mod m0003_pipeline;
mod m0004_accounts;
mod m0005_sweeps;
mod m0006_traces;
mod m0007_wishlists;
mod m0008_mail;
mod m0009_after_sale;
mod m0010_payment_references;
mod m0012_dead_letters;
mod m0013_sessions;
mod m0016_proofs;

use std::collections::HashSet;

use sea_orm_migration::SchemaManager;
use sea_orm_migration::prelude::{MigrationTrait, MigratorTrait};
use sea_orm_migration::sea_orm::{DatabaseConnection, DbErr, EntityTrait};
use sea_orm_migration::seaql_migrations;

/// How a database's schema stands to this program's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Schema {
    Current,
    /// It lacks something that this program needs.
    Older,
    /// A later program has been there.
    Newer,
}

/// How the schema of a database stands; only looks.
///
/// # Errors
/// The database is away.
pub async fn schema(database: &DatabaseConnection) -> Result<Schema, DbErr> {
    let history = Migrator::migration_table_name().to_string();
    if !SchemaManager::new(database).has_table(history).await? {
        return Ok(Schema::Older);
    }
    let applied = seaql_migrations::Entity::find().all(database).await?;
    let applied: HashSet<String> = applied.into_iter().map(|row| row.version).collect();
    let ours = Migrator::migrations();
    let ours: HashSet<String> = ours.iter().map(|step| step.name().to_owned()).collect();
    Ok(if !applied.is_subset(&ours) {
        Schema::Newer
    } else if applied.is_superset(&ours) {
        Schema::Current
    } else {
        Schema::Older
    })
}

/// Brings a database up to the schema of this program.
///
/// # Errors
/// The database is away, or was brought further by a later program.
pub async fn up(database: &DatabaseConnection) -> Result<(), DbErr> {
    Migrator::up(database, None).await
}

struct Migrator;

#[sea_orm_migration::async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_catalogue::Migration),
            Box::new(m0002_orders::Migration),
            Box::new(m0003_pipeline::Migration),
            Box::new(m0004_accounts::Migration),
            Box::new(m0005_sweeps::Migration),
            Box::new(m0006_traces::Migration),
            Box::new(m0007_wishlists::Migration),
            Box::new(m0008_mail::Migration),
            Box::new(m0009_after_sale::Migration),
            Box::new(m0010_payment_references::Migration),
            Box::new(m0012_dead_letters::Migration),
            Box::new(m0013_sessions::Migration),
            Box::new(m0016_proofs::Migration),
        ]
    }
}

#[cfg(test)]
mod tests {
    use sea_orm_migration::sea_orm::{ConnectionTrait, Database, DbBackend, Statement};

    use super::*;

    /// Every statement of the schema as `backend` is sent it.
    fn schema(backend: DbBackend) -> Vec<String> {
        let tables = [
            m0001_catalogue::tables(backend),
            m0002_orders::tables(backend),
            m0003_pipeline::tables(backend),
            m0004_accounts::tables(backend),
            m0007_wishlists::tables(backend),
            m0009_after_sale::tables(backend),
            m0008_mail::tables(backend),
            m0010_payment_references::tables(backend),
            m0012_dead_letters::tables(backend),
            m0013_sessions::tables(backend),
        ];
        let indexes = [
            m0001_catalogue::indexes(),
            m0002_orders::indexes(),
            m0004_accounts::indexes(),
            m0005_sweeps::indexes(),
            m0007_wishlists::indexes(),
            m0009_after_sale::indexes(),
            m0008_mail::indexes(),
            m0012_dead_letters::indexes(),
            m0013_sessions::indexes(),
            m0016_proofs::indexes(),
        ];
        let tables = tables
            .iter()
            .flatten()
            .map(|table| backend.build(table).to_string());
        let indexes = indexes
            .iter()
            .flatten()
            .map(|index| backend.build(index).to_string());
        tables.chain(indexes).collect()
    }

    #[test]
    fn every_engine_is_spoken_to_in_its_own_words() {
        for backend in [DbBackend::Sqlite, DbBackend::MySql, DbBackend::Postgres] {
            let schema = schema(backend).join("\n");
            assert_eq!(
                schema.contains("WITHOUT ROWID"),
                backend == DbBackend::Sqlite
            );
            for collation in ["utf8mb4_nopad_bin", "utf8mb4_0900_bin"] {
                assert_eq!(schema.contains(collation), backend == DbBackend::MySql);
            }
            assert_eq!(
                schema.contains("COLLATE \"C\""),
                backend == DbBackend::Postgres
            );
            assert!(
                schema.contains("stock_held_in_range"),
                "checks are named: {schema}"
            );
            assert!(!schema.contains("NOT NULL NULL"), "{schema}");
        }
        assert!(
            schema(DbBackend::MySql).join("\n").contains("binary(16)"),
            "ids are 16 bytes"
        );
        assert!(
            schema(DbBackend::Postgres)
                .join("\n")
                .contains(" uuid NOT NULL")
        );
    }

    #[tokio::test]
    async fn a_schema_is_older_current_or_newer() {
        let database = Database::connect("sqlite::memory:").await.unwrap();
        assert_eq!(
            schema_of(&database).await,
            Schema::Older,
            "nothing is there"
        );
        Migrator::up(&database, Some(2)).await.unwrap();
        assert_eq!(schema_of(&database).await, Schema::Older);
        up(&database).await.unwrap();
        assert_eq!(schema_of(&database).await, Schema::Current);
        database
            .execute_unprepared("INSERT INTO seaql_migrations VALUES ('m9999_tomorrow', 0)")
            .await
            .unwrap();
        assert_eq!(schema_of(&database).await, Schema::Newer);
    }

    async fn schema_of(database: &DatabaseConnection) -> Schema {
        super::schema(database).await.unwrap()
    }

    #[tokio::test]
    async fn a_second_start_finds_nothing_to_do() {
        let database = Database::connect("sqlite::memory:").await.unwrap();
        up(&database).await.unwrap();
        up(&database).await.unwrap();
        assert!(
            Migrator::get_pending_migrations(&database)
                .await
                .unwrap()
                .is_empty()
        );
        let count = Statement::from_string(
            DbBackend::Sqlite,
            "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
        );
        let row = database.query_one_raw(count).await.unwrap().unwrap();
        assert_eq!(
            row.try_get_by_index::<i64>(0).unwrap(),
            25,
            "24 of ours and the history"
        );
    }
}
