/** Says which call of the feed fails now, and how. One for each thread of each process. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { isMainThread, threadId } from 'node:worker_threads';
import {
  FOLDER_VARIABLE,
  noteAtStart,
  noteHit,
  oneOf,
  randomOf,
  readAtStart,
  readControl,
  readHits,
} from './fault-random-control.ts';
import type { Control } from './fault-random-control.ts';

const READ_CONTROL_MS = 20;
const READ_HITS_MS = 1000;
/** The first call of a thread fails this often where the site has never failed, and else this often. */
const FIRST_UNMET = 0.3;
const FIRST_MET = 0.03;
/** How often a start of the feed fails while there are sites that never failed at a start, and when there are none. */
const START_UNMET = 0.7;
const START_MET = 0.1;

const folder = process.env[FOLDER_VARIABLE] ?? '';
const clock = performance.now.bind(performance);
/** A timer that was chosen: what its callback calls next fails. */
const armed = new AsyncLocalStorage<{ site: string | null }>();

let control: Control = readControl(folder);
let controlReadMs = clock();
let hitsReadMs = -Infinity;
/** How often each kind of fault was met at each site, in all processes. */
let met = new Map<string, Map<string, number>>();
const lastCallMs = new Map<string, number>();
const fired = new Set<string>();
const noted = new Set<string>();
const random = randomOf(control.seed + process.pid * 31 + threadId);
/** Only the feed itself has a start that may fail as a whole. */
let isStarting = isMainThread;
let startTarget: string | undefined;

function refresh(): void {
  const now = clock();
  if (now - controlReadMs >= READ_CONTROL_MS) {
    controlReadMs = now;
    control = readControl(folder);
  }
  if (now - hitsReadMs < READ_HITS_MS) return;
  hitsReadMs = now;
  met = new Map();
  for (const { site, kind } of readHits(folder)) count(site, kind);
}

function count(site: string, kind: string): void {
  const kinds = met.get(site) ?? new Map<string, number>();
  kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  met.set(site, kinds);
}

/** Of the sites that are called while the feed starts, one that is to fail this time. */
function chooseStartTarget(): void {
  refresh();
  const atStart = [...readAtStart(folder)];
  const unmet = atStart.filter((site) => !met.has(site));
  if (random() < (unmet.length > 0 ? START_UNMET : START_MET))
    startTarget = oneOf(random, unmet.length > 0 ? unmet : atStart);
}

if (isStarting && control.isOn) chooseStartTarget();

/** The feed is ready: from now on everything may fail. */
export function started(): void {
  isStarting = false;
}

function isDue(site: string): boolean {
  if (control.targets.includes(site) && !met.has(site)) return true;
  if (isStarting) return site === startTarget && !fired.has(site);
  const now = clock();
  const last = lastCallMs.get(site);
  lastCallMs.set(site, now);
  if (last === undefined) return random() < (met.has(site) ? FIRST_MET : FIRST_UNMET);
  return random() < 1 - Math.exp(-(now - last) / control.meanMs);
}

/**
 * How this call fails; `undefined` if it does not.
 *
 * @param kinds in which it can fail; the one that was met least is taken.
 */
export function faultAt(site: string, kinds: readonly string[]): string | undefined {
  refresh();
  if (isStarting && !noted.has(site)) {
    noted.add(site);
    noteAtStart(folder, site);
  }
  if (!control.isOn) return undefined;
  const timer = armed.getStore();
  const isArmed = timer !== undefined && timer.site !== null && !isStarting;
  if (!isArmed && !isDue(site)) return undefined;
  fired.add(site);
  if (timer !== undefined && isArmed) {
    report(timer.site ?? '', 'what it calls fails');
    timer.site = null;
  }
  const timesMet = (kind: string): number => met.get(site)?.get(kind) ?? 0;
  const least = Math.min(...kinds.map(timesMet));
  const kind = oneOf(
    random,
    kinds.filter((name) => timesMet(name) === least),
  );
  if (kind !== undefined) report(site, kind);
  return kind;
}

function report(site: string, kind: string): void {
  count(site, kind);
  noteHit(folder, { site, kind });
}

/** Runs what a timer calls, and makes the next call in it fail that can. */
export function runArmed(site: string, callback: () => void): void {
  armed.run({ site }, callback);
}

export function isDenied(path: unknown): boolean {
  refresh();
  return control.unreadable.some((prefix) => String(path).startsWith(prefix));
}

/** Ms from 0 to `longest`. */
export function someMs(longest: number): number {
  return random() * longest;
}
