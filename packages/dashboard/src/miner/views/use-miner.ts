import { useEffect, useReducer, useState } from 'preact/hooks';
import { minerReport } from '../model/miner-report.ts';
import type { MinerReport } from '../model/miner-report.ts';
import { readStatus } from '../model/miner-status.ts';
import type { MinerStatus } from '../model/miner-status.ts';

const READ_EVERY_MS = 5_000;
/** While validators are being asked. */
const ASKING_EVERY_MS = 1_000;
const TIMEOUT_MS = 20_000;

/** All that the page shows. */
export interface MinerState {
  /** `null` until the miner has answered. */
  readonly status: MinerStatus | null;
  readonly report: MinerReport | null;
  /** Why the miner was not reached the last time; `null`: it was. */
  readonly fault: string | null;
}

const EMPTY: MinerState = { status: null, report: null, fault: null };

async function readJson(path: string, leaving: AbortSignal): Promise<unknown> {
  const signal = AbortSignal.any([leaving, AbortSignal.timeout(TIMEOUT_MS)]);
  const response = await fetch(path, { signal, cache: 'no-store' });
  if (!response.ok) throw new Error(`it answers ${response.status}`);
  return await response.json();
}

/** Resolves after a while, and only once the page is visible: a page in the background asks for nothing. */
async function pause(durationMs: number, leaving: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const look = (): void => {
      if (document.hidden && !leaving.aborted) return;
      document.removeEventListener('visibilitychange', look);
      resolve();
    };
    const timer = setTimeout(() => {
      document.addEventListener('visibilitychange', look);
      look();
    }, durationMs);
    leaving.addEventListener('abort', () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', look);
      resolve();
    });
  });
}

/** Follows the miner for as long as the page is open. */
export function useMiner(): MinerState {
  const [state, change] = useReducer(
    (old: MinerState, part: Partial<MinerState>): MinerState => ({ ...old, ...part }),
    EMPTY,
  );
  useEffect(() => {
    const leaving = new AbortController();
    let shown = '';
    const read = async (): Promise<number> => {
      const status = readStatus(await readJson('status.json', leaving.signal), Date.now());
      // What did not change stays the same object, so that tables and charts stay as they are.
      if (status.dataId === shown) change({ status, fault: null });
      else {
        const report = minerReport(await readJson('miner-data', leaving.signal), status.hotkey);
        shown = status.dataId;
        change({ status, report, fault: null });
      }
      return status.isAsking ? ASKING_EVERY_MS : READ_EVERY_MS;
    };
    const follow = async (): Promise<void> => {
      while (!leaving.signal.aborted) {
        let pauseMs = READ_EVERY_MS;
        try {
          pauseMs = await read();
        } catch (error) {
          change({ fault: error instanceof Error ? error.message : String(error) });
        }
        await pause(pauseMs, leaving.signal);
      }
    };
    void follow();
    return () => {
      leaving.abort();
    };
  }, []);
  return state;
}

/** The time by this computer's clock, drawn anew each second. */
export function useNow(): number {
  const [nowMs, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => {
      setNow(Date.now());
    }, 1000);
    return () => {
      clearInterval(timer);
    };
  }, []);
  return nowMs;
}
