import { findMember, joinMembers, parseJson, sliceArray } from '@ptn-api/positions';
import type { JsonValue } from '@ptn-api/positions';
import type { Elimination } from '@ptn-api/scoring';
import { eliminationText } from '@ptn-api/validator-files';
import { BadFolderError } from './bad-folder-error.ts';
import type { DurableFolder } from './durable-folder.ts';

export const ELIMINATIONS_PATH = 'validation/eliminations.json';
/** The file of a validator that has eliminated nobody. */
export const NO_ELIMINATIONS = '{"eliminations": []}';

/** A row of `eliminations.json`. */
interface EliminationRow {
  readonly elimination: Elimination;
  /** As it stands in the file. */
  readonly text: string;
  /** As refusals of orders print it. */
  readonly python: JsonValue;
}

function rowOfText(text: string): EliminationRow {
  const python = parseJson(text);
  const elimination = JSON.parse(text) as Elimination;
  const { hotkey, elimination_initiated_time_ms: timeMs, reason } = elimination;
  if (typeof hotkey !== 'string' || typeof reason !== 'string' || !Number.isFinite(timeMs)) {
    throw new SyntaxError('a row lacks its hotkey, its reason or elimination_initiated_time_ms');
  }
  return { elimination, text, python };
}

function readRows(folder: DurableFolder): EliminationRow[] {
  const text = folder.read(ELIMINATIONS_PATH);
  if (text === undefined) return [];
  try {
    const list = findMember(text, 0, 'eliminations');
    if (list === undefined) throw new SyntaxError('it has no member "eliminations"');
    return sliceArray(text, list.valueStart).map(({ start, end }) => rowOfText(text.slice(start, end)));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new BadFolderError(ELIMINATIONS_PATH, `holds no list of eliminations (${error.message})`);
  }
}

/** Who is out, as the file says; what changes is in the file before it counts. */
export class EliminationsFile {
  readonly #folder: DurableFolder;
  #rows: readonly EliminationRow[] = [];
  #eliminated: ReadonlyMap<string, Elimination> = new Map();
  #shown: ReadonlyMap<string, JsonValue> = new Map();

  constructor(folder: DurableFolder) {
    this.#folder = folder;
  }

  /** By hotkey, in the order of the file. */
  get eliminated(): ReadonlyMap<string, Elimination> {
    return this.#eliminated;
  }

  /** The rows by hotkey, as refusals of orders print them. */
  get shown(): ReadonlyMap<string, JsonValue> {
    return this.#shown;
  }

  /** @throws BadFolderError and what the file system throws. */
  load(): void {
    this.#use(readRows(this.#folder));
  }

  /** Adds a row, or puts it in the place of the hotkey's own. @throws what the file system throws. */
  add(elimination: Elimination): void {
    const others = this.#rows.filter((row) => row.elimination.hotkey !== elimination.hotkey);
    this.#write([...others, rowOfText(eliminationText(elimination))]);
  }

  /** Drops the rows of all other hotkeys. @throws what the file system throws. */
  keepOnly(hotkeys: ReadonlySet<string>): void {
    const kept = this.#rows.filter(({ elimination }) => hotkeys.has(elimination.hotkey));
    if (kept.length < this.#rows.length) this.#write(kept);
  }

  #write(rows: readonly EliminationRow[]): void {
    const list = rows.map(({ text }) => text).join(', ');
    this.#folder.write(ELIMINATIONS_PATH, joinMembers([['eliminations', `[${list}]`]]));
    this.#use(rows);
  }

  #use(rows: readonly EliminationRow[]): void {
    this.#rows = rows;
    this.#eliminated = new Map(rows.map(({ elimination }) => [elimination.hotkey, elimination]));
    this.#shown = new Map(rows.map(({ elimination, python }) => [elimination.hotkey, python]));
  }
}
