// Installs, builds and starts the whole network on this machine: the devnet's validator, the server on its folder, and one
// miner of yours. Further arguments go to ptn-api.
import { build, install } from './steps.mjs';

install();
build();
// It loads packages that were not there before.
const { runNetwork } = await import('./network.mjs');
process.exitCode = await runNetwork(process.argv.slice(2));
