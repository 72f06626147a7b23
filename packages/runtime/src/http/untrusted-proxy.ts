import { plainAddress } from '@ptn-api/access';

const WARN_EVERY_MS = 60_000;

export interface ProxiedRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Of the peer, then what trusted proxies forwarded, as Fastify gives them. */
  readonly ips?: readonly string[] | undefined;
}

/**
 * Notices requests that bring X-Forwarded-For from somebody who is not believed. Behind a proxy that is not named in
 * `--trust-proxy` all clients have one address, and that is seen nowhere else.
 */
export class UntrustedProxyWarning {
  readonly #log: { readonly warn: (fields: object, text: string) => void };
  readonly #now: () => number;
  #lastMs = -Infinity;

  /** @param now monotonic ms. */
  constructor(
    log: { readonly warn: (fields: object, text: string) => void },
    now: () => number = () => performance.now(),
  ) {
    this.#log = log;
    this.#now = now;
  }

  /** Warns, at most once a minute: unauthenticated clients may send the header as often as they like. */
  look(request: ProxiedRequest): void {
    if (request.headers['x-forwarded-for'] === undefined) return;
    // Worked out when it is asked for.
    const { ips = [] } = request;
    // Whoever is believed has forwarded at least one address.
    if (ips.length > 1) return;
    const nowMs = this.#now();
    if (nowMs - this.#lastMs < WARN_EVERY_MS) return;
    // A connection that is closed already has none.
    const [peer] = ips;
    if (peer === undefined) return;
    const address = plainAddress(peer);
    this.#lastMs = nowMs;
    this.#log.warn(
      { event: 'untrusted-proxy', address },
      `${address} sends X-Forwarded-For and is not in --trust-proxy, so the header is ignored. If it is your proxy, ` +
        `start with --trust-proxy ${address}: until then all its clients count as one address. If not, somebody ` +
        'makes the header up, and nothing is to be done',
    );
  }
}
