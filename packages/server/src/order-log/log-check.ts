import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/** What the process of log-check-process.ts says about a log. */
export type LogCheck =
  | { readonly result: 'sound'; readonly isEmpty: boolean }
  | { readonly result: 'damaged'; readonly reason: string }
  | { readonly result: 'unreadable-version'; readonly found: string }
  /** Nothing is known about the log: no permission, no memory, … */
  | { readonly result: 'failed'; readonly reason: string };

/** How a process ends that trips over a damaged file: cut short, wild offsets, a failed assertion of the engine. */
const CRASHES: readonly (NodeJS.Signals | null)[] = [
  'SIGBUS',
  'SIGSEGV',
  'SIGABRT',
  'SIGILL',
  'SIGFPE',
  'SIGTRAP',
];

/**
 * Reads the whole log, in a process of its own: the engine maps the file and trusts it, so that a damaged one can end
 * the process that reads it.
 */
export async function checkLog(path: string): Promise<LogCheck> {
  const program = fileURLToPath(new URL('./log-check-process.js', import.meta.url));
  const child = spawn(process.execPath, [program, path], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [said, complaint, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
  ]);
  if (code === 0) return JSON.parse(said) as LogCheck;
  const reason = `checking it ended with ${signal ?? `exit code ${code ?? 'none'}`}: ${complaint.slice(-500).trim()}`;
  return { result: CRASHES.includes(signal) ? 'damaged' : 'failed', reason };
}
