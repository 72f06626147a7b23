#!/usr/bin/env node
import '@ptn-api/runtime/no-debugger';
import { readFileSync } from 'node:fs';
import { StartError } from '@ptn-api/runtime';
import { parseCommandLine } from './command-line.ts';

const EXIT_FAULT = 1;

/** What became of standard output, once it could not be written to. */
let outputError: NodeJS.ErrnoException | undefined;

// For every command: without a listener the error would end the process with a stack trace.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  outputError ??= error;
});

function write(text: string): void {
  process.stdout.write(text);
}

/** Waits until what was written has left, or could not. */
async function outputFlushed(): Promise<void> {
  if (process.stdout.writableLength > 0 && outputError === undefined) {
    await new Promise<void>((resolve) => {
      process.stdout.write('', () => {
        resolve();
      });
    });
  }
  // The error of a write that failed at once is reported in a later turn.
  await new Promise((resolve) => setImmediate(resolve));
}

/** One line for each line of `text`, on stderr. */
function printError(text: string): void {
  for (const line of text.split('\n')) process.stderr.write(`ptn-api: ${line}\n`);
}

function ownVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}

/** @returns the exit code. */
async function run(args: readonly string[]): Promise<number> {
  const { env, stdin, stdout, stderr } = process;
  const [version, cwd, nowMs] = [ownVersion(), process.cwd(), Date.now()];
  const command = parseCommandLine(args, { version, env, nowMs });
  switch (command.kind) {
    case 'text':
      write(command.text);
      return 0;
    case 'nothing':
      write(command.text);
      throw new StartError('PTN_ERR_CLI_USAGE', {
        detail: 'nothing to do: pass --serve to start the server',
      });
    // The code of a command is loaded when it runs: a server needs none of the others.
    case 'filter': {
      const { runFilter } = await import('./filter.ts');
      return runFilter(command, { stdin, stdout, stderr });
    }
    case 'status': {
      const { runStatus } = await import('./status.ts');
      return runStatus(command.adminPort, { isJson: command.isJson, write, printError });
    }
    case 'doctor': {
      const { runDoctor } = await import('./doctor/doctor.ts');
      return runDoctor(command.values, { cwd, version, write });
    }
    case 'keys': {
      const { runKeys } = await import('./keys.ts');
      const places = { places: command.places, cwd, env, nowMs };
      return runKeys(command.request, places, { stdin, stdout, stderr });
    }
    case 'serve':
    case 'demo': {
      const { serve, serveDemo } = await import('./serve.ts');
      const start = command.kind === 'demo' ? serveDemo : serve;
      const code = await start(command.values, { cwd, version, write });
      // A worker that had to be given up must not keep this process alive.
      process.exit(code);
    }
  }
}

try {
  process.exitCode = await run(process.argv.slice(2));
  await outputFlushed();
  // A reader that has had enough, as head, is no fault.
  if (outputError !== undefined && outputError.code !== 'EPIPE') {
    printError(`standard output cannot be written: ${outputError.message}`);
    process.exitCode = EXIT_FAULT;
  }
} catch (error) {
  if (error instanceof StartError) {
    printError(error.message);
    process.exit(error.exitCode);
  }
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(EXIT_FAULT);
}
