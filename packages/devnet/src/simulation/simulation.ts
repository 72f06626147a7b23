import type { JsonObject } from '@ptn-api/positions';
import { GENERATION_2025_05 } from '@ptn-api/rules';
import { RESOLUTION_MS } from '@ptn-api/scoring';
import type { Generation } from '@ptn-api/scoring';
import { createRandom } from '@ptn-api/simulator';
import type { ClosePrices } from '../scoring/scored-validator.ts';
import { scoringRows } from '../scoring/scoring-rows.ts';
import { Scoring } from '../scoring/scoring.ts';
import { Trader } from '../traders/trader.ts';
import type { TraderCharacter } from '../traders/trader.ts';
import { beginFolder } from '../validator/begin-folder.ts';
import { DurableFolder } from '../validator/durable-folder.ts';
import { RandomPrices } from '../validator/random-prices.ts';
import { Schedule } from '../validator/schedule.ts';
import type { ScheduleRow } from '../validator/schedule.ts';
import { validatorRows } from '../validator/validator-rows.ts';
import { Validator } from '../validator/validator.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Miners decide at this rhythm… */
const STEP_MS = 5 * MINUTE_MS;
/** …and the validator does what is due at this one: shorter rhythms of its own become it. */
const VALIDATOR_STEP_MS = HOUR_MS;
/** Rows that cost most are done less often: ledgers are walked by the minute all the same. */
const RHYTHMS_MS: ReadonlyMap<string, number> = new Map([
  ['refresh of positions', DAY_MS],
  ['ledgers', 4 * HOUR_MS],
]);
/** Ledgers are walked from one of these to the next: between them prices stay. */
const CANDLE_MS = 5 * MINUTE_MS;

/** The prices that end a candle of five minutes, which are the same as those of a shorter one that ends with it. */
function sparse(prices: RandomPrices): ClosePrices {
  return {
    closeAt: (pairId, timeMs, resolution = 'minute') => {
      const isEnd = (timeMs + RESOLUTION_MS[resolution]) % CANDLE_MS === 0;
      return isEnd ? prices.closeAt(pairId, timeMs, resolution) : undefined;
    },
  };
}

/** Who takes part, in turns: most of them are careful enough to last for months, some win more than they lose. */
const CHARACTERS: readonly Partial<TraderCharacter>[] = [
  { skill: 0.7, appetite: 0.2 },
  { skill: 0.5, appetite: 0.1 },
  { skill: 0.6, appetite: 0.15 },
  // As chance makes it: many fall too deep.
  {},
];
const HOTKEY = 'simulated-validator';
const VERSION = '6.1.0';

export interface SimulationOptions {
  /** New or empty. */
  readonly root: string;
  readonly seed: number;
  readonly miners: number;
  /** How many of them are in the main competition from the start. */
  readonly founders: number;
  /** So many others copy a founder each, five minutes later. */
  readonly copiers: number;
  /** So many others are taken out of the metagraph in the middle of the time. */
  readonly leavers: number;
  /** Unix ms. */
  readonly startMs: number;
  readonly days: number;
  readonly generation: Generation;
  /** By default large files are written once a day. */
  readonly filesEveryMs?: number;
  /** What the validator does when, where something is to be done besides. */
  readonly rows?: (rows: readonly ScheduleRow[]) => readonly ScheduleRow[];
  /** Called at the end of each day, 1 for the first. */
  readonly onDay?: (day: number) => void;
}

/** A simulated miner, and whom it copies. */
interface Miner {
  readonly hotkey: string;
  readonly decide: (nowMs: number) => JsonObject | undefined;
}

/**
 * A network in one process, without sockets and without waiting: miners of unlike skill trade, and a validator takes their
 * orders, keeps ledgers, promotes, eliminates and pays. The same options give the same network.
 */
export class Simulation {
  readonly validator: Validator;
  readonly scoring: Scoring;
  /** Of the signals: how many the validator took, and how many it refused. */
  readonly signals = { accepted: 0, refused: 0 };
  readonly #options: SimulationOptions;
  readonly #schedule: Schedule;
  readonly #miners: readonly Miner[];
  /** What founders sent in the last minutes, to be copied. */
  #sent: { readonly founder: string; readonly signal: JsonObject }[] = [];
  #nowMs: number;

