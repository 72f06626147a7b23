import { CORRECTION_FORMS } from './correction-forms.ts';
import { DASH_DATA_FORMS } from './dash-data-forms.ts';
import { isHttpCases, runHttpCases } from './http-cases.ts';
import { INTAKE_FORMS } from './intake-forms.ts';
import { KEY_FILE_FORMS } from './key-file-forms.ts';
import { LEVERAGE_FORMS } from './leverage-forms.ts';
import { MINER_FORMS } from './miner-forms.ts';
import { PAIR_FORMS } from './pair-forms.ts';
import { POSITION_FORMS } from './position-forms.ts';
import { SCORING_FORMS } from './scoring/scoring-forms.ts';
import { SLIPPAGE_FORMS } from './slippage-forms.ts';
import { TRANSCRIPT_FORMS } from './transcript-forms.ts';
import type { ServerForm, VectorForm } from './vector-form.ts';
import { WIRE_FORMS } from './wire-forms.ts';

/** The forms that there is code for; each is recognised by name and by what lies beside it. The first one takes it. */
export const VECTOR_FORMS: readonly VectorForm[] = [
  ...POSITION_FORMS,
  ...PAIR_FORMS,
  ...LEVERAGE_FORMS,
  ...SLIPPAGE_FORMS,
  ...INTAKE_FORMS,
  ...CORRECTION_FORMS,
  ...WIRE_FORMS,
  ...MINER_FORMS,
  ...DASH_DATA_FORMS,
  ...SCORING_FORMS,
];

/** The forms whose files are run against something that is started for each. */
export const SERVER_FORMS: readonly ServerForm[] = [
  { name: 'requests over HTTP', recognises: isHttpCases, run: runHttpCases },
  ...KEY_FILE_FORMS,
  ...TRANSCRIPT_FORMS,
];
