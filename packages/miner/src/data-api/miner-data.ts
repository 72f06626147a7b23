import { JsonNumber, isJsonObject, parseJson, writeCompactJson } from '@ptn-api/wire';
import type { JsonValue } from '@ptn-api/wire';

const ASK_EVERY_MS = 60_000;

function timestampOf(data: JsonValue): number {
  const timestamp = isJsonObject(data) ? data.get('timestamp') : undefined;
  return timestamp instanceof JsonNumber ? timestamp.value : Number.NaN;
}

/** What validators say of this miner: the freshest that any of them gave, kept until there is a fresher one. */
export class MinerData {
  #data = parseJson('{"timestamp": 0, "statistics": {"data": []}, "positions": {}}');
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

  /** @param answers of validators, in any order. Of equally fresh ones the last counts. */
  take(answers: readonly JsonValue[]): void {
    for (const answer of answers) {
      if (timestampOf(answer) >= timestampOf(this.#data)) this.#data = answer;
    }
  }
}
