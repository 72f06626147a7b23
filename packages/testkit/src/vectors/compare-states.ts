import {
  cutPosition,
  putMember,
  readPosition,
  sliceArray,
  sliceDashboard,
  sliceObject,
  statesAfterOrders,
  stripPriceSources,
} from '@ptn-api/positions';
import { compareTexts } from './compare-texts.ts';
import type { CompareOptions, Difference } from './compare-texts.ts';
import { beside } from './beside.ts';
import { readText } from './read-text.ts';

interface StateRow {
  readonly position_uuid: string;
  readonly n_orders: number;
}

/** Gives the text of a position as it stood after so many of its orders. */
type StateAfter = (text: string, orders: number) => string;

/** What stands for a position that cannot be accounted. */
const ERROR = '"an error"';

/** As a delayed tier shows it. */
export const cutState: StateAfter = (text, orders) => {
  const cut = cutPosition(text, (index) => index < orders);
  return cut.ok ? cut.text : ERROR;
};

/** As a message of the order stream holds it. */
export const streamedState: StateAfter = (text, orders) => {
  const { close_ms: closeMs } = JSON.parse(text) as { close_ms: number | null };
  // Where a dashboard map has 0, the file of an open position has null.
  const read = readPosition(closeMs === 0 ? putMember(text, 0, 'close_ms', 'null') : text);
  if (!read.ok) return ERROR;
  const { generation, orderUuids } = read.facts;
  const record = { generation, orderCount: orderUuids.length };
  const [state] = statesAfterOrders(read.text, record, [orders - 1]).states;
  if (state === undefined) return ERROR;
  const { head, list, listBytes, tail } = state;
  return head + Buffer.from(list.subarray(0, listBytes)).toString() + tail;
};

/**
 * Compares states of the positions in the dashboard map beside a file with those in it, and gives their number. Some
 * sets were written without price sources.
 */
export function compareStates(
  path: string,
  difference: Difference,
  stateAfter: StateAfter,
  options: CompareOptions = {},
): number {
  const states = readText(path);
  const hasSources = /"price_sources": \[\{/.test(states);
  const texts = new Map<string, string>();
  for (const { positions } of sliceDashboard(readText(beside(path, 'input.json.gz'))).miners) {
    for (const position of positions) {
      const read = readPosition(position);
      if (!read.ok) throw new Error(`${path}: a position ${read.reason}`);
      const { text, facts } = read;
      texts.set(facts.positionUuid, hasSources ? text : stripPriceSources(text, facts, Infinity));
    }
  }
  const rows = sliceArray(states);
  for (const { start, end } of rows) {
    const text = states.slice(start, end);
    const { position_uuid: uuid, n_orders: orders } = JSON.parse(text) as StateRow;
    const wanted = sliceObject(text).find(({ key }) => key === 'position');
    compareTexts(
      stateAfter(texts.get(uuid) ?? '', orders),
      wanted === undefined ? ERROR : text.slice(wanted.valueStart, wanted.valueEnd),
      difference,
      { ...options, path: `${uuid}/${orders}` },
    );
  }
  return rows.length;
}
