export { MAX_TEXT_BYTES } from './tasks/read-file.ts';
export { outputsFile, outputsPlaces } from './outputs-file.ts';
