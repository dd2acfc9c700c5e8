/** How sure the server is of a category and where it knows it from, in words. */

import type { Source } from '../api/types';

const WORDS: readonly (readonly [from: number, words: string])[] = [
  [0.95, 'Quase certo'],
  [0.8, 'Muito provável'],
  [0.6, 'Provável'],
  [0.4, 'Possível'],
  [0, 'Palpite'],
];

/** Never rounded up to a certainty the server did not claim: 0.997 is 99%. */
export function percentOf(confidence: number): number {
  return Math.floor(Math.min(1, Math.max(0, confidence)) * 100 + 1e-6);
}

/** `Muito provável · 87%` */
export function confidenceText(confidence: number): string {
  const percent = percentOf(confidence);
  const words = WORDS.find(([from]) => percent >= from * 100)?.[1] ?? 'Palpite';
  return `${words} · ${percent}%`;
}

const SOURCES: Record<Source, string> = {
  user: 'Escolha sua',
  rule: 'Automação',
  memory: 'Aprendido com você',
  structure: 'Tipo de operação',
  neighbours: 'Parecidas suas',
  lexicon: 'Estabelecimento',
  model: 'Estimativa',
};

export function sourceName(source: Source): string {
  return SOURCES[source];
}
