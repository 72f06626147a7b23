import { BaselineSeries, ColorType, HistogramSeries, LineStyle, createChart } from 'lightweight-charts';
import type { IChartApi, Time, UTCTimestamp } from 'lightweight-charts';
import { useEffect, useRef, useState } from 'preact/hooks';
import { formatChange, formatTime } from '../model/format.ts';
import type { CurvePoint } from '../model/miners.ts';

interface ChartProps {
  /** What a screen reader says in place of the picture. */
  readonly label: string;
  readonly points: readonly CurvePoint[];
  readonly kind: 'curve' | 'bars';
  /** Bars in a pane of their own, over the same times. */
  readonly below?: Layer | undefined;
}

interface Layer {
  readonly label: string;
  readonly points: readonly CurvePoint[];
}

const DARK = matchMedia('(prefers-color-scheme: dark)');

function useIsDark(): boolean {
  const [isDark, setIsDark] = useState(DARK.matches);
  useEffect(() => {
    const look = (): void => {
      setIsDark(DARK.matches);
    };
    DARK.addEventListener('change', look);
    return () => {
      DARK.removeEventListener('change', look);
    };
  }, []);
  return isDark;
}

/** The style sheet's colours, which a canvas does not get by itself. */
function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function makeChart(box: HTMLElement): IChartApi {
  return createChart(box, {
    autoSize: true,
    layout: {
      background: { type: ColorType.Solid, color: 'transparent' },
      textColor: colour('muted'),
      fontFamily: getComputedStyle(document.body).fontFamily,
      // It comes with a style element, which the page's policy forbids; the page's foot names the library.
      attributionLogo: false,
      panes: { enableResize: false, separatorColor: colour('line') },
    },
    grid: { vertLines: { visible: false }, horzLines: { color: colour('line'), style: LineStyle.Dotted } },
    // A label at the edge would be cut.
    rightPriceScale: { borderVisible: false, entireTextOnly: true },
    timeScale: { borderVisible: false, fixLeftEdge: true, fixRightEdge: true },
    localization: { priceFormatter: (value: number) => formatChange(value / 100) },
    // The wheel belongs to the page.
    handleScroll: { mouseWheel: false, vertTouchDrag: false },
    handleScale: { mouseWheel: false },
  });
}

function describe(points: readonly CurvePoint[]): string {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return 'nothing yet';
  const day = ({ time }: CurvePoint): string => formatTime(time * 1000).slice(0, 10);
  const at = (point: CurvePoint): string => `${formatChange(point.value / 100)} on ${day(point)}`;
  const ofTwo = (pick: (one: number, other: number) => boolean): CurvePoint =>
    points.reduce((kept, point) => (pick(point.value, kept.value) ? point : kept));
  const lowest = ofTwo((one, other) => one < other);
  const highest = ofTwo((one, other) => one > other);
  return `from ${day(first)} to ${day(last)}, last ${at(last)}, lowest ${at(lowest)}, highest ${at(highest)}`;
}

/** Puts a series into a pane; what it returns draws points. */
function addSeries(
  chart: IChartApi,
  kind: ChartProps['kind'],
  pane: number,
): (points: readonly CurvePoint[]) => void {
  const [up, down] = [colour('up'), colour('down')];
  const timed = ({ time, value }: CurvePoint): { time: Time; value: number } => ({
    time: time as UTCTimestamp,
    value,
  });
  // It would cover a label of the axis; the heading already says it.
  const common = { priceLineVisible: false, lastValueVisible: false };
  if (kind === 'bars') {
    const series = chart.addSeries(HistogramSeries, common, pane);
    return (points) => {
      series.setData(points.map((point) => ({ ...timed(point), color: point.value < 0 ? down : up })));
    };
  }
  const series = chart.addSeries(
    BaselineSeries,
    {
      ...common,
      baseValue: { type: 'price', price: 0 },
      topLineColor: up,
      bottomLineColor: down,
      topFillColor1: `${up}44`,
      topFillColor2: `${up}00`,
      bottomFillColor1: `${down}00`,
      bottomFillColor2: `${down}44`,
      lineWidth: 2,
    },
    pane,
  );
  return (points) => {
    series.setData(points.map(timed));
  };
}

/** The upper pane's height, the lower one's being 1. */
const UPPER_HEIGHT = 2;

/** Percents over time. */
export function Chart({ label, points, kind, below }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const isDark = useIsDark();
  const hasBelow = below !== undefined;
  const draw = useRef<(upper: readonly CurvePoint[], lower: readonly CurvePoint[]) => void>(() => undefined);

  useEffect(() => {
    if (box.current === null) return undefined;
    const chart = makeChart(box.current);
    const drawUpper = addSeries(chart, kind, 0);
    const drawLower = hasBelow ? addSeries(chart, 'bars', 1) : undefined;
    if (hasBelow) chart.panes()[0]?.setStretchFactor(UPPER_HEIGHT);
    draw.current = (upper, lower) => {
      drawUpper(upper);
      drawLower?.(lower);
      chart.timeScale().fitContent();
    };
    return () => {
      draw.current = () => undefined;
      chart.remove();
    };
  }, [kind, hasBelow, isDark]);

  useEffect(() => {
    draw.current(points, below?.points ?? []);
  }, [points, below, kind, isDark]);

  const texts = [
    `${label}: ${describe(points)}`,
    ...(hasBelow ? [`${below.label}: ${describe(below.points)}`] : []),
  ];
  return <div class="chart" ref={box} role="img" aria-label={texts.join('; ')} />;
}
