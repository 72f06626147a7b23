import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ChallengeState, Elimination, LedgerBundle, Weights } from '@ptn-api/scoring';
import {
  isObject,
  readChallenge,
  readEliminations,
  readJsonFile,
  readLedgers,
  SCORING_PATHS,
} from '@ptn-api/validator-files';

/** What scoring left on disk when it ran last. */
export interface StoredState {
  readonly challenge: ChallengeState;
  readonly ledgers: ReadonlyMap<string, LedgerBundle>;
  /** Miners that lost everything while their ledgers were built. */
  readonly liquidations: readonly Elimination[];
  readonly weights: Weights;
  /** Overall scores of the plagiarism reports, by hotkey. */
  readonly plagiarism: ReadonlyMap<string, number>;
}

/** A file of the validator's own that cannot be read and not be made anew. */
export class DamagedFileError extends Error {
  override readonly name = 'DamagedFileError';
}

/** What a file holds, made of its JSON by `read`; undefined where there is none. A string says what is wrong with it. */
function valueOf<T>(
  root: string,
  path: string,
  read: (value: unknown) => T | string,
): T | string | undefined {
  const file = readJsonFile(join(root, path));
  if (file.kind === 'missing') return undefined;
  return file.kind === 'damaged' ? file.reason : read(file.value);
}

function readWeights(value: unknown): Weights | string {
  const weights = isObject(value) ? value['weights'] : undefined;
  if (!isObject(weights)) return 'has no map of weights';
  const rows = Object.entries(weights);
  return rows.every((row): row is [string, number] => typeof row[1] === 'number')
    ? rows
    : 'has a weight that is no number';
}

function readPlagiarism(root: string, say: (line: string) => void): Map<string, number> {
  const scores = new Map<string, number>();
  const folder = SCORING_PATHS.plagiarism;
  let names: string[] = [];
  try {
    names = readdirSync(join(root, folder));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  for (const name of names) {
    const path = `${folder}/${name}`;
    const report = valueOf(root, path, (value) => (isObject(value) ? value : 'is not a report'));
    const score = isObject(report) ? report['overall_score'] : undefined;
    if (typeof score === 'number') scores.set(name.replace(/\.json$/, ''), score);
    else
      say(
        `${path} ${typeof report === 'string' ? report : 'has no overall_score'}: it counts when it is written next`,
      );
  }
  return scores;
}

/**
 * Reads what scoring wrote before. Ledgers and weights that cannot be read are made anew, which `say` reports.
 *
 * @throws DamagedFileError where that is not possible: who was promoted is written in one place only.
 */
export function readStoredState(root: string, say: (line: string) => void): StoredState {
  const replaceable = <T>(path: string, read: (value: unknown) => T | string, otherwise: T): T => {
    const value = valueOf(root, path, read);
    if (typeof value !== 'string') return value ?? otherwise;
    say(`${path} ${value}: it is made anew`);
    return otherwise;
  };
  const challenge = valueOf(root, SCORING_PATHS.challenge, readChallenge);
  if (typeof challenge === 'string') {
    throw new DamagedFileError(
      `${SCORING_PATHS.challenge} ${challenge}: put a copy in its place, or delete it to begin all challenge periods anew`,
    );
  }
  const stored = replaceable(SCORING_PATHS.ledgers, readLedgers, { ledgers: new Map(), problems: [] });
  for (const problem of stored.problems) say(problem);
  if (stored.problems.length > 0) say(`${SCORING_PATHS.ledgers}: all ledgers are built anew`);
  return {
    challenge: challenge?.state ?? new Map(),
    ledgers: stored.problems.length > 0 ? new Map() : stored.ledgers,
    liquidations: replaceable(SCORING_PATHS.liquidations, readEliminations, []),
    weights: replaceable(SCORING_PATHS.weights, readWeights, []),
    plagiarism: readPlagiarism(root, say),
  };
}
