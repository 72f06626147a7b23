import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** What a reference of tsconfig cannot say. */
function forbid(files, patterns, message) {
  return {
    files,
    rules: { 'no-restricted-imports': ['error', { patterns: [{ group: patterns, message }] }] },
  };
}

export default defineConfig(
  { ignores: ['**/dist/', '**/dist-test/', '**/.tap/', '**/.mutate/', '**/fixtures/', '**/node_modules/'] },
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
        AbortController: 'readonly',
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
    files: ['packages/rest/assets/**/*.js'],
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
  forbid(['packages/protocol/src/**'], ['node:*'], 'protocol is for browsers, too'),
  forbid(
    ['packages/positions/src/**', 'packages/access/src/**'],
    ['node:fs*', 'node:net', 'node:child_process', 'node:worker_threads', 'node:process'],
    'positions and access are pure: no process, socket or file',
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
  {
    files: ['packages/feed/src/tasks/**'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          paths: [
            {
              name: '@ptn-api/runtime',
              allowTypeImports: true,
              message: 'logger and metrics take each pool thread 150 ms to load: use a narrower door',
            },
            {
              name: '@ptn-api/watch',
              message: 'a pool thread watches nothing: use the door file-stamp, which loads nothing',
            },
          ],
        },
      ],
    },
  },
  forbid(
    ['packages/dashboard/src/**'],
    ['@ptn-api/*', '!@ptn-api/client', '!@ptn-api/protocol', 'node:*'],
    'the page knows of the server only what its client shows',
  ),
);
