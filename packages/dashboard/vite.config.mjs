import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const folder = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The pages, by Vite's mode: `vite build --config` this file builds the server's, with `--mode miner` the miner's. */
const PAGES = {
  production: { root: folder('.'), outDir: folder('dist/page') },
  miner: { root: folder('miner/'), outDir: folder('dist/miner-page') },
};

export default defineConfig(({ mode }) => {
  const page = PAGES[mode];
  if (page === undefined) throw new Error(`there is no page for the mode ${mode}`);
  return {
    root: page.root,
    publicDir: folder('public'),
    // Relative: behind a proxy the page may be under any path.
    base: './',
    logLevel: 'warn',
    build: {
      outDir: page.outDir,
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
