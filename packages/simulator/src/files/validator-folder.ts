import { createWriteStream, mkdirSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

/** Level 1: the simulated validator shares the machine with what is being tried on it. */
const GZIP_LEVEL = 1;

export type TextChunks = Iterable<string> | AsyncIterable<string>;

/**
 * PTN_ROOT as the validator writes it: new content goes to `validation/tmp/<uuid>` and is then renamed into place, so a
 * reader sees the old or the new content and nothing between.
 *
 * @param newUuid names the temporary files.
 */
export class ValidatorFolder {
  readonly root: string;
  readonly #newUuid: () => string;
  readonly #knownFolders = new Set<string>();

  constructor(root: string, newUuid: () => string) {
    this.root = root;
    this.#newUuid = newUuid;
  }

  /** Writes a small file whole. `path` is relative to the root. */
  write(path: string, text: string): void {
    const temporary = this.#temporary();
    writeFileSync(temporary, text);
    renameSync(temporary, this.#target(path));
  }

  remove(path: string): void {
    unlinkSync(join(this.root, path));
  }

  /** Writes a large file piece by piece, then renames it into place. */
  async writeChunks(path: string, chunks: TextChunks, { gzip = false } = {}): Promise<void> {
    const temporary = this.#temporary();
    await stream(temporary, chunks, gzip);
    await rename(temporary, this.#target(path));
  }

  /** Writes a gzip file where it stands, as the validator writes its checkpoint: a reader can see half of it. */
  async writeGzipInPlace(path: string, chunks: TextChunks): Promise<void> {
    await stream(this.#target(path), chunks, true);
  }

  #temporary(): string {
    return this.#target(join('validation', 'tmp', this.#newUuid()));
  }

  /** The full path, with its folder made. */
  #target(path: string): string {
    const target = join(this.root, path);
    const folder = dirname(target);
    if (!this.#knownFolders.has(folder)) {
      mkdirSync(folder, { recursive: true });
      this.#knownFolders.add(folder);
    }
    return target;
  }
}

async function stream(path: string, chunks: TextChunks, gzip: boolean): Promise<void> {
  const source = Readable.from(chunks, { objectMode: false });
  const file = createWriteStream(path);
  await (gzip ? pipeline(source, createGzip({ level: GZIP_LEVEL }), file) : pipeline(source, file));
}
