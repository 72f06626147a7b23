import { setTimeout as sleep } from 'node:timers/promises';
import type { ErrorCode } from '@ptn-api/protocol';
import { sendError } from '@ptn-api/runtime';
import type { FastifyReply } from 'fastify';

/** A connection has one answer at a time: one that asks on at once, whatever it is told, gets ten refusals a second. */
const DELAY_MS = 100;

/** Answers who is over a limit, later than anything else is answered. */
export async function sendRefusal(
  reply: FastifyReply,
  code: ErrorCode,
  values: { readonly seconds: number } & Readonly<Record<string, number>>,
): Promise<FastifyReply> {
  await sleep(DELAY_MS);
  return sendError(reply.header('Retry-After', values.seconds), code, values);
}
