//! A tenant's category tree and the rules about its shape.

use std::collections::HashMap;

use uuid::Uuid;

use super::super::text::fold;
use super::super::violation::Violation;
use super::{Draft, Kind};

/// How many levels there may be: "Moradia", "Energia", "Casa da praia".
pub const DEPTH_MAX: usize = 3;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub id: Uuid,
    pub parent_id: Option<Uuid>,
    pub name: String,
    pub kind: Kind,
    pub color: String,
}

/// All categories of one tenant. Its shape is a forest: writes happen one at a time per tenant.
#[derive(Debug, Default)]
pub struct Tree {
    nodes: HashMap<Uuid, Node>,
}

impl FromIterator<Node> for Tree {
    fn from_iter<I: IntoIterator<Item = Node>>(nodes: I) -> Self {
        Self { nodes: nodes.into_iter().map(|node| (node.id, node)).collect() }
    }
}

impl Tree {
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    pub fn get(&self, id: Uuid) -> Option<&Node> {
        self.nodes.get(&id)
    }

    /// In no order.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.values()
    }

    /// `id` and the categories above it, upwards. Ends: a forest has no cycles, and the bound says so again.
    pub fn path(&self, id: Uuid) -> impl Iterator<Item = &Node> {
        std::iter::successors(self.get(id), |node| self.get(node.parent_id?)).take(DEPTH_MAX)
    }

    /// The top-level category `id` is under, which may be itself.
    pub fn root(&self, id: Uuid) -> Option<&Node> {
        self.path(id).last()
    }

    fn children(&self, id: Uuid) -> impl Iterator<Item = &Node> {
        self.nodes.values().filter(move |node| node.parent_id == Some(id))
    }

    /// How many levels the part of the tree below and including `id` has.
    fn height(&self, id: Uuid) -> usize {
        1 + self.children(id).map(|child| self.height(child.id)).max().unwrap_or(0)
    }

    /// Checks that `draft` may be written, as a new category or over the one called `id`.
    ///
    /// Whether the name is taken is not among it: that is a conflict, not a mistake; see [`Tree::is_taken`].
    pub fn check(&self, id: Option<Uuid>, draft: &Draft) -> Result<(), Vec<Violation>> {
        let mut violations = Vec::new();
        if let Some(parent_id) = draft.parent_id {
            violations.extend(self.check_parent(id, parent_id, draft.kind));
        }
        if let Some(id) = id
            && self.children(id).any(|child| child.kind != draft.kind)
        {
            violations.push(Violation::new("kind", "children_differ", "as subcategorias têm outro tipo"));
        }
        if violations.is_empty() { Ok(()) } else { Err(violations) }
    }

    fn check_parent(&self, id: Option<Uuid>, parent_id: Uuid, kind: Kind) -> Option<Violation> {
        let Some(parent) = self.get(parent_id) else {
            return Some(Violation::unknown("parent_id"));
        };
        if id.is_some_and(|id| self.path(parent_id).any(|above| above.id == id)) {
            return Some(Violation::new(
                "parent_id",
                "cycle",
                "uma categoria não pode ficar dentro de si mesma",
            ));
        }
        let height = id.map_or(1, |id| self.height(id));
        if self.path(parent_id).count() + height > DEPTH_MAX {
            return Some(Violation::new("parent_id", "too_deep", format!("no máximo {DEPTH_MAX} níveis")));
        }
        (parent.kind != kind)
            .then(|| Violation::new("kind", "parent_differs", "deve ser do tipo da categoria acima"))
    }

    /// Tells whether a sibling of the category drafted has its name already.
    pub fn is_taken(&self, id: Option<Uuid>, draft: &Draft) -> bool {
        let name = fold(&draft.name);
        self.nodes
            .values()
            .any(|node| node.parent_id == draft.parent_id && Some(node.id) != id && fold(&node.name) == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(id: u128, parent: Option<u128>, name: &str, kind: Kind) -> Node {
        let parent_id = parent.map(Uuid::from_u128);
        Node { id: Uuid::from_u128(id), parent_id, name: name.to_owned(), kind, color: String::new() }
    }

    /// 1 Casa > 2 Energia > 3 Praia; 4 Salário; 5 Carro > 6 Álcool
    fn tree() -> Tree {
        let nodes = [
            node(1, None, "Casa", Kind::Expense),
            node(2, Some(1), "Energia", Kind::Expense),
            node(3, Some(2), "Praia", Kind::Expense),
            node(4, None, "Salário", Kind::Income),
            node(5, None, "Carro", Kind::Expense),
            node(6, Some(5), "Álcool", Kind::Expense),
        ];
        nodes.into_iter().collect()
    }

    fn draft(parent: Option<u128>, name: &str, kind: Kind) -> Draft {
        let parent_id = parent.map(Uuid::from_u128);
        Draft { name: name.to_owned(), kind, parent_id, color: String::new(), icon: None }
    }

    #[test]
    fn a_category_stays_within_depth_kind_and_its_own_branch() {
        let check = |id: Option<u128>, parent: Option<u128>, kind, expected: Option<&'static str>| {
            let outcome = tree().check(id.map(Uuid::from_u128), &draft(parent, "Nova", kind));
            assert_eq!(outcome.err().map(|it| it[0].code), expected, "{id:?} under {parent:?}");
        };
        check(None, None, Kind::Income, None);
        check(None, Some(2), Kind::Expense, None);
        check(None, Some(3), Kind::Expense, Some("too_deep"));
        check(None, Some(9), Kind::Expense, Some("unknown_reference"));
        check(None, Some(4), Kind::Expense, Some("parent_differs"));
        check(Some(1), Some(1), Kind::Expense, Some("cycle"));
        check(Some(1), Some(3), Kind::Expense, Some("cycle"));
        check(Some(1), Some(5), Kind::Expense, Some("too_deep")); // it brings two levels along
        check(Some(5), Some(1), Kind::Expense, None);
        check(Some(5), None, Kind::Income, Some("children_differ"));
    }

    #[test]
    fn siblings_have_different_names_whatever_case_and_accents() {
        let check = |id: Option<u128>, parent: Option<u128>, name, expected| {
            let draft = draft(parent, name, Kind::Expense);
            assert_eq!(tree().is_taken(id.map(Uuid::from_u128), &draft), expected, "{name}");
        };
        check(None, None, "CASA", true);
        check(None, None, "salario", true);
        check(None, Some(1), "Álcool", false);
        check(Some(1), None, "casa", false);
    }
}
