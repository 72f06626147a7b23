import type { MinerPositions, Tier } from '@ptn-api/protocol';
import type { ChangesAnswer, PositionsAnswer } from './rest-answer.ts';
import { PtnRestError } from './rest-error.ts';

export interface WatchPositionsOptions {
  /** 100 by default. */
  readonly tier?: Tier;
  /** From one answer to the next request; a second is enough for an answer never older than about two. */
  readonly everyMs: number;
  /** The generation of the last update that the caller has. */
  readonly since?: number;
  readonly signal?: AbortSignal;
}

/** What changed in the positions. Given only where something did, and first of all with every miner. */
export interface PositionsUpdate {
  /** True: `miners` is everything there is. False: it holds the miners that changed, each as a whole. */
  readonly isFull: boolean;
  readonly miners: Readonly<Record<string, MinerPositions>>;
  /** Hotkeys that are no longer there. */
  readonly gone: readonly string[];
  readonly generation: number;
  readonly sequence: number | null;
  readonly epoch: string | null;
}

/** The two requests that positions are followed by. */
export interface PositionsSource {
  positions(options: { readonly tier: Tier; readonly signal?: AbortSignal }): Promise<PositionsAnswer>;
  positionsChanges(options: {
    readonly since: number;
    readonly tier: Tier;
    readonly signal?: AbortSignal;
  }): Promise<ChangesAnswer>;
}

/** See {@link PtnRestClient.watchPositions}. */
export async function* watchPositions(
  source: PositionsSource,
  { tier = 100, everyMs, since, signal }: WatchPositionsOptions,
): AsyncGenerator<PositionsUpdate, void, undefined> {
  if (!(everyMs >= 0)) throw new RangeError('everyMs must be a number of at least 0');
  const asked = { tier, ...(signal === undefined ? {} : { signal }) };
  let generation = since;
  while (signal?.aborted !== true) {
    let update: PositionsUpdate | null;
    try {
      update =
        generation === undefined ? await full(source, asked) : await changed(source, asked, generation);
    } catch (error) {
      // Read again: it can have been aborted while the request was under way.
      if (isAborted(signal)) return;
      throw error;
    }
    if (update !== null) {
      if (update.generation !== generation) yield update;
      generation = update.generation;
      await pause(everyMs, signal);
    } else {
      generation = undefined;
    }
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

interface Asked {
  readonly tier: Tier;
  readonly signal?: AbortSignal;
}

async function full(source: PositionsSource, asked: Asked): Promise<PositionsUpdate> {
  const { value, generation, sequence, epoch } = await source.positions(asked);
  if (generation === null) {
    // Without it nothing can be followed: some proxies drop headers, and browsers hide them from other origins.
    throw new PtnRestError('GET /miner-positions: the answer has no X-Generation header', {
      status: 200,
      code: null,
      requestId: null,
      retryAfterMs: null,
    });
  }
  return { isFull: true, miners: value, gone: [], generation, sequence, epoch };
}

/** `null` where the server no longer knows what changed since then. */
async function changed(
  source: PositionsSource,
  asked: Asked,
  since: number,
): Promise<PositionsUpdate | null> {
  try {
    const { value, sequence, epoch } = await source.positionsChanges({ ...asked, since });
    return {
      isFull: false,
      miners: value.miners,
      gone: value.gone,
      generation: value.generation,
      sequence,
      epoch,
    };
  } catch (error) {
    if (error instanceof PtnRestError && error.status === 410) return null;
    throw error;
  }
}

/** Resolves after this time, or as soon as the signal is aborted. */
function pause(durationMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, durationMs);
    signal?.addEventListener('abort', end, { once: true });
  });
}
