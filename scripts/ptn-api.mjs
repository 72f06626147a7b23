#!/usr/bin/env node
// The command `ptn-api`: in a checkout after `npm run build`, and in an installed package.
import '@ptn-api/cli';
