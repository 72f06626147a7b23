export { runServerVectors, runVectors } from './run-vectors.ts';
export type { VectorResult } from './run-vectors.ts';
export { DIFFERENCES_2025 } from './http-generations.ts';
export type { HttpRow } from './http-generations.ts';
export { noDifference } from './compare-texts.ts';
export { runTranscript } from './transcript-forms.ts';
