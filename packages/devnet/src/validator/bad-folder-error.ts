/** A file of the validator's folder is not what it must be. The message names it, and says what to do. */
export class BadFolderError extends Error {
  override readonly name = 'BadFolderError';

  constructor(path: string, problem: string) {
    super(`${path} ${problem}: repair it, or move it out of the folder`);
  }
}
