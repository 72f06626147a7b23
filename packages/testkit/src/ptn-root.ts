import { randomUUID } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Position } from '@ptn-api/protocol';
import { makeTemporaryFolder } from './temporary-folder.ts';
import type { TestScope } from './test-scope.ts';

/** What a temporary PTN_ROOT holds from the start. Everything may be missing. */
export interface PtnRootContents {
  readonly positions?: readonly Position[];
  /** The text of `validation/outputs/output.json`. */
  readonly outputs?: string;
  /** The content of `ptn_api/api_keys.json`. */
  readonly keys?: unknown;
  /** Any other files, by path under the root. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
}

export interface WritePositionOptions {
  /** Which folder the file goes to; by default what the position says. */
  readonly closed?: boolean;
  /** What the file holds in place of the position's JSON: a broken file, another formatting. */
  readonly text?: string;
}

/** A temporary PTN_ROOT. Files are written as the validator does: aside first, then renamed into place. */
export interface PtnRoot {
  readonly path: string;
  /** The full path of something under the root. */
  join(...parts: readonly string[]): string;
  /** Writes any file; the content may be broken. */
  writeFile(path: string, content: string | Uint8Array): void;
  /** Writes a position's file and returns its full path. A closing position's open file is deleted first. */
  writePosition(position: Position, options?: WritePositionOptions): string;
  /** Deletes the position's files, open and closed. */
  removePosition(position: Position): void;
  /** Writes `validation/outputs/output.json`. */
  writeOutputs(text: string): void;
  /** Writes `ptn_api/api_keys.json`: text as it is, anything else as JSON. */
  writeKeys(keys: unknown): void;
  remove(): void;
}

/** Where a position's file lies under the root. */
export function positionPath(position: Position, closed = position.is_closed_position): string {
  const folder = closed ? 'closed' : 'open';
  const { miner_hotkey: hotkey, trade_pair: pair, position_uuid: uuid } = position;
  return join('validation', 'miners', hotkey, 'positions', pair[0], folder, uuid);
}

/** Makes a temporary PTN_ROOT that is removed after the test. */
export function makePtnRoot(scope: TestScope, contents: PtnRootContents = {}): PtnRoot {
  const path = makeTemporaryFolder(scope);

  function writeFile(relative: string, content: string | Uint8Array): void {
    const temporary = join(path, 'validation', 'tmp', randomUUID());
    const target = join(path, relative);
    mkdirSync(dirname(temporary), { recursive: true });
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(temporary, content);
    renameSync(temporary, target);
  }

  const root: PtnRoot = {
    path,
    join: (...parts) => join(path, ...parts),
    writeFile,
    writePosition(position, { closed = position.is_closed_position, text = JSON.stringify(position) } = {}) {
      if (closed) rmSync(join(path, positionPath(position, false)), { force: true });
      const relative = positionPath(position, closed);
      writeFile(relative, text);
      return join(path, relative);
    },
    removePosition(position) {
      for (const closed of [false, true]) {
        rmSync(join(path, positionPath(position, closed)), { force: true });
      }
    },
    writeOutputs(text) {
      writeFile('validation/outputs/output.json', text);
    },
    writeKeys(keys) {
      writeFile('ptn_api/api_keys.json', typeof keys === 'string' ? keys : JSON.stringify(keys));
    },
    remove() {
      rmSync(path, { recursive: true, force: true });
    },
  };

  for (const position of contents.positions ?? []) root.writePosition(position);
  if (contents.outputs !== undefined) root.writeOutputs(contents.outputs);
  if (contents.keys !== undefined) root.writeKeys(contents.keys);
  for (const [relative, content] of Object.entries(contents.files ?? {})) writeFile(relative, content);
  return root;
}
