import type { ScheduleRow } from './schedule.ts';
import type { Validator } from './validator.ts';

/** What a validator does by itself with its positions. */
export function validatorRows(validator: Validator): ScheduleRow[] {
  return [{ name: 'refresh of positions', everyMs: 60_000, run: (nowMs) => validator.refresh(nowMs) }];
}
