import { counted } from '@ptn-api/protocol';
import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';
import { outputsFile, outputsPlaces } from '@ptn-api/feed';
import type { ServerConfig } from '@ptn-api/runtime';
import { ok, problem, warning } from './finding.ts';
import type { Finding } from './finding.ts';
import type { ScannedTree } from './scan-tree.ts';

/** A file may be so much newer than the clock says: network drives have a clock of their own. */
const CLOCK_TOLERANCE_MS = 5000;

/** The validator's folder, what is in it, and whether the clock fits it. */
export function checkRoot(config: ServerConfig, tree: ScannedTree, nowMs: number): Finding[] {
  const { ptnRoot, positionsSource } = config;
  const findings = [
    ok(
      'PTN_ROOT',
      `${ptnRoot}, ${counted(tree.files, 'file')} in ${counted(tree.directories, 'folder')} of validation/`,
    ),
  ];
  if (tree.unreadable.length > 0) {
    findings.push(
      problem(
        'permissions',
        `${tree.unreadable.join(', ')} cannot be read`,
        'let the user of the server read the folder of the validator (same user, or a group of both)',
      ),
    );
  }

  const minersPath = join(ptnRoot, 'validation', 'miners');
  const places = { tree: [minersPath], outputs: outputsPlaces(ptnRoot) };
  const present = { tree: existsSync(minersPath) ? minersPath : undefined, outputs: outputsFile(ptnRoot) };
  const wanted = positionsSource === 'auto' ? (['tree', 'outputs'] as const) : ([positionsSource] as const);
  const source = wanted.find((candidate) => present[candidate] !== undefined);
  const path = source && present[source];
  if (source === undefined || path === undefined) {
    findings.push(
      warning(
        'positions',
        `there is neither ${wanted.flatMap((candidate) => places[candidate]).join(' nor ')}`,
        'positions are answered by 404 until the validator has written them: is this its folder?',
      ),
    );
  } else {
    findings.push(isReadable(path, source));
  }

  const aheadMs = (tree.newest?.modifiedMs ?? 0) - nowMs;
  if (tree.newest !== undefined && aheadMs > CLOCK_TOLERANCE_MS) {
    findings.push(
      warning(
        'clock',
        `${tree.newest.path} is ${Math.round(aheadMs / 1000)} s newer than now (${new Date(nowMs).toISOString()})`,
        'set the clock (timedatectl set-ntp true): the 24 h after which tiers see positions go by it',
      ),
    );
  } else {
    findings.push(ok('clock', `${new Date(nowMs).toISOString()}, no file is from the future`));
  }
  return findings;
}

function isReadable(path: string, source: string): Finding {
  try {
    accessSync(path, constants.R_OK);
    return ok('positions', `read from the ${source} at ${path}`);
  } catch (error) {
    return problem(
      'positions',
      error instanceof Error ? error.message : String(error),
      'let the user of the server read it',
    );
  }
}
