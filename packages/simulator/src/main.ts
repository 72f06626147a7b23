/** The simulated validator as a process of its own. */
import { EXPECTED_ERRORS, makeHistory } from './history-command.ts';
import { failing } from './process.ts';

const fail = failing(EXPECTED_ERRORS);

try {
  await makeHistory(process.argv.slice(2), fail);
} catch (error) {
  fail(error);
}
