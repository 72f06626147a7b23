import { UsageError } from '@ptn-api/simulator';
import type { DevnetState } from './state-file.ts';
import type { Prices } from './prices.ts';

/** What of the command line must fit to a folder that an earlier run has left. */
export interface AskedSettings {
  readonly seed: number | undefined;
  readonly generation: string | undefined;
  /** Path of a file of candles. */
  readonly prices: string | undefined;
}

export type RunSettings = Pick<DevnetState, 'seed' | 'generation' | 'prices'>;

const DEFAULTS = { seed: 1, generation: '2025-05' } as const;

/** @throws UsageError where the folder was made with others. */
export function settingsOf(asked: AskedSettings, state: DevnetState | undefined): RunSettings {
  const settings = {
    seed: asked.seed ?? state?.seed ?? DEFAULTS.seed,
    generation: asked.generation ?? state?.generation ?? DEFAULTS.generation,
    prices: asked.prices === undefined ? 'random' : 'candles',
  };
  if (state === undefined) return settings;
  for (const name of ['seed', 'generation'] as const) {
    if (settings[name] !== state[name]) {
      throw new UsageError(
        `--${name} ${settings[name]}: the folder was made with ${state[name]}; leave it out, or choose a new folder`,
      );
    }
  }
  if (settings.prices !== state.prices) {
    const problem =
      state.prices === 'candles'
        ? 'needs the --prices that it'
        : 'has random prices, without --prices, as it';
    throw new UsageError(`the folder ${problem} was made with; give the same, or choose a new folder`);
  }
  return settings;
}

const MAX_AHEAD_MS = 60_000;

export interface StartTime {
  /** Unix ms. */
  readonly startMs: number;
  /** Whether simulated time is that of the world, so that it goes on while the validator does not run. */
  readonly isReal: boolean;
}

/**
 * When a run begins: where the folder's last one ended, else when it is asked for, else now or, with candles, as soon as
 * there is a price.
 *
 * @param nowMs the real time, Unix ms.
 * @throws UsageError where there are no prices at that time.
 */
export function startTimeOf(
  asked: { readonly startMs: number | undefined; readonly speed: number; readonly isCatchingUp: boolean },
  state: DevnetState | undefined,
  { span }: Pick<Prices, 'span'>,
  nowMs: number,
): StartTime {
  const mayBeReal = asked.speed === 1 && asked.startMs === undefined && !asked.isCatchingUp;
  const isReal = mayBeReal && (state?.isReal ?? span.toMs === Infinity);
  const newMs = asked.startMs ?? (span.toMs === Infinity ? nowMs : span.fromMs);
  const oldMs = state?.clockMs ?? -Infinity;
  const startMs = isReal ? Math.max(oldMs, nowMs) : (state?.clockMs ?? newMs);
  // After a crash it is ahead by what was reserved, for which it stands still.
  if (asked.isCatchingUp && startMs > nowMs + MAX_AHEAD_MS) {
    throw new UsageError(
      `--catch-up: it is ${new Date(startMs).toISOString()} in the simulation, which is ahead of the world: leave it out`,
    );
  }
  if (startMs >= span.fromMs && startMs < span.toMs) return { startMs, isReal };
  const text = (timeMs: number): string => new Date(timeMs).toISOString();
  throw new UsageError(
    `it is ${text(startMs)} (${startMs}) in the simulation, and the prices are from ${text(span.fromMs)} ` +
      `(${span.fromMs}) to ${text(span.toMs)} (${span.toMs}): --start-ms, or other prices`,
  );
}
