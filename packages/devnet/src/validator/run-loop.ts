import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { counted } from '@ptn-api/protocol';
import type { Logger } from 'pino';
import type { TradingLoop } from '../traders/trading-loop.ts';
import type { SimulatedClock } from './clock.ts';
import type { AxonPlace, Network } from './network.ts';
import type { Prices } from './prices.ts';
import type { RequestCounts } from './request-counts.ts';
import type { Schedule } from './schedule.ts';
import type { Validator } from './validator.ts';

/** Real time between two readings of the clock. */
const TICK_MS = 100;
/** Requests wait no longer than this for what the validator does by itself, and for the end of a step. */
const TURN_MS = 10;
const STATUS_EVERY_MS = 60_000;

export interface LoopParts {
  readonly log: Logger;
  readonly clock: SimulatedClock;
  readonly schedule: Schedule;
  readonly trading: TradingLoop;
  readonly network: Network;
  readonly place: AxonPlace;
  readonly validator: Validator;
  readonly counts: RequestCounts;
  readonly prices: Prices;
}

/** Does what is due, and lets requests have their turn in between. */
async function doDue({ schedule }: LoopParts, nowMs: number, signal: AbortSignal): Promise<void> {
  let turnMs = performance.now();
  const steps = schedule.steps(nowMs);
  while (steps.next().done !== true) {
    if (signal.aborted) return;
    if (performance.now() - turnMs < TURN_MS) continue;
    await nextTurn();
    turnMs = performance.now();
  }
}

function statusText({ clock, validator, counts, trading }: LoopParts): string {
  const open = validator.hotkeys().reduce((sum, hotkey) => sum + validator.openOf(hotkey).size, 0);
  const { accepted, refused, rejected } = counts;
  return (
    `${new Date(clock.nowMs()).toISOString()} in the simulation: ${counted(validator.registered.size, 'miner')}, ` +
    `${counted(open, 'open position')}, ${accepted} requests accepted, ${refused} refused, ${rejected} rejected` +
    (trading.unanswered === 0 ? '' : `, ${trading.unanswered} of simulated miners not answered`)
  );
}

/** The validator's life from its start until the signal. */
export async function runLoop(parts: LoopParts, signal: AbortSignal): Promise<void> {
  const { log, clock, trading, network, place, validator, prices } = parts;
  let statusMs = performance.now();
  let isOver = false;
  while (!signal.aborted) {
    if (network.hasChanged(place)) validator.setRegistered(network.hotkeys());
    await doDue(parts, clock.nowMs(), signal);
    trading.tick(clock.nowMs());
    if (!isOver && clock.nowMs() >= prices.span.toMs) {
      isOver = true;
      log.warn('the prices are at their end: orders are refused from now on');
    }
    if (performance.now() - statusMs >= STATUS_EVERY_MS) {
      statusMs = performance.now();
      log.info(statusText(parts));
    }
    // It rejects when the signal comes.
    await delay(TICK_MS, undefined, { signal }).catch(() => undefined);
  }
}
