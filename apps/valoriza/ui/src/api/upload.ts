/** Sends a file as it is. `fetch` does not tell how much has been sent, so this is the older way. */

import { Problem } from './problem';

/** A file of the largest size on a slow line; the server's own limit is shorter. */
const DEADLINE_MS = 5 * 60_000;

/** `onProgress` hears which share of the file has been sent, from 0 to 1. */
export function upload<T>(path: string, token: string, file: File, onProgress: (share: number) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', path);
    request.timeout = DEADLINE_MS;
    request.setRequestHeader('Authorization', `Bearer ${token}`);
    request.setRequestHeader('Accept', 'application/json');
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    request.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0);
    request.onload = () => {
      const body = parsed(request.responseText);
      if (request.status >= 200 && request.status < 300 && body !== null) resolve(body as T);
      else reject(Problem.from(request.status, body));
    };
    request.onerror = () => reject(Problem.unreachable());
    request.ontimeout = () => reject(Problem.unreachable());
    request.send(file);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
