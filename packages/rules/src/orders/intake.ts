import { isJsonObject, positionPath, writePosition } from '@ptn-api/positions';
import type { JsonObject } from '@ptn-api/positions';
import type { Position } from '@ptn-api/protocol';
import { PAIRS } from '../trade-pairs.ts';
import type { RulesPair } from '../trade-pairs.ts';
import { fillOrder } from './fill-order.ts';
import type {
  IntakeContext,
  MinerState,
  OrderTimestamp,
  SignalRequest,
  ValidatorState,
} from './intake-state.ts';
import { isMarketOpen } from './market-hours.ts';
import { orderPythonText } from './order-text.ts';
import type { FilledOrder } from './order-text.ts';
import * as refusals from './refusals.ts';
import { countRequest } from './request-window.ts';

/** What the validator sends back. */
export interface SignalAnswer {
  readonly successfully_processed: boolean;
  readonly error_message: string;
  readonly validator_hotkey: string;
  /** The order as Python prints it; empty where none came of the signal. */
  readonly order_json: string;
}

/** Files below PTN_ROOT, to be written first and removed then. All must be durable before the answer is sent. */
export interface FileChanges {
  readonly write: readonly { readonly path: string; readonly text: string }[];
  readonly remove: readonly string[];
}

export type IntakeResult =
  | {
      readonly ok: true;
      readonly answer: SignalAnswer;
      /** The order, and the position with it; absent for a FLAT where nothing is open. */
      readonly accepted?: { readonly order: FilledOrder; readonly position: Position };
      readonly files: FileChanges;
      readonly miner: MinerState;
      readonly timestamp: OrderTimestamp;
    }
  | {
      readonly ok: false;
      readonly answer: SignalAnswer;
      /** The sender is not registered: validators answer with 403, before they read the signal. */
      readonly isForbidden: boolean;
      readonly miner: MinerState;
    };

/** Uuids become names of files. */
const UUID = /^[A-Za-z0-9-]{1,64}$/;
const NO_FILES: FileChanges = { write: [], remove: [] };

function pairOf(signal: JsonObject, { generation }: ValidatorState): RulesPair | undefined {
  const pair = signal.get('trade_pair');
  const id = isJsonObject(pair) ? pair.get('trade_pair_id') : undefined;
  return typeof id === 'string' && generation.pairs.has(id) ? PAIRS.get(id) : undefined;
}

/** What is wrong before the signal is made an order, if anything is. */
function earlyRefusal(
  validator: ValidatorState,
  { hotkey, signal, uuid }: SignalRequest,
  pair: RulesPair | undefined,
  nowMs: number,
): string | undefined {
  const elimination = validator.eliminations.get(hotkey);
  if (elimination !== undefined) return refusals.eliminated(hotkey, elimination);
  if (signal.size === 0) return undefined;
  if (pair !== undefined) {
    if (!isMarketOpen(pair, nowMs)) return refusals.marketClosed(pair.id);
    if (validator.generation.haltedPairs.has(pair.id) || validator.haltedPairs.has(pair.id)) {
      return refusals.halted(pair.id);
    }
  }
  if (uuid === '') return undefined;
  if (validator.processedUuids.has(uuid)) return refusals.alreadyProcessed(uuid);
  return UUID.test(uuid) ? undefined : refusals.BAD_UUID;
}

function nextTimestamp(
  { timestamp, generation }: ValidatorState,
  nowMs: number,
): { readonly timestamp: OrderTimestamp; readonly isWritten: boolean } {
  const { writtenMs } = timestamp;
  const lastOrderMs = Math.max(timestamp.lastOrderMs, nowMs);
  const isWritten = writtenMs === undefined || nowMs - writtenMs > generation.timestampEveryMs;
  return { timestamp: { lastOrderMs, writtenMs: isWritten ? nowMs : writtenMs }, isWritten };
}

function filesOf(
  position: Position | undefined,
  isNew: boolean,
  timestampMs: number | undefined,
): FileChanges {
  if (position === undefined && timestampMs === undefined) return NO_FILES;
  const write: FileChanges['write'][number][] = [];
  const remove: string[] = [];
  if (position !== undefined) {
    write.push({ path: positionPath(position), text: writePosition(position) });
    if (position.is_closed_position && !isNew) {
      remove.push(positionPath({ ...position, is_closed_position: false }));
    }
  }
  if (timestampMs !== undefined) {
    write.push({ path: 'validation/timestamp.json', text: `{"timestamp": ${timestampMs}}` });
  }
  return { write, remove };
}

/** The miner's open positions after an order; a position keeps its place in their order. */
function withPosition(open: MinerState['openPositions'], position: Position): Map<string, Position> {
  const next = new Map(open);
  if (position.is_closed_position) next.delete(position.trade_pair[0]);
  else next.set(position.trade_pair[0], position);
  return next;
}

/**
 * Takes a signal as a validator does: every check in its order, the first that fails refuses it with its text.
 * The caller writes the files of what is accepted, only then keeps the miner's state, the timestamp and the order's uuid
 * ({@link rememberUuid}), and only then answers. Signals of one miner must be taken one after the other, each with the
 * state that the one before left.
 *
 * @throws RangeError where the stored orders of the open position cannot be accounted with the new one.
 */
export function takeSignal(
  validator: ValidatorState,
  miner: MinerState,
  request: SignalRequest,
  context: IntakeContext,
): IntakeResult {
  const { nowMs } = context;
  const { hotkey } = request;
  const answer = (error: string, orderJson = ''): SignalAnswer => ({
    successfully_processed: error === '',
    error_message: error,
    validator_hotkey: validator.hotkey,
    order_json: orderJson,
  });
  const refuse = (error: string, state: MinerState, isForbidden = false): IntakeResult => ({
    ok: false,
    answer: answer(error),
    isForbidden,
    miner: state,
  });
  if (!validator.registeredHotkeys.has(hotkey)) return refuse(refusals.unknownSender(hotkey), miner, true);
  if (validator.isStopping) return refuse(refusals.STOPPING, miner);
  const counted = countRequest(miner.signals, validator.generation.signalLimit, nowMs);
  if (!counted.ok) return refuse(refusals.rateLimited(counted.waitMs, 'SendSignal'), miner);
  const state: MinerState = { ...miner, signals: counted.window };
  const pair = pairOf(request.signal, validator);
  const early = earlyRefusal(validator, request, pair, nowMs);
  if (early !== undefined) return refuse(early, state);

  if (pair === undefined) {
    return refuse(refusals.processingError(hotkey, refusals.unknownPair(hotkey, request.signal)), state);
  }
  const filled = fillOrder(validator.generation, state, request, pair, context);
  if (filled.kind === 'refused') return refuse(refusals.processingError(hotkey, filled.error), state);
  const { timestamp, isWritten } = nextTimestamp(validator, nowMs);
  const timestampMs = isWritten ? timestamp.lastOrderMs : undefined;
  if (filled.kind === 'nothing-open') {
    const files = filesOf(undefined, false, timestampMs);
    return { ok: true, answer: answer(''), files, miner: state, timestamp };
  }
  const { order, position, isSlippageModelled } = filled;
  return {
    ok: true,
    answer: answer('', orderPythonText(order, pair.id, isSlippageModelled)),
    accepted: { order, position },
    files: filesOf(position, !state.openPositions.has(pair.id), timestampMs),
    miner: { ...state, openPositions: withPosition(state.openPositions, position) },
    timestamp,
  };
}
