/**
 * The committed notebooks, without Jupyter: are they as `npm run notebooks` leaves them, and do
 * the cells of those that take half a second still run? The others run, and all are checked for
 * their types, in test/system/notebooks.test.ts.
 */
import { readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import pl from 'nodejs-polars';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { codeCells, quick, show, table, textOf } from '../notebook.ts';
import { showFrame } from '../notebooks/kernels/lab/cells.ts';
import { failure, lost } from '../notebooks/kernels/lab/journal.ts';
import { cellsFolder, committedNotebooks, runCells, writeModules } from './cells.ts';

const require = createRequire(import.meta.url);
/** Whose cells take little time, where they make few runs. */
const CHEAP = ['13-what-seventy-teams-ran'];

// ── The committed notebooks ──────────────────────────────────────────────────────────────────

const all = committedNotebooks();
const committed = suite('notebooks/');

committed('there is at least one', () => assert.ok(all.length > 0, 'notebooks/ holds no *.ipynb'));

committed('each is committed as npm run notebooks leaves it', () => {
  for (const { path, name, notebook, cells } of all) {
    assert.is(notebook.metadata.kernelspec?.name, 'lab', name);
    assert.is(readFileSync(path, 'utf8'), `${JSON.stringify(notebook, null, 1)}\n`, name);
    assert.is(new Set(notebook.cells.map(({ id }) => id)).size, notebook.cells.length, name);
    for (const [n, { execution_count, outputs = [], metadata }] of cells.entries()) {
      assert.is(execution_count, n + 1, `${name} [${n + 1}] was not executed in order`);
      assert.not.ok('execution' in metadata, `${name} [${n + 1}] holds times`);
      const bad = outputs.find((output) => output.output_type === 'error'
        || (output.output_type === 'stream' && output.name === 'stderr'));
      assert.is(bad, undefined, `${name} [${n + 1}] holds an error`);
    }
  }
});

committed('no cell is longer than ten lines', () => {
  for (const { name, cells } of all) {
    for (const [n, { source }] of cells.entries()) {
      const lines = textOf(source).trim().split('\n').length;
      assert.ok(lines <= 10, `${name} [${n + 1}] has ${lines} lines`);
    }
  }
});

committed('each cell of the cheap ones runs, and shows and prints where it did', () => {
  const scratch = cellsFolder();
  const cheap = all.filter(({ name }) => CHEAP.includes(name));
  assert.is(cheap.length, CHEAP.length);
  writeModules(scratch, cheap);
  return runCells(scratch, cheap).finally(() => rmSync(scratch, { recursive: true }));
});
committed.run();

// ── What cells take from notebook.ts ─────────────────────────────────────────────────────────

/** The HTML that a call displays. */
function displayed(act: () => void): string {
  const jupyter = require('tslab/dist/jupyter.js');
  let html = '';
  jupyter.lastWriteDisplayData = ({ data }: { data: Record<string, string> }) => {
    html += data['text/html'];
  };
  act();
  return html;
}

const helpers = suite('notebook.ts for cells');
helpers('quick() keeps the number of runs, but for tests', () => {
  const before = process.env.LAB_QUICK;
  delete process.env.LAB_QUICK;
  assert.is(quick(10_000), 10_000);
  process.env.LAB_QUICK = '1';
  assert.equal([quick(10_000), quick(2)], [3, 2]);
  if (before === undefined) delete process.env.LAB_QUICK;
});

helpers('show() makes an image on white whose alternative text is safe in HTML', () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9"><path d="M0 0"/></svg>';
  const html = displayed(() => show(svg, 'a "b" <c>'));
  const [, data, alt] = /^<img src="data:image\/svg\+xml;base64,(.*)" alt="(.*)">$/.exec(html)!;
  assert.is(alt, 'a &quot;b&quot; &lt;c&gt;');
  const image = Buffer.from(data!, 'base64').toString();
  assert.is(image.replace('<rect width="100%" height="100%" fill="white"/>', ''), svg);
  assert.ok(image.indexOf('<rect') < image.indexOf('<path'), 'white lies behind the picture');
});

helpers('show() refuses what a browser would leave blank', () => {
  assert.throws(() => show('<svg width="9"></svg>', ''), /xmlns/);
  assert.throws(() => show('<figure></figure>', ''), /<svg>/);
});

helpers('table() aligns and rounds numbers and leaves text as it is', () => {
  const frame = pl.DataFrame({
    rates: ['2-4-1', '<b>'], runs: [10_000, 2], mean: [-0.001, 1.25], share: [0.5, null],
  });
  const html = displayed(() => table(frame, { mean: 1, share: 3 }));
  const texts = [...html.matchAll(/<t[hd] align="(\w)[^>]*>(.*?)<\/t[hd]>/g)]
    .map(([, side, text]) => `${side} ${text}`);
  assert.equal(texts, ['l rates', 'r runs', 'r mean', 'r share',
    'l 2-4-1', 'r 10,000', 'r 0.0', 'r 0.500', 'l &lt;b&gt;', 'r 2', 'r 1.3', 'r –']);
});

helpers('a frame that ends a cell shows its first and last rows, and how many it has', () => {
  const frame = (height: number) =>
    pl.DataFrame({ n: Array.from({ length: height }, (_, n) => n), text: Array(height).fill('<') });
  const all = displayed(() => showFrame(frame(20)));
  assert.is(all.match(/<tr>/g)!.length, 21);
  assert.match(all, '<p>20 rows × 2 columns</p>');
  const cut = displayed(() => showFrame(frame(21_000)));
  const numbers = [...cut.matchAll(/right">([\d,]+)<\/td>/g)].map(([, number]) => number);
  assert.equal(numbers, [...Array.from({ length: 15 }, (_, n) => `${n}`),
    '20,995', '20,996', '20,997', '20,998', '20,999']);
  assert.match(cut, '<p>21,000 rows × 2 columns</p>');
  assert.not.match(cut, '<td><</td>');
});
helpers.run();

// ── Executing ────────────────────────────────────────────────────────────────────────────────

const executing = suite('notebook.ts --execute');
const one = (outputs: object[]) => codeCells(
  { cells: [{ cell_type: 'code', id: 'a', metadata: {}, source: '1', outputs }] } as never);

executing('failure() names the first cell that fails, hangs, or leaves an error uncaught', () => {
  const ok = [{ cell: 1, began: true as const }, { cell: 1, ended: 'ok' as const }];
  assert.is(failure([]), null);
  assert.is(failure(ok), null);
  assert.is(failure([...ok, { cell: 2, began: true }]), 'cell [2] does not end');
  assert.is(failure([...ok, { cell: 1, uncaught: 'Error: x' }]),
    'cell [1]: nobody caught Error: x');
  assert.is(failure([...ok, { cell: 2, stream: 'stderr', text: 'Error: y' },
    { cell: 2, ended: 'error' }]), 'cell [2] fails: Error: y');
});

executing('lost() misses a display and each character that did not arrive', () => {
  const journal = [{ cell: 1, stream: 'stdout' as const, text: 'ab\n' },
    { cell: 1, display: ['text/html'] }];
  const stream = { output_type: 'stream', name: 'stdout', text: ['ab\n'] };
  const display = { output_type: 'display_data', data: {} };
  assert.is(lost(one([stream, display]), journal), null);
  assert.is(lost(one([stream]), journal), 'cell [1]: 1 of 1 displays are lost');
  assert.is(lost(one([display]), journal), 'cell [1]: 3 characters of stdout are lost');
});

executing.run();
