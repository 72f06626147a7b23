import { join } from 'node:path';
import { KeyRing } from '@ptn-api/access';
import { StartError } from '@ptn-api/runtime';
import { watchKeyFile } from '@ptn-api/supervisor';
import type { KeyFile } from '@ptn-api/supervisor';
import { makeTemporaryFolder } from '../temporary-folder.ts';
import type { TestScope } from '../test-scope.ts';
import { waitFor } from '../wait-for.ts';
import type { Difference } from './compare-texts.ts';
import { KEY_FILE_DIFFERENCES, KEY_FILE_EDITS } from './key-file-steps.ts';
import type { KeyFileEdit } from './key-file-steps.ts';
import { readText } from './read-text.ts';
import { inScope } from './vector-form.ts';
import type { ServerForm } from './vector-form.ts';

/** An edit of the key file, and the HTTP status of a request for data of tier 100 with each key after it. */
interface KeyFileStep {
  readonly step: string;
  readonly result: Readonly<Record<string, number>>;
}

const UNKNOWN_KEY = 401;
const OTHER_TIER = 403;
const NOTICE_TIMEOUT_MS = 10_000;

export const KEY_FILE_FORMS: readonly ServerForm[] = [
  {
    name: 'keys that count after each edit of the key file',
    recognises: (path) => /(?:^|\/)keys\/[^/]+\.json(?:\.gz)?$/.test(path),
    run: (path, difference) => inScope((scope) => replaySteps(scope, readSteps(path), difference)),
  },
];

function isStep(row: unknown): row is KeyFileStep {
  const { step, result } = (row ?? {}) as Record<string, unknown>;
  if (typeof step !== 'string' || typeof result !== 'object' || result === null) return false;
  const statuses: unknown[] = Object.values(result);
  return statuses.length > 0 && statuses.every((status) => typeof status === 'number');
}

/** @throws Error where the file holds no steps. */
function readSteps(path: string): readonly KeyFileStep[] {
  const rows = JSON.parse(readText(path)) as unknown;
  if (!Array.isArray(rows) || rows.length === 0) throw new Error('it is no list of steps');
  return rows.map((row: unknown, index) => {
    if (!isStep(row)) throw new Error(`element ${index} is no step with the status of each key`);
    return row;
  });
}

/** The key file as a server watches it, from the last step on in which one starts. */
class WatchedKeyFile {
  readonly #scope: TestScope;
  readonly #path: string;
  readonly #events: string[] = [];
  #keyFile: KeyFile | undefined;

  constructor(scope: TestScope) {
    this.#scope = scope;
    this.#path = join(makeTemporaryFolder(scope), 'api_keys.json');
  }

  /** Edits the file and waits until that was seen. */
  async apply({ edit, event, isStart }: KeyFileEdit): Promise<void> {
    const seen = this.#events.length;
    if (isStart !== undefined) await this.#keyFile?.close();
    edit(this.#path);
    if (isStart !== undefined) await this.#start();
    await waitFor(() => this.#events.slice(seen).includes(event), {
      timeoutMs: NOTICE_TIMEOUT_MS,
      what: () => `a log line ${event} after ${this.#events.join(', ')}`,
    });
  }

  statusOf(key: string): number {
    const tier = new KeyRing(this.#keyFile?.grants ?? []).lookup(key, Date.now())?.tier;
    if (tier === undefined) return UNKNOWN_KEY;
    return tier >= 100 ? 200 : OTHER_TIER;
  }

  async #start(): Promise<void> {
    this.#keyFile = undefined;
    const note = ({ event }: { event?: string }): void => {
      this.#events.push(event ?? '');
    };
    const log = { info: note, warn: note, error: note };
    try {
      const keyFile = await watchKeyFile({
        paths: [this.#path],
        mode: 'auto',
        log,
        onChange: () => undefined,
      });
      this.#keyFile = keyFile;
      this.#scope.teardown(() => keyFile.close());
    } catch (error) {
      // No key counts where no server starts; that the file is there again is a start of its own.
      if (!(error instanceof StartError) || error.code !== 'PTN_ERR_START_NO_KEYS') throw error;
      this.#events.push('no-file-at-start');
    }
  }
}

async function replaySteps(
  scope: TestScope,
  steps: readonly KeyFileStep[],
  difference: Difference,
): Promise<number> {
  const file = new WatchedKeyFile(scope);
  let hasStarted = false;
  for (const { step, result } of steps) {
    const edit = KEY_FILE_EDITS[step];
    hasStarted ||= edit?.isStart === true;
    if (edit === undefined || !hasStarted) {
      difference.unequal.push(`${step}: ${edit ? 'no step before it starts a server' : 'an unknown step'}`);
      continue;
    }
    await file.apply(edit);
    for (const [key, status] of Object.entries(result)) {
      const got = file.statusOf(key);
      const name = `${step}: key "${key}"`;
      const other = KEY_FILE_DIFFERENCES.find((known) => known.step === step && known.key === key);
      if (other?.theirs === status && other.ours === got)
        difference.expected.push(`${name}: ${got} for ${status}: ${other.reason}`);
      else if (got !== status) difference.unequal.push(`${name}: ${got} for ${status}`);
    }
  }
  return steps.length;
}
