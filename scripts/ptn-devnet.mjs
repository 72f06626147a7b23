#!/usr/bin/env node
// The command `ptn-devnet`: in a checkout after `npm run build`, and in an installed package.
import '@ptn-api/devnet/main';
