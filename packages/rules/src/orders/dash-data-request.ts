import {
  comparePositions,
  findMember,
  joinMembers,
  putMember,
  quote,
  sliceArray,
  summaryFields,
  summaryText,
  writePosition,
} from '@ptn-api/positions';
import type { Position } from '@ptn-api/protocol';
import type { MinerState, ValidatorState } from './intake-state.ts';
import * as refusals from './refusals.ts';
import { countRequest } from './request-window.ts';

/** What a validator has for a miner's dashboard; asked for only if the request is not refused. */
export interface DashDataSources {
  /** The text of `runnable/minerstatistics.json`; undefined where there is none. */
  readonly statistics: () => string | undefined;
  /** The text of `validation/challengeperiod.json`; undefined where there is none. */
  readonly challengePeriod: () => string | undefined;
  /** The miner's positions, open and closed. */
  readonly positions: () => readonly Position[];
}

export interface DashDataAnswer {
  readonly successfully_processed: boolean;
  readonly error_message: string;
  /** JSON. */
  readonly data: string;
}

export interface DashDataResult {
  readonly answer: DashDataAnswer;
  /** The sender is not registered: validators answer with 403. */
  readonly isForbidden: boolean;
  readonly miner: MinerState;
}

const NO_DATA = '{}';
const NO_PERIODS = '{"testing": {}, "success": {}}';
const SOURCES_SHOWN_MS = 7 * 86_400_000;
/** Validators of this generation look back so far for `thirty_day_returns`. */
const LOOK_BACK_MS = 90 * 86_400_000;

/** Of the statistics, only the element of one miner. `isKnown` says whether there is one. */
function statisticsOf(text: string, hotkey: string): { readonly text: string; readonly isKnown: boolean } {
  const data = findMember(text, 0, 'data');
  const own = (data === undefined ? [] : sliceArray(text, data.valueStart)).find(({ start }) => {
    const name = findMember(text, start, 'hotkey');
    return name !== undefined && text.slice(name.valueStart, name.valueEnd) === quote(hotkey);
  });
  const element = own === undefined ? '' : text.slice(own.start, own.end);
  return { text: putMember(text, 0, 'data', `[${element}]`), isKnown: own !== undefined };
}

/** Old orders are shown without the sources of their prices, and open positions as closed at 0. */
function shown(position: Position, nowMs: number): Position {
  return {
    ...position,
    close_ms: position.close_ms ?? 0,
    orders: position.orders.map((order) =>
      order.processed_ms < nowMs - SOURCES_SHOWN_MS ? { ...order, price_sources: [] } : order,
    ),
  };
}

function positionsText(positions: readonly Position[], nowMs: number): string {
  const summarized = positions
    .map((position) => ({
      position,
      openMs: position.open_ms,
      closeMs: position.is_closed_position ? position.close_ms : null,
      positionUuid: position.position_uuid,
      returnAtClose: position.return_at_close,
    }))
    .sort(comparePositions);
  const list = summarized.map(({ position }) => writePosition(shown(position, nowMs))).join(', ');
  return `{"positions": [${list}], ${summaryText(summaryFields(summarized, nowMs, LOOK_BACK_MS))}}`;
}

/**
 * Answers a request for what the sender's dashboard shows: its statistics, its positions, and who is in the challenge
 * period. Those who are eliminated are answered as well. `nowMs` is Unix ms.
 *
 * @throws JsonSyntaxError where the statistics are no JSON.
 */
export function answerDashData(
  validator: ValidatorState,
  miner: MinerState,
  hotkey: string,
  nowMs: number,
  sources: DashDataSources,
): DashDataResult {
  const reply = (error: string, state: MinerState, data = NO_DATA, isForbidden = false): DashDataResult => ({
    answer: { successfully_processed: error === '', error_message: error, data },
    isForbidden,
    miner: state,
  });
  if (!validator.registeredHotkeys.has(hotkey)) {
    return reply(refusals.unknownSender(hotkey), miner, NO_DATA, true);
  }
  if (validator.isStopping) return reply(refusals.STOPPING, miner);
  const counted = countRequest(miner.dashDataRequests, validator.generation.dashDataLimit, nowMs);
  if (!counted.ok) return reply(refusals.rateLimited(counted.waitMs, 'GetDashData'), miner);
  const state: MinerState = { ...miner, dashDataRequests: counted.window };
  const statistics = sources.statistics();
  if (statistics === undefined) return reply(refusals.noStatisticsFile(hotkey), state);
  const own = statisticsOf(statistics, hotkey);
  const { lastOrderMs } = validator.timestamp;
  const data = joinMembers([
    ['timestamp', String(lastOrderMs === 0 ? -1 : lastOrderMs)],
    ['statistics', own.text],
    ['challengeperiod', sources.challengePeriod() ?? NO_PERIODS],
    ['positions', joinMembers([[hotkey, positionsText(sources.positions(), nowMs)]])],
  ]);
  return reply(own.isKnown ? '' : refusals.noStatistics(validator.hotkey, hotkey), state, data);
}
