import { isJsonObject, JsonNumber, parseJson, writeCompactJson } from '@ptn-api/positions';
import type { JsonValue } from '@ptn-api/positions';

const ASK_EVERY_MS = 60_000;

/** Time of the newest order that an answer knows of, Unix ms; NaN where it does not say. */
export function timestampOf(data: JsonValue | undefined): number {
  const timestamp = isJsonObject(data) ? data.get('timestamp') : undefined;
  return timestamp instanceof JsonNumber ? timestamp.value : Number.NaN;
}

const nothing = (): JsonValue => parseJson('{"timestamp": 0, "statistics": {"data": []}, "positions": {}}');

/** What validators say of this miner: the freshest that any of them gave, kept until there is a fresher one. */
export class MinerData {
  #data = nothing();
  #isWhole = false;
  #askedAtMs: number | undefined;

  /** The data as JSON, laid out as the original answers it. */
  get body(): string {
    return writeCompactJson(this.#data);
  }

  /** Whether validators may be asked now, which is then noted: once in a window of 60 s, its end included. */
  mayAsk(nowMs: number): boolean {
    if (this.#askedAtMs !== undefined && nowMs - this.#askedAtMs <= ASK_EVERY_MS) return false;
    this.#askedAtMs = nowMs;
    return true;
  }

  /**
   * @param answers of validators, in any order. Of equally fresh ones the last counts.
   * @returns the one that is kept now; undefined where what was there is fresher.
   */
  take(answers: readonly JsonValue[]): JsonValue | undefined {
    if (answers.length > 0 && !this.#isWhole) {
      this.#isWhole = true;
      this.#data = nothing();
    }
    return this.#freshest(answers);
  }

  /** The same for what validators sent with a refusal, such as positions without statistics: better than nothing. */
  takePartial(answers: readonly JsonValue[]): JsonValue | undefined {
    return this.#isWhole ? undefined : this.#freshest(answers);
  }

  #freshest(answers: readonly JsonValue[]): JsonValue | undefined {
    let taken: JsonValue | undefined;
    for (const answer of answers) {
      if (timestampOf(answer) >= timestampOf(this.#data)) taken = this.#data = answer;
    }
    return taken;
  }
}
