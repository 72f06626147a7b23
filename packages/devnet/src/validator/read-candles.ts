import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { PAIRS } from '@ptn-api/rules';
import { CandlePrices } from './candle-prices.ts';
import type { Candle, CandleSeries } from './candle-prices.ts';

/** A file of prices is none. The message names the file, the line, and what is wrong with it. */
export class PricesFileError extends Error {
  override readonly name = 'PricesFileError';
}

const COLUMNS = ['trade_pair', 'start_ms', 'open', 'high', 'low', 'close'] as const;
const HEADERS: ReadonlyMap<string, boolean> = new Map([
  [COLUMNS.join(','), false],
  [[...COLUMNS, 'volume'].join(','), true],
]);
const WHOLE = /^\d{1,15}$/;
const DECIMAL = /^\d+(?:\.\d*)?(?:[eE][+-]?\d+)?$/;
const MINUTE_MS = 60_000;
/** Times in seconds are below it for the next 60 years, times in ms since 1973 are above. */
const MIN_START_MS = 1e11;

function numberOf(text: string, name: string): number {
  if (!DECIMAL.test(text))
    throw new PricesFileError(`${name} is ${JSON.stringify(text)}, which is no number`);
  return Number(text);
}

function priceOf(text: string, name: string): number {
  const price = numberOf(text, name);
  if (price > 0) return price;
  throw new PricesFileError(`${name} must be more than 0`);
}

/** @throws PricesFileError without file and line. */
function parseRow(row: string, hasVolume: boolean): { readonly pairId: string; readonly candle: Candle } {
  const fields = row.split(',').map((field) => field.trim());
  const wanted = COLUMNS.length + (hasVolume ? 1 : 0);
  if (fields.length !== wanted) {
    throw new PricesFileError(`it has ${fields.length} fields, the header has ${wanted}`);
  }
  const [pairId = '', start = '', open = '', high = '', low = '', close = '', volume = ''] = fields;
  if (!PAIRS.has(pairId)) {
    throw new PricesFileError(`trade_pair ${JSON.stringify(pairId)} is none, they are written like BTCUSD`);
  }
  if (!WHOLE.test(start)) throw new PricesFileError(`start_ms is ${JSON.stringify(start)}, not Unix ms`);
  const startMs = Number(start);
  if (startMs < MIN_START_MS) throw new PricesFileError(`start_ms is ${start}, which looks like seconds`);
  const candle = {
    startMs,
    open: priceOf(open, 'open'),
    high: priceOf(high, 'high'),
    low: priceOf(low, 'low'),
    close: priceOf(close, 'close'),
    ...(hasVolume ? { volume: numberOf(volume, 'volume') } : {}),
  };
  if (candle.high < Math.max(candle.open, candle.close, candle.low)) {
    throw new PricesFileError('high is below another price');
  }
  if (candle.low > Math.min(candle.open, candle.close))
    throw new PricesFileError('low is above another price');
  return { pairId, candle };
}

/** The candles of a pair, as long as the shortest way from one to the next. */
function seriesOf(pairId: string, candles: readonly Candle[]): CandleSeries {
  let lengthMs = Infinity;
  for (let index = 1; index < candles.length; index++) {
    const wayMs = (candles[index]?.startMs ?? NaN) - (candles[index - 1]?.startMs ?? NaN);
    lengthMs = Math.min(lengthMs, wayMs);
  }
  return { pairId, lengthMs: Number.isFinite(lengthMs) ? lengthMs : MINUTE_MS, candles };
}

async function readSeries(path: string): Promise<CandleSeries[]> {
  const byPair = new Map<string, Candle[]>();
  const lines = createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Infinity });
  let hasVolume: boolean | undefined;
  let number = 0;
  for await (const line of lines) {
    number += 1;
    const row = number === 1 ? line.replace(/^\ufeff/, '') : line;
    try {
      if (hasVolume === undefined) {
        hasVolume = HEADERS.get(row.replaceAll(' ', ''));
        if (hasVolume === undefined) {
          throw new PricesFileError(`the header must be ${COLUMNS.join(',')} or the same with ,volume`);
        }
        continue;
      }
      if (row.trim() === '') continue;
      const { pairId, candle } = parseRow(row, hasVolume);
      const candles = byPair.get(pairId) ?? [];
      if (candle.startMs <= (candles.at(-1)?.startMs ?? -Infinity)) {
        throw new PricesFileError(`start_ms of ${pairId} must be later than in its line before`);
      }
      candles.push(candle);
      byPair.set(pairId, candles);
    } catch (error) {
      if (!(error instanceof PricesFileError)) throw error;
      throw new PricesFileError(`${path}, line ${number}: ${error.message}`, { cause: error });
    }
  }
  if (byPair.size === 0) throw new PricesFileError(`${path} holds no candles`);
  return [...byPair].map(([pairId, candles]) => seriesOf(pairId, candles));
}

/**
 * Reads a CSV of candles: `trade_pair,start_ms,open,high,low,close[,volume]`, those of a pair in the order of time. The
 * length of a pair's candles is the shortest way from one to the next; what is missing between them is a gap.
 *
 * @throws PricesFileError
 */
export async function readCandles(path: string): Promise<CandlePrices> {
  try {
    return new CandlePrices(await readSeries(path));
  } catch (error) {
    if (error instanceof PricesFileError || !(error instanceof Error)) throw error;
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    throw new PricesFileError(`${path} cannot be read (${error.message})`, { cause: error });
  }
}
