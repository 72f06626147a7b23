/** What stands where there is no value. */
export const NOTHING = '–';

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

const PERCENT = new Intl.NumberFormat('en', {
  style: 'percent',
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
  signDisplay: 'exceptZero',
});
const SHARE = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 0 });
const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const WEIGHT = new Intl.NumberFormat('en', { style: 'percent', maximumSignificantDigits: 4 });
const PRICE = new Intl.NumberFormat('en', { maximumSignificantDigits: 7 });

/** A return factor (1.02) as a change: `+2.00%`. */
export function formatReturn(factor: unknown): string {
  return isNumber(factor) ? formatChange(factor - 1) : NOTHING;
}

/** A fraction (0.02) as a change: `+2.00%`. */
export function formatChange(fraction: unknown): string {
  return isNumber(fraction) ? PERCENT.format(fraction) : NOTHING;
}

/** A fraction from 0 to 1 as whole percents. */
export function formatShare(fraction: unknown): string {
  return isNumber(fraction) ? SHARE.format(fraction) : NOTHING;
}

export function formatWhole(value: unknown): string {
  return isNumber(value) ? WHOLE.format(value) : NOTHING;
}

export function formatScore(value: unknown): string {
  return isNumber(value) ? value.toFixed(Math.abs(value) >= 100 ? 0 : 3) : NOTHING;
}

/** A share of the network's rewards, which is small: with four digits that count. */
export function formatWeight(value: unknown): string {
  return isNumber(value) ? WEIGHT.format(value) : NOTHING;
}

export function formatPrice(value: unknown): string {
  return isNumber(value) && value !== 0 ? PRICE.format(value) : NOTHING;
}

/** Lots, coins or shares; of a closed position `0`. */
export function formatQuantity(value: unknown): string {
  return isNumber(value) ? PRICE.format(value === 0 ? 0 : value) : NOTHING;
}

/** Signed, as the validator writes it: negative for SHORT. */
export function formatLeverage(value: unknown): string {
  return isNumber(value) ? `${value.toFixed(3)}×` : NOTHING;
}

/** A duration in ms, in the unit a person would choose. */
export function formatDuration(durationMs: unknown): string {
  if (!isNumber(durationMs)) return NOTHING;
  const size = Math.abs(durationMs);
  if (size < 1000) return `${Math.round(durationMs)} ms`;
  if (size < 60_000) return `${(durationMs / 1000).toFixed(1)} s`;
  if (size < 3_600_000) return `${(durationMs / 60_000).toFixed(1)} min`;
  if (size < 172_800_000) return `${(durationMs / 3_600_000).toFixed(1)} h`;
  return `${(durationMs / 86_400_000).toFixed(1)} d`;
}

/** Unix ms as UTC, which the validator counts in: `2026-01-31 23:59:59`. */
export function formatTime(timeMs: unknown): string {
  if (!isNumber(timeMs) || Math.abs(timeMs) > 8.64e15 || timeMs === 0) return NOTHING;
  return new Date(timeMs).toISOString().slice(0, 19).replace('T', ' ');
}

/** The same where there is little room: of today the time, `23:59:59`, of other days `01-31 23:59`. */
export function formatShortTime(timeMs: unknown, nowMs: number): string {
  const text = formatTime(timeMs);
  if (text === NOTHING) return NOTHING;
  return text.slice(0, 10) === formatTime(nowMs).slice(0, 10) ? text.slice(11) : text.slice(5, 16);
}

/** How long ago a time was, by the same clock: `just now`, `3.0 s ago`. */
export function formatAge(timeMs: unknown, nowMs: number): string {
  if (!isNumber(timeMs)) return NOTHING;
  return nowMs - timeMs < 1000 ? 'just now' : `${formatDuration(nowMs - timeMs)} ago`;
}

/** A hotkey, shortened but still distinguishable from another: `5Fq1N…RCsv`. */
export function shortHotkey(hotkey: string): string {
  return hotkey.length <= 12 ? hotkey : `${hotkey.slice(0, 5)}…${hotkey.slice(-4)}`;
}

/** A name of the validator's (`statistical_confidence`) as a title: `Statistical confidence`. */
export function titled(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1).replaceAll('_', ' ');
}

export type Tone = 'up' | 'down' | 'flat';

/** Whether a return factor is a gain or a loss, as {@link formatReturn} shows it: `0.00%` is neither. */
export function toneOf(factor: unknown): Tone {
  const text = formatReturn(factor);
  return text.startsWith('+') ? 'up' : text.startsWith('-') ? 'down' : 'flat';
}
