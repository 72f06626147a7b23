import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { noDifference } from './compare-texts.ts';
import type { Difference } from './compare-texts.ts';
import { SERVER_FORMS, VECTOR_FORMS } from './forms.ts';

export interface VectorResult {
  readonly path: string;
  readonly form: string;
  readonly cases: number;
  readonly difference: Difference;
}

function filesBelow(folder: string): readonly (readonly [name: string, path: string])[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  return names.map((name) => [name, join(folder, name)] as const);
}

/** Runs every file whose form is run against something that is started for each. */
export async function* runServerVectors(folder: string): AsyncGenerator<VectorResult> {
  for (const [name, path] of filesBelow(folder)) {
    const form = SERVER_FORMS.find(({ recognises }) => recognises(path));
    if (form === undefined) continue;
    const difference = noDifference();
    let cases = 0;
    try {
      cases = await form.run(path, difference);
    } catch (error) {
      difference.unequal.push(error instanceof Error ? error.message : String(error));
    }
    yield { path: name, form: form.name, cases, difference };
  }
}

/** Runs every other file of a known form below a folder, in the order of their names. */
export function* runVectors(folder: string): Generator<VectorResult> {
  for (const [name, path] of filesBelow(folder)) {
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
