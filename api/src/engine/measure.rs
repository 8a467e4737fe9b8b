//! Weighs a parsed document before validation walks over it.
//!
//! Validation and execution put every fragment in its place, so a few lines of fragments that spread
//! each other twice can mean billions of fields. Here each fragment is weighed once, and what the
//! whole comes to is reckoned from that.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{
    Directive, ExecutableDocument, Field, OperationDefinition, OperationType, Selection,
    SelectionSet,
};
use async_graphql::{Name, Pos, Positioned};

use crate::answer::{RequestError, RequestErrorCode};
use crate::limits::Limits;

use super::document::collect_fields;

/// What a part of a document comes to with its fragments in place. Sums stop at the type's end.
#[derive(Clone, Copy, Default)]
struct Weight {
    /// Fields and fragments alike: one that spreads nothing but what is missing costs as much.
    selections: usize,
    aliases: usize,
    directives: usize,
    depth: usize,
    levels: usize,
}

impl Weight {
    /// What stands beside each other adds up, and is as deep as its deepest part.
    fn beside(self, other: Self) -> Self {
        Self {
            selections: self.selections.saturating_add(other.selections),
            aliases: self.aliases.saturating_add(other.aliases),
            directives: self.directives.saturating_add(other.directives),
            depth: self.depth.max(other.depth),
            levels: self.levels.max(other.levels),
        }
    }

    fn within_field(self, field: &Field) -> Self {
        Self {
            aliases: self
                .aliases
                .saturating_add(usize::from(field.alias.is_some())),
            depth: self.depth + 1,
            ..self.within(&field.directives)
        }
    }

    fn within(self, directives: &[Positioned<Directive>]) -> Self {
        Self {
            selections: self.selections.saturating_add(1),
            directives: self.directives.saturating_add(directives.len()),
            levels: self.levels + 1,
            ..self
        }
    }
}

enum Fragment {
    /// Being weighed: whoever comes here again has gone in a circle.
    Open,
    Weighed(Weight),
}

struct Measure<'a> {
    document: &'a ExecutableDocument,
    limits: &'a Limits,
    fragments: HashMap<&'a Name, Fragment>,
}

/// Refuses a document that comes to more than the limits allow, one whose fragments spread
/// themselves, and an operation whose fields can't be run as the specification asks.
pub(super) fn measure(document: &ExecutableDocument, limits: &Limits) -> Result<(), RequestError> {
    let mut measure = Measure {
        document,
        limits,
        fragments: HashMap::new(),
    };
    let mut whole = Weight::default();
    for (_, operation) in document.operations.iter() {
        whole = whole.beside(measure.selection_set(&operation.node.selection_set.node, 0)?);
        let variables = operation.node.variable_definitions.iter();
        let on_variables: usize = variables
            .map(|variable| variable.node.directives.len())
            .sum();
        let own = operation.node.directives.len() + on_variables;
        whole.directives = whole.directives.saturating_add(own);
    }
    for (name, fragment) in &document.fragments {
        measure.fragment(name, fragment.pos, 0)?;
    }
    check(
        "selections with its fragments in place",
        whole.selections,
        limits.selections,
    )?;
    check("fields within fields", whole.depth, limits.depth)?;
    check(
        "selections within selections",
        whole.levels,
        limits.selection_levels,
    )?;
    check(
        "aliases with its fragments in place",
        whole.aliases,
        limits.aliases,
    )?;
    check(
        "directives with its fragments in place",
        whole.directives,
        limits.directives,
    )?;
    document
        .operations
        .iter()
        .try_for_each(|(_, operation)| measure.root(operation))
}

fn check(what: &str, found: usize, limit: usize) -> Result<(), RequestError> {
    if found <= limit {
        return Ok(());
    }
    let message = format!("The document has more than {limit} {what}.");
    Err(RequestError::new(RequestErrorCode::LimitExceeded, message))
}

impl<'a> Measure<'a> {
    fn selection_set(
        &mut self,
        set: &'a SelectionSet,
        level: usize,
    ) -> Result<Weight, RequestError> {
        // Beyond the limit there is no need to know how deep it goes, and no stack to find it out.
        check(
            "selections within selections",
            level,
            self.limits.selection_levels,
        )?;
        let mut sum = Weight::default();
        for item in &set.items {
            let weight = match &item.node {
                Selection::Field(field) => self
                    .selection_set(&field.node.selection_set.node, level + 1)?
                    .within_field(&field.node),
                Selection::InlineFragment(inline) => self
                    .selection_set(&inline.node.selection_set.node, level + 1)?
                    .within(&inline.node.directives),
                Selection::FragmentSpread(spread) => self
                    .fragment(&spread.node.fragment_name.node, spread.pos, level + 1)?
                    .within(&spread.node.directives),
            };
            sum = sum.beside(weight);
        }
        Ok(sum)
    }

    fn fragment(&mut self, name: &'a Name, pos: Pos, level: usize) -> Result<Weight, RequestError> {
        match self.fragments.get(name) {
            Some(Fragment::Weighed(weight)) => return Ok(*weight),
            Some(Fragment::Open) => {
                let message = format!("The fragment \"{name}\" spreads itself.");
                return Err(RequestError::at(
                    RequestErrorCode::ValidationFailed,
                    message,
                    pos,
                ));
            }
            None => {}
        }
        // A fragment that is not there weighs nothing; validation names it.
        let Some(fragment) = self.document.fragments.get(name) else {
            return Ok(Weight::default());
        };
        self.fragments.insert(name, Fragment::Open);
        let weight = self
            .selection_set(&fragment.node.selection_set.node, level)?
            .within(&fragment.node.directives);
        self.fragments.insert(name, Fragment::Weighed(weight));
        Ok(weight)
    }

    /// Refuses what can't be run as the specification asks. No circle and no bomb is left by now.
    fn root(&self, operation: &'a Positioned<OperationDefinition>) -> Result<(), RequestError> {
        let mut fields = Vec::new();
        let set = &operation.node.selection_set.node;
        collect_fields(self.document, set, &mut fields);
        check(
            "fields at the top of an operation",
            fields.len(),
            self.limits.root_fields,
        )?;
        match operation.node.ty {
            OperationType::Query => Ok(()),
            OperationType::Mutation => each_once(&fields),
            OperationType::Subscription => exactly_one(&fields, operation.pos),
        }
    }
}

/// A mutation's fields run once each. The library would run one that is selected twice twice,
/// instead of merging the two selections.
fn each_once(fields: &[&Positioned<Field>]) -> Result<(), RequestError> {
    let mut keys = HashSet::new();
    for field in fields {
        let key = &field.node.response_key().node;
        if !keys.insert(key) {
            let message = format!(
                "\"{key}\" is selected twice in a mutation. Select its fields in one place, or give \
                 the second run an alias."
            );
            return Err(RequestError::at(
                RequestErrorCode::ValidationFailed,
                message,
                field.pos,
            ));
        }
    }
    Ok(())
}

/// A subscription has one stream of events, so one field, and none that may be left out.
fn exactly_one(fields: &[&Positioned<Field>], pos: Pos) -> Result<(), RequestError> {
    let refused = |message: &str, pos| {
        Err(RequestError::at(
            RequestErrorCode::ValidationFailed,
            message,
            pos,
        ))
    };
    match fields {
        [field] if field.node.name.node.starts_with("__") => refused(
            "A subscription's field can't be an introspection field.",
            field.pos,
        ),
        [_] => Ok(()),
        _ => refused("A subscription selects exactly one field at its top.", pos),
    }
}
