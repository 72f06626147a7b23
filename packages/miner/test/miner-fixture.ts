import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseJson, plainValue } from '@ptn-api/positions';
import { Keypair } from '@ptn-api/wire';
import { childPidsOf, freePort, isRunning, makeTemporaryFolder, waitFor } from '@ptn-api/testkit';
import type { TestScope } from '@ptn-api/testkit';
import { StrictValidator } from './strict-validator.ts';
import type { Behaviour } from './strict-validator.ts';

const COMMAND = fileURLToPath(new URL('../../../scripts/ptn-miner.mjs', import.meta.url));
export const API_KEY = 'a-key-that-nobody-may-read-in-a-log';

export interface MinerWorld {
  readonly folder: string;
  readonly mining: string;
  readonly keypair: Keypair;
  /** Of the hotkey `other`, for a second miner. */
  readonly otherKeypair: Keypair;
  readonly validators: readonly StrictValidator[];
  readonly port: number;
  /** Everything that any miner of this world printed. */
  output: string;
  /** Writes the metagraph file anew, by default with all validators. */
  readonly writeMetagraph: (validators?: readonly StrictValidator[], trusts?: readonly number[]) => void;
  readonly command: (
    ...args: readonly string[]
  ) => Promise<{ code: number | null; stdout: string; stderr: string }>;
  readonly start: (...args: readonly string[]) => RunningMiner;
  readonly filesOf: (name: 'received' | 'processed' | 'failed') => string[];
  readonly processed: (uuid: string) => { created_orders: Record<string, string> };
}

export interface RunningMiner {
  readonly pid: number;
  readonly ready: () => Promise<void>;
  readonly printed: () => string;
  /** Of its parts, in the order of their names. */
  readonly partPids: () => number[];
  readonly exited: Promise<number | null>;
  readonly stop: (signal?: NodeJS.Signals) => Promise<number | null>;
}

const seed = (number: number): Uint8Array => new Uint8Array(32).fill(number);

/** A miner with validators on this machine, nothing of it started yet. */
export async function makeMinerWorld(
  scope: TestScope,
  behaviours: readonly ((request: number) => Behaviour)[],
  lateMs = 1_000,
): Promise<MinerWorld> {
  const folder = makeTemporaryFolder(scope);
  const mining = join(folder, 'mining');
  const [keypair, otherKeypair] = [Keypair.fromSeed(seed(1)), Keypair.fromSeed(seed(2))];
  const validators = behaviours.map(
    (behaviour, index) =>
      new StrictValidator({
        hotkey: Keypair.fromSeed(seed(100 + index)).address,
        registered: [keypair.address, otherKeypair.address],
        behaviour,
        lateMs,
      }),
  );
  await Promise.all(validators.map((validator) => validator.listen()));
  scope.teardown(() => Promise.all(validators.map((validator) => validator.vanish())).then(() => undefined));
  const port = await freePort();
  mkdirSync(mining);
  writeFileSync(join(mining, 'miner_secrets.json'), JSON.stringify({ api_key: API_KEY }));
  const hotkeys = join(folder, 'wallets', 'w', 'hotkeys');
  mkdirSync(hotkeys, { recursive: true });
  for (const [name, number, { address: ss58Address }] of [
    ['h', 1, keypair],
    ['other', 2, otherKeypair],
  ] as const) {
    const secretSeed = `0x${Buffer.from(seed(number)).toString('hex')}`;
    writeFileSync(join(hotkeys, name), JSON.stringify({ secretSeed, ss58Address }), { mode: 0o600 });
  }
  const wallet = ['--wallet.path', join(folder, 'wallets'), '--wallet.name', 'w'];
  const metagraph = join(folder, 'metagraph.json');

  const world: MinerWorld = {
    folder,
    mining,
    keypair,
    otherKeypair,
    validators,
    port,
    output: '',
    writeMetagraph: (listed = validators, trusts = []) => {
      const neurons = listed.map((validator, index) => ({
        hotkey: validator.hotkey,
        stake_rao: '2000000000000',
        validator_trust: trusts[index] ?? 0.9,
        axon: { ip: '127.0.0.1', port: validator.port },
      }));
      writeFileSync(
        metagraph,
        JSON.stringify({
          netuid: 8,
          neurons: [{ hotkey: keypair.address }, { hotkey: otherKeypair.address }, ...neurons],
        }),
      );
    },
    command: (...args) =>
      new Promise((resolve) => {
        const child = spawn(process.execPath, [COMMAND, ...args], { cwd: folder });
        let [stdout, stderr] = ['', ''];
        child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
        child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
        child.once('close', (code) => {
          world.output += stdout + stderr;
          resolve({ code, stdout, stderr });
        });
      }),
    start: (...args) => {
      const child = spawn(
        process.execPath,
        [
          COMMAND,
          'run',
          ...wallet,
          '--netuid=8',
          ...(args.includes('--wallet.hotkey') ? [] : ['--wallet.hotkey', 'h']),
          ...(args.includes('--signals-port') ? [] : ['--signals-port', String(port)]),
          ...args,
        ],
        { cwd: folder },
      );
      let printed = '';
      const onData = (chunk: Buffer): void => {
        printed += chunk.toString();
        world.output += chunk.toString();
      };
      child.stdout.on('data', onData);
      child.stderr.on('data', onData);
      const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
      const pid = child.pid ?? 0;
      const stop = (signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> => {
        child.kill(signal);
        return exited;
      };
      scope.teardown(async () => {
        if (isRunning(pid)) await stop();
      });
      return {
        pid,
        exited,
        stop,
        partPids: () => childPidsOf(pid),
        printed: () => printed,
        ready: async () => {
          await waitFor(() => printed.includes('"part":"data"'), {
            what: () => `the miner is ready: ${printed}`,
          });
        },
      };
    },
    filesOf: (name) => {
      const path = join(mining, `${name}_signals`);
      return readdirSync(path);
    },
    processed: (uuid) =>
      plainValue(parseJson(readFileSync(join(mining, 'processed_signals', uuid), 'utf8'))) as {
        created_orders: Record<string, string>;
      },
  };
  world.writeMetagraph();
  return world;
}

/** Asks the signals server, without a key if that is what is tried. */
export async function postSignal(
  port: number,
  signal: Readonly<Record<string, unknown>>,
): Promise<{ status: number; body: string }> {
  const response = await fetch(`http://127.0.0.1:${port}/api/receive-signal`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ api_key: API_KEY, ...signal }),
  });
  return { status: response.status, body: await response.text() };
}
