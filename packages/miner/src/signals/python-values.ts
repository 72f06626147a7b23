import { JsonNumber, pythonFloat, pythonRepr, pythonTypeName } from '@ptn-api/positions';
import type { JsonValue } from '@ptn-api/positions';

/**
 * What Python would raise. A `ValueError` is answered as an improperly formatted signal, everything else as an error in
 * storing it.
 */
export class PythonError extends Error {
  override readonly name = 'PythonError';
  readonly isValueError: boolean;

  constructor(text: string, isValueError = false) {
    super(text);
    this.isValueError = isValueError;
  }
}

export function valueError(text: string): PythonError {
  return new PythonError(text, true);
}

/** `float(value)`. @throws PythonError */
export function toFloat(value: JsonValue): number {
  if (typeof value === 'boolean') return Number(value);
  if (value instanceof JsonNumber) {
    const float = value.value;
    if (value.isInteger && !Number.isFinite(float)) {
      throw new PythonError('int too large to convert to float');
    }
    return float;
  }
  if (typeof value !== 'string') {
    throw new PythonError(
      `float() argument must be a string or a real number, not '${pythonTypeName(value)}'`,
    );
  }
  const float = pythonFloat(value);
  if (float === undefined) throw valueError(`could not convert string to float: ${pythonRepr(value)}`);
  return float;
}

/** `value.upper()`. @throws PythonError */
export function toUpper(value: JsonValue): string {
  if (typeof value === 'string') return value.toUpperCase();
  throw new PythonError(`'${pythonTypeName(value)}' object has no attribute 'upper'`);
}
