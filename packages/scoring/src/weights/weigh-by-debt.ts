import { dustWeights } from '../debt/dust.ts';
import type { DustMiner } from '../debt/dust.ts';
import type { DebtRules } from '../debt/debt-rules.ts';
import { monthOf } from '../debt/months.ts';
import { highestFirst } from '../combination/highest-first.ts';
import type { Emissions, Weights } from './weigh-rule.ts';
import type { WeighRule } from '../generations/generation.ts';

const DUST = 1.5e-5;

/**
 * Weights by what miners are owed: each gets that, or dust where it is more. What is left of 1 is burned; more than 1 is divided
 * by the sum.
 *
 * @param nowMs Unix ms.
 */
export function debtWeights(
  miners: readonly DustMiner[],
  rules: DebtRules,
  nowMs: number,
  { burnHotkey, projectedDailyUsd = Infinity }: Emissions,
): Weights {
  const dust = dustWeights(miners, nowMs, DUST, rules.earned);
  const isActive = monthOf(nowMs, -1).startMs >= rules.activeFromMs;
  const remaining = miners.map(({ debt }) => (isActive ? rules.remaining(debt, nowMs) : 0));
  const owed = isActive ? rules.toWeights(remaining, nowMs, projectedDailyUsd) : remaining;
  const weights = miners.map(({ hotkey }, index): [string, number] => [
    hotkey,
    Math.max(owed[index] as number, dust.get(hotkey) ?? 0),
  ]);
  const sum = weights.reduce((total, [, weight]) => total + weight, 0);
  return highestFirst(
    sum < 1 ? [...weights, [burnHotkey, 1 - sum]] : weights.map(([hotkey, weight]) => [hotkey, weight / sum]),
  );
}

/** Weights since autumn 2025. None are set where emissions are not known. */
export function weighByDebt(rules: DebtRules): WeighRule {
  return ({ nowMs, state, miners, emissions }) => {
    if (emissions === undefined) return [];
    const owed = [...state].map(([hotkey, { bucket }]): DustMiner => {
      const miner = miners.get(hotkey);
      return { hotkey, bucket, debt: miner?.debt ?? [], accountSize: miner?.accountSize };
    });
    return debtWeights(owed, rules, nowMs, emissions);
  };
}
