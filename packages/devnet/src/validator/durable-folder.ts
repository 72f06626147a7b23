import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';

/** What a {@link DurableFolder} changes the file system with; tests make single calls fail. */
export type FileCalls = Pick<
  typeof fs,
  | 'closeSync'
  | 'fsyncSync'
  | 'linkSync'
  | 'mkdirSync'
  | 'openSync'
  | 'renameSync'
  | 'unlinkSync'
  | 'writeFileSync'
>;

export interface DurableFolderOptions {
  /** Whether what is written survives a loss of power. Without it, for simulations in one go, only a SIGKILL. */
  readonly isDurable?: boolean;
  readonly calls?: FileCalls;
}

/** What is to be written and removed together; rules' changes of an order are such. */
export interface FolderChanges {
  readonly write: readonly { readonly path: string; readonly text: string | Uint8Array }[];
  readonly remove: readonly string[];
}

/** Whether it is the file system that failed; anything else is a fault of the program. */
export function isFileError(error: unknown): error is NodeJS.ErrnoException & { readonly code: string } {
  const { code, syscall } = error as Partial<NodeJS.ErrnoException>;
  return error instanceof Error && typeof code === 'string' && typeof syscall === 'string';
}

const isAbsence = (error: unknown): boolean => isFileError(error) && error.code === 'ENOENT';

/** Where validators write new content first; nobody reads it. */
const DRAFTS = join('validation', 'tmp');

/**
 * A folder whose files are whole at any moment and stay once they are written: content is written beside, synced and
 * renamed into place, and the folder synced. Paths are relative to the root. There must be no other writer.
 */
export class DurableFolder {
  readonly root: string;
  readonly #isDurable: boolean;
  readonly #calls: FileCalls;
  /** What is still to be done to undo a commit that failed. */
  #toUndo: (() => void)[] = [];

  constructor(root: string, { isDurable = true, calls = fs }: DurableFolderOptions = {}) {
    this.root = root;
    this.#isDurable = isDurable;
    this.#calls = calls;
  }

  /** @throws what the file system throws; the file is as it was then. */
  write(path: string, text: string | Uint8Array): void {
    this.commit({ write: [{ path, text }], remove: [] });
  }

  /** @throws what the file system throws, also where there is no such file. */
  remove(path: string): void {
    this.commit({ write: [], remove: [path] });
  }

  /** Removes a folder with all that is in it, if there is one. @throws what the file system throws. */
  removeTree(path: string): void {
    fs.rmSync(join(this.root, path), { recursive: true, force: true });
  }

  /** The content of a file; undefined where there is none. */
  read(path: string): string | undefined {
    try {
      return fs.readFileSync(join(this.root, path), 'utf8');
    } catch (error) {
      if (isAbsence(error)) return undefined;
      throw error;
    }
  }

  /** The names in a folder, sorted; none where there is no such folder. */
  list(path: string): string[] {
    try {
      return fs.readdirSync(join(this.root, path)).sort();
    } catch (error) {
      if (isAbsence(error)) return [];
      throw error;
    }
  }

  /** Removes what a process that was killed left unfinished. */
  removeDrafts(): void {
    for (const name of this.list(DRAFTS)) fs.unlinkSync(join(this.root, DRAFTS, name));
  }

  /**
   * Writes and removes files, all or none: where a step fails, those before it are undone. Where even that fails, the
   * next commit begins with it.
   *
   * @throws what the file system throws.
   */
  commit({ write, remove }: FolderChanges): void {
    this.#undo();
    const steps: (() => void)[] = [];
    const leftovers: string[] = [];
    const folders = new Set<string>();
    const newDraft = (): string => {
      const draft = join(this.root, DRAFTS, randomUUID());
      leftovers.push(draft);
      return draft;
    };
    try {
      const drafts = write.map(({ path, text }) => {
        const draft = newDraft();
        this.#writeDraft(draft, text);
        return { draft, target: join(this.root, path) };
      });
      for (const { draft, target } of drafts) {
        this.#makeFolder(dirname(target));
        steps.push(this.#putInPlace(draft, target, newDraft()));
        folders.add(dirname(target));
      }
      for (const path of remove) {
        const [target, aside] = [join(this.root, path), newDraft()];
        this.#makeFolder(dirname(aside));
        this.#calls.renameSync(target, aside);
        steps.push(() => {
          this.#calls.renameSync(aside, target);
        });
        folders.add(dirname(target));
      }
      for (const folder of folders) this.#sync(folder);
    } catch (error) {
      const syncs = [...folders].map((folder) => () => {
        this.#sync(folder);
      });
      this.#toUndo = [
        ...steps.reverse(),
        ...syncs,
        () => {
          this.#discard(leftovers);
        },
      ];
      try {
        this.#undo();
      } catch (undoError) {
        if (!isFileError(undoError)) throw undoError;
      }
      throw error;
    }
    this.#discard(leftovers);
  }

  #undo(): void {
    for (let step = this.#toUndo[0]; step !== undefined; step = this.#toUndo[0]) {
      step();
      this.#toUndo.shift();
    }
  }

  #writeDraft(draft: string, text: string | Uint8Array): void {
    this.#makeFolder(dirname(draft));
    const file = this.#calls.openSync(draft, 'wx');
    try {
      this.#calls.writeFileSync(file, text);
      if (this.#isDurable) this.#calls.fsyncSync(file);
    } finally {
      this.#calls.closeSync(file);
    }
  }

  /** Gives what undoes it: puts the content before back in its place, of which a link is kept. */
  #putInPlace(draft: string, target: string, before: string): () => void {
    let isReplaced = true;
    try {
      this.#calls.linkSync(target, before);
    } catch (error) {
      if (!isAbsence(error)) throw error;
      isReplaced = false;
    }
    this.#calls.renameSync(draft, target);
    return () => {
      if (isReplaced) this.#calls.renameSync(before, target);
      else this.#calls.unlinkSync(target);
    };
  }

  /** Makes a folder with those above it, and sees that they stay. */
  #makeFolder(folder: string): void {
    const first = this.#calls.mkdirSync(folder, { recursive: true });
    if (first === undefined) return;
    for (let made = folder; ; made = dirname(made)) {
      this.#sync(dirname(made));
      if (made === first) return;
    }
  }

  #sync(folder: string): void {
    if (!this.#isDurable) return;
    const file = this.#calls.openSync(folder, 'r');
    try {
      this.#calls.fsyncSync(file);
    } finally {
      this.#calls.closeSync(file);
    }
  }

  /** What cannot be removed now is removed at the next start. */
  #discard(drafts: readonly string[]): void {
    for (const draft of drafts) {
      try {
        this.#calls.unlinkSync(draft);
      } catch (error) {
        if (!isFileError(error)) throw error;
      }
    }
  }
}
