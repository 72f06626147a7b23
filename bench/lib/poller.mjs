// A customer who polls, in a thread of its own: it decompresses what it is sent, and that must hold up nobody whose
// times are measured.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { fileURLToPath } from 'node:url';
import { KEYS } from './world.mjs';

const POLL_EVERY_MS = 150;

export const HEADERS = { Authorization: `Bearer ${KEYS[100]}`, 'X-Forwarded-For': '203.0.113.1' };

/** Polls for a while; resolves to `{times, refused}`: how long each request took in ms, and what was refused. */
export function pollFor(url, seconds) {
  const thread = new Worker(fileURLToPath(import.meta.url), { workerData: { url, seconds } });
  return new Promise((resolve, reject) => {
    thread.once('message', resolve);
    thread.once('error', reject);
  });
}

async function poll({ url, seconds }) {
  const seen = { times: [], refused: [] };
  const endMs = performance.now() + seconds * 1000;
  const first = await fetch(`${url}/miner-hotkeys`, { headers: HEADERS });
  await first.arrayBuffer();
  let generation = first.headers.get('x-generation');
  for (let turn = 0; performance.now() < endMs; turn++) {
    const startedMs = performance.now();
    const path =
      turn % 2 === 0 ? `/miner-positions/changes?since=${generation}` : '/miner-positions/stream-1';
    try {
      const response = await fetch(`${url}${path}`, { headers: HEADERS });
      await response.arrayBuffer();
      if (!response.ok) seen.refused.push(`${path}: ${response.status}`);
      else if (turn % 2 === 0) generation = response.headers.get('x-generation');
    } catch (error) {
      seen.refused.push(`${path}: ${error.cause?.message ?? error.message}`);
    }
    seen.times.push(performance.now() - startedMs);
    const waitMs = Math.max(0, startedMs + POLL_EVERY_MS - performance.now());
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
  return seen;
}

if (!isMainThread) parentPort.postMessage(await poll(workerData));
