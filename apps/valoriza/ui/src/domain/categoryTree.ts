/** Categories as a tree, flattened in the order people read it. */

import type { Category, CategoryKind } from '../api/types';
import { fold } from './text';

export type CategoryNode = Category & {
  depth: number;
  /** `Moradia › Aluguel` */
  path: string;
  folded: string;
};

const byName = new Intl.Collator('pt-BR');

/** Parents before their children, siblings by name; a child without its parent counts as a root. */
export function flatten(categories: readonly Category[]): CategoryNode[] {
  const known = new Set(categories.map((it) => it.id));
  const children = new Map<string | null, Category[]>();
  for (const category of categories) {
    const parent = category.parent_id !== null && known.has(category.parent_id) ? category.parent_id : null;
    children.set(parent, [...(children.get(parent) ?? []), category]);
  }
  const visit = (parent: CategoryNode | null): CategoryNode[] =>
    (children.get(parent?.id ?? null) ?? [])
      .toSorted((a, b) => byName.compare(a.name, b.name))
      .flatMap((category) => {
        const path = parent ? `${parent.path} › ${category.name}` : category.name;
        const node = { ...category, depth: parent ? parent.depth + 1 : 0, path, folded: fold(path) };
        return [node, ...visit(node)];
      });
  return visit(null);
}

/** Those whose path has every word of `text`, those of `kind` first: the likely ones at the top. */
export function search(nodes: readonly CategoryNode[], text: string, kind?: CategoryKind): CategoryNode[] {
  const words = fold(text).split(/\s+/).filter(Boolean);
  const found = nodes.filter((node) => words.every((word) => node.folded.includes(word)));
  if (!kind) return found;
  return [...found.filter((it) => it.kind === kind), ...found.filter((it) => it.kind !== kind)];
}

/** Levels of the tree; the server's limit. */
export const DEPTH_MAX = 3;

/** Where `category`, or a new one, may be put: of its kind, not within itself, not too deep with all it has below. */
export function parentsFor(nodes: readonly CategoryNode[], category: CategoryNode | null, kind: CategoryKind): CategoryNode[] {
  const own = category ? [category, ...below(nodes, category.id)] : [];
  const height = category ? Math.max(...own.map((it) => it.depth)) - category.depth + 1 : 1;
  const ids = new Set(own.map((it) => it.id));
  return nodes.filter((it) => it.kind === kind && !ids.has(it.id) && it.depth + 1 + height <= DEPTH_MAX);
}

function below(nodes: readonly CategoryNode[], id: string): CategoryNode[] {
  return nodes.filter((it) => it.parent_id === id).flatMap((it) => [it, ...below(nodes, it.id)]);
}
