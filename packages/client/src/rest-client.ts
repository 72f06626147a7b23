import type { DashboardMap, MinerPositions, MinerPositionsChanges, Tier } from '@ptn-api/protocol';
import type * as schemas from '@ptn-api/protocol/schemas';
import type { Described } from '@ptn-api/protocol/schemas';
import type {
  ChangesAnswer,
  EliminationsDocument,
  MinerAnswer,
  MinerStatistics,
  OrdersPage,
  PositionsAnswer,
  Readiness,
  RestAnswer,
  StatisticsDocument,
  ValidatorDocument,
} from './rest-answer.ts';
import { RestTransport } from './rest-transport.ts';
import type { RestTransportOptions } from './rest-transport.ts';
import { watchPositions } from './rest-watch.ts';
import type { PositionsUpdate, WatchPositionsOptions } from './rest-watch.ts';

export type PtnRestClientOptions = RestTransportOptions;

export interface RequestOptions {
  /** Gives the request up; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface StatisticsOptions extends RequestOptions {
  /** Whether elements come with their `checkpoints`, which are the larger part. True by default. */
  readonly checkpoints?: boolean;
}

/**
 * The REST API of a ptn-api server, in Node and in browsers.
 *
 * The last answers are kept and revalidated by their ETag: where nothing changed, the value kept is given again with
 * `isNotModified`. Every method rejects with a {@link PtnRestError} where there is no usable answer, and none tries
 * again by itself: when to do so is the caller's choice, by `isTemporary` and `retryAfterMs` of the error.
 */
export class PtnRestClient {
  readonly #transport: RestTransport;

  /** @throws TypeError or RangeError naming the option that cannot be used. */
  constructor(options: PtnRestClientOptions) {
    this.#transport = new RestTransport(options);
  }

  /** `GET /miner-positions`: all miners at a tier, 100 by default. Rejects with 403 for a tier above the key's. */
  positions({
    tier = 100,
    signal,
  }: RequestOptions & { readonly tier?: Tier } = {}): Promise<PositionsAnswer> {
    return this.#snapshot<DashboardMap>('/miner-positions', signal, { tier: String(tier) });
  }

  /**
   * `GET /miner-positions/changes`: the miners that changed at a tier after generation `since`, each as a whole.
   * Rejects with 410 where the server no longer knows: read {@link positions} and go on from its generation.
   */
  positionsChanges({
    since,
    tier = 100,
    signal,
  }: RequestOptions & { readonly since: number; readonly tier?: Tier }): Promise<ChangesAnswer> {
    // Not kept: each generation has a URL of its own, and they would push out the snapshots.
    return this.#transport.get<MinerPositionsChanges>({
      path: '/miner-positions/changes',
      query: { since: String(since), tier: String(tier) },
      signal,
    });
  }

  /** `GET /miner-positions/<hotkey>`: one miner at the key's own tier. */
  minerPositions(hotkey: string, { signal }: RequestOptions = {}): Promise<MinerAnswer> {
    return this.#snapshot<MinerPositions>(`/miner-positions/${encodeURIComponent(hotkey)}`, signal);
  }

  /** `GET /miner-hotkeys`: every miner that has positions, in the order of the dashboard map. */
  hotkeys({ signal }: RequestOptions = {}): Promise<RestAnswer<Described<typeof schemas.Hotkeys>>> {
    return this.#snapshot<Described<typeof schemas.Hotkeys>>('/miner-hotkeys', signal);
  }

  /** `GET /statistics`. */
  statistics(options: StatisticsOptions = {}): Promise<RestAnswer<StatisticsDocument>> {
    return this.#snapshot<StatisticsDocument>('/statistics', options.signal, checkpointsQuery(options));
  }

  /** `GET /statistics/<hotkey>`: that miner's element. */
  minerStatistics(hotkey: string, options: StatisticsOptions = {}): Promise<RestAnswer<MinerStatistics>> {
    const path = `/statistics/${encodeURIComponent(hotkey)}`;
    return this.#snapshot<MinerStatistics>(path, options.signal, checkpointsQuery(options));
  }

  /** `GET /eliminations`: the validator's file. */
  eliminations({ signal }: RequestOptions = {}): Promise<RestAnswer<EliminationsDocument>> {
    return this.#snapshot<EliminationsDocument>('/eliminations', signal);
  }

  /** `GET /miner-copying`: the validator's file. */
  minerCopying({ signal }: RequestOptions = {}): Promise<RestAnswer<ValidatorDocument>> {
    return this.#snapshot<ValidatorDocument>('/miner-copying', signal);
  }

  /** `GET /validator-checkpoint`: the validator's file. Needs a key of tier 100. */
  validatorCheckpoint({ signal }: RequestOptions = {}): Promise<RestAnswer<ValidatorDocument>> {
    return this.#snapshot<ValidatorDocument>('/validator-checkpoint', signal);
  }

  /**
   * `GET /orders`: up to `limit` (1 to 1000, 100 by default) orders after sequence number `since`, as they were
   * streamed. Needs a key of tier 100.
   */
  async orders({
    since,
    limit = 100,
    signal,
  }: RequestOptions & { readonly since: number; readonly limit?: number }): Promise<OrdersPage> {
    const query = { since: String(since), limit: String(limit) };
    return (await this.#transport.get<OrdersPage>({ path: '/orders', query, signal })).value;
  }

  /** `GET /readyz`: whether the server has data and keeps it up to date. Sends no key. */
  async readiness({ signal }: RequestOptions = {}): Promise<Readiness> {
    const request = { path: '/readyz', needsKey: false, accepts: [503], signal };
    type Answer = Described<typeof schemas.Ready> | Partial<Described<typeof schemas.Unready>>;
    const { value } = await this.#transport.get<Answer>(request);
    if (value.status === 'ready') return { isReady: true, reasons: [] };
    // A proxy that answers in the server's place gives none.
    return { isReady: false, reasons: value.reasons ?? [] };
  }

  /**
   * Follows the positions by asking for changes again and again: first all miners (or, with `since`, what changed
   * after it), then what changed, and all miners again where the server no longer knows since when.
   *
   * Ends when `signal` is aborted. Throws PtnRestError where a request fails; to go on after it, watch again with the
   * last `generation` as `since`.
   */
  watchPositions(options: WatchPositionsOptions): AsyncGenerator<PositionsUpdate, void, undefined> {
    return watchPositions(this, options);
  }

  #snapshot<Value>(
    path: string,
    signal: AbortSignal | undefined,
    query?: Readonly<Record<string, string>>,
  ): Promise<RestAnswer<Value>> {
    return this.#transport.get<Value>({
      path,
      ...(query === undefined ? {} : { query }),
      isKept: true,
      signal,
    });
  }
}

function checkpointsQuery({ checkpoints = true }: StatisticsOptions): Readonly<Record<string, string>> {
  return { checkpoints: String(checkpoints) };
}
