/** Runs a whole server whose feed fails at random, and says what must not happen: for bench/feed-faults.mjs. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';
import { childPidsOf, makePtnRoot, makeTemporaryFolder, waitFor } from '@ptn-api/testkit';
import type { PtnRoot, TestScope } from '@ptn-api/testkit';
import { AnswerWatch, faultsOfStream, Follower, KEYS } from './fault-random-clients.ts';
import type { Address } from './fault-random-clients.ts';
import { FOLDER_VARIABLE, randomOf, readHits, writeControl } from './fault-random-control.ts';
import type { Control } from './fault-random-control.ts';
import { expectedDocuments, expectedPositions, firstDifference } from './fault-random-expected.ts';
import { isAlwaysCalled, sitesOfFeed } from './fault-random-sites.ts';
import type { Site } from './fault-random-sites.ts';
import { Validator } from './fault-random-validator.ts';
import type { Source } from './fault-random-validator.ts';

/** The feed may be waiting for its next start, or for its next attempt. */
const SETTLE_MS = 90_000;

export interface ServerUnderFaults extends Address {
  readonly pid: number;
  output(): string;
}

export interface RunOptions {
  readonly scope: TestScope;
  readonly seed: number;
  /** A call that is made all the time fails about this often. */
  readonly meanMs: number;
  readonly stepMs: number;
  /** The feed is killed about this often. */
  readonly killEveryMs: number;
}

export class FaultRun {
  readonly breaches: string[] = [];
  readonly validator: Validator;
  readonly root: PtnRoot;
  follower = new Follower();
  server: ServerUnderFaults | undefined;
  /** Answers that were asked for, and those whose claim was held against the stream. */
  answers = 0;
  checked = 0;
  orders = 0;
  kills = 0;
  readonly #sites: readonly Site[] = sitesOfFeed();
  readonly #options: RunOptions;
  readonly #folder: string;
  readonly #random: () => number;
  #control: Control;
  readonly #servers: ServerUnderFaults[] = [];

  /** A root with a history, whose orders are in the outputs file or in the tree. No server runs yet. */
  constructor(options: RunOptions, source: Source) {
    const { scope, seed, meanMs } = options;
    this.#options = options;
    this.#random = randomOf(seed);
    this.root = makePtnRoot(scope, { keys: KEYS });
    this.#folder = makeTemporaryFolder(scope);
    this.#control = { isOn: false, meanMs, seed, unreadable: [], targets: [] };
    this.control({});
    this.validator = new Validator(
      {
        root: this.root,
        random: this.#random,
        isDelivered: (uuid) => this.follower.delivered.has(uuid),
        deny: (unreadable) => {
          this.control({ unreadable });
        },
      },
      source,
    );
    scope.teardown(() => {
      this.follower.stop();
    });
  }

