/** Hands a file that was read with the token to the browser. */

/** Long enough for the browser to have taken the file over. */
const KEPT_MS = 60_000;

/** In a page of its own, which cannot reach this one. */
export function openFile(file: Blob): void {
  give(file, (link) => {
    link.target = '_blank';
    link.rel = 'noopener';
  });
}

export function saveFile(file: Blob, name: string): void {
  give(file, (link) => (link.download = name));
}

function give(file: Blob, how: (link: HTMLAnchorElement) => void): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = url;
  how(link);
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}
