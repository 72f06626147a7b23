import { parseKeyFile } from '@ptn-api/access';
import type { KeyGrant } from '@ptn-api/access';
import { MemoryLog } from '../stream/memory-log.ts';
import { serveStream } from '../stream/serve-stream.ts';
import type { Json } from '../stream/stream-client.ts';
import type { TestScope } from '../test-scope.ts';
import type { Difference } from './compare-texts.ts';
import { readTranscript } from './transcript.ts';
import type { WireEvent } from './transcript.ts';
import { NOT_REPLAYED } from './transcript-differences.ts';
import { TranscriptOrders } from './transcript-orders.ts';
import { TranscriptReplay } from './transcript-replay.ts';
import { inScope } from './vector-form.ts';
import type { ServerForm } from './vector-form.ts';

const ANSWER_TIMEOUT_MS = 10_000;

/** What the recorded servers' key files held: the names of the keys say it. */
const KEY_NAME = /^key-(?:tier-?(\d+)|legacy)$/;

export const TRANSCRIPT_FORMS: readonly ServerForm[] = [
  {
    name: 'transcript of the order stream',
    recognises: (path) => /(?:^|\/)ws\/[^/]+\.json(?:\.gz)?$/.test(path),
    run: (path, difference) => runTranscript(path, difference),
  },
];

/**
 * Says to a stream server all that clients said, has the recorded orders come in between, and compares its answers. The
 * server is one in this process over a log in memory: a feed gives its orders times and numbers of its own, and never
 * those of things that are no position, which the record holds too.
 *
 * @param timeoutMs How long to wait for a message or a closing.
 * @returns how many messages of the server were compared.
 */
export async function runTranscript(
  path: string,
  difference: Difference,
  timeoutMs = ANSWER_TIMEOUT_MS,
): Promise<number> {
  const { events, excluded } = contractOf(readTranscript(path));
  difference.expected.push(...excluded);
  const compared = await inScope((scope) => replay(scope, events, difference, timeoutMs));
  if (compared === 0) difference.unequal.push('no exchange to compare');
  return compared;
}

async function replay(
  scope: TestScope,
  events: readonly WireEvent[],
  difference: Difference,
  timeoutMs: number,
): Promise<number> {
  const orders = new TranscriptOrders(events);
  const log = new MemoryLog(firstSequence(events));
  const stream = await serveStream(scope, { log, grants: grantsOf(events) });
  const played = new TranscriptReplay({ stream, log, orders, difference, timeoutMs });
  for (const index of events.keys()) await played.play(events, index);
  await played.end();
  for (const [reason, count] of played.onPurpose) difference.expected.push(`${count} times: ${reason}`);
  return played.compared;
}

/** The events of scenarios that are a contract, and a line for each other scenario. */
function contractOf(events: readonly WireEvent[]): {
  readonly events: readonly WireEvent[];
  readonly excluded: readonly string[];
} {
  const excluded = new Map<string, string>();
  for (const { scenario } of events) {
    const row = NOT_REPLAYED.find((known) => known.scenario.test(scenario));
    if (row !== undefined) excluded.set(scenario, `${scenario}: not replayed: ${row.reason}`);
  }
  return {
    events: events.filter(({ scenario }) => !excluded.has(scenario)),
    excluded: [...excluded.values()],
  };
}

/** The number of the last order before the record began. */
function firstSequence(events: readonly WireEvent[]): number {
  for (const { dir, text } of events) {
    if (dir !== 's' || text === undefined) continue;
    const { current_sequence: sequence } = JSON.parse(text) as Json;
    if (typeof sequence === 'number') return sequence;
  }
  return 0;
}

function grantsOf(events: readonly WireEvent[]): readonly KeyGrant[] {
  const users: Record<string, unknown> = {};
  for (const { dir, text = '', authorization = '' } of events) {
    if (dir !== 'c') continue;
    const [, sent] = /"api_key": *"([^"]*)"/.exec(text) ?? [];
    const key = sent ?? authorization.replace(/^Bearer +/, '');
    const name = KEY_NAME.exec(key);
    if (name !== null) users[key] = name[1] === undefined ? key : { key, tier: Number(name[1]) };
  }
  const file = parseKeyFile(JSON.stringify(users));
  if (!file.ok) throw new Error(file.reason);
  return file.grants;
}
