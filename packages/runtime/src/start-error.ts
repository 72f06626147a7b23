import { ERRORS, errorText } from '@ptn-api/protocol';
import type { ErrorCode } from '@ptn-api/protocol';

/** The errors that end the process, and so have an exit code. */
export type StartErrorCode = {
  [C in ErrorCode]: (typeof ERRORS)[C] extends { readonly exitCode: number } ? C : never;
}[ErrorCode];

/** Why the server cannot start, in words for the operator: the message is printed as it is, without a stack. */
export class StartError extends Error {
  override readonly name = 'StartError';
  readonly code: StartErrorCode;
  readonly exitCode: number;

  /** @param values What the `{name}`s in the text of the error stand for. */
  constructor(
    code: StartErrorCode,
    values: Readonly<Record<string, string | number>>,
    options?: { readonly cause?: unknown },
  ) {
    super(errorText(code, values), options);
    this.code = code;
    this.exitCode = ERRORS[code].exitCode;
  }
}
