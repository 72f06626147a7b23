import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { hasDataFile } from './data-file.ts';
import type { OrderLogState } from './order-log.ts';

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

/** Who reads an entry has read it by then, from any disk: a damaged file can send the engine round and round. */
const HALTED_MS = 60_000;
/** Counted rather than timed: behind a stop of all processes (Ctrl-Z), whoever is asked has been silent for long. */
const SILENT_CHECKS = 10;

/**
 * Reads the whole log, in a process of its own: the engine maps the file and trusts it, so that a damaged one can end
 * the process that reads it, or halt it. Writes, and takes it back: not for a log that another process writes.
 *
 * @param haltedMs a process that says nothing for so long is taken for halted, and killed
 */
export async function checkLog(path: string, haltedMs = HALTED_MS): Promise<LogCheck> {
  const { said, signal, reason, isHalted } = await runApart('log-check-process.js', path, haltedMs);
  if (isHalted) return { result: 'damaged', reason: `reading it got nowhere for ${haltedMs / 1000} s` };
  if (said !== undefined) return JSON.parse(said) as LogCheck;
  return { result: CRASHES.includes(signal) ? 'damaged' : 'failed', reason };
}

/**
 * Which part of the stream the log holds, read in a process of its own, whoever writes it meanwhile.
 *
 * @returns undefined where there is none
 * @throws Error with why it cannot be read
 */
export async function stateOfLog(path: string): Promise<OrderLogState | undefined> {
  if (!hasDataFile(path)) return undefined;
  const { said, reason } = await runApart('log-state-process.js', path);
  if (said === undefined) throw new Error(`the order log ${path} cannot be read: ${reason}`);
  return JSON.parse(said) as OrderLogState;
}

/** Runs a program of this folder on a log. What it `said` counts if it ended well; else `reason` says how it ended. */
async function runApart(name: string, path: string, haltedMs = HALTED_MS) {
  const program = fileURLToPath(new URL(`./${name}`, import.meta.url));
  const child = spawn(process.execPath, [program, path], { stdio: ['ignore', 'pipe', 'pipe'] });
  let isHalted = false;
  let silent = 0;
  const timer = setInterval(() => {
    silent += 1;
    if (silent < SILENT_CHECKS) return;
    isHalted = true;
    child.kill('SIGKILL');
  }, haltedMs / SILENT_CHECKS);
  child.stdout.on('data', () => {
    silent = 0;
  });
  const [said, complaint, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
  ]);
  clearInterval(timer);
  const reason = `reading it ended with ${signal ?? `exit code ${code ?? 'none'}`}: ${complaint.slice(-500).trim()}`;
  return { said: code === 0 ? said : undefined, signal, reason, isHalted };
}
