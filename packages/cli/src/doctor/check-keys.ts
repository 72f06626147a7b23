import { existsSync, readFileSync, statSync } from 'node:fs';
import { counted } from '@ptn-api/protocol';
import { parseKeyFile } from '@ptn-api/access';
import type { ServerConfig } from '@ptn-api/runtime';
import { ok, problem, warning } from './finding.ts';
import type { Finding } from './finding.ts';

const OPEN_TO_OTHERS = 0o077;

/** The file of API keys: there, readable, well-formed, and nobody else's to read. */
export function checkKeys({ apiKeysPaths }: ServerConfig): Finding[] {
  const path = apiKeysPaths.find((place) => existsSync(place));
  if (path === undefined) {
    const advice = 'run ptn-api keys add <user> --tier 100, which makes it, or give --api-keys';
    return [problem('key file', `there is none at ${apiKeysPaths.join(' nor at ')}`, advice)];
  }
  let text: string;
  let mode: number;
  try {
    text = readFileSync(path, 'utf8');
    mode = statSync(path).mode & 0o777;
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return [problem('key file', detail, 'let the user of the server read it, and only that one')];
  }
  const parsed = parseKeyFile(text);
  if (!parsed.ok)
    return [problem('key file', `${path}: ${parsed.reason}`, 'compare it with api_keys.json.example')];

  const findings: Finding[] = [];
  if (parsed.grants.length === 0) {
    findings.push(
      problem(
        'key file',
        `${path} holds no usable key: every request is refused`,
        'run ptn-api keys add <user> --tier 100',
      ),
    );
  } else {
    findings.push(ok('key file', `${path}, ${counted(parsed.grants.length, 'key')}`));
  }
  for (const note of parsed.warnings) findings.push(warning('key file', note, `edit ${path}`));
  if ((mode & OPEN_TO_OTHERS) !== 0) {
    const octal = mode.toString(8).padStart(3, '0');
    findings.push(
      warning(
        'key file',
        `other users of this machine have access to it (mode ${octal})`,
        `run chmod 600 ${path}`,
      ),
    );
  }
  return findings;
}
