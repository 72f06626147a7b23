import { open, readFile, readdir, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseJson, writeJson } from '@ptn-api/positions';
import type { JsonObject } from '@ptn-api/positions';
import { syncFolder } from '../folder/durable.ts';
import type { FileIdentity } from '../folder/durable.ts';
import { afterAttempt, newDelivery } from './delivery.ts';
import type { AttemptResult, Delivery } from './delivery.ts';
import type { Outcome } from './outcome.ts';
import type { Validator } from './validators.ts';

/** A signal that is on its way. */
export interface SignalInProgress {
  /** Its file's name, and the order's uuid. */
  readonly name: string;
  readonly signal: JsonObject;
  readonly pairId: string;
  /** The file it came in, which is removed when the outcome is written. */
  readonly path: string;
  readonly identity: FileIdentity;
  readonly deliveries: readonly Delivery[];
}

interface HeaderLine {
  readonly signal: string;
  readonly pairId: string;
  readonly path: string;
  readonly ino: string;
  readonly mtimeNs: string;
  readonly deliveries: readonly { readonly validator: StoredValidator; readonly results: AttemptResult[] }[];
}

type StoredValidator = Omit<Validator, 'stakeRao'> & { readonly stakeRao: string };
type ResultLine = { readonly hotkey: string; readonly result: AttemptResult };
type OutcomeLine = { readonly outcome: Outcome; readonly file: string };

const ENDING = '.jsonl';

/**
 * What was done about one signal, on disk before anything is sent: after a crash the miner knows of which orders it
 * cannot know whether they arrived. The header is synced. The answers are not: one that a loss of power takes away makes
 * the order be sent again, and the validator then says that it has it.
 */
export class Journal {
  readonly #path: string;
  #file: FileHandle | undefined;

  constructor(folder: string, name: string) {
    this.#path = join(folder, name + ENDING);
  }

  async begin(signal: SignalInProgress): Promise<void> {
    const header: HeaderLine = {
      signal: writeJson(signal.signal),
      pairId: signal.pairId,
      path: signal.path,
      ino: String(signal.identity.ino),
      mtimeNs: String(signal.identity.mtimeNs),
      deliveries: signal.deliveries.map(({ validator, results }) => ({
        validator: { ...validator, stakeRao: String(validator.stakeRao) },
        results: [...results],
      })),
    };
    this.#file = await open(this.#path, 'w', 0o600);
    await this.#append(header);
    await this.#file.sync();
    await syncFolder(join(this.#path, '..'));
  }

  async reopen(): Promise<void> {
    this.#file = await open(this.#path, 'a');
  }

  async addResult(hotkey: string, result: AttemptResult): Promise<void> {
    await this.#append({ hotkey, result } satisfies ResultLine);
  }

  /** From here on the outcome stands, whatever happens. */
  async addOutcome(outcome: Outcome, file: string): Promise<void> {
    await this.#append({ outcome, file } satisfies OutcomeLine);
    await this.#file?.sync();
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  /** When the outcome is in its place and the signal's own file is removed. */
  async remove(): Promise<void> {
    await this.close();
    await rm(this.#path, { force: true });
  }

  async #append(line: object): Promise<void> {
    if (this.#file === undefined) throw new Error(`the journal ${this.#path} is not open`);
    await this.#file.appendFile(`${JSON.stringify(line)}\n`);
  }
}

export interface JournalRead {
  readonly signal: SignalInProgress;
  /** Set where the signal had been dealt with. */
  readonly outcome: OutcomeLine | undefined;
}

/** The lines that are whole; the last may have been cut off. */
function wholeLines(text: string): unknown[] {
  return text
    .split('\n')
    .slice(0, -1)
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as unknown];
      } catch {
        // A line that a loss of power has spoiled says nothing; what follows from that is asked again.
        return [];
      }
    });
}

function restoredDelivery({ validator, results }: HeaderLine['deliveries'][number], name: string): Delivery {
  const fresh = newDelivery({ ...validator, stakeRao: BigInt(validator.stakeRao) });
  return results.reduce((delivery, result) => afterAttempt(delivery, name, result), fresh);
}

function restored(name: string, lines: readonly unknown[]): JournalRead | undefined {
  const [header, ...rest] = lines as readonly [HeaderLine, ...(ResultLine | OutcomeLine)[]];
  if ((lines[0] as Partial<HeaderLine> | undefined)?.deliveries === undefined) return undefined;
  let deliveries = header.deliveries.map((stored) => restoredDelivery(stored, name));
  let outcome: OutcomeLine | undefined;
  for (const line of rest) {
    if ('outcome' in line) outcome = line;
    else {
      deliveries = deliveries.map((delivery) =>
        delivery.validator.hotkey === line.hotkey ? afterAttempt(delivery, name, line.result) : delivery,
      );
    }
  }
  const signal: SignalInProgress = {
    name,
    signal: parseJson(header.signal) as JsonObject,
    pairId: header.pairId,
    path: header.path,
    identity: { ino: BigInt(header.ino), mtimeNs: BigInt(header.mtimeNs) },
    // Whoever has not answered may have been asked a moment before the crash.
    deliveries: deliveries.map((delivery) => ({ ...delivery, mayBeHandled: true })),
  };
  return { signal, outcome };
}

/** What was done about a signal before; undefined where nothing was, or nothing was sent yet. */
export async function readJournal(folder: string, name: string): Promise<JournalRead | undefined> {
  try {
    return restored(name, wholeLines(await readFile(join(folder, name + ENDING), 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** What was on its way when the miner ended, the oldest signal first. Journals of signals not yet sent are removed. */
export async function readJournals(folder: string): Promise<JournalRead[]> {
  const read: JournalRead[] = [];
  for (const file of await readdir(folder)) {
    if (!file.endsWith(ENDING)) continue;
    const journal = await readJournal(folder, basename(file, ENDING));
    if (journal === undefined) await rm(join(folder, file), { force: true });
    else read.push(journal);
  }
  const since = ({ signal }: JournalRead): bigint => signal.identity.mtimeNs;
  return read.sort((a, b) => (since(a) < since(b) ? -1 : since(a) > since(b) ? 1 : 0));
}
