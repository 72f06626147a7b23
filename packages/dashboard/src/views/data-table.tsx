import { Component } from 'preact';
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { nextOrder, rowWindow, sortRows } from '../model/table.ts';
import type { CellValue, SortOrder } from '../model/table.ts';

export interface Column<Row> {
  readonly id: string;
  readonly head: string;
  /** Of all values, behind the head. Left out where the page is narrow. */
  readonly unit?: string;
  readonly cell: (row: Row) => ComponentChildren;
  /** What rows are sorted by; a column without it cannot be sorted by. */
  readonly value?: (row: Row) => CellValue;
  readonly isText?: boolean;
  /** Left out where the page is narrow. */
  readonly isExtra?: boolean;
}

export interface DataTableProps<Row> {
  readonly label: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  readonly keyOf: (row: Row) => string | number;
  /** Absent: the rows stay as they are given. */
  readonly order?: SortOrder;
  readonly empty: string;
  readonly isMarked?: (row: Row) => boolean;
}

const ROW_HEIGHT = 36;
/** Scrolling is followed in such steps, below the margin of rows that are drawn beyond what is seen. */
const STEP = 4 * ROW_HEIGHT;
/** Until the real one was measured. */
const FIRST_VIEW_HEIGHT = 600;

/** A table of any length: only the rows that can be seen are in the page. */
export function DataTable<Row>(props: DataTableProps<Row>) {
  const { label, rows, columns, keyOf, empty, isMarked } = props;
  const [order, setOrder] = useState(props.order);
  const [view, setView] = useState({ scrollTop: 0, viewHeight: FIRST_VIEW_HEIGHT });
  const box = useRef<HTMLDivElement>(null);

  const sorted = useMemo(() => {
    const valueOf = columns.find(({ id }) => id === order?.column)?.value;
    return valueOf === undefined || order === undefined ? rows : sortRows(rows, valueOf, order.isDescending);
  }, [rows, columns, order]);

  const measure = (): void => {
    const element = box.current;
    if (element === null) return;
    const scrollTop = Math.floor(element.scrollTop / STEP) * STEP;
    const viewHeight = element.clientHeight + STEP;
    setView((old) =>
      old.scrollTop === scrollTop && old.viewHeight === viewHeight ? old : { scrollTop, viewHeight },
    );
  };
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => {
      observer.disconnect();
    };
  }, []);

  const { from, to, above, below } = rowWindow(sorted.length, ROW_HEIGHT, view);
  return (
    // Takes the focus, or it could not be scrolled by keyboard.
    <div class="table-box" ref={box} onScroll={measure} tabIndex={0} role="region" aria-label={label}>
      <table aria-rowcount={sorted.length + 1}>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <Head key={column.id} column={column} order={order} onOrder={setOrder} />
            ))}
          </tr>
        </thead>
        <tbody>
          {above > 0 && <Filler height={above} />}
          {sorted.slice(from, to).map((row, index) => (
            <TableRow
              key={keyOf(row)}
              row={row}
              place={from + index + 2}
              columns={columns}
              isMarked={isMarked?.(row) === true}
            />
          ))}
          {below > 0 && <Filler height={below} />}
        </tbody>
      </table>
      {sorted.length === 0 && <p class="empty">{empty}</p>}
    </div>
  );
}

interface TableRowProps<Row> {
  readonly row: Row;
  /** Among all rows, the head being the first. */
  readonly place: number;
  readonly columns: readonly Column<Row>[];
  readonly isMarked: boolean;
}

/** Drawn again only if it changed: the rows of a tape move, and few of them are new. */
class TableRow<Row> extends Component<TableRowProps<Row>> {
  override shouldComponentUpdate({ row, place, columns, isMarked }: TableRowProps<Row>): boolean {
    const { props } = this;
    return (
      row !== props.row || place !== props.place || columns !== props.columns || isMarked !== props.isMarked
    );
  }

  override render() {
    const { row, place, columns, isMarked } = this.props;
    return (
      <tr aria-rowindex={place} class={isMarked ? 'marked' : undefined}>
        {columns.map(({ id, cell, isText, isExtra }) => (
          <td key={id} class={cellClass(isText, isExtra)}>
            {cell(row)}
          </td>
        ))}
      </tr>
    );
  }
}

function cellClass(isText = false, isExtra = false): string {
  return `${isText ? 'text' : 'number'}${isExtra ? ' extra' : ''}`;
}

/** In place of rows that are not drawn. */
function Filler({ height }: { readonly height: number }) {
  return (
    <tr aria-hidden="true" class="filler">
      <td style={{ height: `${height}px` }} />
    </tr>
  );
}

interface HeadProps<Row> {
  readonly column: Column<Row>;
  readonly order: SortOrder | undefined;
  readonly onOrder: (order: SortOrder) => void;
}

function Head<Row>({ column, order, onOrder }: HeadProps<Row>) {
  const { id, head, unit, value, isText = false, isExtra } = column;
  const className = cellClass(isText, isExtra);
  if (value === undefined || order === undefined) {
    return (
      <th scope="col" class={className}>
        <HeadText head={head} unit={unit} />
      </th>
    );
  }
  const isSorted = order.column === id;
  const direction = order.isDescending ? 'descending' : 'ascending';
  return (
    <th scope="col" class={className} aria-sort={isSorted ? direction : 'none'}>
      <button
        type="button"
        onClick={() => {
          onOrder(nextOrder(order, id, isText));
        }}
      >
        <HeadText head={head} unit={unit} />
        <span class="arrow" aria-hidden="true">
          {isSorted ? (order.isDescending ? '▼' : '▲') : ''}
        </span>
      </button>
    </th>
  );
}

function HeadText({ head, unit }: { readonly head: string; readonly unit: string | undefined }) {
  return (
    <span>
      {head}
      {unit !== undefined && <span class="unit"> ({unit})</span>}
    </span>
  );
}
