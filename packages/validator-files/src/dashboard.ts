import {
  isSettled,
  positionAtTier,
  readPosition,
  summaryFields,
  summaryText,
  writePosition,
} from '@ptn-api/positions';
import type { SummaryFields } from '@ptn-api/positions';
import type { Order, Position, Tier } from '@ptn-api/protocol';

const SOURCES_SHOWN_MS = 7 * 86_400_000;

/** A miner, and its positions in the order of the dashboard: closed ones as they closed, then open ones. */
export interface MinerPositions {
  readonly hotkey: string;
  readonly positions: readonly Position[];
}

/** A miner on the dashboard as of one time. */
export interface DashboardMiner {
  readonly hotkey: string;
  /** In the order of the dashboard: closed ones as they closed, then open ones. */
  readonly positions: readonly Position[];
  readonly summary: SummaryFields;
}

/** All miners, best `thirty_day_returns` first. Positions are never changed, so this stays as it is for good. */
export function takeDashboard(miners: readonly MinerPositions[], nowMs: number): DashboardMiner[] {
  return miners
    .map((miner) => {
      const positions = miner.positions.map((position) => shown(position, nowMs));
      const facts = positions.map((position) => ({
        openMs: position.open_ms,
        closeMs: position.is_closed_position ? position.close_ms : null,
        returnAtClose: position.return_at_close,
      }));
      return { hotkey: miner.hotkey, positions, summary: summaryFields(facts, nowMs) };
    })
    .sort((a, b) => b.summary.thirty_day_returns - a.summary.thirty_day_returns);
}

/** A position as the dashboard shows it: `close_ms` 0 while open, no price sources for orders older than 7 days. */
function shown(position: Position, nowMs: number): Position {
  const isOld = (order: Order): boolean =>
    order.processed_ms < nowMs - SOURCES_SHOWN_MS && order.price_sources.length > 0;
  // The same object where nothing changes, since its text is kept.
  if (position.close_ms !== null && !position.orders.some(isOld)) return position;
  return {
    ...position,
    close_ms: position.close_ms ?? 0,
    orders: position.orders.map((order) => (isOld(order) ? { ...order, price_sources: [] } : order)),
  };
}

/** Texts of positions: most are the same in every tier of every snapshot. */
const texts = new WeakMap<Position, string>();

function textOf(position: Position): string {
  let text = texts.get(position);
  if (text === undefined) {
    text = writePosition(position);
    texts.set(position, text);
  }
  return text;
}

/** What a tier shows of a position; undefined if nothing. */
function textAtTier(position: Position, tier: Tier, nowMs: number): string | undefined {
  const text = textOf(position);
  if (position.is_closed_position && isSettled({ closeMs: position.close_ms }, nowMs)) return text;
  const reading = readPosition(text);
  if (!reading.ok) throw new Error(`the simulated position ${position.position_uuid} ${reading.reason}`);
  const view = positionAtTier(text, reading.facts, tier, nowMs);
  if (view.kind === 'dropped') return undefined;
  return view.kind === 'cut' ? view.text : text;
}

/** A miner's member of the dashboard map, or of the map that a tier shows as of `nowMs`. */
export function dashboardMember(
  miner: DashboardMiner,
  tier?: { tier: Tier; nowMs: number },
): [string, string] {
  const positions = miner.positions.map((position) =>
    tier === undefined ? textOf(position) : textAtTier(position, tier.tier, tier.nowMs),
  );
  const list = positions.filter((text) => text !== undefined).join(', ');
  const end = tier === undefined ? '' : `, "tier": ${tier.tier}`;
  return [miner.hotkey, `{"positions": [${list}], ${summaryText(miner.summary)}${end}}`];
}
