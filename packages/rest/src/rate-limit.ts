import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { KeyGrant } from '@ptn-api/runtime';
import type { ByteBudget } from './byte-budget.ts';
import { sendRefusal } from './refusal.ts';
import type { RequestCounts } from './request-counts.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Its user has a limit. */
    isLimited: boolean;
  }
}

export interface RateLimitOptions {
  /** Of users of whom the key file says nothing else; 0: they have no limit. */
  readonly requestsPerMinute: number;
  readonly counts: RequestCounts;
  readonly bytes: ByteBudget;
}

const WINDOW_SECONDS = 60;

/** Answers a request that is above its user's limit. Says whether it did; not by the answer, which is a promise too. */
export type RateLimiter = (request: FastifyRequest, reply: FastifyReply, grant: KeyGrant) => Promise<boolean>;

/**
 * Limits users, by name and not by key: one who has just got a new key has not twice as much. The headers are those of
 * draft-ietf-httpapi-ratelimit-headers (structured fields), which the plugin does not write.
 */
export function limitRates(
  app: FastifyInstance,
  { requestsPerMinute, counts, bytes }: RateLimitOptions,
): RateLimiter {
  const limitOf = (grant: KeyGrant | null) => grant?.rateLimit ?? requestsPerMinute;
  let limiter: ReturnType<FastifyInstance['createRateLimit']> | undefined;
  app.register(rateLimit, {
    global: false,
    // The plugin makes its own of a class: this one is made already.
    store: function store() {
      return counts;
    } as unknown as NonNullable<Parameters<typeof rateLimit>[1]>['store'] & object,
    timeWindow: WINDOW_SECONDS * 1000,
    keyGenerator: (request) => request.grant?.userId ?? '',
    max: (request) => limitOf(request.grant),
  });
  app.after(() => {
    limiter = app.createRateLimit();
  });
  return async (request, reply, grant) => {
    const limit = limitOf(grant);
    if (limit === 0 || limiter === undefined) return false;
    request.isLimited = true;
    const verdict = await limiter(request);
    if (verdict.isAllowed) return false;
    const seconds = verdict.ttlInSeconds;
    const left = bytes.left(grant.userId);
    reply.headers({
      'RateLimit-Policy': `"default";q=${limit};w=${WINDOW_SECONDS}, "bytes";q=${bytes.perMinute};w=${WINDOW_SECONDS}`,
      RateLimit: `"default";r=${verdict.remaining};t=${seconds}, "bytes";r=${left.bytes};t=${left.seconds}`,
    });
    if (verdict.isExceeded) {
      await sendRefusal(reply, 'PTN_ERR_RATE_LIMITED', { limit, seconds });
      return true;
    }
    if (left.bytes > 0) return false;
    const values = { limit: bytes.perMinute / 2 ** 20, seconds: left.seconds };
    await sendRefusal(reply, 'PTN_ERR_RATE_LIMITED_BYTES', values);
    return true;
  };
}
