import { counted, printable } from '@ptn-api/protocol';
import type { OptionValues } from '../options/options.ts';
import { resolveConfig } from '../options/resolve-config.ts';
import type { ConfigContext } from '../options/resolve-config.ts';
import { StartError } from '@ptn-api/runtime';
import type { ServerConfig } from '@ptn-api/runtime';
import type { Finding } from './finding.ts';
import { problem } from './finding.ts';
import { checkDocuments } from './check-documents.ts';
import { checkKeys } from './check-keys.ts';
import { checkOpenFiles, checkWatches } from './check-limits.ts';
import { checkPorts } from './check-ports.ts';
import { checkSequence } from './check-sequence.ts';
import { checkStateDir } from './check-state-dir.ts';
import { checkRoot } from './check-root.ts';
import { scanTree } from './scan-tree.ts';

export interface DoctorContext extends ConfigContext {
  readonly write: (text: string) => void;
}

const MARKS: Readonly<Record<Finding['level'], string>> = {
  ok: 'ok     ',
  warning: 'warning',
  problem: 'PROBLEM',
};

/**
 * Checks what a server with these options needs, and says what to do about what it finds.
 *
 * @returns the exit code: 1 if something would prevent serving.
 * @throws StartError when an option is wrong.
 */
export async function runDoctor(values: OptionValues, { write, ...context }: DoctorContext): Promise<number> {
  const findings = await diagnose(values, context);
  for (const { level, subject, detail, advice } of findings) {
    write(`${MARKS[level]}  ${printable(`${subject}: ${detail}`)}\n`);
    if (advice !== undefined) write(`         -> ${printable(advice)}\n`);
  }
  const count = (level: Finding['level']): number =>
    findings.filter((finding) => finding.level === level).length;
  const counts = [counted(count('problem'), 'problem'), counted(count('warning'), 'warning')];
  write(`\n${counts.join(', ')}, ${count('ok')} ok\n`);
  return count('problem') > 0 ? 1 : 0;
}

async function diagnose(values: OptionValues, context: ConfigContext): Promise<Finding[]> {
  let config: ServerConfig;
  try {
    config = resolveConfig(values, context);
  } catch (error) {
    if (!(error instanceof StartError) || error.code !== 'PTN_ERR_START_NO_ROOT') throw error;
    return [problem('PTN_ROOT', error.message, "give the validator's folder with --ptn-root")];
  }
  const tree = scanTree(config.ptnRoot);
  return [
    ...checkRoot(config, tree, Date.now()),
    ...checkDocuments(config, Date.now()),
    ...checkKeys(config),
    ...(await checkPorts(config)),
    ...checkWatches(config, tree),
    ...checkOpenFiles(),
    ...checkStateDir(config),
    ...(await checkSequence(config)),
  ];
}
