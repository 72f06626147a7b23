import { counted } from '@ptn-api/protocol';
import { explanationLines, PORTFOLIO } from '@ptn-api/scoring';
import type { CandidateReport } from '@ptn-api/scoring';
import type { ScoredMiner, ScoreReport } from './score-report.ts';

const DAY_MS = 86_400_000;
/** The part of a hotkey that is shown: it distinguishes it from the others, and can be given to `--explain`. */
const [HEAD, TAIL] = [8, 4];
const MAX_WIDTH = 100;
const GAP = '  ';
/** Where a table would be too wide. */
const NARROW_GAP = ' ';

/** One column of a table. */
interface Column {
  readonly title: string;
  readonly isText?: boolean;
  readonly cell: (miner: ScoredMiner) => string;
}

function shortHotkey(hotkey: string): string {
  return hotkey.length <= HEAD + TAIL + 1 ? hotkey : `${hotkey.slice(0, HEAD)}…${hotkey.slice(-TAIL)}`;
}

/** A number in at most nine characters. */
function short(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 100_000)) return value.toExponential(2);
  return value.toPrecision(4).slice(0, 7);
}

function timeLeft(candidate: CandidateReport | undefined): string {
  const ms = candidate?.remainingMs;
  return ms === undefined ? '-' : ms < 0 ? 'over' : `${(ms / DAY_MS).toFixed(1)} d`;
}

/** What a candidate lacks. */
function toPromotion({ bucket, candidate }: ScoredMiner): string {
  if (candidate === undefined) return bucket === 'MAINCOMP' ? 'is in' : '-';
  if (candidate.skipped !== undefined) return 'undecided';
  const { minimumDays, tradingDays, percentile, percentileThreshold, segments } = candidate;
  const lacks: string[] = [];
  if (tradingDays < minimumDays) lacks.push(`${minimumDays - tradingDays} days`);
  if (percentile !== undefined && percentileThreshold !== undefined && !(percentile >= percentileThreshold)) {
    lacks.push(`${(percentileThreshold - percentile).toFixed(2)} pct`);
  }
  const isBelowAll = segments?.every(({ score, threshold }) => !(score >= threshold)) === true;
  if (isBelowAll) lacks.push(short(Math.min(...segments.map(({ score, threshold }) => threshold - score))));
  if (lacks.length > 0) return lacks.join(', ');
  // Who is out of time, or has fallen too far, is not tried.
  return percentile === undefined && segments === undefined ? '-' : 'fulfilled';
}

const RANKING: readonly Column[] = [
  { title: '#', cell: ({ rank }) => (rank === undefined ? '-' : String(rank)) },
  { title: 'hotkey', isText: true, cell: ({ hotkey }) => shortHotkey(hotkey) },
  { title: 'stands in', isText: true, cell: ({ bucket }) => bucket ?? '-' },
  { title: 'weight', cell: ({ rank, weight }) => (rank === undefined ? '-' : short(weight)) },
  { title: 'penalty', cell: ({ penalties }) => short(penalties.total) },
  { title: 'fall %', cell: ({ drawdown }) => drawdown.percent.toFixed(2) },
  { title: 'left %', cell: ({ drawdown }) => drawdown.leftPercent.toFixed(2) },
  { title: 'days', cell: ({ tradingDays }) => String(tradingDays) },
  { title: 'time left', cell: ({ candidate }) => timeLeft(candidate) },
  { title: 'to promotion', isText: true, cell: toPromotion },
];

function tableLines(columns: readonly Column[], miners: readonly ScoredMiner[]): string[] {
  const rows = [
    columns.map(({ title }) => title),
    ...miners.map((miner) => columns.map(({ cell }) => cell(miner))),
  ];
  const widths = columns.map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)));
  const width = widths.reduce((sum, own) => sum + own, GAP.length * (columns.length - 1));
  const gap = width > MAX_WIDTH ? NARROW_GAP : GAP;
  return rows.map((row) =>
    row
      .map((text, index) => {
        const width = widths[index] ?? 0;
        return columns[index]?.isText === true ? text.padEnd(width) : text.padStart(width);
      })
      .join(gap)
      .trimEnd(),
  );
}

/** The metrics of a segment: the value, and the percentile in the main competition. */
function metricColumns(miners: readonly ScoredMiner[], segment: string): Column[] {
  const names = new Set(
    miners.flatMap(({ metrics }) =>
      metrics.filter((metric) => metric.segment === segment).map(({ name }) => name),
    ),
  );
  const columns = [...names].map((name): Column => ({
    title: name.replace('statistical_', ''),
    cell: ({ metrics }) => {
      const metric = metrics.find((one) => one.segment === segment && one.name === name);
      return metric === undefined ? '-' : `${short(metric.score)} ${metric.percentile.toFixed(2)}`;
    },
  }));
  return [{ title: 'hotkey', isText: true, cell: ({ hotkey }) => shortHotkey(hotkey) }, ...columns];
}

function metricTables(miners: readonly ScoredMiner[]): string[] {
  const segments = new Set(miners.flatMap(({ metrics }) => metrics.map(({ segment }) => segment)));
  return [...segments].flatMap((segment) => {
    const shown = miners.filter(({ metrics }) => metrics.some((metric) => metric.segment === segment));
    const where = segment === PORTFOLIO ? '' : ` in ${segment}`;
    return [
      '',
      `Metrics${where}, each with its percentile in the main competition:`,
      ...tableLines(metricColumns(miners, segment), shown),
    ];
  });
}

/** When, by which rules, and who. */
function headingLines({ source, atMs, generation, miners, eliminated }: ScoreReport): string[] {
  const time = new Date(atMs).toISOString().slice(0, 16).replace('T', ' ');
  const main = miners.filter(({ bucket }) => bucket === 'MAINCOMP').length;
  return [
    `${source}, ${time} UTC, generation ${generation}`,
    `${counted(miners.length, 'miner')}: ${main} in the main competition, ${miners.length - main} on trial; ${eliminated.length} eliminated`,
  ];
}

/** A report for a terminal, at most 100 columns wide but for the name of its source. */
export function reportLines(report: ScoreReport): string[] {
  const { miners, noWeights, outcomes } = report;
  return [
    ...headingLines(report),
    ...(noWeights === undefined ? [] : [`No weights: ${noWeights}.`]),
    ...(miners.length === 0 ? [] : ['', ...tableLines(RANKING, miners), ...metricTables(miners)]),
    ...(outcomes.length === 0 ? [] : ['', 'When the challenge period is refreshed next:']),
    ...outcomes.map(({ hotkey, outcome }) => `  ${hotkey}: ${outcome}`),
  ];
}

/** One miner of a report for a terminal. */
export function minerLines(report: ScoreReport, miner: ScoredMiner): string[] {
  return [...headingLines(report), '', ...explanationLines(miner)];
}
