import type { FastifyBaseLogger } from 'fastify';
import type { ServerResponse } from 'node:http';
import type { KeyGrant } from '@ptn-api/runtime';

/** Smaller answers are sent at once: all that a connection can hold of them is bounded by this. */
export const SMALL_BYTES = 128 * 1024;
/** Large answers of one user that are under way in this process. */
const MAX_OF_USER = 8;
/** Of all users. */
const MAX_OF_ALL = 64;
/** Who takes less of a large answer in a window, 16 KB/s, is cut: the answer holds on to data that others have left. */
const MIN_BYTES = 1_000_000;
const WINDOW_MS = 60_000;
const CHECK_MS = 1000;
/** Longer than it takes to decompress the largest answer for somebody who reads. */
const INFLATION_TURN_MS = 2000;

export interface DownloadsOptions {
  /** Whether the key counts still. */
  readonly isValid: (grant: KeyGrant) => boolean;
  readonly log: Pick<FastifyBaseLogger, 'info'>;
  /** monotonic ms. */
  readonly now?: () => number;
}

interface Download {
  readonly grant: KeyGrant;
  readonly response: ServerResponse;
  windowMs: number;
  /** Of the connection, when the window began. */
  windowBytes: number;
}

/** The large answers under way: how many there may be, and how slow. */
export class Downloads {
  readonly #options: DownloadsOptions;
  readonly #now: () => number;
  readonly #open = new Set<Download>();
  readonly #byUser = new Map<string, number>();
  /** Of each user, the end of the last answer that is or will be decompressed. */
  readonly #inflating = new Map<string, Promise<void>>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: DownloadsOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#timer = setInterval(() => {
      this.check();
    }, CHECK_MS).unref();
  }

  /** Why no further large answer may begin; `undefined` where one may. */
  refusal({ userId }: KeyGrant): 'PTN_ERR_DOWNLOADS_OF_KEY' | 'PTN_ERR_HTTP_OVERLOADED' | undefined {
    if ((this.#byUser.get(userId) ?? 0) >= MAX_OF_USER) return 'PTN_ERR_DOWNLOADS_OF_KEY';
    return this.#open.size >= MAX_OF_ALL ? 'PTN_ERR_HTTP_OVERLOADED' : undefined;
  }

  /** Takes note of an answer that begins. */
  add(grant: KeyGrant, response: ServerResponse): void {
    const download = { grant, response, windowMs: this.#now(), windowBytes: takenBytes(response) };
    const { userId } = grant;
    this.#open.add(download);
    this.#byUser.set(userId, (this.#byUser.get(userId) ?? 0) + 1);
    response.once('close', () => {
      this.#open.delete(download);
      const left = (this.#byUser.get(userId) ?? 1) - 1;
      if (left > 0) this.#byUser.set(userId, left);
      else this.#byUser.delete(userId);
    });
  }

  /**
   * Resolves when an answer may be decompressed: of one user one at a time, but that a slow reader, which takes little
   * time of this process, holds up the next one for a moment only. In vain where its client has left by then.
   */
  async inflationTurn({ userId }: KeyGrant, response: ServerResponse): Promise<void> {
    const before = this.#inflating.get(userId);
    const ended = new Promise<void>((resolve) => response.once('close', resolve));
    const given = new Promise<void>((resolve) => setTimeout(resolve, INFLATION_TURN_MS).unref());
    const mine = Promise.all([before, Promise.race([ended, given])]).then(() => {
      if (this.#inflating.get(userId) === mine) this.#inflating.delete(userId);
    });
    this.#inflating.set(userId, mine);
    await Promise.race([before, ended]);
  }

  /** Cuts what is too slow, and what is of a key that was removed; called by itself every second. */
  check(): void {
    const nowMs = this.#now();
    for (const download of this.#open) {
      const { grant, response } = download;
      if (!this.#options.isValid(grant)) {
        response.destroy();
        continue;
      }
      if (nowMs - download.windowMs < WINDOW_MS) continue;
      const bytes = takenBytes(response);
      if (bytes - download.windowBytes < MIN_BYTES) {
        this.#options.log.info(
          { event: 'download-too-slow', user_id: grant.userId },
          'a client reads an answer too slowly and is cut',
        );
        response.destroy();
      }
      download.windowMs = nowMs;
      download.windowBytes = bytes;
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

/** What the network has taken of the connection's answers, but for what one slice holds. */
function takenBytes({ socket }: ServerResponse): number {
  return (socket?.bytesWritten ?? 0) - (socket?.writableLength ?? 0);
}
