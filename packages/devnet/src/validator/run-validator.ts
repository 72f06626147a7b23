import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { GENERATION_2025_05 } from '@ptn-api/rules';
import { lockFolder } from '@ptn-api/runtime';
import { Keypair } from '@ptn-api/wire';
import type { Logger } from 'pino';
import { UsageError } from '@ptn-api/simulator';
import { LIVE_GENERATIONS } from '../scoring/live-generations.ts';
import { FILES_EVERY_MS, scoringRows } from '../scoring/scoring-rows.ts';
import { Scoring } from '../scoring/scoring.ts';
import { TradingLoop } from '../traders/trading-loop.ts';
import { Trader } from '../traders/trader.ts';
import { Axon } from './axon.ts';
import type { AxonReport } from './axon.ts';
import { AxonServer } from './axon-server.ts';
import { beginFolder } from './begin-folder.ts';
import { SimulatedClock } from './clock.ts';
import { DurableFolder } from './durable-folder.ts';
import { METAGRAPH_PATH, Network } from './network.ts';
import type { Prices } from './prices.ts';
import { RandomPrices } from './random-prices.ts';
import { readCandles } from './read-candles.ts';
import { RequestCounts } from './request-counts.ts';
import { runLoop } from './run-loop.ts';
import { settingsOf, startTimeOf } from './run-settings.ts';
import type { RunSettings } from './run-settings.ts';
import { Schedule } from './schedule.ts';
import { readState, writeState } from './state-file.ts';
import { Validator } from './validator.ts';
import { validatorRows } from './validator-rows.ts';

export interface RunOptions {
  readonly root: string;
  readonly seed: number | undefined;
  readonly generation: string | undefined;
  /** How many simulated miners there are. */
  readonly miners: number;
  /** How many of them are in the main competition of a new folder from the start; undefined for a third. */
  readonly founders: number | undefined;
  /** Path of a metagraph file with own miners. */
  readonly metagraph: string | undefined;
  /** Path of a file of candles. */
  readonly prices: string | undefined;
  /** Simulated seconds in a real one. */
  readonly speed: number;
  readonly startMs: number | undefined;
  /** Whether the clock stops running ahead when it is the time of the world, and is that from then on. */
  readonly isCatchingUp: boolean;
  readonly axonHost: string;
  readonly axonPort: number;
  /** Whether every request is logged. */
  readonly isVerbose: boolean;
}

export interface RunningValidator {
  readonly hotkey: string;
  readonly port: number;
  /** Path of the metagraph for miners. */
  readonly metagraph: string;
  /** Resolves when it has stopped. @throws what ended it. */
  readonly ended: Promise<void>;
  readonly stop: () => void;
}

/** The version of validators of the generation. */
const SUBNET_VERSION = '6.1.0';

/** The real time in Unix ns, which nonces are made of. */
function realNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n + (process.hrtime.bigint() % 1_000_000n);
}

/** The validator's own key, which its seed makes. */
function validatorHotkey(seed: number): string {
  return Keypair.fromSeed(createHash('sha256').update(`${seed}/validator/key`).digest()).address;
}

function reporter(log: Logger, counts: RequestCounts): (report: AxonReport) => void {
  return ({ fault, ...report }) => {
    counts.add(report);
    if (fault !== undefined) log.error({ err: fault, ...report }, 'a request could not be answered');
    else log.debug(report, report.problem === '' ? 'request answered' : 'request refused');
  };
}

interface World {
  readonly folder: DurableFolder;
  readonly settings: RunSettings;
  readonly prices: Prices;
  readonly clock: SimulatedClock;
}

/** What is there before anything runs. @throws UsageError, BadFolderError, PricesFileError */
async function makeWorld(options: RunOptions, log: Logger): Promise<World> {
  const folder = new DurableFolder(options.root);
  const state = readState(folder);
  const settings = settingsOf(options, state);
  const prices =
    options.prices === undefined ? new RandomPrices(settings.seed) : await readCandles(options.prices);
  if (options.prices !== undefined) {
    const [from, to] = [prices.span.fromMs, prices.span.toMs].map((timeMs) => new Date(timeMs).toISOString());
    log.info({ from, to, pairs: prices.pairIds }, 'replays candles');
  }
  const { startMs, isReal } = startTimeOf(options, state, prices, Date.now());
  if (state !== undefined && options.startMs !== undefined) {
    log.info(`--start-ms is for a new folder: this one goes on at ${new Date(startMs).toISOString()}`);
  }
  const { isCatchingUp } = options;
  const reserve = (clockMs: number): void => {
    // One that has caught up goes on with the world while it does not run.
    writeState(folder, { ...settings, clockMs, isReal: isReal || (isCatchingUp && clockMs >= Date.now()) });
  };
  reserve(startMs);
  const clock = new SimulatedClock({
    startMs,
    speed: options.speed,
    realMs: Date.now,
    latestMs: isCatchingUp ? Date.now : undefined,
    reserve,
    onReserveError: (error) => {
      log.error(`time stands still until the folder can be written: ${(error as Error).message}`);
    },
  });
  return { folder, settings, prices, clock };
}

