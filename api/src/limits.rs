//! How much one client may ask for at once, and all of them together.

/// Bounds on what one request may cost, each far above what an honest client needs, and on how many
/// are worked on. Beyond one of them a request is refused before it is executed.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of a request's body, and of one WebSocket message.
    pub body_bytes: usize,
    /// Brackets within brackets of it, which is JSON.
    pub json_depth: usize,
    /// Bytes of a document's text. What is long belongs into variables.
    pub document_bytes: usize,
    /// Lexical tokens of a document; names, numbers, strings and punctuators count one each.
    pub tokens: usize,
    /// Brackets open at once in a document, of all kinds. The parser recurses over them, so this
    /// bound is what keeps its stack.
    pub brackets: usize,
    /// Fields within fields. The tools' introspection query needs 15.
    pub depth: usize,
    /// Selections within selections, fragments included.
    pub selection_levels: usize,
    /// Fields and fragments of a document with every fragment put in its place; validation walks
    /// over as many.
    pub selections: usize,
    /// The operation's cost as its schema reckons it, from the fields and the list sizes asked for.
    pub complexity: usize,
    /// Fields under another name, fragments put in their places.
    pub aliases: usize,
    /// Fields at the top of one operation, fragments put in their places.
    pub root_fields: usize,
    /// Directives, fragments put in their places.
    pub directives: usize,
    /// Entries of one list among arguments and variables.
    pub list_items: usize,
    /// Errors listed in one answer; those beyond are counted, not listed.
    pub errors: usize,
    /// Operations that are worked on at once, whoever asks for them; past it one is refused. A
    /// subscription is none: its sockets are counted.
    pub in_flight: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 1024 * 1024,
            json_depth: 32,
            document_bytes: 100 * 1024,
            tokens: 5_000,
            brackets: 60,
            depth: 16,
            selection_levels: 30,
            selections: 3_000,
            complexity: 10_000,
            aliases: 100,
            root_fields: 20,
            directives: 100,
            list_items: 2_000,
            errors: 50,
            in_flight: 256,
        }
    }
}
