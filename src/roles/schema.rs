//! Prints the schema, for `schema.graphql`.

/// Prints the schema in the schema definition language.
pub fn run() {
    print!("{}", api::graphql::schema_sdl());
}
