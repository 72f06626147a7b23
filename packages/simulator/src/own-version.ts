import { readFileSync } from 'node:fs';

/** The version that `--version` prints; all packages have the same. */
export function ownVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
