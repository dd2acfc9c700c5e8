/** What a key does in the review. */

export type Command =
  | { do: 'accept' | 'next' | 'previous' | 'skip' | 'similar' | 'undo' }
  /** Opens the picker, with what was typed already in it. */
  | { do: 'correct'; text: string }
  | { do: 'alternative'; position: number };

/** The page's own keys; typing them starts nothing here. */
const ELSEWHERE = new Set(['n', '/', '?']);

/** `onControl`: the focus is on a button or a link, whose Enter and space are its own. */
export function commandOf(key: string, onControl: boolean): Command | null {
  switch (key) {
    case 'Enter':
      return onControl ? null : { do: 'accept' };
    case 'a':
    case 'A':
      return { do: 'accept' };
    case 'c':
    case 'C':
      return { do: 'correct', text: '' };
    case 'j':
    case 'J':
    case 'ArrowDown':
      return { do: 'next' };
    case 'k':
    case 'K':
    case 'ArrowUp':
      return { do: 'previous' };
    case 's':
    case 'S':
      return { do: 'skip' };
    case 'p':
    case 'P':
      return { do: 'similar' };
    case 'z':
    case 'Z':
      return { do: 'undo' };
    case '1':
    case '2':
    case '3':
      return { do: 'alternative', position: Number(key) - 1 };
    default:
      // Any other letter is the start of a category's name.
      return /^\p{L}$/u.test(key) && !ELSEWHERE.has(key) ? { do: 'correct', text: key } : null;
  }
}
