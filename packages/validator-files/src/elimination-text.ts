import { formatFloat, joinMembers, quote } from '@ptn-api/positions';
import type { Elimination } from '@ptn-api/scoring';

function floats(values: Readonly<Record<string, number>>): string {
  return joinMembers(Object.entries(values).map(([key, value]) => [key, formatFloat(value)]));
}

function ddText(dd: number | null): string {
  if (dd === null) return 'null';
  // The one that stands for no drawdown at all is an int.
  return dd === -1 ? '-1' : formatFloat(dd);
}

/** A row of `eliminations.json`, its members in the order in which validators write them. */
export function eliminationText(elimination: Elimination): string {
  const { hotkey, elimination_initiated_time_ms: timeMs, dd, reason, price_info, return_info } = elimination;
  const members: [string, string][] = [
    ['hotkey', quote(hotkey)],
    ['elimination_initiated_time_ms', String(timeMs)],
    ['dd', ddText(dd)],
    ['reason', quote(reason)],
  ];
  if (price_info !== undefined) members.push(['price_info', floats(price_info)]);
  if (return_info !== undefined) {
    members.push([
      'return_info',
      joinMembers([
        ['dd_stats', '{}'],
        ['returns', floats(return_info.returns)],
      ]),
    ]);
  }
  return joinMembers(members);
}
