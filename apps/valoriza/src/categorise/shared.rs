//! The categories shared knowledge speaks of, and what a tenant calls them.

use std::collections::HashMap;

use uuid::Uuid;

use crate::domain::category::{DEFAULTS, Kind, Node};
use crate::domain::text::fold;

/// One of the categories a new tenant starts with, as a place in their list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shared(u8);

impl Shared {
    /// How many there are, parents included.
    pub fn count() -> usize {
        DEFAULTS.iter().map(|it| 1 + it.children.len()).sum()
    }

    pub fn all() -> impl Iterator<Item = Self> {
        (0..=u8::MAX).map(Self).take(Self::count())
    }

    /// By its name, written exactly.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|it| it.name() == name)
    }

    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    pub fn name(self) -> &'static str {
        let (top, child) = self.place();
        child.map_or(DEFAULTS[top].name, |child| DEFAULTS[top].children[child])
    }

    pub fn kind(self) -> Kind {
        DEFAULTS[self.place().0].kind
    }

    /// The name of the category above it.
    pub fn parent(self) -> Option<&'static str> {
        let (top, child) = self.place();
        child.map(|_| DEFAULTS[top].name)
    }

    fn place(self) -> (usize, Option<usize>) {
        let mut left = self.index();
        for (top, default) in DEFAULTS.iter().enumerate() {
            if left <= default.children.len() {
                return (top, left.checked_sub(1));
            }
            left -= 1 + default.children.len();
        }
        unreachable!("made by `all`, so within the list")
    }
}

/// A tenant's own categories.
#[derive(Debug, Clone, Default)]
pub struct Categories {
    names: HashMap<Uuid, String>,
    /// By [`Shared::index`]: what the tenant has for it.
    shared: Vec<Option<Uuid>>,
}

impl Categories {
    /// Finds for every shared category the tenant's: of the same name (best below a parent of the same name), else
    /// its parent's, else none. Names are compared folded; income never stands for expense.
    pub fn new<'a>(nodes: impl IntoIterator<Item = &'a Node>) -> Self {
        let mut by_name: HashMap<(Kind, String), Vec<&Node>> = HashMap::new();
        let mut names = HashMap::new();
        for node in nodes {
            by_name.entry((node.kind, fold(&node.name))).or_default().push(node);
            names.insert(node.id, node.name.clone());
        }
        // The same tree must always give the same answer, in whichever order it was read.
        for nodes in by_name.values_mut() {
            nodes.sort_by_key(|node| node.id);
        }
        let find = |kind: Kind, name: &str, parent: Option<&str>| {
            let nodes = by_name.get(&(kind, fold(name)))?;
            let under = |node: &&&Node| {
                let above = node.parent_id.and_then(|id| names.get(&id));
                above.map(|name| fold(name)) == parent.map(fold)
            };
            nodes.iter().find(under).or(nodes.first()).map(|node| node.id)
        };
        let shared = Shared::all()
            .map(|it| {
                find(it.kind(), it.name(), it.parent())
                    .or_else(|| it.parent().and_then(|parent| find(it.kind(), parent, None)))
            })
            .collect();
        Self { names, shared }
    }

    /// The tenant's category for a shared one.
    pub fn id(&self, shared: Shared) -> Option<Uuid> {
        self.shared.get(shared.index()).copied().flatten()
    }

    /// Tells whether the tenant (still) has it.
    pub fn has(&self, id: Uuid) -> bool {
        self.names.contains_key(&id)
    }

    /// What the tenant calls it; empty for an unknown one.
    pub fn name(&self, id: Uuid) -> &str {
        self.names.get(&id).map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn node(id: u128, parent: Option<u128>, name: &str, kind: Kind) -> Node {
        let parent_id = parent.map(Uuid::from_u128);
        Node { id: Uuid::from_u128(id), parent_id, name: name.to_owned(), kind, color: String::new() }
    }

    fn shared(name: &str) -> Shared {
        Shared::named(name).unwrap()
    }

    #[test]
    fn shared_names_are_unique_and_found() {
        let names: HashSet<_> = Shared::all().map(|it| fold(it.name())).collect();
        assert_eq!(names.len(), Shared::count());
        assert!(Shared::all().all(|it| Shared::named(it.name()) == Some(it)));
        assert_eq!(shared("Energia").parent(), Some("Moradia"));
        assert_eq!(shared("Moradia").parent(), None);
        assert_eq!(shared("Outras despesas").kind(), Kind::Expense);
        assert_eq!(shared("Férias").kind(), Kind::Income);
    }

    #[test]
    fn a_tenant_has_its_own_tree() {
        let nodes = [
            node(1, None, "Casa", Kind::Expense),
            node(2, Some(1), "ENERGIA", Kind::Expense),
            node(3, None, "Alimentacao", Kind::Expense),
            node(4, None, "Juros", Kind::Expense),
            node(6, None, "Filhos", Kind::Expense),
            node(5, Some(1), "Escola", Kind::Expense),
            node(7, Some(6), "escola", Kind::Expense),
        ];
        let categories = Categories::new(&nodes);
        let check = |name, expected: Option<u128>| {
            assert_eq!(categories.id(shared(name)), expected.map(Uuid::from_u128), "{name}");
        };
        check("Energia", Some(2));
        check("Padaria", Some(3)); // its parent
        check("Água", None);
        check("Juros", None); // income, while theirs is expense
        check("Escola", Some(7)); // below the parent of that name
    }
}
