import type { Logger } from 'pino';
import { makeMiningFolder, miningFolder } from '../folder/mining-folder.ts';
import { readApiKey } from '../signals/read-api-key.ts';
import { keyDigest } from '../signals/receive-signal.ts';
import { signalsServer } from '../signals/signals-server.ts';
import type { RunConfig, RunningPart } from './run-config.ts';

/** The part that takes signals. @throws ApiKeyError, or Error of the system */
export async function startSignals(
  { miningDir, generation, signals }: RunConfig,
  log: Logger,
): Promise<RunningPart> {
  const folder = miningFolder(miningDir);
  await makeMiningFolder(folder);
  const apiKeyDigest = keyDigest(readApiKey(folder.secretsFile));
  const app = await signalsServer({ ...signals, folder, generation, apiKeyDigest, log });
  const address = await app.listen({ host: signals.host, port: signals.port });
  return { text: `takes signals at ${address}/api/receive-signal`, stop: () => app.close() };
}
