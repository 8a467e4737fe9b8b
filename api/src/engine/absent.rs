//! Variables that were not sent.
//!
//! A nullable variable without a value and without a default leaves its argument, or its field of an
//! input object, *not provided*: the schema's own default holds, and an update leaves alone what
//! nobody named. The library would pass null.

use std::collections::HashSet;

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Selection, SelectionSet, VariableDefinition,
};
use async_graphql::{Name, Positioned, Variables};
use async_graphql_value::Value as Literal;

/// Takes the places of the variables in `definitions` that were not sent out of `document`.
pub(super) fn remove_absent(
    document: &mut ExecutableDocument,
    definitions: &[Positioned<VariableDefinition>],
    sent: &Variables,
) {
    let absent: HashSet<&Name> = definitions
        .iter()
        .map(|definition| &definition.node)
        .filter(|variable| variable.default_value.is_none())
        .map(|variable| &variable.name.node)
        .filter(|name| !sent.contains_key(*name))
        .collect();
    if absent.is_empty() {
        return;
    }
    match &mut document.operations {
        DocumentOperations::Single(operation) => {
            from_selections(&mut operation.node.selection_set.node, &absent);
        }
        DocumentOperations::Multiple(operations) => {
            for operation in operations.values_mut() {
                from_selections(&mut operation.node.selection_set.node, &absent);
            }
        }
    }
    for fragment in document.fragments.values_mut() {
        from_selections(&mut fragment.node.selection_set.node, &absent);
    }
}

fn from_selections(set: &mut SelectionSet, absent: &HashSet<&Name>) {
    for item in &mut set.items {
        match &mut item.node {
            Selection::Field(field) => {
                let field = &mut field.node;
                field
                    .arguments
                    .retain(|(_, literal)| !is_absent(&literal.node, absent));
                for (_, literal) in &mut field.arguments {
                    from_literal(&mut literal.node, absent);
                }
                from_selections(&mut field.selection_set.node, absent);
            }
            Selection::InlineFragment(inline) => {
                from_selections(&mut inline.node.selection_set.node, absent);
            }
            Selection::FragmentSpread(_) => {}
        }
    }
}

fn from_literal(literal: &mut Literal, absent: &HashSet<&Name>) {
    match literal {
        Literal::Object(fields) => {
            fields.retain(|_, value| !is_absent(value, absent));
            fields
                .values_mut()
                .for_each(|value| from_literal(value, absent));
        }
        // Within a list an absent variable is null: a list has no gaps.
        Literal::List(values) => values
            .iter_mut()
            .for_each(|value| from_literal(value, absent)),
        _ => {}
    }
}

fn is_absent(literal: &Literal, absent: &HashSet<&Name>) -> bool {
    matches!(literal, Literal::Variable(name) if absent.contains(name))
}
