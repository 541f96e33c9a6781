/** Broken notebooks in a real Jupyter: npm run test:system. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { $ } from 'zx';

const root = fileURLToPath(new URL('../..', import.meta.url));
const executing = suite('notebook.ts --execute');
executing('ends with 1, names the cell and keeps the file, for each way to go wrong', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lab-'));
  const broken = {
    throws: ['1', 'throw new Error("broken")', /\[2\] fails: [^]*Error: broken/],
    rejects: ['void Promise.reject(new Error("alone"))', '1', /\[1\]: nobody caught Error: alone/],
    late: ['1', 'void process.on("exit", () => console.log("late"));',
      /\[2\]: 5 characters of stdout are lost/],
  } as const;
  const paths = Object.entries(broken).map(([name, sources]) => {
    const cells = sources.slice(0, 2).map((source, n) => ({ cell_type: 'code', id: `cell-${n}`,
      metadata: {}, execution_count: null, outputs: [], source }));
    const path = join(folder, `${name}.ipynb`);
    writeFileSync(path, JSON.stringify({ cells, metadata: {}, nbformat: 4, nbformat_minor: 5 }));
    return path;
  });
  const before = paths.map((path) => readFileSync(path, 'utf8'));
  const { exitCode, stderr } = await $({
    nothrow: true, quiet: true, cwd: root,
  })`${process.execPath} --import tsx notebook.ts --execute ${paths}`;
  assert.is(exitCode, 1);
  for (const [name, [, , why]] of Object.entries(broken)) {
    assert.match(stderr, new RegExp(`${name}\\.ipynb, cell ${why.source}`));
  }
  assert.equal(paths.map((path) => readFileSync(path, 'utf8')), before);
});
executing.run();
