#!/usr/bin/env node
// The command `ptn-miner`: in a checkout after `npm run build`, and in an installed package.
import '@ptn-api/miner/command';
