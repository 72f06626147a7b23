import type { OrderTimestamp } from '@ptn-api/rules';
import { BadFolderError } from './bad-folder-error.ts';
import type { DurableFolder } from './durable-folder.ts';

const PATH = 'validation/timestamp.json';
const FORM = /^\s*\{\s*"timestamp"\s*:\s*(\d{1,15})\s*\}\s*$/;

/**
 * The time of the last order, which the file has up to an hour late: the orders say it better.
 *
 * @param newestOrderMs of the orders in the folder, Unix ms; 0 where there are none.
 * @throws BadFolderError
 */
export function readTimestamp(folder: DurableFolder, newestOrderMs: number): OrderTimestamp {
  const text = folder.read(PATH);
  if (text === undefined) return { lastOrderMs: newestOrderMs };
  const writtenMs = Number(FORM.exec(text)?.[1] ?? NaN);
  if (Number.isNaN(writtenMs)) throw new BadFolderError(PATH, 'is not of the form {"timestamp": <Unix ms>}');
  return { lastOrderMs: Math.max(writtenMs, newestOrderMs), writtenMs };
}
