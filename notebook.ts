/**
 * Opens the notebooks in Jupyter with the project's own TypeScript kernel, or executes them.
 *
 *   npm run notebook                                     in the browser (npx tsx notebook.ts)
 *   npm run notebooks                                    executes all of them, outputs in place
 *   npx tsx notebook.ts --execute notebooks/03-*.ipynb   executes some
 *   npx tsx notebook.ts --html /tmp/pages                makes pages of them as they are
 *
 * What stands after -- goes to Jupyter: npx tsx notebook.ts -- --no-browser
 *
 * Executing ends with 1, names notebook and cell and leaves that file as it was if a cell fails,
 * if a rejection or an exception is caught by nobody, or if Jupyter holds less than a cell has put
 * out. The same seeds give the same bytes, so a cell must show neither time nor what hangs on it.
 *
 * Cells take from here: quick, show and table.
 */
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DataFrame } from 'nodejs-polars';
import { display } from 'tslab';
import { $, chalk, which } from 'zx';
import { isMain, script } from './machine.ts';
import type { JournalEntry } from './notebooks/kernel/kernels/lab/kernel.ts';

// ── For cells ────────────────────────────────────────────────────────────────────────────────

/** How many runs are enough to see that a cell still works. */
const QUICK_RUNS = 3;

/** The number of runs a cell makes: as many as it says, or 3 where LAB_QUICK is set (tests). */
export const quick = (runs: number): number =>
  (process.env.LAB_QUICK ? Math.min(runs, QUICK_RUNS) : runs);

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escapeHTML = (text: string) => text.replace(/[&<>"]/g, (character) => escapes[character]!);

/**
 * Shows a picture. As an image in HTML it is seen in notebooks that nobody trusts yet and in pages
 * made of them, which a bare SVG is not; on white, since it cannot know the colour of the page.
 * @param svg one <svg> element with its namespace (xmlns)
 * @param alt what it shows, in a sentence, for those who cannot see it
 */
export function show(svg: string, alt: string): void {
  if (!/^<svg[^>]*\sxmlns="/.test(svg)) throw new Error('show() takes one <svg> that has xmlns');
  const white = svg.replace('>', '><rect width="100%" height="100%" fill="white"/>');
  const data = Buffer.from(white).toString('base64');
  display.html(`<img src="data:image/svg+xml;base64,${data}" alt="${escapeHTML(alt)}">`);
}

/**
 * Shows a small frame as a table: one row each, numbers to the right.
 * @param digits behind the point, for each column or by its name (2 for those not named); a column
 *   of whole numbers has none
 */
export function table(frame: DataFrame, digits: number | Record<string, number> = 2): void {
  const rows = frame.toRecords();
  const columns = frame.columns.map((name) => {
    const values = rows.map((row) => row[name] as unknown);
    const numbers = values.filter((value) => typeof value === 'number');
    const places = numbers.every(Number.isInteger) ? 0
      : typeof digits === 'number' ? digits : digits[name] ?? 2;
    const number = new Intl.NumberFormat('en', {
      minimumFractionDigits: places, maximumFractionDigits: places });
    const format = (value: number) => number.format(value).replace(/^-(?=[0.]*$)/, ''); // No -0.
    const side = numbers.length > 0 ? 'right' : 'left';
    const cell = (tag: 'th' | 'td', text: string) =>
      `<${tag} align="${side}" style="text-align: ${side}">${escapeHTML(text)}</${tag}>`;
    return {
      head: cell('th', name),
      cells: values.map((value) => cell('td', value === null || value === undefined ? '–'
        : typeof value === 'number' ? format(value) : String(value))),
    };
  });
  const line = (cells: string[]) => `<tr>${cells.join('')}</tr>\n`;
  display.html(`<table>\n<thead>${line(columns.map(({ head }) => head))}</thead>\n<tbody>\n`
    + rows.map((_, n) => line(columns.map(({ cells }) => cells[n]!))).join('')
    + '</tbody></table>');
}

// ── Notebooks as files ───────────────────────────────────────────────────────────────────────

export interface Cell {
  cell_type: 'markdown' | 'code' | 'raw';
  id: string;
  metadata: Record<string, unknown>;
  source: string | string[];
  execution_count?: number | null;
  outputs?: Output[];
}

export type Output =
  | { output_type: 'stream'; name: 'stdout' | 'stderr'; text: string | string[] }
  | { output_type: 'display_data' | 'execute_result'; data: Record<string, unknown> }
  | { output_type: 'error'; ename: string; evalue: string };

export interface Notebook {
  cells: Cell[];
  metadata: {
    kernelspec?: { name: string };
    language_info?: { name: string; version?: string };
  };
}

const root = fileURLToPath(new URL('.', import.meta.url));
const folder = join(root, 'notebooks');

/** The paths of the project's notebooks, in their order. */
export const notebooks = (): string[] => readdirSync(folder)
  .filter((name) => name.endsWith('.ipynb')).sort().map((name) => join(folder, name));

/** Text of a notebook, which may be stored in lines. */
export const textOf = (text: string | string[]): string =>
  (typeof text === 'string' ? text : text.join(''));

/** The cells that a kernel executes; the n-th is what Jupyter shows as [n + 1]. */
export const codeCells = ({ cells }: Notebook): Cell[] =>
  cells.filter(({ cell_type, source }) => cell_type === 'code' && textOf(source).trim() !== '');

// ── Jupyter ──────────────────────────────────────────────────────────────────────────────────

/** Each takes about one core: two cores finish soonest with two. */
const AT_ONCE = 2;
/** A cell that takes longer hangs: all of the notebooks take less. */
const CELL_MAX_S = 600;
/** Jupyter gives up waiting for outputs that long after the end of their cell. */
const OUTPUT_MAX_S = 60;

/** Ends the process with what is missing if none of Jupyter's commands is installed. */
function jupyter(...commands: string[]): string {
  for (const command of commands) {
    const path = which.sync(command, { nothrow: true });
    if (path !== null) return path;
  }
  console.error(`${commands[0]} is missing: apt-get install jupyter-notebook jupyter-nbconvert `
    + 'python3-nbclient, or pip install notebook');
  process.exit(1);
}

const environment = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => {
  const path = [join(folder, 'kernel'), process.env.JUPYTER_PATH].filter(Boolean).join(delimiter);
  return { ...process.env, JUPYTER_PATH: path, ...more };
};

async function open(files: string[]): Promise<never> {
  const args = files.map((arg) => (arg.startsWith('-') ? arg : resolve(arg)));
  const server = $({ stdio: 'inherit', nothrow: true, cwd: folder, env: environment() })`${
    jupyter('jupyter-notebook', 'jupyter-lab')} ${args}`;
  process.on('SIGINT', () => {}); // Jupyter has it too, and asks whether it is meant.
  process.on('SIGTERM', () => server.child?.kill('SIGTERM'));
  process.exit((await server).exitCode ?? 1);
}

const streamed = (entries: JournalEntry[], stream: string): string => entries
  .map((entry) => ('stream' in entry && entry.stream === stream ? entry.text : '')).join('');

/** The first cell that did not end well, by the kernel's journal, and why; null if all did. */
export function failure(journal: JournalEntry[]): string | null {
  for (let cell = 1; cell <= (journal.at(-1)?.cell ?? 0); cell++) {
    const entries = journal.filter((entry) => entry.cell === cell);
    const uncaught = entries.find((entry) => 'uncaught' in entry);
    const end = entries.find((entry) => 'ended' in entry);
    const why = uncaught ? `: nobody caught ${uncaught.uncaught}`
      : end?.ended === 'error' ? ` fails: ${streamed(entries, 'stderr')}`
      : end === undefined ? ' does not end' : null;
    // Of the stack, what is outside the cell and the project says nothing.
    if (why) return `cell [${cell}]${why.replace(/\n +at .*(node:|\/tslab\/|kernel\.ts).*/g, '')}`;
  }
  return null;
}

/** What the cells put out, by the kernel's journal, and the notebook does not hold; or null. */
export function lost(cells: Cell[], journal: JournalEntry[]): string | null {
  for (const [n, { outputs = [] }] of cells.entries()) {
    const entries = journal.filter(({ cell }) => cell === n + 1);
    const shown = entries.filter((entry) => 'display' in entry).length;
    const displays = outputs.filter(({ output_type }) => output_type === 'display_data').length;
    const name = `cell [${n + 1}]`;
    if (displays < shown) return `${name}: ${shown - displays} of ${shown} displays are lost`;
    for (const stream of ['stdout', 'stderr']) {
      const held = outputs.map((output) => (
        output.output_type === 'stream' && output.name === stream ? textOf(output.text) : ''));
      const missing = streamed(entries, stream).length - held.join('').length;
      if (missing > 0) return `${name}: ${missing} characters of ${stream} are lost`;
    }
  }
  return null;
}

/** Executes a notebook and rewrites its outputs. Returns what went wrong, or null. */
async function execute(path: string, nbconvert: string): Promise<string | null> {
  const scratch = mkdtempSync(join(tmpdir(), 'lab-notebook-'));
  try {
    const journalPath = join(scratch, 'journal');
    writeFileSync(journalPath, '');
    const settings = ['kernel_name=lab', 'record_timing=False', `timeout=${CELL_MAX_S}`,
      `iopub_timeout=${OUTPUT_MAX_S}`, 'raise_on_iopub_timeout=True'];
    const options = ['--to', 'notebook', '--execute', '--stdin', '--output-dir', scratch,
      '--output', 'executed', ...settings.map((setting) => `--ExecutePreprocessor.${setting}`)];
    const before = readFileSync(path, 'utf8');
    const { exitCode, stdout, stderr } = await $({
      nothrow: true, quiet: true, cwd: root, input: before,
      env: environment({ LAB_JOURNAL: journalPath }),
    })`${nbconvert} ${options}`;
    const journal = readFileSync(journalPath, 'utf8').trimEnd().split('\n').filter(Boolean)
      .map((line) => JSON.parse(line) as JournalEntry);
    const failed = failure(journal);
    if (exitCode !== 0) {
      const explained = failed !== null && !failed.endsWith('does not end');
      return explained ? failed : `${failed ?? 'Jupyter'}: ${stderr.trim().split('\n').at(-1)}`;
    }
    const notebook = JSON.parse(readFileSync(join(scratch, 'executed.ipynb'), 'utf8')) as Notebook;
    const cells = codeCells(notebook);
    const trouble = failed ?? lost(cells, journal)
      ?? (stdout === '' ? null : `output is lost, written past Jupyter: ${stdout}`);
    if (trouble !== null) return trouble;

    for (const [n, cell] of cells.entries()) cell.execution_count = n + 1;
    delete notebook.metadata.language_info?.version;
    writeFileSync(`${path}.tmp`, `${JSON.stringify(notebook, null, 1)}\n`);
    renameSync(`${path}.tmp`, path);
    return null;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

async function executeAll(paths: string[]): Promise<boolean> {
  const nbconvert = jupyter('jupyter-nbconvert');
  const waiting = [...paths];
  let failed = 0;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let path; (path = waiting.shift()) !== undefined;) {
      const started_ms = performance.now();
      const trouble = await execute(path, nbconvert);
      const time_s = (performance.now() - started_ms) / 1000;
      const word = trouble === null ? chalk.green('ok  ') : chalk.red('FAIL');
      console.log(`${word} ${basename(path).padEnd(40)} ${time_s.toFixed(1).padStart(6)} s`);
      if (trouble === null) continue;
      failed++;
      console.error(`${basename(path)}, ${trouble.trimEnd()}`);
    }
  }));
  return failed === 0;
}

async function main(): Promise<void> {
  const command = script(import.meta.url)
    .argument('[notebooks...]', 'default: all in notebooks/')
    .option('--execute', 'execute them and rewrite their outputs')
    .option('--html <folder>', 'make pages of them, without executing')
    .parse();
  const { execute, html } = command.opts<{ execute?: true; html?: string }>();
  if (!execute && html === undefined) return open(command.args);

  const paths = command.args.length > 0 ? command.args : notebooks();
  if (paths.length === 0) command.error(`error: there is no notebook in ${folder}`);
  for (const path of paths) {
    try {
      codeCells(JSON.parse(readFileSync(path, 'utf8')));
    } catch (error) {
      command.error(`error: ${path}: ${(error as Error).message}`);
    }
  }
  if (execute && !await executeAll(paths)) process.exit(1);
  if (html === undefined) return;
  const { exitCode, stderr } = await $({ nothrow: true, quiet: true, env: environment() })`${
    jupyter('jupyter-nbconvert')} --to html --output-dir ${html} ${paths}`;
  if (exitCode === 0) console.log(`${paths.length} pages in ${html}`);
  else command.error(`error: --html: ${stderr.trim().split('\n').at(-1)}`);
}

if (isMain(import.meta.url)) await main();
