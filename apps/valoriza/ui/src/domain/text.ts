/** Folds case and accents away, so that "alimentacao" finds "Alimentação". */
export function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{Diacritic}/gu, '').toLowerCase().trim();
}
