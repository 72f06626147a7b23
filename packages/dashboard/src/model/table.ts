export type CellValue = string | number | boolean | null | undefined;

export interface SortOrder {
  readonly column: string;
  readonly isDescending: boolean;
}

const COLLATOR = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

function isMissing(value: CellValue): boolean {
  return value === null || value === undefined || value === '' || Number.isNaN(value);
}

function compare(one: CellValue, other: CellValue): number {
  if (typeof one === 'string' || typeof other === 'string') {
    return COLLATOR.compare(String(one), String(other));
  }
  return Number(one) - Number(other);
}

/** The rows in order of a value, equal ones as they were. Rows without a value are last in both directions. */
export function sortRows<Row>(
  rows: readonly Row[],
  valueOf: (row: Row) => CellValue,
  isDescending: boolean,
): Row[] {
  const keyed = rows.map((row) => ({ row, value: valueOf(row) }));
  keyed.sort((one, other) => {
    const [oneMissing, otherMissing] = [isMissing(one.value), isMissing(other.value)];
    if (oneMissing || otherMissing) return Number(oneMissing) - Number(otherMissing);
    return isDescending ? compare(other.value, one.value) : compare(one.value, other.value);
  });
  return keyed.map(({ row }) => row);
}

/** The order after a click on a column's head: its usual direction first, then the other one. */
export function nextOrder(current: SortOrder, column: string, isText: boolean): SortOrder {
  if (current.column !== column) return { column, isDescending: !isText };
  return { column, isDescending: !current.isDescending };
}

/** The rows whose text holds every word of the query, in any case. */
export function filterRows<Row>(
  rows: readonly Row[],
  query: string,
  textOf: (row: Row) => string,
): readonly Row[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return rows;
  return rows.filter((row) => {
    const text = textOf(row).toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

export interface RowWindow {
  /** Of the first row that is drawn. */
  readonly from: number;
  /** After the last one. */
  readonly to: number;
  /** Heights in pixels of what is not drawn. */
  readonly above: number;
  readonly below: number;
}

/** Rows drawn beyond what is seen, so that scrolling shows no holes before the next frame. */
const MARGIN_ROWS = 8;

/** Which rows of a long list have to be drawn. */
export function rowWindow(
  count: number,
  rowHeight: number,
  { scrollTop, viewHeight }: { readonly scrollTop: number; readonly viewHeight: number },
): RowWindow {
  const most = Math.ceil(viewHeight / rowHeight) + 2 * MARGIN_ROWS;
  const first = Math.floor(scrollTop / rowHeight) - MARGIN_ROWS;
  const from = Math.max(0, Math.min(first, count - most));
  const to = Math.min(count, from + most);
  return { from, to, above: from * rowHeight, below: (count - to) * rowHeight };
}
