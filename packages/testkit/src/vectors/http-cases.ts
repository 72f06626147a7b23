import { createServer, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { lastMembers, sliceArray, sliceObject } from '@ptn-api/positions';
import { startServer } from '../start-server.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';
import type { TestScope } from '../test-scope.ts';
import { compareTexts, noDifference } from './compare-texts.ts';
import type { Difference } from './compare-texts.ts';
import { DIFFERENCES_2025, DIFFERENCES_VANTA, OTHER_TEXTS_VANTA } from './http-generations.ts';
import { inScope } from './vector-form.ts';
import type { HttpAnswer, HttpDifference, HttpRow } from './http-generations.ts';

/** A row, and the text of what its server answered, where it was recorded. */
interface RecordedRow extends HttpRow {
  readonly seenText?: string;
}

/** What is the contract of a record of requests. */
interface Generation {
  readonly contractOf: (row: RecordedRow) => HttpAnswer | undefined;
  readonly differences: readonly HttpDifference[];
  /** Whether the JSON of an answer is compared too. */
  readonly comparesText: (row: RecordedRow) => boolean;
  /** Requests that only the validator's own server answers: asked of a stand-in that repeats the record. */
  readonly isForwarded: (row: RecordedRow) => boolean;
}

const OF_2025: Generation = {
  contractOf: ({ contract }) => contract,
  differences: DIFFERENCES_2025,
  comparesText: () => false,
  isForwarded: () => false,
};
const OF_VANTA: Generation = {
  contractOf: ({ seen }) => seen['vanta'],
  differences: DIFFERENCES_VANTA,
  comparesText: (row) => row.group !== 'writes' && !OTHER_TEXTS_VANTA.some(({ is }) => is(row)),
  isForwarded: ({ group, path }) => group === 'writes' || path.startsWith('/collateral/balance/'),
};

/** What the first generation's server had built in. */
const FIRST_GENERATION_KEY = 'xxxx';

export function isHttpCases(path: string): boolean {
  return (
    /^cases\.jsonl(?:\.gz)?$/.test(path.slice(dirname(path).length + 1)) &&
    existsSync(join(dirname(path), 'root'))
  );
}

/**
 * Asks a server of the recorded folder, in processes of its own, everything that was recorded, and compares what is a
 * contract: status, error and, where it is no matter of the clock, the JSON of the answer.
 *
 * @returns how many requests are a contract.
 */
export async function runHttpCases(path: string, difference: Difference): Promise<number> {
  return inScope((scope) => compareWithServer(scope, path, difference));
}

async function compareWithServer(scope: TestScope, path: string, difference: Difference): Promise<number> {
  const rows = readRows(path);
  const generation = rows.some(({ seen }) => 'vanta' in seen) ? OF_VANTA : OF_2025;
  const root = makeTemporaryFolder(scope);
  cpSync(join(dirname(path), 'root'), root, { recursive: true });
  addKey(join(root, 'ptn_api/api_keys.json'));
  const target = await startRecord(scope, rows.filter(generation.isForwarded));
  const server = await startServer(scope, {
    root,
    args: ['--forward-to', target, '--auth-failure-limit', '0', '--max-connections-per-address', '0'],
  });

  const contract = rows.filter(
    (row) => row.scenario === 'normal' && generation.contractOf(row) !== undefined,
  );
  const met = new Map<HttpDifference, number>();
  for (const row of contract) {
    const other = generation.differences.find(({ is }) => is(row));
    if (other !== undefined) met.set(other, (met.get(other) ?? 0) + 1);
    const wanted = other?.answer(row, rows) ?? generation.contractOf(row) ?? { status: 0 };
    const { status, text } = await ask(server.url, row);
    const error = status < 400 ? undefined : (JSON.parse(text) as { error: string }).error;
    const name = `${row.method ?? 'GET'} ${row.path} ${row.headers['Authorization'] ?? ''}`;
    if (status !== wanted.status || (error ?? undefined) !== (wanted.error ?? undefined))
      difference.unequal.push(`${name}: ${status} ${error ?? ''} for ${wanted.status} ${wanted.error ?? ''}`);
    if (status !== 200 || other !== undefined || row.method === 'HEAD') continue;
    if (row.seenText === undefined || !generation.comparesText(row)) continue;
    const found = noDifference();
    compareTexts(comparable(text), comparable(row.seenText), found);
    difference.numbers += found.numbers;
    difference.worst = Math.max(difference.worst, found.worst);
    difference.unequal.push(...found.unequal.map((line) => `${name}${line}`));
  }
  for (const one of generation.differences) {
    if (met.get(one) !== one.rows)
      difference.unequal.push(`${met.get(one) ?? 0} rows in place of ${one.rows} differ: ${one.reason}`);
  }
  return contract.length;
}

function readRows(path: string): RecordedRow[] {
  const bytes = readFileSync(path);
  const lines = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const row = JSON.parse(line) as HttpRow;
    const seenText = memberText(memberText(memberText(line, 'seen'), 'vanta'), 'json');
    return seenText === undefined ? row : { ...row, seenText };
  });
}

