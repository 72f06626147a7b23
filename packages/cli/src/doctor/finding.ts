/** What a check came to. */
export interface Finding {
  /** `problem`: it would prevent serving, or serving everything. */
  readonly level: 'ok' | 'warning' | 'problem';
  /** What was checked. */
  readonly subject: string;
  readonly detail: string;
  /** What to do about it. */
  readonly advice?: string;
}

export function ok(subject: string, detail: string): Finding {
  return { level: 'ok', subject, detail };
}

export function warning(subject: string, detail: string, advice: string): Finding {
  return { level: 'warning', subject, detail, advice };
}

export function problem(subject: string, detail: string, advice: string): Finding {
  return { level: 'problem', subject, detail, advice };
}
