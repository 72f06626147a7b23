import { basename } from 'node:path';
import { compareStates, cutState, streamedState } from './compare-states.ts';
import { compareTiers, holdsOlderRecords, isTierFile } from './compare-tiers.ts';
import { hasBeside } from './beside.ts';
import type { VectorForm } from './vector-form.ts';

function isBesideInput(path: string, name: string): boolean {
  return basename(path) === name && hasBeside(path, 'input.json.gz');
}

/** What tiers show of positions, and how positions stood. */
export const POSITION_FORMS: readonly VectorForm[] = [
  {
    // A newer validator takes its own rules to them, and so loses trades; here each keeps those it was written by.
    name: 'positions and orders of older records that a tier sees',
    recognises: (path) => isTierFile(path) && holdsOlderRecords(path),
    run: (path, difference) => compareTiers(path, difference, 'contents'),
  },
  {
    name: 'a dashboard map as a tier sees it',
    recognises: isTierFile,
    run: (path, difference) => compareTiers(path, difference, 'all'),
  },
  {
    name: 'positions as they stood after each of their orders',
    recognises: (path) => isBesideInput(path, 'prefix_rebuilds.json.gz'),
    run: (path, difference) => compareStates(path, difference, cutState),
  },
  {
    name: 'positions as the stream held them after each of their orders',
    recognises: (path) => isBesideInput(path, 'live_messages.json.gz'),
    // Whether a number was an int is from when the validator had not read the record again.
    run: (path, difference) =>
      compareStates(path, difference, streamedState, { anyForm: true, inOrder: true }),
  },
];
