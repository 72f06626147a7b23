import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  isObject,
  readAccountSizes,
  readChallenge,
  readEliminations,
  readJsonFile,
  readLedgers,
  readPositions,
} from '@ptn-api/validator-files';
import type { ChallengeReading } from '@ptn-api/validator-files';
import { CannotScoreError, recordsOf } from './score-source.ts';
import type { ScoreSource } from './score-source.ts';

/** Where the ledgers lie: the second since autumn 2025. */
const LEDGERS = ['validation/perf_ledgers.json', 'validation/perf_ledgers.json.gz'];
const CHECKPOINTS = ['runnable/validator_checkpoint.json', 'runnable/validator_checkpoint.json.gz'];
const CHALLENGE = 'validation/challengeperiod.json';
const ELIMINATIONS = 'validation/eliminations.json';
const ACCOUNT_SIZES = 'validation/miner_account_sizes.json';

const NO_CHALLENGE: ChallengeReading = { state: new Map(), form: 'maps' };

function checkFolder(root: string): void {
  let isFolder: boolean;
  try {
    isFolder = statSync(root).isDirectory();
  } catch (error) {
    throw new CannotScoreError(`${root} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  if (!isFolder) {
    throw new CannotScoreError(
      `${root} is not a folder; a checkpoint file is scored with --checkpoint ${root}`,
    );
  }
}

/** What a file holds, made of its JSON by `read`; undefined where there is none. */
function valueOf<T>(root: string, path: string, read: (value: unknown) => T | string): T | undefined {
  const file = readJsonFile(join(root, path));
  if (file.kind === 'missing') return undefined;
  const value = file.kind === 'damaged' ? file.reason : read(file.value);
  if (typeof value === 'string') throw new CannotScoreError(`${path} ${value}`);
  return value;
}

/**
 * What is in a validator's folder.
 *
 * @throws CannotScoreError where it is none, or where a file is damaged without which the result would be wrong.
 */
export function readValidatorFolder(root: string): ScoreSource {
  checkFolder(root);
  const problems: string[] = [];
  const ledgers = LEDGERS.map((path) => valueOf(root, path, readLedgers)).find(
    (reading) => reading !== undefined,
  );
  if (ledgers === undefined) {
    const checkpoint = CHECKPOINTS.map((path) => join(root, path)).find((path) => existsSync(path));
    const hint =
      checkpoint === undefined
        ? "is it a validator's folder?"
        : `score its checkpoint with --checkpoint ${checkpoint}`;
    throw new CannotScoreError(`there is no ${String(LEDGERS[0])} below ${root}: ${hint}`);
  }
  problems.push(...ledgers.problems);
  const challenge = valueOf(root, CHALLENGE, readChallenge);
  if (challenge === undefined) problems.push(`there is no ${CHALLENGE}: every miner counts as a newcomer`);
  const eliminations = valueOf(root, ELIMINATIONS, (value) =>
    readEliminations(isObject(value) ? value['eliminations'] : value),
  );
  if (eliminations === undefined) problems.push(`there is no ${ELIMINATIONS}: nobody counts as eliminated`);
  const { positions, problems: ofPositions } = readPositions(root);
  problems.push(...ofPositions);
  if (positions.size === 0) {
    problems.push(
      'there are no positions below validation/miners: penalties on them, and the challenge period, cannot be determined',
    );
  }
  const accountSizes = valueOf(root, ACCOUNT_SIZES, readAccountSizes) ?? new Map<string, number>();
  return {
    name: root,
    ...recordsOf({ ledgers: ledgers.ledgers, positions, accountSizes }),
    ...(challenge ?? NO_CHALLENGE),
    eliminations: eliminations ?? [],
    problems,
  };
}
