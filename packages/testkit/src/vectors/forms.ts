import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { cutPosition, filterDashboard, sliceArray, sliceDashboard, sliceObject } from '@ptn-api/positions';
import { TIERS } from '@ptn-api/protocol';
import type { Position } from '@ptn-api/protocol';
import { compareTexts } from './compare-texts.ts';
import { CORRECTION_FORMS } from './correction-forms.ts';
import { INTAKE_FORMS } from './intake-forms.ts';
import { LEVERAGE_FORMS } from './leverage-forms.ts';
import { PAIR_FORMS } from './pair-forms.ts';
import { readText } from './read-text.ts';
import { SLIPPAGE_FORMS } from './slippage-forms.ts';
import type { VectorForm } from './vector-form.ts';
import { WIRE_FORMS } from './wire-forms.ts';

function beside(path: string, name: string): string {
  return join(dirname(path), name);
}

const TIER_FILE = /^tier_(\d+)\.json\.gz$/;

/** The forms that there is code for; each is recognised by name and by what lies beside it. */
export const VECTOR_FORMS: readonly VectorForm[] = [
  {
    name: 'a dashboard map as a tier sees it',
    recognises: (path) =>
      TIER_FILE.test(basename(path)) &&
      ['input.json.gz', 'now.json'].every((name) => existsSync(beside(path, name))),
    run: (path, difference) => {
      const tier = TIERS.find((known) => String(known) === TIER_FILE.exec(basename(path))?.[1]);
      if (tier === undefined) throw new Error(`${path}: there is no such tier`);
      const { now_ms: now } = JSON.parse(readText(beside(path, 'now.json'))) as { now_ms: number };
      const input = readText(beside(path, 'input.json.gz'));
      compareTexts(filterDashboard(input, tier, now).text, readText(path), difference);
      return sliceDashboard(input).miners.reduce((sum, { positions }) => sum + positions.length, 0);
    },
  },
  {
    name: 'positions as they stood after each of their orders',
    recognises: (path) =>
      basename(path) === 'prefix_rebuilds.json.gz' && existsSync(beside(path, 'input.json.gz')),
    run: (path, difference) => {
      const texts = new Map<string, string>();
      for (const { positions } of sliceDashboard(readText(beside(path, 'input.json.gz'))).miners) {
        for (const text of positions) texts.set((JSON.parse(text) as Position).position_uuid, text);
      }
      const rebuilds = readText(path);
      const rows = sliceArray(rebuilds);
      for (const { start, end } of rows) {
        const text = rebuilds.slice(start, end);
        const { position_uuid: uuid, n_orders: orders } = JSON.parse(text) as {
          position_uuid: string;
          n_orders: number;
        };
        const wanted = sliceObject(text).find(({ key }) => key === 'position');
        const cut = cutPosition(texts.get(uuid) ?? '', (index) => index < orders);
        compareTexts(
          cut.ok ? cut.text : JSON.stringify(cut.reason),
          wanted === undefined ? '"an error"' : text.slice(wanted.valueStart, wanted.valueEnd),
          difference,
          `${uuid}/${orders}`,
        );
      }
      return rows.length;
    },
  },
  ...PAIR_FORMS,
  ...LEVERAGE_FORMS,
  ...SLIPPAGE_FORMS,
  ...INTAKE_FORMS,
  ...CORRECTION_FORMS,
  ...WIRE_FORMS,
];
