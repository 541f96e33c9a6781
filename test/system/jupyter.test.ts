/** Broken notebooks, and one's own, in a real Jupyter: npm run test:system. */
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { $, which } from 'zx';
import type { Notebook } from '../../notebook.ts';
import { need } from '../need.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const quiet = $({ nothrow: true, quiet: true });
const folder = mkdtempSync(join(tmpdir(), 'lab-'));

/** A notebook of these cells, in a folder of its own whose name has a space in it. */
function notebookOf(name: string, sources: readonly string[]): string {
  const cells = sources.map((source, n) => ({ cell_type: 'code', id: `cell-${n}`,
    metadata: {}, execution_count: null, outputs: [], source }));
  const path = join(folder, 'a class', `${name}.ipynb`);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, JSON.stringify({ cells, metadata: {}, nbformat: 4, nbformat_minor: 5 }));
  return path;
}

const executing = suite('notebook.ts --execute');
const inJupyter = need('jupyter-nbconvert') ? executing : executing.skip;
inJupyter('ends with 1, names the cell and keeps the file, for each way to go wrong', async () => {
  const broken = {
    // The message and the line of the cell, and nothing of a stack.
    throws: ['1', 'const a: number = 1;\nthrow new Error("broken");',
      /\[2\] fails: Error: broken\n  cell \[2\], line 2:  throw new Error\("broken"\);\n(?! )/],
    types: ['1', '\nconst a: number = "b";',
      /\[2\] fails: Type 'string' is not [^\n]*\n  cell \[2\], line 2:  const a[^\n]*\n(?! )/],
    rejects: ['void Promise.reject(new Error("alone"))', '1',
      /\[1\]: nobody caught Error: alone\n  cell \[1\], line 1:  void[^\n]*\n(?! )/],
    late: ['1', 'void process.on("exit", () => console.log("late"));',
      /\[2\]: 5 characters of stdout are lost/],
  } as const;
  const paths = Object.entries(broken).map(([name, [first, second]]) =>
    notebookOf(name, [first, second]));
  const before = paths.map((path) => readFileSync(path, 'utf8'));
  const { exitCode, stderr } = await quiet({ cwd: root })`${
    process.execPath} --import tsx notebook.ts --execute ${paths}`;
  assert.is(exitCode, 1);
  for (const [name, [, , why]] of Object.entries(broken)) {
    assert.match(stderr, new RegExp(`${name}\\.ipynb, cell ${why.source}`));
  }
  assert.equal(paths.map((path) => readFileSync(path, 'utf8')), before);
});

inJupyter('the kernel starts wherever Jupyter does, finds runs, and shows frames as tables',
  async () => {
    const path = notebookOf('mine', [
      'import { load } from "./analyze.ts";\nload("logs/example").events.head(2)', '6 * 7']);
    const jupyter = await which('jupyter-nbconvert');
    const { stdout, stderr } = await quiet({ cwd: join(path, '..'),
      env: { ...process.env, JUPYTER_PATH: join(root, 'notebooks') } })`${jupyter
    } --to notebook --execute --ExecutePreprocessor.kernel_name=lab --stdout ${path}`;
    assert.ok(stdout !== '', stderr);
    const { cells } = JSON.parse(stdout) as Notebook;
    const [frame, number] = cells.map(({ outputs }) => JSON.stringify(outputs));
    assert.match(frame!, /<table>.*<th [^>]*>clock<.*2 rows × \d+ columns.*display_data/);
    assert.match(number!, /"text":\["42\\n"\]/);
  });
executing.run();
