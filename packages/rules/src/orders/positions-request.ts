import type { Position } from '@ptn-api/protocol';
import type { MinerState, ValidatorState } from './intake-state.ts';
import * as refusals from './refusals.ts';
import { countRequest } from './request-window.ts';

/** A miner's request for its own open positions. */
export interface PositionsRequest {
  readonly hotkey: string;
  /** Of the miner's program; 0 for programs that are too old. */
  readonly version: number;
}

export interface PositionsAnswer {
  readonly successfully_processed: boolean;
  readonly error_message: string;
  readonly validator_hotkey: string;
  readonly positions: readonly Position[];
}

export interface PositionsResult {
  readonly answer: PositionsAnswer;
  /** The sender is not registered: validators answer with 403. */
  readonly isForbidden: boolean;
  readonly miner: MinerState;
}

/** Answers a request for positions: the sender's open ones, or why there is no answer. `nowMs` is Unix ms. */
export function answerPositions(
  validator: ValidatorState,
  miner: MinerState,
  { hotkey, version }: PositionsRequest,
  nowMs: number,
): PositionsResult {
  const reply = (error: string, state: MinerState, isForbidden = false): PositionsResult => ({
    answer: {
      successfully_processed: error === '',
      error_message: error,
      validator_hotkey: validator.hotkey,
      positions: error === '' ? [...state.openPositions.values()] : [],
    },
    isForbidden,
    miner: state,
  });
  if (!validator.registeredHotkeys.has(hotkey)) return reply(refusals.unknownSender(hotkey), miner, true);
  if (validator.isStopping) return reply(refusals.STOPPING, miner);
  const counted = countRequest(miner.positionRequests, validator.generation.positionsLimit, nowMs);
  if (!counted.ok) return reply(refusals.rateLimited(counted.waitMs, 'GetPositions'), miner);
  const state: MinerState = { ...miner, positionRequests: counted.window };
  if (version === 0) return reply(refusals.OLD_MINER, state);
  const elimination = validator.eliminations.get(hotkey);
  return reply(elimination === undefined ? '' : refusals.eliminated(hotkey, elimination), state);
}