function memberText(text: string | undefined, name: string): string | undefined {
  if (text?.startsWith('{') !== true) return undefined;
  const member = lastMembers(sliceObject(text)).get(name);
  return member && text.slice(member.valueStart, member.valueEnd);
}

/** Without the time at which it was answered, and lists that have no order in one. */
function comparable(text: string): string {
  if (text.startsWith('[')) {
    const elements = sliceArray(text).map(({ start, end }) => text.slice(start, end));
    const byName = elements.map(
      (element) => [memberText(element, 'order_uuid') ?? element, element] as const,
    );
    return `[${byName
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, element]) => element)
      .join(', ')}]`;
  }
  if (!text.startsWith('{')) return text;
  const members = [...lastMembers(sliceObject(text)).values()].filter(({ key }) => key !== 'timestamp');
  return `{${members.map(({ keyStart, valueEnd }) => text.slice(keyStart, valueEnd)).join(', ')}}`;
}

/** A body of which only the beginning and the length were recorded. */
function bodyOf({ body }: HttpRow): string | undefined {
  const [, start, length] = /^(x+)\.\.\. \((\d+) bytes\)$/.exec(body ?? '') ?? [];
  return start === undefined ? body : 'x'.repeat(Number(length));
}

async function ask(url: string, row: HttpRow): Promise<{ status: number; text: string }> {
  const body = bodyOf(row);
  const { hostname, port } = new URL(url);
  // Not by fetch, which sends no body along with GET.
  const asked = request({
    hostname,
    port,
    path: row.path,
    method: row.method ?? 'GET',
    headers: { ...row.headers, ...(body !== undefined && { 'Content-Length': Buffer.byteLength(body) }) },
    agent: false,
  });
  asked.end(body);
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  const pieces: Buffer[] = [];
  for await (const piece of answer) pieces.push(piece as Buffer);
  const bytes = Buffer.concat(pieces);
  const isGzip = answer.headers['content-encoding'] === 'gzip' && bytes.length > 0;
  return { status: answer.statusCode ?? 0, text: (isGzip ? gunzipSync(bytes) : bytes).toString('utf8') };
}

/** What distinguishes one recorded request from another. */
function requestKey(
  method: string,
  path: string,
  headers: Readonly<Record<string, unknown>>,
  body: string,
): string {
  const lower = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return JSON.stringify([
    method,
    path,
    lower.get('authorization') ?? '',
    lower.get('content-type') ?? '',
    body,
  ]);
}

/** A stand-in for the validator's own server, which answers as was recorded and 599 to what was not. */
async function startRecord(scope: TestScope, rows: readonly RecordedRow[]): Promise<string> {
  const answers = new Map(
    rows.map((row) => [requestKey(row.method ?? 'GET', row.path, row.headers, bodyOf(row) ?? ''), row]),
  );
  const server = createServer((incoming, response) => {
    const pieces: Buffer[] = [];
    incoming.on('data', (piece: Buffer) => pieces.push(piece));
    incoming.on('end', () => {
      const { method = '', url = '', headers } = incoming;
      const row = answers.get(requestKey(method, url, headers, Buffer.concat(pieces).toString('utf8')));
      response.writeHead(row?.seen['vanta']?.status ?? 599, { 'Content-Type': 'application/json' });
      response.end(row?.seenText ?? '{"error": "not recorded"}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  scope.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Adds the first generation's key to a key file of the old place, where there is one. */
function addKey(path: string): void {
  if (!existsSync(path)) return;
  const keys = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  writeFileSync(path, JSON.stringify({ ...keys, v1: FIRST_GENERATION_KEY }));
}
