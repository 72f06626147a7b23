import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const folder = (path) => fileURLToPath(new URL(path, import.meta.url));

const SERVER_PAGE = { root: folder('.'), outDir: folder('dist/page') };
/** With `--mode miner`. */
const MINER_PAGE = { root: folder('miner/'), outDir: folder('dist/miner-page') };

export default defineConfig(({ mode }) => {
  const { root, outDir } = mode === 'miner' ? MINER_PAGE : SERVER_PAGE;
  return {
    root,
    publicDir: folder('public'),
    // Relative: behind a proxy the page may be under any path.
    base: './',
    logLevel: 'warn',
    build: {
      outDir,
      emptyOutDir: true,
      target: 'es2022',
      // The page's content security policy allows no data: addresses and no inline script.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      license: { fileName: 'licenses.md' },
    },
    worker: { format: 'es' },
  };
});
