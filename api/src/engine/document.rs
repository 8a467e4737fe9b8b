//! A parsed document and its operations.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, OperationDefinition, OperationType, Selection,
    SelectionSet, VariableDefinition,
};
use async_graphql::parser::{self, parse_query};
use async_graphql::{Name, Positioned, ServerError};

use crate::answer::{RequestError, RequestErrorCode};
use crate::limits::Limits;

use super::{measure, scan};

/// A document that is within the limits.
pub(super) struct Document {
    tree: ExecutableDocument,
    facts: HashMap<Option<Name>, Facts>,
    bytes: usize,
}

/// What is known of an operation beside its definition.
struct Facts {
    /// The fragments that it spreads, directly or not.
    fragments: HashSet<Name>,
    introspects: bool,
    known: OnceLock<Known>,
}

/// What validation finds out of an operation that passes.
#[derive(Clone, Copy)]
pub(super) struct Known {
    /// What it cost with the variables that it was first asked with.
    pub(super) cost: usize,
    /// Whether that depends on its variables.
    pub(super) varies: bool,
}

/// What a token comes to in the tree, names, positions and empty lists included.
const BYTES_PER_TOKEN: usize = 160;
/// What a fragment's name comes to in an operation's facts.
const BYTES_PER_NAME: usize = 32;

impl Document {
    /// Reads a document's text.
    pub(super) fn parse(text: &str, limits: &Limits) -> Result<Self, RequestError> {
        let tokens = scan::count_tokens(text, limits)?;
        let tree = parse_query(text).map_err(syntax_error)?;
        measure::measure(&tree, limits)?;
        let facts: HashMap<_, _> = tree
            .operations
            .iter()
            .map(|(name, operation)| (name.cloned(), Facts::of(&tree, &operation.node)))
            .collect();
        refuse_unused_fragments(&tree, &facts)?;
        let names: usize = facts.values().map(|facts| facts.fragments.len()).sum();
        let bytes = text.len() + tokens * BYTES_PER_TOKEN + names * BYTES_PER_NAME;
        Ok(Self { tree, facts, bytes })
    }

    /// About how many bytes of memory it takes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The operation that a request means.
    pub(super) fn operation(&self, name: Option<&str>) -> Result<Operation<'_>, RequestError> {
        let mut all = self.tree.operations.iter();
        let found = match (name, all.len()) {
            (Some(wanted), _) => {
                all.find(|(name, _)| name.is_some_and(|name| name.as_str() == wanted))
            }
            (None, 1) => all.next(),
            (None, _) => {
                return Err(RequestError::new(
                    RequestErrorCode::OperationResolutionFailure,
                    "The document has several operations: \"operationName\" has to say which.",
                ));
            }
        };
        let found = found.and_then(|(name, definition)| {
            let facts = self.facts.get(&name.cloned())?;
            Some(Operation {
                document: self,
                definition,
                facts,
            })
        });
        found.ok_or_else(|| {
            RequestError::new(
                RequestErrorCode::OperationResolutionFailure,
                "The document has no operation of the name that \"operationName\" says.",
            )
        })
    }
}

impl Facts {
    fn of(tree: &ExecutableDocument, operation: &OperationDefinition) -> Self {
        let set = &operation.selection_set.node;
        let mut fragments = HashSet::new();
        spread_fragments(tree, set, &mut fragments);
        let mut top = Vec::new();
        collect_fields(tree, set, &mut top);
        let introspects = top
            .iter()
            .any(|field| matches!(field.node.name.node.as_str(), "__schema" | "__type"));
        Self {
            fragments,
            introspects,
            known: OnceLock::new(),
        }
    }
}

/// One operation of a document.
#[derive(Clone, Copy)]
pub(super) struct Operation<'d> {
    document: &'d Document,
    definition: &'d Positioned<OperationDefinition>,
    facts: &'d Facts,
}

impl<'d> Operation<'d> {
    pub(super) fn kind(self) -> OperationType {
        self.definition.node.ty
    }

