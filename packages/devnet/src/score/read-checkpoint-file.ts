import type { Position } from '@ptn-api/protocol';
import {
  inDashboardOrder,
  isObject,
  readAccountSizes,
  readChallenge,
  readEliminations,
  readJsonFile,
  readLedgers,
  readPositionRecord,
} from '@ptn-api/validator-files';
import type { PositionsReading } from '@ptn-api/validator-files';
import { CannotScoreError, recordsOf } from './score-source.ts';
import type { ScoreSource } from './score-source.ts';

/** The positions of the dashboard map that a checkpoint holds. */
function positionsIn(value: unknown): PositionsReading | string {
  if (!isObject(value)) return 'has no map of positions';
  const positions = new Map<string, readonly Position[]>();
  const problems: string[] = [];
  for (const [hotkey, miner] of Object.entries(value)) {
    const records: unknown = isObject(miner) ? miner['positions'] : undefined;
    if (!Array.isArray(records)) {
      problems.push(`${hotkey}: it has no list of positions, and none of them count`);
      continue;
    }
    const read = records.flatMap((record, index): Position[] => {
      const reading = readPositionRecord(JSON.stringify(record));
      if (reading.ok) return [reading.position];
      problems.push(`${hotkey}: its position ${index + 1} ${reading.reason}; it is left out`);
      return [];
    });
    if (read.length > 0) positions.set(hotkey, inDashboardOrder(read));
  }
  return { positions, problems };
}

/**
 * What is in a checkpoint file of a validator, plain or gzip.
 *
 * @throws CannotScoreError where it is none, or damaged.
 */
export function readCheckpointFile(path: string): ScoreSource {
  const file = readJsonFile(path);
  if (file.kind === 'missing') throw new CannotScoreError(`there is no file ${path}`);
  if (file.kind === 'damaged') throw new CannotScoreError(`${path} ${file.reason}`);
  const { value } = file;
  if (!isObject(value)) throw new CannotScoreError(`${path} is not a checkpoint: it holds no JSON object`);
  const member = <T>(name: string, read: (value: unknown) => T | string): T => {
    const result = read(value[name]);
    if (typeof result === 'string') {
      throw new CannotScoreError(`${path} is not a checkpoint: its member ${name} ${result}`);
    }
    return result;
  };
  const ledgers = member('perf_ledgers', readLedgers);
  const positions = member('positions', positionsIn);
  const parts = {
    ledgers: ledgers.ledgers,
    positions: positions.positions,
    accountSizes: readAccountSizes(value['miner_account_sizes']),
  };
  return {
    name: path,
    ...recordsOf(parts),
    ...member('challengeperiod', readChallenge),
    eliminations: member('eliminations', readEliminations),
    problems: [...ledgers.problems, ...positions.problems],
  };
}
