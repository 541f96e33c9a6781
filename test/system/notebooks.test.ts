/** All cells of all notebooks, with few runs; their types; and Jupyter where it cannot start. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { $ } from 'zx';
import { cellsFolder, committedNotebooks, runCells, writeModules } from '../cells.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Runs Node in the project's folder. */
const node = (env: NodeJS.ProcessEnv, ...args: string[]) => $({
  nothrow: true, quiet: true, cwd: root, env: { ...process.env, ...env },
})`${process.execPath} ${args}`;

const scratch = cellsFolder();
const all = committedNotebooks();
writeModules(scratch, all);

const committed = suite('notebooks/');
committed.after(() => rmSync(scratch, { recursive: true }));
committed('the types of all cells fit the scripts', async () => {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { exitCode, stdout } = await node({}, tsc, '--noEmit', '-p', scratch);
  assert.is(exitCode, 0, stdout);
});
committed('each cell runs, and shows and prints where it did', () => runCells(scratch, all));
committed.run();

const executing = suite('notebook.ts --execute');
executing('says in one line what to install where Jupyter is missing', async () => {
  const notebook = join(mkdtempSync(join(tmpdir(), 'lab-')), 'a.ipynb');
  writeFileSync(notebook, '{"cells": []}');
  await Promise.all([['--execute', notebook], ['--allow-root']].map(async (options) => {
    const { exitCode, stderr } =
      await node({ PATH: '/nowhere' }, '--import', 'tsx', 'notebook.ts', ...options);
    assert.is(exitCode, 1);
    assert.match(stderr, /^jupyter-\w+ is missing: apt-get install jupyter-notebook [^\n]*\n$/);
  }));
});

executing('says to root, for whom Jupyter does not start, what to do', async () => {
  if (process.getuid?.() !== 0) return; // Nobody else is stopped.
  const { exitCode, stderr } = await node({}, '--import', 'tsx', 'notebook.ts');
  assert.is(exitCode, 2);
  assert.match(stderr, /^Jupyter does not start for root .* notebook -- --allow-root .*\n$/);
});
executing.run();
