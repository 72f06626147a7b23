import type { FastifyReply } from 'fastify';
import type { Client } from '../access.ts';
import { sendError } from '@ptn-api/runtime';

/** What clients of the first generation, which send their key in the body, know the error by. */
const FIRST_GENERATION_TEXT = 'Miner ID not found';

export function sendMinerNotFound(reply: FastifyReply, hotkey: string, client: Client): FastifyReply {
  return client.keyInBody
    ? sendError(reply, 'PTN_ERR_MINER_NOT_FOUND', {}, FIRST_GENERATION_TEXT)
    : sendError(reply, 'PTN_ERR_MINER_NOT_FOUND', { hotkey });
}