  /** What the server is started with, so that its feed fails as this says. */
  get env(): Record<string, string> {
    const preload = new URL('./fault-random-preload.js', import.meta.url).href;
    return { NODE_OPTIONS: `--import=${preload}`, [FOLDER_VARIABLE]: this.#folder };
  }

  /** Goes on with this server. */
  async use(server: ServerUnderFaults): Promise<void> {
    this.server = server;
    this.#servers.push(server);
    if (this.#servers.length === 1) await this.follow();
  }

  /** A new client of the stream takes the place of the one before. */
  async follow(): Promise<void> {
    this.follower.stop();
    this.follower = new Follower();
    this.validator.placed.clear();
    this.follower.start(() => this.#running);
    await waitFor(() => this.follower.epoch !== undefined, { what: 'a client of the stream' });
  }

  get #running(): ServerUnderFaults {
    if (this.server === undefined) throw new Error('no server was given to this run');
    return this.server;
  }

  control(changes: Partial<Control>): void {
    this.#control = { ...this.#control, ...changes };
    writeControl(this.#folder, this.#control);
  }

  /** Everything fails at random for so long, while orders are placed; then nothing does, and all must be right. */
  async faulty(forMs: number): Promise<void> {
    const watch = new AnswerWatch({
      address: () => this.#running,
      follower: this.follower,
      placed: this.validator.placed,
      absent: this.validator.absent,
    });
    this.control({ isOn: true });
    const untilMs = performance.now() + forMs;
    while (performance.now() < untilMs) {
      await this.validator.step();
      if (this.#random() < this.#options.stepMs / this.#options.killEveryMs) this.killFeed();
      await delay(this.#options.stepMs);
    }
    this.control({ isOn: false });
    await this.settle();
    await watch.stop();
    this.breaches.push(...watch.breaches);
    this.orders = Math.max(this.orders, this.follower.last);
    this.answers += watch.answers;
    this.checked += watch.checked;
  }

  killFeed(): void {
    for (const pid of childPidsOf(this.#running.pid)) {
      try {
        if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('/feed/dist/main.js')) continue;
        process.kill(pid, 'SIGKILL');
        this.kills += 1;
      } catch (error) {
        // It ended by itself meanwhile.
        const { code = '' } = error as NodeJS.ErrnoException;
        if (!['ENOENT', 'ESRCH'].includes(code)) throw error;
      }
    }
  }

  /** Kills the feed and waits until a new one is ready. */
  async restartFeed(): Promise<void> {
    const starts = (): number => this.#running.output().split('worker feed is ready').length;
    const before = starts();
    this.killFeed();
    await waitFor(() => starts() > before, { timeoutMs: SETTLE_MS, what: 'a new feed is ready' });
  }

  /** Waits until REST equals the files and the stream has every order; what is not so in the end is a breach. */
  async settle(): Promise<void> {
    this.validator.settle();
    let wrong = 'nothing was asked';
    try {
      await waitFor(async () => (wrong = await this.#wrongNow()) === '', {
        timeoutMs: SETTLE_MS,
        what: () => wrong,
      });
    } catch (error) {
      this.breaches.push(`never right again: ${inspect(error)}`);
    }
    this.validator.forgetAbsences();
  }

  async #get(path: string, tier: number): Promise<{ text: string; sequence: string | null }> {
    const response = await fetch(this.#running.url + path, {
      headers: { Authorization: `Bearer key-${tier}` },
    });
    return { text: await response.text(), sequence: response.headers.get('x-sequence') };
  }

  /** What differs now between the files, REST and the stream; empty if nothing does. */
  async #wrongNow(): Promise<string> {
    const [streamFault] = faultsOfStream(this.follower, this.validator.placed);
    if (streamFault !== undefined) return `stream: ${streamFault}`;
    const before = expectedPositions(this.root.path, this.validator.source, Date.now());
    for (const [tier, expected] of before) {
      const { text, sequence } = await this.#get(`/miner-positions?tier=${tier}`, tier);
      if (text !== expected) return `tier ${tier}: ${firstDifference(text, expected)}`;
      if (tier === 100 && (sequence === null || Number(sequence) < this.#leastClaim()))
        return `X-Sequence is ${sequence ?? 'missing'}, and the stream is at ${this.follower.last}`;
    }
    for (const [path, expected] of expectedDocuments(this.root.path)) {
      const { text } = await this.#get(path, 100);
      if (JSON.stringify(JSON.parse(text)) !== JSON.stringify(expected)) return `${path}: ${text}`;
    }
    return '';
  }

  /** Every order is in the files, but for those of positions that were taken away: after a start they are waited for. */
  #leastClaim(): number {
    const { placed, absent } = this.validator;
    const first = this.follower.orders.findIndex((uuid) => absent.has(placed.get(uuid)?.positionUuid ?? ''));
    return first === -1 ? this.follower.last : this.follower.base + first;
  }

  /** How often each site failed, in which ways, and what failed that is no site. */
  table(): {
    readonly counts: ReadonlyMap<Site, ReadonlyMap<string, number>>;
    readonly unknown: readonly string[];
  } {
    const byKey = new Map(this.#sites.map((site) => [site.key, site]));
    const counts = new Map<Site, Map<string, number>>(this.#sites.map((site) => [site, new Map()]));
    const unknown = new Set<string>();
    for (const { site: key, kind } of readHits(this.#folder)) {
      const site = byKey.get(key);
      if (site === undefined) unknown.add(key);
      else counts.get(site)?.set(kind, (counts.get(site)?.get(kind) ?? 0) + 1);
    }
    return { counts, unknown: [...unknown] };
  }

  /** The sites that never failed. */
  unmet(): Site[] {
    const unmet = [...this.table().counts].filter(([, kinds]) => kinds.size === 0).map(([site]) => site);
    return unmet.filter(isAlwaysCalled);
  }

  /** Why workers ended by themselves, and how often: at a start, or by an error that nobody caught. */
  ends(): Map<string, number> {
    const ends = new Map<string, number>();
    for (const line of this.#servers.flatMap((server) => server.output().split('\n'))) {
      if (!/"event":"worker-(?:start-failed|fault)"/.test(line)) continue;
      const { name, event, err } = JSON.parse(line) as {
        name: string;
        event: string;
        err: { message: string; stack: string };
      };
      const at = /\/packages\/(\S+?:\d+)/.exec(err.stack)?.[1] ?? '';
      const message = err.message.replaceAll(this.root.path, '').replaceAll(/\d{3,}/g, 'N');
      const what = `${name} ${event}: ${message.slice(0, 150)} (${at})`;
      ends.set(what, (ends.get(what) ?? 0) + 1);
    }
    return ends;
  }

  restarts(): number {
    const crashes = this.#servers.map((server) =>
      server.output().match(/"worker":"feed","event":"worker-crashed"/g),
    );
    return crashes.reduce((sum, found) => sum + (found?.length ?? 0), 0);
  }

  /** Everything that was wrong. An error that nobody caught ends a worker, and is wrong in any case. */
  faults(): string[] {
    const uncaught = [...this.ends().keys()].filter((what) => what.includes('worker-fault'));
    return [...new Set([...this.breaches, ...uncaught, ...this.follower.breaches])];
  }
}
