/**
 * A feed worker for tests of the supervisor: publishes one generation after the last one, and a new state of
 * `eliminations` when its flag file, which it then removes, asks for that.
 */
import { readFileSync, rmSync } from 'node:fs';
import type { AnyTransaction } from '../../../runtime/dist/ipc/messages.js';
import { runWorker } from '../../../runtime/dist/ipc/worker-process.js';

const LOOK_EVERY_MS = 10;
const DOCUMENT_BYTES = 200_000;
const DOCUMENTS = 100;

const [flagPath = ''] = process.argv.slice(2);

function readFlag(): string | undefined {
  try {
    const text = readFileSync(flagPath, 'utf8');
    rmSync(flagPath);
    return text;
  } catch {
    // Not there yet, or never: nothing is asked for.
    return undefined;
  }
}

function eliminations(index: number): AnyTransaction {
  const gzip = new Uint8Array(DOCUMENT_BYTES).fill(index);
  const value = {
    kind: 'document',
    gzip,
    sizeBytes: DOCUMENT_BYTES,
    digest: String(index),
    modifiedMs: 0,
  } as const;
  return { topic: 'documents', reset: false, put: [['eliminations', value]], remove: [] };
}

/** What is asked for in the flag file: `publish` (100 documents of 200 KB) or `publish-keys`. */
async function look(): Promise<void> {
  const order = readFlag();
  if (order === 'publish') {
    for (let index = 1; index <= DOCUMENTS; index += 1) await port.publish([eliminations(index)]);
  }
  if (order === 'publish-keys') {
    await port.publish([{ topic: 'keys', reset: true, put: [], remove: [] }, eliminations(1)]);
  }
  setTimeout(() => void look(), LOOK_EVERY_MS);
}

const port = runWorker({
  name: 'test-feed',
  async onStart(_, lastGeneration) {
    await port.publish([
      {
        topic: 'positions',
        reset: true,
        put: [
          [
            'head',
            {
              kind: 'positions-head',
              generation: lastGeneration + 1,
              source: 'none',
              hotkeys: [],
              modifiedMs: 0,
            },
          ],
        ],
        remove: [],
      },
    ]);
    port.ready();
    void look();
  },
  onDrain() {
    // Nothing is in hand.
  },
});
