import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keepsTemporary } from './test-scope.ts';
import type { TestScope } from './test-scope.ts';

/** An empty folder that is removed after the test. */
export function makeTemporaryFolder(scope: TestScope): string {
  const path = mkdtempSync(join(tmpdir(), 'ptn-test-'));
  scope.teardown(() => {
    if (!keepsTemporary()) rmSync(path, { recursive: true, force: true });
  });
  return path;
}
