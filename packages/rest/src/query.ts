import { TIERS } from '@ptn-api/protocol';
import type { Tier } from '@ptn-api/protocol';
import type { FastifyRequest } from 'fastify';

/** The first value of a query parameter; `undefined` where it is not given. */
export function parameter(request: FastifyRequest, name: string): string | undefined {
  const value = (request.query as Record<string, string | string[] | undefined>)[name];
  return Array.isArray(value) ? value[0] : value;
}

export function hasTier(request: FastifyRequest): boolean {
  return parameter(request, 'tier') !== undefined;
}

/** The tier asked for, 100 where none is; `null` where it is not one in exactly this writing. */
export function tierOf(request: FastifyRequest): Tier | null {
  const text = parameter(request, 'tier') ?? '100';
  return TIERS.find((tier) => String(tier) === text) ?? null;
}

/** The generation or sequence number in `since`; `null` where it is missing or no such number. */
export function sinceOf(request: FastifyRequest): number | null {
  const text = parameter(request, 'since');
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;

/** How many are asked for, 1 to 1,000, 100 where nothing is said; `null` where it is no such number. */
export function limitOf(request: FastifyRequest): number | null {
  const text = parameter(request, 'limit') ?? String(DEFAULT_LIMIT);
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  return limit >= 1 && limit <= MAX_LIMIT ? limit : null;
}

/** Everything but `false`, in any case, asks for checkpoints. */
export function wantsCheckpoints(request: FastifyRequest): boolean {
  return parameter(request, 'checkpoints')?.toLowerCase() !== 'false';
}

/** Whether a parameter is `true`, in any case. */
export function isTrue(request: FastifyRequest, name: string): boolean {
  return parameter(request, name)?.toLowerCase() === 'true';
}

/** The hotkey of the path; the route has checked its characters, the router its length. */
export function hotkeyOf(request: FastifyRequest): string {
  return (request.params as { hotkey: string }).hotkey;
}
