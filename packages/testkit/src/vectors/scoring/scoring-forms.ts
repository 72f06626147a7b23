import type { VectorForm } from '../vector-form.ts';
import { AUTUMN_FORMS } from './autumn-forms.ts';
import { LEDGER_FORMS } from './ledger-forms.ts';
import { METRIC_FORMS } from './metric-forms.ts';
import { PENALTY_FORMS } from './penalty-forms.ts';
import { PLAGIARISM_FORMS } from './plagiarism-forms.ts';
import { ROUND_FORMS } from './round-forms.ts';
import { SPRING_2024_FORMS } from './spring-2024-forms.ts';
import { STATISTICS_FORMS } from './statistics-forms.ts';

/** Files of what the validators' scoring answered. */
export const SCORING_FORMS: readonly VectorForm[] = [
  ...METRIC_FORMS,
  ...PENALTY_FORMS,
  ...ROUND_FORMS,
  ...LEDGER_FORMS,
  ...AUTUMN_FORMS,
  ...SPRING_2024_FORMS,
  ...PLAGIARISM_FORMS,
  ...STATISTICS_FORMS,
];
