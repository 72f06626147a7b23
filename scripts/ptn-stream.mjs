#!/usr/bin/env node
// The command `ptn-stream`: in a checkout after `npm run build`, and in an installed package.
import '@ptn-api/client/cli';
