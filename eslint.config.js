import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Modules of one room may not be imported from another; the message says where the shared part belongs. */
function forbid(files, patterns, message) {
  return {
    files,
    rules: { 'no-restricted-imports': ['error', { patterns: [{ group: patterns, message }] }] },
  };
}

const rooms = ['supervisor', 'feed', 'rest', 'ws'];

export default defineConfig(
  { ignores: ['**/dist/', '**/dist-test/', '**/.tap/', '**/fixtures/', '**/node_modules/'] },
  js.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/no-import-type-side-effects': 'error',
      'no-console': 'error',
      eqeqeq: 'error',
    },
  },
  {
    files: ['**/*.{js,mjs,cjs}'],
    languageOptions: {
      globals: {
        AbortSignal: 'readonly',
        Buffer: 'readonly',
        __dirname: 'readonly',
        require: 'readonly',
        URL: 'readonly',
        console: 'readonly',
        fetch: 'readonly',
        module: 'readonly',
        performance: 'readonly',
        process: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
      },
    },
  },
  {
    // Runs in browsers.
    files: ['packages/server/assets/**/*.js'],
    languageOptions: {
      globals: {
        TextDecoderStream: 'readonly',
        URLSearchParams: 'readonly',
        addEventListener: 'readonly',
        document: 'readonly',
        location: 'readonly',
      },
    },
  },
  {
    // tap's assertions are called for their effect and its callbacks may be async.
    files: ['packages/*/test/**/*.ts'],
    rules: { '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }] },
  },
  forbid(['packages/protocol/src/**'], ['@ptn-api/*', 'node:*'], 'protocol imports nothing'),
  forbid(
    ['packages/core/src/**'],
    [
      '@ptn-api/server',
      '@ptn-api/server/*',
      '@ptn-api/devnet',
      '@ptn-api/testkit',
      'node:fs*',
      'node:net',
      'node:child_process',
      'node:worker_threads',
      'node:process',
    ],
    'core is pure: no process, socket, file or clock',
  ),
  forbid(
    ['packages/devnet/src/**', 'packages/testkit/src/**'],
    ['@ptn-api/server', '@ptn-api/server/*'],
    'devnet and testkit stand beside the server and reach it only as a process',
  ),
  forbid(
    ['packages/client/src/**'],
    ['@ptn-api/*', '!@ptn-api/protocol'],
    'the client knows of the server only what crosses the network',
  ),
  forbid(
    [['packages/client/src/*.ts', '!packages/client/src/index.ts']],
    ['@ptn-api/*', '!@ptn-api/protocol', 'node:*', 'ws', '**/node/**', '**/cli/**'],
    'what browsers load needs nothing of Node, and of the server only what crosses the network',
  ),
  forbid(
    ['packages/dashboard/src/**'],
    ['@ptn-api/*', '!@ptn-api/client', '!@ptn-api/protocol', 'node:*'],
    'the page knows of the server only what its client shows',
  ),
  ...rooms.map((room) =>
    forbid(
      [`packages/server/src/${room}/**`],
      [
        '@ptn-api/devnet*',
        '@ptn-api/testkit*',
        ...['cli', ...rooms].filter((other) => other !== room).map((other) => `**/${other}/**`),
      ],
      'supervisor, feed, rest and ws share only ipc/, config/ and order-log/',
    ),
  ),
  forbid(
    ['ipc', 'config', 'order-log'].map((shared) => `packages/server/src/${shared}/**`),
    ['cli', ...rooms].map((other) => `**/${other}/**`),
    'ipc, config and order-log are below the rooms that use them',
  ),
);
