import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MiningFolder } from '../folder/mining-folder.ts';
import type { AttemptResult } from './delivery.ts';
import type { Validator } from './validators.ts';

const WRITE_EVERY_MS = 1_000;

/** What one validator made of the orders since the sender started. */
export interface ValidatorCounts {
  readonly hotkey: string;
  readonly uid: number;
  readonly validatorTrust: number;
  readonly address: string;
  readonly accepted: number;
  readonly refused: number;
  readonly unanswered: number;
  /** Unix ms of its last answer. */
  readonly answeredAtMs: number | null;
  readonly lastError: string | null;
}

export interface MinerStatus {
  readonly hotkey: string;
  readonly pid: number;
  readonly startedAtMs: number;
  readonly writtenAtMs: number;
  readonly inProgress: number;
  readonly validators: readonly ValidatorCounts[];
}

/** What `ptn-miner status` shows, in a file beside the signals. */
export class SenderStatus {
  readonly #folder: MiningFolder;
  readonly #hotkey: string;
  readonly #startedAtMs = Date.now();
  readonly #counts = new Map<string, ValidatorCounts>();
  readonly #inProgress: () => number;
  #isWriteDue = false;

  constructor(folder: MiningFolder, hotkey: string, inProgress: () => number) {
    this.#folder = folder;
    this.#hotkey = hotkey;
    this.#inProgress = inProgress;
  }

  record({ hotkey, uid, validatorTrust, axon }: Validator, result: AttemptResult): void {
    const before = this.#counts.get(hotkey);
    const isAnswer = result.kind === 'accepted' || result.kind === 'refused';
    const add = (kinds: readonly AttemptResult['kind'][]): number => (kinds.includes(result.kind) ? 1 : 0);
    this.#counts.set(hotkey, {
      hotkey,
      uid,
      validatorTrust,
      address: `${axon.ip}:${axon.port}`,
      accepted: (before?.accepted ?? 0) + add(['accepted']),
      refused: (before?.refused ?? 0) + add(['refused']),
      unanswered: (before?.unanswered ?? 0) + add(['undelivered', 'unknown']),
      answeredAtMs: isAnswer ? Date.now() : (before?.answeredAtMs ?? null),
      lastError: result.kind === 'accepted' ? (before?.lastError ?? null) : result.text,
    });
    this.changed();
  }

  /** Has the file written soon. */
  changed(): void {
    if (this.#isWriteDue) return;
    this.#isWriteDue = true;
    setTimeout(() => {
      this.#isWriteDue = false;
      this.write();
    }, WRITE_EVERY_MS).unref();
  }

  write(): void {
    const status: MinerStatus = {
      hotkey: this.#hotkey,
      pid: process.pid,
      startedAtMs: this.#startedAtMs,
      writtenAtMs: Date.now(),
      inProgress: this.#inProgress(),
      validators: [...this.#counts.values()],
    };
    const draft = join(this.#folder.temporary, randomUUID());
    writeFileSync(draft, `${JSON.stringify(status)}\n`);
    renameSync(draft, this.#folder.statusFile);
  }
}

/** What the sender wrote last; undefined where it never did. */
export function readMinerStatus(folder: MiningFolder): MinerStatus | undefined {
  try {
    return JSON.parse(readFileSync(folder.statusFile, 'utf8')) as MinerStatus;
  } catch {
    // Missing before the first start; it is only ever replaced as a whole.
    return undefined;
  }
}
