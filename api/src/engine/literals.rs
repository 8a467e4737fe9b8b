//! The values that a document spells out, against their types.

use std::convert::Infallible;

use async_graphql::parser::types::{
    Directive, ExecutableDocument, OperationType, Selection, SelectionSet,
};
use async_graphql::registry::{MetaField, MetaInputValue, MetaType, Registry};
use async_graphql::{Name, Positioned, Value};
use async_graphql_value::Value as Literal;

use crate::answer::{RequestError, RequestErrorCode};

use super::inputs;
use super::lists::check_lists;

/// Checks every argument of a document that has passed validation; its lists have at most
/// `list_items` entries.
pub(super) fn check_literals(
    registry: &Registry,
    list_items: usize,
    document: &ExecutableDocument,
) -> Result<(), RequestError> {
    let walk = Walk {
        registry,
        list_items,
    };
    for (_, operation) in document.operations.iter() {
        let root = match operation.node.ty {
            OperationType::Query => Some(&registry.query_type),
            OperationType::Mutation => registry.mutation_type.as_ref(),
            OperationType::Subscription => registry.subscription_type.as_ref(),
        };
        let root = root.and_then(|name| registry.types.get(name));
        walk.selection_set(&operation.node.selection_set.node, root)?;
    }
    for fragment in document.fragments.values() {
        let on = registry
            .types
            .get(fragment.node.type_condition.node.on.node.as_str());
        walk.selection_set(&fragment.node.selection_set.node, on)?;
    }
    Ok(())
}

type Arguments = [(Positioned<Name>, Positioned<Literal>)];

struct Walk<'a> {
    registry: &'a Registry,
    list_items: usize,
}

impl Walk<'_> {
    fn selection_set(&self, set: &SelectionSet, on: Option<&MetaType>) -> Result<(), RequestError> {
        for item in &set.items {
            self.directives(item.node.directives())?;
            match &item.node {
                Selection::Field(field) => {
                    let name = &field.node.name.node;
                    let meta = on.and_then(|on| on.field_by_name(name));
                    if let Some(MetaField { args, .. }) = meta {
                        self.arguments(&field.node.arguments, |name| args.get(name))?;
                    }
                    let of = meta.and_then(|meta| self.registry.concrete_type_by_name(&meta.ty));
                    self.selection_set(&field.node.selection_set.node, of)?;
                }
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref();
                    let narrowed = condition.and_then(|condition| {
                        self.registry.types.get(condition.node.on.node.as_str())
                    });
                    self.selection_set(&inline.node.selection_set.node, narrowed.or(on))?;
                }
                Selection::FragmentSpread(_) => {}
            }
        }
        Ok(())
    }

    fn directives(&self, directives: &[Positioned<Directive>]) -> Result<(), RequestError> {
        for directive in directives {
            if let Some(meta) = self
                .registry
                .directives
                .get(directive.node.name.node.as_str())
            {
                self.arguments(&directive.node.arguments, |name| meta.args.get(name))?;
            }
        }
        Ok(())
    }

    fn arguments<'m>(
        &self,
        arguments: &Arguments,
        meta: impl Fn(&str) -> Option<&'m MetaInputValue>,
    ) -> Result<(), RequestError> {
        for (name, literal) in arguments {
            let Some(meta) = meta(&name.node) else {
                continue;
            };
            let value = with_placeholders(literal.node.clone());
            check_lists([&value], self.list_items)?;
            inputs::check(self.registry, &meta.ty, &value).map_err(|misfit| {
                let message = misfit.describe(&format!("The argument \"{}\"", name.node));
                RequestError::at(RequestErrorCode::ValidationFailed, message, literal.pos)
            })?;
        }
        Ok(())
    }
}

/// The literal with every variable replaced by what fits any type: validation has seen to it that a
/// variable's type fits its place.
fn with_placeholders(literal: Literal) -> Value {
    let placed = literal.into_const_with(|_| Ok::<_, Infallible>(inputs::FITS_ANY_TYPE));
    match placed {
        Ok(value) => value,
        Err(never) => match never {},
    }
}
