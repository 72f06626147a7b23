import { scoreCommand } from '@ptn-api/devnet';
import { UsageError } from '@ptn-api/simulator';

/** What a run of `ptn-devnet score` gave. */
export interface ScoreRun {
  readonly code: number | string;
  readonly out: string;
  readonly err: string;
}

/** Runs `score` in this process; in what it prints `ROOT` is in place of `root`. */
export function score(args: readonly string[], root: string): ScoreRun {
  let [out, err] = ['', ''];
  let code: number;
  try {
    code = scoreCommand(args, { out: (text) => (out += text), err: (text) => (err += text) });
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    code = 2;
    err += `ptn-devnet: ${error.message}\n`;
  }
  return { code, out: out.replaceAll(root, 'ROOT'), err: err.replaceAll(root, 'ROOT') };
}
