/** All cells of all notebooks, with few runs: do they still run, and show what they showed? */
import { rmSync } from 'node:fs';
import { suite } from 'uvu';
import { cellsFolder, committedNotebooks, runCells, writeModules } from '../cells.ts';

const scratch = cellsFolder();
const all = committedNotebooks();
writeModules(scratch, all);

const committed = suite('notebooks/');
committed.after(() => rmSync(scratch, { recursive: true }));
committed('each cell runs, and shows and prints where it did', () => runCells(scratch, all.slice(1)));
committed.run();
