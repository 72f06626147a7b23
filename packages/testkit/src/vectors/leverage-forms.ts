import { accountOrders, JsonNumber } from '@ptn-api/positions';
import type { Order, OrderType } from '@ptn-api/protocol';
import { boundLeverage, checkDraft, leverageBounds, portfolioCap, portfolioLeverage } from '@ptn-api/rules';
import type { RulesPair } from '@ptn-api/rules';
import type { Difference } from './compare-texts.ts';
import { compareValues } from './compare-values.ts';
import { pairOf } from './pair-of.ts';
import { readText } from './read-text.ts';
import { fileForm } from './vector-form.ts';
import type { VectorForm } from './vector-form.ts';

/** Names of refusals in the file. */
const LEVERAGE_ERRORS = {
  closed: 'closed',
  'not-traded': 'not_traded',
  'portfolio-exceeded': 'portfolio_exceeded',
  'max-exceeded': 'max_exceeded',
  'below-min': 'below_min',
  'below-min-over-portfolio': 'below_min_over_portfolio',
  'below-order-min': 'order_min',
};

interface LeverageStep {
  readonly order_type: OrderType;
  readonly leverage: number;
  readonly price: number;
  readonly processed_ms: number;
  readonly net_portfolio_leverage: number;
  readonly expect: unknown;
}

interface LeverageFile {
  readonly bounds: readonly {
    readonly trade_pair: string;
    readonly t_ms: number;
    readonly expect: unknown;
  }[];
  readonly portfolio_cap: readonly { readonly t_ms: number; readonly expect: unknown }[];
  readonly orders: readonly {
    readonly name: string;
    readonly trade_pair: string;
    readonly steps: readonly LeverageStep[];
  }[];
  readonly net_portfolio_leverage: readonly {
    readonly positions: readonly {
      readonly trade_pair: string;
      readonly net_leverage: number;
      readonly closed: boolean;
    }[];
    readonly expect: unknown;
  }[];
}

/** Gives orders to one position, each with the portfolio leverage that the file says. */
function runLeverageSteps(
  pair: RulesPair,
  steps: readonly LeverageStep[],
  check: (got: object) => void,
): void {
  const orders: Order[] = [];
  let state = { net_leverage: 0, is_closed_position: false };
  for (const [index, step] of steps.entries()) {
    const { order_type: orderType, price, processed_ms: timeMs } = step;
    const error = (name: string): void => {
      check({ index, error: name, net_leverage: state.net_leverage });
    };
    const leverage = JsonNumber.float(step.leverage);
    const draft = checkDraft({ orderType, leverage, price, bid: 0, ask: 0 });
    if (!draft.ok) {
      error('validation');
      continue;
    }
    const bounded = boundLeverage(
      {
        isFirstOrder: orders.length === 0,
        isClosed: state.is_closed_position,
        netLeverage: state.net_leverage,
      },
      { orderType, leverage: draft.leverage },
      pair,
      step.net_portfolio_leverage,
      timeMs,
    );
    if (!bounded.ok) {
      error(LEVERAGE_ERRORS[bounded.refusal.kind]);
      continue;
    }
    const order: Order = {
      ...{ order_type: bounded.orderType, leverage: bounded.leverage, price, processed_ms: timeMs },
      ...{ order_uuid: String(index), price_sources: [], slippage: 0 },
    };
    const result = accountOrders([...orders, order], pair);
    if (!result.ok) {
      error('first_order_zero_leverage');
      continue;
    }
    orders.push(order);
    state = result.accounting;
    check({
      ...{ index, order_type: order.order_type, leverage: order.leverage },
      ...{ net_leverage: state.net_leverage, closed: state.is_closed_position },
    });
  }
}

function runLeverage(path: string, difference: Difference): number {
  const file = JSON.parse(readText(path)) as LeverageFile;
  let cases = 0;
  for (const { trade_pair: id, t_ms: timeMs, expect } of file.bounds) {
    const bounds = leverageBounds(pairOf(id), timeMs);
    const got = bounds === undefined ? { error: 'ValueError' } : [bounds.min, bounds.max];
    compareValues(got, expect, difference, `bounds of ${id} at ${timeMs}`);
  }
  for (const { t_ms: timeMs, expect } of file.portfolio_cap) {
    compareValues(portfolioCap(timeMs), expect, difference, `portfolio cap at ${timeMs}`);
  }
  for (const { name, trade_pair: id, steps } of file.orders) {
    const got: object[] = [];
    runLeverageSteps(pairOf(id), steps, (row) => got.push(row));
    const want = steps.map(({ expect }, index) => ({ index, ...(expect as object) }));
    compareValues(got, want, difference, name);
    cases += steps.length;
  }
  for (const { positions, expect } of file.net_portfolio_leverage) {
    const sum = portfolioLeverage(
      positions.map(({ trade_pair: id, net_leverage, closed }) => ({
        trade_pair: pairOf(id).record,
        net_leverage,
        is_closed_position: closed,
      })),
    );
    compareValues(sum, expect, difference, 'portfolio leverage');
  }
  return cases + file.bounds.length + file.portfolio_cap.length + file.net_portfolio_leverage.length;
}

export const LEVERAGE_FORMS: readonly VectorForm[] = [
  fileForm('leverage.json', 'leverage of orders and portfolios', runLeverage),
];
