/** Tags as people type them: words with commas between. */

/** The server's limits. */
export const TAGS_MAX = 20;
export const TAG_CHARS_MAX = 30;

/** Each once, in the order written. */
export function parseTags(text: string): string[] {
  return [...new Set(text.split(',').map((it) => it.trim().replace(/^#/, '')).filter(Boolean))];
}

export function tagsProblem(tags: readonly string[]): string | null {
  if (tags.length > TAGS_MAX) return `No máximo ${TAGS_MAX} etiquetas.`;
  const long = tags.find((it) => [...it].length > TAG_CHARS_MAX);
  return long === undefined ? null : `“${long}” é longa demais: até ${TAG_CHARS_MAX} letras.`;
}

export function formatTags(tags: readonly string[]): string {
  return tags.join(', ');
}
