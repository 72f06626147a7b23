import { formatFloat, lastMembers, sliceArray, sliceObject } from '@ptn-api/positions';
import type { MinerView, OrderStatus } from '@ptn-api/runtime';

/** What a view shows of a miner, and how many elements its list has, 1 where it is none; `null`: nothing. */
export type ViewText = { readonly text: string; readonly items: number } | null;

/** The members of an object by name; none where the text is no object. */
function membersOf(text: string | undefined): Map<string, string> {
  if (text?.startsWith('{') !== true) return new Map();
  return new Map(
    [...lastMembers(sliceObject(text))].map(([key, { valueStart, valueEnd }]) => [
      key,
      text.slice(valueStart, valueEnd),
    ]),
  );
}

/** The elements of a list; `undefined` where the text is none. */
function elementsOf(text: string | undefined): string[] | undefined {
  if (text?.startsWith('[') !== true) return undefined;
  return sliceArray(text).map(({ start, end }) => text.slice(start, end));
}

function objectText(members: Iterable<readonly [string, string | undefined]>): string {
  const given = [...members].filter(([, text]) => text !== undefined);
  return `{${given.map(([key, text]) => `"${key}": ${String(text)}`).join(', ')}}`;
}

function sumOf(parts: readonly Map<string, string>[], name: string): string {
  const numbers = parts.map((part) => Number(part.get(name) ?? 0));
  return formatFloat(numbers.reduce((sum, number) => sum + number, 0));
}

/** Sums over the checkpoints of a debt ledger, and what the last one says. One without checkpoints is left out. */
function debtSummary(text: string, hotkey: string): ViewText {
  const checkpoints = (elementsOf(membersOf(text).get('checkpoints')) ?? []).map(membersOf);
  const last = checkpoints.at(-1);
  if (last === undefined) return null;
  const emissions = checkpoints.map((checkpoint) => membersOf(checkpoint.get('emissions')));
  const performance = membersOf(last.get('performance'));
  const netPnl = performance.get('net_pnl');
  return {
    text: objectText([
      ['hotkey', JSON.stringify(hotkey)],
      ['total_checkpoints', String(checkpoints.length)],
      ['cumulative_emissions_alpha', sumOf(emissions, 'chunk_alpha')],
      ['cumulative_emissions_tao', sumOf(emissions, 'chunk_tao')],
      ['cumulative_emissions_usd', sumOf(emissions, 'chunk_usd')],
      ['portfolio_return', performance.get('portfolio_return')],
      ['weighted_score', membersOf(last.get('derived')).get('weighted_score')],
      ['latest_checkpoint_ms', last.get('timestamp_ms')],
      ['net_pnl', netPnl],
      // 2026 writes the two in place of their sum.
      ...(netPnl === undefined
        ? (['realized_pnl', 'unrealized_pnl'] as const).map((name) => [name, performance.get(name)] as const)
        : []),
      ['total_fees', performance.get('total_fees')],
    ]),
    items: 1,
  };
}

function latest(text: string): ViewText {
  const elements = elementsOf(text);
  if (elements === undefined) return { text, items: 1 };
  const last = elements.at(-1);
  return last === undefined ? { text: '[]', items: 0 } : { text: `[${last}]`, items: 1 };
}

/** Where a miner stands in its challenge period, as dashboards of the validator name it. */
function bucket(text: string): ViewText {
  const members = membersOf(text);
  // Before autumn 2025 the file was another one, of lists by outcome.
  if (!members.has('bucket')) return null;
  return {
    text: objectText([
      ['bucket', members.get('bucket')],
      ['start_time_ms', members.get('bucket_start_time') ?? 'null'],
    ]),
    items: 1,
  };
}

/** Of one value of a file that is a map by hotkey. @throws JsonSyntaxError */
export const MINER_VIEWS: Readonly<
  Record<Exclude<MinerView, OrderStatus>, (text: string, hotkey: string) => ViewText>
> = {
  whole: (text) => ({ text, items: elementsOf(text)?.length ?? 1 }),
  latest,
  'debt-summary': debtSummary,
  bucket,
};
