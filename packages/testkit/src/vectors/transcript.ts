import { elementsOf, membersOf } from './compare-texts.ts';
import { readText } from './read-text.ts';

/** Something that was seen on the wire between a Python server of the order stream and its clients. */
export interface WireEvent {
  readonly scenario: string;
  /** Name of the connection, `-` for none. */
  readonly conn: string;
  /** Whether the client or the server did it; `-` for what was done to the server. */
  readonly dir: 'c' | 's' | '-';
  readonly kind: EventKind;
  /** What was sent, as text. */
  readonly text?: string;
  /** Path of a handshake; absent where the request is none. */
  readonly path?: string;
  /** What it has as `Authorization`, where that was recorded. */
  readonly authorization?: string;
  /** Of a closing, or HTTP status. */
  readonly code?: number;
}

const MESSAGE_KINDS = ['text', 'binary'] as const;
const OTHER_KINDS = ['close', 'http', 'plain-http', 'tcp-eof'] as const;
/** What is there for its reader, or is the keeping alive of the protocol below. */
const SILENT_KINDS = ['broadcast', 'handler-got', 'ping', 'pong', 'state', 'tcp-refused'] as const;

type EventKind =
  | (typeof MESSAGE_KINDS)[number]
  | (typeof OTHER_KINDS)[number]
  | (typeof SILENT_KINDS)[number];

const KINDS: readonly string[] = [...MESSAGE_KINDS, ...OTHER_KINDS, ...SILENT_KINDS];
const DIRECTIONS: readonly unknown[] = ['c', 's', '-'];

export function isMessage({ kind }: WireEvent): boolean {
  return kind === 'text' || kind === 'binary';
}

/** @throws Error where the file is no transcript: it says which event is damaged, and how. */
export function readTranscript(path: string): readonly WireEvent[] {
  const file = readText(path);
  const parsed = JSON.parse(file) as { readonly events?: unknown } | null;
  if (!Array.isArray(parsed?.events)) throw new Error('it holds no list of events');
  const texts = [...elementsOf(membersOf(file).get('events') ?? '').values()];
  return texts.map((text, index) => {
    try {
      return readEvent(text);
    } catch (error) {
      throw new Error(`event ${index}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  });
}

function readEvent(text: string): WireEvent {
  const event = JSON.parse(text) as Readonly<Record<string, unknown>> | null;
  const { scenario, conn, dir, kind } = event ?? {};
  if (typeof scenario !== 'string' || typeof conn !== 'string' || !DIRECTIONS.includes(dir))
    throw new Error('no scenario, connection or direction');
  if (!KINDS.includes(kind as string)) throw new Error(`an unknown kind ${JSON.stringify(kind)}`);
  const known = { scenario, conn, dir: dir as WireEvent['dir'], kind: kind as EventKind };
  return { ...known, ...detailsOf(known, text, event ?? {}) };
}

/** What belongs to an event of its kind. */
function detailsOf(
  event: WireEvent,
  text: string,
  { raw, line, headers, code, text: shown }: Readonly<Record<string, unknown>>,
): Partial<WireEvent> {
  if (event.kind === 'close') {
    if (typeof code !== 'number') throw new Error('a closing without a code');
    return { code };
  }
  if (event.kind === 'plain-http') {
    const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(typeof shown === 'string' ? shown : '') ?? [];
    if (status === undefined) throw new Error('an HTTP answer without a status');
    return { code: Number(status) };
  }
  if (event.kind === 'http' && event.dir === 'c') {
    const [, path] = /^GET (\S+) HTTP\/1\.1$/.exec(typeof line === 'string' ? line : '') ?? [];
    if (path === undefined) throw new Error('a handshake without a path');
    if (headers === undefined) return { path };
    const { upgrade, authorization } = (headers ?? {}) as Readonly<Record<string, unknown>>;
    if (upgrade === undefined) return {};
    return typeof authorization === 'string' ? { path, authorization } : { path };
  }
  if (!isMessage(event)) return {};
  const json = membersOf(text).get('json');
  if (event.dir === 's') {
    if (json?.startsWith('{') !== true) throw new Error('a message of the server that is no object');
    return { text: json };
  }
  const sent = typeof raw === 'string' ? raw : (json ?? shown);
  if (typeof sent !== 'string') throw new Error('a message without its text');
  return { text: sent };
}
