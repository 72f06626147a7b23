import type { MinerPositions } from '@ptn-api/protocol';
import { useEffect, useReducer, useRef } from 'preact/hooks';
import type { MinerRow } from '../model/miners.ts';
import { restUrl, streamUrl } from '../model/place.ts';
import type { PageConfig } from '../model/place.ts';
import type { EliminationRow, StatisticsRow } from '../model/statistics.ts';
import { addToTape } from '../model/tape.ts';
import type { TapeRow } from '../model/tape.ts';
import type { FromWorker, ServerState, ToWorker } from '../worker/messages.ts';

/** All that the page shows. */
export interface Session {
  readonly phase: 'starting' | 'started' | 'failed';
  readonly failure: { readonly message: string; readonly isKeyRefused: boolean } | null;
  readonly state: ServerState | null;
  readonly restUrl: string;
  readonly wsUrl: string;
  readonly tape: readonly TapeRow[];
  readonly miners: readonly MinerRow[];
  /** The one that is watched; `miner` is `null` where there is none of that name. */
  readonly watched: { readonly hotkey: string; readonly miner: MinerPositions | null } | null;
  /** `null` until they were read; empty where the validator has written none. */
  readonly statistics: readonly StatisticsRow[] | null;
  /** When the validator wrote them, Unix ms by its clock. */
  readonly statisticsMs: number | null;
  readonly eliminations: readonly EliminationRow[] | null;
}

type Change = FromWorker | { readonly type: 'reset' } | { readonly type: 'address'; readonly wsUrl: string };

const EMPTY: Session = {
  phase: 'starting',
  failure: null,
  state: null,
  restUrl: restUrl(location.href),
  wsUrl: '',
  tape: [],
  miners: [],
  watched: null,
  statistics: null,
  statisticsMs: null,
  eliminations: null,
};

function changed(session: Session, change: Change): Session {
  switch (change.type) {
    case 'reset':
      return EMPTY;
    case 'address':
      return { ...session, wsUrl: change.wsUrl };
    case 'started':
      return { ...session, phase: 'started' };
    case 'failed': {
      const { message, isKeyRefused } = change;
      return { ...session, phase: 'failed', failure: { message, isKeyRefused } };
    }
    case 'state': {
      // A new order log numbers its orders anew.
      const isOtherLog = session.state !== null && session.state.epoch !== change.state.epoch;
      return { ...session, state: change.state, ...(isOtherLog ? { tape: [] } : {}) };
    }
    case 'orders':
      return { ...session, tape: addToTape(session.tape, change.rows) };
    case 'miners':
      return { ...session, miners: change.rows };
    case 'miner':
      return { ...session, watched: { hotkey: change.hotkey, miner: change.miner } };
    case 'statistics':
      return { ...session, statistics: change.rows, statisticsMs: change.writtenMs };
    case 'eliminations':
      return { ...session, eliminations: change.rows };
  }
}

async function readConfig(signal: AbortSignal): Promise<PageConfig> {
  const response = await fetch('config.json', { signal });
  if (!response.ok) throw new Error(`the server answers ${response.status} when asked for its addresses`);
  return (await response.json()) as PageConfig;
}

/**
 * Follows the server with a key, for as long as there is one; `watched` is the miner that is shown with positions. Begins
 * anew with every `attempt`.
 */
export function useSession(apiKey: string | null, watched: string | null, attempt: number): Session {
  const [session, dispatch] = useReducer(changed, EMPTY);
  const worker = useRef<Worker | null>(null);
  const wanted = useRef(watched);
  wanted.current = watched;

  useEffect(() => {
    dispatch({ type: 'reset' });
    if (apiKey === null) return undefined;
    const leaving = new AbortController();
    const started = new Worker(new URL('../worker/worker.ts', import.meta.url), { type: 'module' });
    const send = (message: ToWorker): void => {
      started.postMessage(message);
    };
    const fail = (message: string): void => {
      if (!leaving.signal.aborted) dispatch({ type: 'failed', message, isKeyRefused: false });
    };
    started.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
      dispatch(data);
    });
    started.addEventListener('error', (event) => {
      fail(`the page's worker failed: ${event.message}`);
    });
    readConfig(leaving.signal).then(
      (config) => {
        const wsUrl = streamUrl(config, location);
        dispatch({ type: 'address', wsUrl });
        send({ type: 'start', apiKey, restUrl: EMPTY.restUrl, wsUrl });
        send({ type: 'watch', hotkey: wanted.current });
        worker.current = started;
      },
      (error: unknown) => {
        fail(error instanceof Error ? error.message : String(error));
      },
    );
    return () => {
      leaving.abort();
      started.terminate();
      worker.current = null;
    };
  }, [apiKey, attempt]);

  useEffect(() => {
    worker.current?.postMessage({ type: 'watch', hotkey: watched } satisfies ToWorker);
  }, [watched]);

  return session;
}
