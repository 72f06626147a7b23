// What becomes of orders while the devnet's validator is killed 100 times at random moments, with SIGKILL: with ten miners
// that send one order after the other, each again until it is answered. Every fourth time it is killed while it starts.
import { killValidator } from '../packages/devnet/dist-test/kill-validator.js';

const [KILLS, MINERS] = [Number(process.argv[2] ?? 100), 10];
const teardowns = [];
const startedMs = performance.now();
const report = await killValidator(
  { teardown: (fn) => teardowns.push(fn) },
  {
    kills: KILLS,
    miners: MINERS,
    random: Math.random,
    onKill: (kills, acknowledged) => {
      if (kills % 10 === 0) process.stderr.write(`${kills} kills, ${acknowledged} orders acknowledged\n`);
    },
  },
);
const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
const { kills, acknowledged, foundAgain } = report;
process.stdout.write(
  `${kills.underLoad} kills while orders arrived, ${kills.starting} while it started, in ${seconds} s\n` +
    `${acknowledged} orders acknowledged, ${foundAgain} of them after an answer that a kill took away\n`,
);
for (const [text, count] of report.refused) process.stdout.write(`refused ${count} times: ${text}\n`);
const problems = [
  ...report.missing.map((uuid) => `acknowledged order ${uuid} is missing`),
  ...report.twice.map((uuid) => `order ${uuid} is there twice`),
  ...report.refusedButThere.map((uuid) => `refused order ${uuid} is there`),
];
for (const problem of problems) process.stdout.write(`WRONG: ${problem}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
for (const teardown of teardowns.reverse()) await teardown();
