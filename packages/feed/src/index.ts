export { MAX_TEXT_BYTES } from './tasks/read-file.ts';
