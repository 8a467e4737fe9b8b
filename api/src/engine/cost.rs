//! When what an operation costs depends on its variables.
//!
//! The schema reckons the cost of a field from its arguments, the sizes of lists above all. An
//! operation that writes them down costs the same every time, so that is reckoned once.

use std::collections::HashSet;

use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use async_graphql::registry::{MetaType, Registry};
use async_graphql_value::Value as Literal;

/// The names of the arguments that any field's cost is reckoned from.
pub(super) struct Sizes(HashSet<String>);

impl Sizes {
    pub(super) fn of(registry: &Registry) -> Self {
        let objects = registry.types.values().filter_map(|of| match of {
            MetaType::Object { fields, .. } => Some(fields.values()),
            _ => None,
        });
        let reckoned = objects
            .flatten()
            .filter(|field| field.compute_complexity.is_some());
        let names = reckoned.flat_map(|field| field.args.keys());
        Self(names.map(ToString::to_string).collect())
    }

    /// Whether a variable stands in any argument of such a name.
    pub(super) fn vary(&self, document: &ExecutableDocument) -> bool {
        let operations = document.operations.iter();
        let operations = operations.map(|(_, operation)| &operation.node.selection_set.node);
        let fragments = document.fragments.values();
        let fragments = fragments.map(|fragment| &fragment.node.selection_set.node);
        operations.chain(fragments).any(|set| self.vary_in(set))
    }

    fn vary_in(&self, set: &SelectionSet) -> bool {
        set.items.iter().any(|item| match &item.node {
            Selection::Field(field) => {
                let field = &field.node;
                let mut arguments = field.arguments.iter();
                arguments.any(|(name, literal)| {
                    self.0.contains(name.node.as_str()) && has_variable(&literal.node)
                }) || self.vary_in(&field.selection_set.node)
            }
            Selection::InlineFragment(inline) => self.vary_in(&inline.node.selection_set.node),
            Selection::FragmentSpread(_) => false,
        })
    }
}

fn has_variable(literal: &Literal) -> bool {
    match literal {
        Literal::Variable(_) => true,
        Literal::List(values) => values.iter().any(has_variable),
        Literal::Object(fields) => fields.values().any(has_variable),
        _ => false,
    }
}
