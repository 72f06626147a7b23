import { readFileSync } from 'node:fs';

/** The key file is missing or holds no key. Its message says what to do. */
export class ApiKeyError extends Error {
  override readonly name = 'ApiKeyError';
}

const HINT = 'it must hold {"api_key": "<a long random text>"}';

/** The key that signals must bear, from `mining/miner_secrets.json`. @throws ApiKeyError */
export function readApiKey(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ApiKeyError(
      `${path} ${code === 'ENOENT' ? 'is missing' : `cannot be read (${code})`}: ${HINT}`,
      {
        cause: error,
      },
    );
  }
  let secrets: unknown;
  try {
    secrets = JSON.parse(text);
  } catch {
    // The parser's message quotes the file.
    throw new ApiKeyError(`${path} is no JSON: ${HINT}`);
  }
  const key: unknown = (secrets as { api_key?: unknown } | null)?.api_key;
  if (typeof key === 'string' && key !== '') return key;
  throw new ApiKeyError(`${path} has no api_key: ${HINT}`);
}