  constructor(options: SimulationOptions) {
    const { root, seed, generation, startMs, filesEveryMs = DAY_MS, rows } = options;
    this.#options = options;
    this.#nowMs = startMs;
    const folder = new DurableFolder(root, { isDurable: false });
    const prices = new RandomPrices(seed);
    const random = createRandom(`${seed}/simulation`);
    const newUuid = (): string => random.uuid();
    const fail = (line: string): never => {
      throw new Error(line);
    };
    this.validator = new Validator({
      ...{ hotkey: HOTKEY, generation: GENERATION_2025_05, folder, prices, newUuid, warn: fail },
    });
    this.#miners = this.#makeMiners(prices);
    beginFolder(folder, { version: VERSION, founders: this.founders, startMs });
    this.validator.load();
    this.validator.setRegistered(this.#miners.map(({ hotkey }) => hotkey));
    this.scoring = new Scoring({
      ...{
        validator: this.validator,
        prices: sparse(prices),
        folder,
        generation,
        version: VERSION,
        newUuid,
        say: fail,
      },
    });
    this.scoring.load();
    const all = [...validatorRows(this.validator), ...scoringRows(this.scoring, () => filesEveryMs)].map(
      (row) => ({
        ...row,
        everyMs: Math.max(row.everyMs, RHYTHMS_MS.get(row.name) ?? 0),
      }),
    );
    this.#schedule = new Schedule(rows?.(all) ?? all, (name, error) => {
      throw new Error(`${name}: ${error.message}`, { cause: error });
    });
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** The hotkeys of all: founders first, then those who copy them; those who leave are the last. */
  get miners(): readonly string[] {
    return this.#miners.map(({ hotkey }) => hotkey);
  }

  get founders(): readonly string[] {
    return this.miners.slice(0, this.#options.founders);
  }

  /** Lives through all days. */
  run(): void {
    const { startMs, days, leavers, onDay } = this.#options;
    const endMs = startMs + days * DAY_MS;
    const leaveMs = startMs + Math.floor(days / 2) * DAY_MS;
    while (this.#nowMs < endMs) {
      this.#trade();
      this.#nowMs += STEP_MS;
      if (this.#nowMs === leaveMs) this.#dismiss(leavers);
      if ((this.#nowMs - startMs) % VALIDATOR_STEP_MS === 0) this.#schedule.tick(this.#nowMs);
      if ((this.#nowMs - startMs) % DAY_MS === 0) onDay?.((this.#nowMs - startMs) / DAY_MS);
    }
  }

  #makeMiners(prices: RandomPrices): Miner[] {
    const { seed, miners, founders, copiers } = this.#options;
    const generation = GENERATION_2025_05;
    return Array.from({ length: miners }, (_, index): Miner => {
      const trader = new Trader({
        seed,
        index,
        generation,
        prices,
        character: CHARACTERS[index % CHARACTERS.length],
      });
      const { hotkey } = trader;
      const copied = index - founders;
      if (copied >= 0 && copied < copiers) {
        const founder = (): string => this.#miners[copied]?.hotkey ?? '';
        return { hotkey, decide: () => this.#sent.find((one) => one.founder === founder())?.signal };
      }
      return { hotkey, decide: (nowMs) => trader.decide(nowMs, this.validator.openOf(hotkey)) };
    });
  }

  /** Takes the last miners out of the metagraph. */
  #dismiss(count: number): void {
    const left = this.#miners.slice(0, this.#miners.length - count);
    this.validator.setRegistered(left.map(({ hotkey }) => hotkey));
  }

  #trade(): void {
    const sent: { founder: string; signal: JsonObject }[] = [];
    for (const { hotkey, decide } of this.#miners) {
      if (this.validator.eliminated.has(hotkey) || !this.validator.registered.has(hotkey)) continue;
      const signal = decide(this.#nowMs);
      if (signal === undefined) continue;
      const request = { hotkey, signal, uuid: '' };
      const { successfully_processed: isAccepted } = this.validator.submit(request, this.#nowMs);
      this.signals[isAccepted ? 'accepted' : 'refused'] += 1;
      if (isAccepted) sent.push({ founder: hotkey, signal });
    }
    this.#sent = sent;
  }
}
