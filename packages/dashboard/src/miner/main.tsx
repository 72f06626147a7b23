import { options, render } from 'preact';
import { MinerApp } from './views/miner-app.tsx';

// What changes between two frames is drawn once, and nothing is drawn in a tab that is not seen.
options.debounceRendering = requestAnimationFrame;

const page = document.getElementById('page');
if (page === null) throw new Error('the page has no place to draw in');
render(<MinerApp />, page);
