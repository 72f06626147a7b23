import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TIERS } from '@ptn-api/protocol';
import type { Tier } from '@ptn-api/protocol';
import { StartError } from '@ptn-api/runtime';
import type { ByRole } from '@ptn-api/supervisor';

/** How long the simulated validator may take to stop. */
const STOP_WITHIN_MS = 5000;
/** The newest form of records: newcomers see what validators write today. */
const DEMO_GENERATION = '2026';
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A simulated validator that runs in a temporary folder. */
export interface Demo {
  /** The PTN_ROOT it writes; holds a key file too. */
  readonly root: string;
  /** One key for each tier. */
  readonly keys: ReadonlyMap<Tier, string>;
  /** Resolves when the simulated validator ends, with how. */
  readonly ended: Promise<string>;
  /** Whether this process was asked to stop since the demo began. */
  isInterrupted(): boolean;
  /** Ends the simulated validator and removes the folder. */
  stop(): Promise<void>;
}

/**
 * Starts a simulated validator and waits until it has written its history. It ends by itself if this process has ended.
 *
 * @returns undefined if this process was asked to stop meanwhile; nothing is left then.
 * @throws StartError when it does not start.
 */
export async function startDemo(): Promise<Demo | undefined> {
  const signals = holdSignals();
  const root = mkdtempSync(join(tmpdir(), 'ptn-api-demo-'));
  const keys = new Map(TIERS.map((tier) => [tier, `demo-tier-${tier}-${randomBytes(12).toString('hex')}`]));
  writeKeyFile(root, keys);

  // In a process group of its own: Ctrl-C is for the server, which stops the validator when it has stopped itself.
  const modulePath = fileURLToPath(import.meta.resolve('@ptn-api/simulator/main'));
  const validator = fork(modulePath, ['--root', root, '--generation', DEMO_GENERATION], {
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ready = new Promise<'ready'>((resolve) => {
    validator.once('message', () => {
      resolve('ready');
    });
  });
  const ended = new Promise<string>((resolve) => {
    validator.once('error', (error) => {
      // One that could not be started has no exit either.
      if (validator.pid === undefined) resolve(error.message);
    });
    validator.once('exit', (code, signal) => {
      resolve(code === null ? `it was ended by ${String(signal)}` : `it ended with exit code ${code}`);
    });
  });

  async function stop(): Promise<void> {
    const timer = setTimeout(() => validator.kill('SIGKILL'), STOP_WITHIN_MS);
    validator.kill('SIGTERM');
    await ended;
    clearTimeout(timer);
    rmSync(root, { recursive: true, force: true });
    signals.release();
  }

  const outcome = await Promise.race([ready, signals.received, ended]);
  if (outcome === 'ready') return { root, keys, ended, isInterrupted: signals.isReceived, stop };
  await stop();
  if (outcome === 'interrupted') return undefined;
  throw new StartError('PTN_ERR_START_WORKER', { worker: 'simulated validator', detail: outcome });
}

/** Signals no longer end this process, which has a folder to remove first; resolves when the first one came. */
function holdSignals(): {
  readonly received: Promise<'interrupted'>;
  readonly isReceived: () => boolean;
  readonly release: () => void;
} {
  let isReceived = false;
  let onSignal = (): void => undefined;
  const received = new Promise<'interrupted'>((resolve) => {
    onSignal = () => {
      isReceived = true;
      resolve('interrupted');
    };
  });
  for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
  return {
    received,
    isReceived: () => isReceived,
    release: () => {
      for (const signal of STOP_SIGNALS) process.off(signal, onSignal);
    },
  };
}

function writeKeyFile(root: string, keys: ReadonlyMap<Tier, string>): void {
  const folder = join(root, 'ptn_api');
  const entries = [...keys].map(([tier, key]) => [`demo-tier-${tier}`, { key, tier }]);
  mkdirSync(folder);
  writeFileSync(join(folder, 'api_keys.json'), JSON.stringify(Object.fromEntries(entries), null, 2), {
    mode: 0o600,
  });
}

/** What a newcomer can do with the running demo. */
export function demoText({ root, keys }: Pick<Demo, 'root' | 'keys'>, urls: ByRole<string>): string {
  const key = (tier: Tier): string => keys.get(tier) ?? '';
  const curl = (tier: Tier, path: string): string =>
    `  curl --compressed -H 'Authorization: Bearer ${key(tier)}' '${urls.rest}${path}'`;
  return `
A simulated validator trades in ${root}
and the server answers at ${urls.rest}
(WebSocket clients connect to ${urls.ws})
Open ${urls.rest}/dashboard in a browser, with the key of tier 100.

Keys:
${TIERS.toReversed()
  .map((tier) => `  tier ${String(tier).padEnd(3)}  ${key(tier)}`)
  .join('\n')}

Try:
${curl(100, '/miner-hotkeys')}
${curl(100, '/miner-positions')}
${curl(30, '/miner-positions?tier=30')}
${curl(0, '/statistics?checkpoints=false')}
  curl '${urls.rest}/healthz'

Ctrl-C stops both and removes the folder.

`;
}