    pub(super) fn variables(self) -> &'d [Positioned<VariableDefinition>] {
        &self.definition.node.variable_definitions
    }

    /// Whether it asks for the schema itself.
    pub(super) fn introspects(self) -> bool {
        self.facts.introspects
    }

    /// What is known of it, once it has passed strict validation.
    pub(super) fn known(self) -> Option<Known> {
        self.facts.known.get().copied()
    }

    /// Remembers that it has passed strict validation.
    pub(super) fn set_known(self, known: Known) {
        self.facts.known.get_or_init(|| known);
    }

    /// A document of this operation alone and what it spreads. The library reckons the cost of every
    /// operation in a document, with the variables of only one.
    pub(super) fn alone(self) -> ExecutableDocument {
        let fragments = self.document.tree.fragments.iter();
        ExecutableDocument {
            operations: DocumentOperations::Single(self.definition.clone()),
            fragments: fragments
                .filter(|(name, _)| self.facts.fragments.contains(*name))
                .map(|(name, fragment)| (name.clone(), fragment.clone()))
                .collect(),
        }
    }

    /// The same, to be executed: the library looks for a subscription's field at the operation's top
    /// and passes over fragments there.
    pub(super) fn to_execute(self) -> ExecutableDocument {
        let mut document = self.alone();
        if self.kind() == OperationType::Subscription {
            let mut top = Vec::new();
            let set = &self.definition.node.selection_set.node;
            collect_fields(&self.document.tree, set, &mut top);
            if let DocumentOperations::Single(operation) = &mut document.operations {
                operation.node.selection_set.node.items = top
                    .into_iter()
                    .map(|field| Positioned::new(Selection::Field(field.clone()), field.pos))
                    .collect();
            }
        }
        document
    }
}

/// The parser draws a picture of the line, however long that is; its last line says what is wrong.
fn syntax_error(error: parser::Error) -> RequestError {
    let mut listed = ServerError::from(error);
    let problem = listed.message.lines().last().unwrap_or_default();
    listed.message = format!("Syntax error: {}.", problem.trim_matches([' ', '=', '.']));
    RequestError::listed(RequestErrorCode::ParseFailed, vec![listed])
}

fn refuse_unused_fragments(
    tree: &ExecutableDocument,
    facts: &HashMap<Option<Name>, Facts>,
) -> Result<(), RequestError> {
    for (name, fragment) in &tree.fragments {
        if !facts.values().any(|facts| facts.fragments.contains(name)) {
            let message = format!("The fragment \"{name}\" is never used.");
            return Err(RequestError::at(
                RequestErrorCode::ValidationFailed,
                message,
                fragment.pos,
            ));
        }
    }
    Ok(())
}

fn spread_fragments(tree: &ExecutableDocument, set: &SelectionSet, found: &mut HashSet<Name>) {
    for item in &set.items {
        match &item.node {
            Selection::Field(field) => {
                spread_fragments(tree, &field.node.selection_set.node, found);
            }
            Selection::InlineFragment(inline) => {
                spread_fragments(tree, &inline.node.selection_set.node, found);
            }
            Selection::FragmentSpread(spread) => {
                let name = &spread.node.fragment_name.node;
                if let Some(fragment) = tree.fragments.get(name)
                    && found.insert(name.clone())
                {
                    spread_fragments(tree, &fragment.node.selection_set.node, found);
                }
            }
        }
    }
}

/// The fields of a selection set, fragments put in their places. Only for documents that are within
/// the limits: neither a circle nor a bomb is in them.
pub(super) fn collect_fields<'a>(
    tree: &'a ExecutableDocument,
    set: &'a SelectionSet,
    fields: &mut Vec<&'a Positioned<Field>>,
) {
    for item in &set.items {
        match &item.node {
            Selection::Field(field) => fields.push(field),
            Selection::InlineFragment(inline) => {
                collect_fields(tree, &inline.node.selection_set.node, fields);
            }
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = tree.fragments.get(&spread.node.fragment_name.node) {
                    collect_fields(tree, &fragment.node.selection_set.node, fields);
                }
            }
        }
    }
}