async function listen(server: AxonServer, { axonHost: host, axonPort: port }: RunOptions): Promise<number> {
  try {
    return await server.listen(host, port);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(
      `orders cannot be taken at ${host}, port ${port} (${code}): choose another --axon-host or --axon-port`,
      { cause: error },
    );
  }
}

/** What scores the validator's miners. @throws UsageError, DamagedFileError */
function makeScoring(validator: Validator, { folder, settings, prices }: World, log: Logger): Scoring {
  const generation = LIVE_GENERATIONS.get(settings.generation);
  if (generation === undefined) {
    throw new UsageError(
      `the rules of ${settings.generation} pay by what only the live chain knows: choose another --root`,
    );
  }
  const scoring = new Scoring({
    validator,
    prices,
    folder,
    generation,
    version: SUBNET_VERSION,
    newUuid: randomUUID,
    say: (line) => {
      log.warn(line);
    },
  });
  scoring.load();
  return scoring;
}

/** Miners of this machine reach a validator that listens everywhere at its own address. */
function reachableIp(host: string): string {
  return host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
}

/**
 * Runs a validator with the simulated network around it, until it is stopped.
 *
 * @throws UsageError, BadFolderError, PricesFileError, MetagraphError, FolderInUseError, each with a message for the
 *   operator, and what the system says of the folder or the port.
 */
export async function runValidator(options: RunOptions, log: Logger): Promise<RunningValidator> {
  mkdirSync(options.root, { recursive: true });
  const unlock = await lockFolder(options.root, {
    name: 'ptn-devnet',
    inUse: `another validator runs in ${options.root}: choose another --root`,
  });
  const world = await makeWorld(options, log);
  const { folder, settings, prices, clock } = world;
  const warn = (text: string): void => {
    log.warn(text);
  };
  const hotkey = validatorHotkey(settings.seed);
  const generation = GENERATION_2025_05;
  const validator = new Validator({ hotkey, generation, folder, prices, newUuid: randomUUID, warn });
  validator.load();
  const traders = Array.from(
    { length: options.miners },
    (_, index) => new Trader({ seed: settings.seed, index, generation, prices }),
  );
  const hotkeys = traders.map((trader) => trader.hotkey);
  const { founders = Math.ceil(hotkeys.length / 3) } = options;
  beginFolder(folder, {
    version: SUBNET_VERSION,
    founders: hotkeys.slice(0, founders),
    startMs: clock.nowMs(),
  });
  const scoring = makeScoring(validator, world, log);
  const network = new Network({
    folder,
    validator: hotkey,
    traders: hotkeys,
    ownMiners: options.metagraph,
    warn,
  });

  const counts = new RequestCounts();
  const nowMs = (): number => clock.nowMs();
  const axon = new Axon({ validator, nowMs, nowNs: realNs, report: reporter(log, counts) });
  const server = new AxonServer(axon, (error) => {
    log.error({ err: error }, 'a request could not be answered');
  });
  validator.setRegistered(network.hotkeys());
  const port = await listen(server, options);
  const place = { ip: reachableIp(options.axonHost), port };
  const trading = new TradingLoop({
    traders,
    axon: { hotkey, ...place },
    openOf: (trader) => validator.openOf(trader),
    nowNs: realNs,
  });
  // In real time as often as validators write them: others read them.
  const scored = scoringRows(scoring, () => FILES_EVERY_MS * Math.max(1, clock.speed));
  const schedule = new Schedule([...validatorRows(validator), ...scored], (name, error) => {
    log.error(`${name}: ${error.message}`);
  });
  const stopping = new AbortController();
  const loop = runLoop(
    { ...{ log, clock, schedule, trading, network, place, validator, counts, prices } },
    stopping.signal,
  );
  const ended = (async () => {
    try {
      await loop;
    } finally {
      validator.stop();
      await trading.stop();
      // So that all files are of the same moment.
      new Schedule(scored, (name, error) => {
        log.error(`${name}: ${error.message}`);
      }).tick(clock.nowMs());
      await server.close();
      network.close();
      clock.stop();
      unlock();
    }
  })();
  return {
    hotkey,
    port,
    metagraph: join(options.root, METAGRAPH_PATH),
    ended,
    stop: () => {
      stopping.abort();
    },
  };
}
