import { readPosition, replaceNonFinite, sliceObject } from '@ptn-api/core';
import type { ErrorCode } from '@ptn-api/protocol';
import { errorText } from '@ptn-api/protocol';
import type { SeenPosition } from '../orders/order-stream.ts';

/** Why a line is refused, as it is told to its sender. */
export interface IngestRefusal {
  readonly ok: false;
  readonly code: ErrorCode;
  readonly message: string;
}

export type IngestLine =
  { readonly ok: true; readonly hotkey: string; readonly position: SeenPosition } | IngestRefusal;

export function refusal(code: ErrorCode, values?: Readonly<Record<string, string | number>>): IngestRefusal {
  return { ok: false, code, message: errorText(code, values) };
}

/** Reads the line of JSON that holds a position. NaN and Infinity, which Python writes, count as null, as in files. */
export function readIngestLine(line: string): IngestLine {
  let { text } = replaceNonFinite(line);
  text = text.trim();
  let item: unknown;
  try {
    item = JSON.parse(text);
  } catch (error) {
    return refusal('PTN_ERR_INGEST_NOT_JSON', { detail: (error as Error).message });
  }
  if (typeof item !== 'object' || item === null || Array.isArray(item)) {
    return refusal('PTN_ERR_INGEST_NO_POSITION');
  }
  // Sent on as it was written: numbers keep their form.
  const member = sliceObject(text).findLast(({ key }) => key === 'position');
  if (member === undefined) return refusal('PTN_ERR_INGEST_NO_POSITION');
  const read = readPosition(text.slice(member.valueStart, member.valueEnd));
  if (!read.ok) return refusal('PTN_ERR_INGEST_BAD_POSITION', { reason: read.reason });
  const { miner_hotkey: hotkey } = (item as { position: { miner_hotkey?: unknown } }).position;
  if (typeof hotkey !== 'string') {
    return refusal('PTN_ERR_INGEST_BAD_POSITION', { reason: 'has no miner_hotkey' });
  }
  return { ok: true, hotkey, position: read };
}
