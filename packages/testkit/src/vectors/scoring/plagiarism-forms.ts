import { detectPlagiarism } from '@ptn-api/scoring';
import { compareValues } from '../compare-values.ts';
import { jsonForm } from './scoring-file.ts';
import type { Positions } from './scoring-file.ts';

interface PlagiarismFile {
  readonly now_ms: number;
  readonly positions: Readonly<Record<string, Positions>>;
  readonly expect: readonly unknown[];
}

export const PLAGIARISM_FORMS = [
  jsonForm<PlagiarismFile>(
    'plagiarism.json',
    'who copies whom',
    ({ now_ms, positions, expect }, difference) => {
      compareValues(
        detectPlagiarism(new Map(Object.entries(positions)), now_ms),
        expect,
        difference,
        'reports',
      );
      return expect.length;
    },
  ),
];
