import { GENERATION_2025_05, NEW_MINER, answerDashData } from '@ptn-api/rules';
import type { DashDataAnswer, ValidatorState } from '@ptn-api/rules';
import { addOrder, makePosition } from '@ptn-api/testkit';
import t from 'tap';
import { HOTKEY, WEDNESDAY_MS } from './intake-desk.ts';

const DAY_MS = 86_400_000;
const VALIDATOR: ValidatorState = {
  ...{ hotkey: '5Validator', generation: GENERATION_2025_05, isStopping: false },
  ...{ registeredHotkeys: new Set([HOTKEY]), eliminations: new Map(), haltedPairs: new Set() },
  ...{ processedUuids: new Set(), timestamp: { lastOrderMs: WEDNESDAY_MS } },
};

function closedPosition(openMs: number, closePrice: number) {
  const position = makePosition({ hotkey: HOTKEY, orders: [{ timeMs: openMs }] });
  return addOrder(position, { type: 'FLAT', timeMs: openMs + DAY_MS, price: closePrice });
}

function ask(changes: Partial<ValidatorState> = {}): { answer: DashDataAnswer; isForbidden: boolean } {
  return answerDashData({ ...VALIDATOR, ...changes }, NEW_MINER, HOTKEY, WEDNESDAY_MS, {
    statistics: () => `{"data": [{"hotkey": "${HOTKEY}"}]}`,
    challengePeriod: () => undefined,
    positions: () => [
      closedPosition(WEDNESDAY_MS - 89 * DAY_MS, 110),
      closedPosition(WEDNESDAY_MS - 91 * DAY_MS, 120),
    ],
  });
}

void t.test('positions of the last 90 days count for the returns of thirty', (t) => {
  const { answer } = ask();
  t.match(answer, { successfully_processed: true, error_message: '' });
  const data = JSON.parse(answer.data) as { challengeperiod: unknown; positions: Record<string, unknown> };
  t.strictSame(data.challengeperiod, { testing: {}, success: {} }, 'without a file nobody is in the period');
  const own = data.positions[HOTKEY] as {
    n_positions: number;
    thirty_day_returns: number;
    all_time_returns: number;
    positions: { open_ms: number; return_at_close: number }[];
  };
  t.equal(own.n_positions, 2);
  const [older, newer] = own.positions;
  t.equal(older?.open_ms, WEDNESDAY_MS - 91 * DAY_MS, 'as they closed');
  t.equal(own.thirty_day_returns, newer?.return_at_close);
  t.not(own.all_time_returns, own.thirty_day_returns);
  t.end();
});

void t.test('who is not registered, or asks while the validator stops, gets nothing', (t) => {
  t.match(ask({ registeredHotkeys: new Set() }), {
    isForbidden: true,
    answer: { error_message: `Forbidden. Key is blacklisted: ${HOTKEY}.`, data: '{}' },
  });
  t.match(ask({ isStopping: true }), {
    isForbidden: false,
    answer: { error_message: 'Validator is restarting due to update. Please try again later.', data: '{}' },
  });
  t.end();
});
