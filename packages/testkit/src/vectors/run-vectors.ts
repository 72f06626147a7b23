import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { noDifference } from './compare-texts.ts';
import type { Difference } from './compare-texts.ts';
import { VECTOR_FORMS } from './forms.ts';

export interface VectorResult {
  readonly path: string;
  readonly form: string;
  readonly cases: number;
  readonly difference: Difference;
}

/** Runs every file of a known form below a folder, in the order of their names. */
export function* runVectors(folder: string): Generator<VectorResult> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  for (const name of names) {
    const path = join(folder, name);
    const form = VECTOR_FORMS.find(({ recognises }) => recognises(path));
    if (form === undefined) continue;
    const difference = noDifference();
    let cases = 0;
    try {
      cases = form.run(path, difference);
    } catch (error) {
      difference.unequal.push(error instanceof Error ? error.message : String(error));
    }
    yield { path: name, form: form.name, cases, difference };
  }
}
