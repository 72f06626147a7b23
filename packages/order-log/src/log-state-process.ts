/** Program: prints the state of the log in the folder given as its argument as JSON, or else what is wrong with it. */
import { openOrderLogReader } from './order-log-reader.ts';

try {
  process.stdout.write(JSON.stringify(openOrderLogReader({ path: process.argv[2] ?? '' }).state()));
} catch (error) {
  process.stderr.write(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
