import { resolve } from 'node:path';
import { DEFAULT_SCORING_GENERATION, SCORING_GENERATIONS } from '@ptn-api/scoring';
import yargs from 'yargs';
import { ownVersion, UsageError } from '@ptn-api/simulator';
import { readCheckpointFile } from '../score/read-checkpoint-file.ts';
import { readValidatorFolder } from '../score/read-validator-folder.ts';
import { reportJson } from '../score/score-json.ts';
import { findMiner, scoreSource } from '../score/score-report.ts';
import { CannotScoreError } from '../score/score-source.ts';
import type { ScoreSource } from '../score/score-source.ts';
import { minerLines, reportLines } from '../score/score-table.ts';

const EXIT = { scored: 0, cannotScore: 1, usage: 2, withProblems: 3 } as const;
/** Problems are of one kind in most cases: the rest is in `--json`. */
const MAX_PROBLEMS = 20;
/** The generation that first wrote the file of buckets. */
const BUCKETS_GENERATION = '2025-11';

type GenerationName = keyof typeof SCORING_GENERATIONS;
const NAMES = Object.keys(SCORING_GENERATIONS) as GenerationName[];

function parse(args: readonly string[]) {
  const parsed = yargs(args)
    .scriptName('ptn-devnet score')
    .usage(
      "$0 (--root DIR | --checkpoint FILE) [options]\n\nScores a validator's miners: ranking, metrics, penalties, weights, and what separates each from promotion and elimination.",
    )
    .options({
      root: { type: 'string', describe: "A validator's folder (PTN_ROOT)" },
      checkpoint: { type: 'string', describe: 'A checkpoint file in its place, plain or .gz' },
      at: { type: 'number', describe: 'As of when, Unix ms [the end of the newest ledger]' },
      generation: {
        type: 'string',
        choices: NAMES,
        describe: `Whose rules [${DEFAULT_SCORING_GENERATION}; ${BUCKETS_GENERATION} where miners have buckets]`,
      },
      explain: { type: 'string', describe: 'One miner: its hotkey, or the beginning of it' },
      json: { type: 'boolean', default: false, describe: 'For programs' },
    })
    .strict()
    .version(ownVersion())
    .locale('en')
    .fail((message, error: Error | undefined) => {
      throw error ?? new UsageError(message.replaceAll(/\s+/g, ' '));
    })
    .parseSync();
  const { root, checkpoint, at, explain } = parsed;
  for (const [name, value] of Object.entries({ root, checkpoint, at, explain })) {
    if (Array.isArray(value)) throw new UsageError(`--${name} is given more than once`);
    if (value === '') throw new UsageError(`--${name} is empty`);
  }
  if ((root === undefined) === (checkpoint === undefined)) {
    throw new UsageError('give either --root with a folder or --checkpoint with a file');
  }
  if (at !== undefined && !(Number.isSafeInteger(at) && at >= 0 && at < 8.64e15)) {
    throw new UsageError('--at needs a time in Unix ms');
  }
  return parsed;
}

/** Where a command writes to. */
export interface CommandOutput {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

const TERMINAL: CommandOutput = {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
};

function linesText(lines: readonly string[]): string {
  return lines
    .map(
      (line) => `${line}
`,
    )
    .join('');
}

function problemLines(problems: readonly string[]): string[] {
  const shown = problems.slice(0, MAX_PROBLEMS).map((problem) => `ptn-devnet: ${problem}`);
  const left = problems.length - shown.length;
  return left === 0 ? shown : [...shown, `ptn-devnet: and ${left} more, which --json lists`];
}

function sourceOf({
  root,
  checkpoint,
}: {
  readonly root?: string | undefined;
  readonly checkpoint?: string | undefined;
}): ScoreSource {
  return checkpoint === undefined
    ? readValidatorFolder(resolve(root ?? ''))
    : readCheckpointFile(resolve(checkpoint));
}

/**
 * `ptn-devnet score`: prints what a scoring round makes of a validator's files, and what is wrong with these on stderr.
 *
 * @returns 0 where everything was scored, 1 where nothing could be, 3 where something was left out.
 * @throws UsageError for a command line that cannot be obeyed, an unknown hotkey included.
 */
export function scoreCommand(args: readonly string[], { out, err } = TERMINAL): number {
  const { root, checkpoint, at, generation: wanted, explain, json } = parse(args);
  let source: ScoreSource;
  try {
    source = sourceOf({ root, checkpoint });
  } catch (error) {
    if (!(error instanceof CannotScoreError)) throw error;
    err(`ptn-devnet: ${error.message}\n`);
    return EXIT.cannotScore;
  }
  const byForm = source.form === 'buckets' ? BUCKETS_GENERATION : DEFAULT_SCORING_GENERATION;
  const report = scoreSource(source, at ?? source.newestMs, SCORING_GENERATIONS[wanted ?? byForm]);
  err(linesText(problemLines(report.problems)));
  const miner = explain === undefined ? undefined : findMiner(report, explain);
  if (typeof miner === 'string') throw new UsageError(miner);
  if (json) out(reportJson(report, miner));
  else out(linesText(miner === undefined ? reportLines(report) : minerLines(report, miner)));
  return report.problems.length > 0 ? EXIT.withProblems : EXIT.scored;
}
