import type { Readable } from 'node:stream';

/** A line that is longer is forwarded in parts. */
const MAX_LINE_CHARACTERS = 1_000_000;

/** Forwards what a process prints in whole lines, so that those of several processes do not mix within one. */
export function forwardLines(output: Readable, write: (lines: string) => void): void {
  let rest = '';
  output.setEncoding('utf8');
  output.on('data', (chunk: string) => {
    const text = rest + chunk;
    const end = text.length > MAX_LINE_CHARACTERS ? text.length : text.lastIndexOf('\n') + 1;
    rest = text.slice(end);
    if (end > 0) write(text.slice(0, end));
  });
  output.once('end', () => {
    if (rest !== '') write(`${rest}\n`);
  });
}
