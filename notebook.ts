/**
 * Opens the notebooks in Jupyter with the project's own TypeScript kernel, or executes them.
 *
 *   npm run notebook                                     in the browser (npx tsx notebook.ts)
 *   npm run notebook -- --allow-root                     the same, if you are root
 *   npm run notebooks                                    executes all of them, outputs in place
 *   npx tsx notebook.ts --execute notebooks/03-*.ipynb   executes some
 *   npx tsx notebook.ts --html /tmp/pages                makes pages of them as they are
 *
 * Your own notebooks belong in notebooks/mine/, which git, the tests and --execute without names
 * leave alone; notebooks/mine/template.ipynb is one to begin with.
 *
 * What stands after -- goes to Jupyter: npx tsx notebook.ts -- --no-browser. A Jupyter that is
 * started in another way finds the kernel with JUPYTER_PATH=<the project>/notebooks.
 *
 * Executing ends with 1, names notebook and cell and leaves that file as it was if a cell fails,
 * if a rejection or an exception is caught by nobody, or if Jupyter holds less than a cell has put
 * out. The same seeds give the same bytes, so a cell must show neither time nor what hangs on it.
 *
 * Cells take from here: configurationOf, quick, show and table.
 */
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { $, chalk, which } from 'zx';
import { atLeast, isMain, script } from './lab/cli/options.ts';
import { failure, type JournalEntry, lost } from './notebooks/kernels/lab/journal.ts';

// ── For cells ────────────────────────────────────────────────────────────────────────────────

export { configurationOf, quick, show, table } from './notebooks/kernels/lab/cells.ts';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────

const KNOBS = {
  at_once: 2, // notebooks. Each takes about one core, and two cores finish soonest with two.
  cell_max_s: 600, // s. A cell that takes longer hangs: all of the notebooks take less.
  output_max_s: 60, // s. Jupyter gives up waiting for outputs that long after their cell's end.
};

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
  const path = [folder, process.env.JUPYTER_PATH].filter(Boolean).join(delimiter);
  return { ...process.env, JUPYTER_PATH: path, ...more };
};

/** Ends with Jupyter; as root it would end at once with a page of its own words. */
async function open(args: string[]): Promise<never> {
  if (process.getuid?.() === 0 && !args.includes('--allow-root')) {
    console.error('Jupyter does not start for root unless told to: npm run notebook -- '
      + '--allow-root (or, safer, be another user)');
    process.exit(2);
  }
  const given = args.map((arg) => (arg.startsWith('-') ? arg : resolve(arg)));
  const server = $({ stdio: 'inherit', nothrow: true, cwd: folder, env: environment() })`${
    jupyter('jupyter-notebook', 'jupyter-lab')} ${given}`;
  process.on('SIGINT', () => {}); // Jupyter has it too, and asks whether it is meant.
  process.on('SIGTERM', () => server.child?.kill('SIGTERM'));
  process.exit((await server).exitCode ?? 1);
}

/** What Jupyter makes of a notebook, and what the kernel says of it. */
async function convert(source: string, nbconvert: string, scratch: string) {
  const journalPath = join(scratch, 'journal');
  writeFileSync(journalPath, '');
  const settings = ['kernel_name=lab', 'record_timing=False', `timeout=${KNOBS.cell_max_s}`,
    `iopub_timeout=${KNOBS.output_max_s}`, 'raise_on_iopub_timeout=True'];
  const options = ['--to', 'notebook', '--execute', '--stdin', '--output-dir', scratch,
    '--output', 'executed', ...settings.map((setting) => `--ExecutePreprocessor.${setting}`)];
  const output = await $({
    nothrow: true, quiet: true, cwd: root, input: source,
    env: environment({ LAB_JOURNAL: journalPath }),
  })`${nbconvert} ${options}`;
  const journal = readFileSync(journalPath, 'utf8').trimEnd().split('\n').filter(Boolean)
    .map((line) => JSON.parse(line) as JournalEntry);
  return { output, journal };
}

/** Executes a notebook and rewrites its outputs. Returns what went wrong, or null. */
async function execute(path: string, nbconvert: string): Promise<string | null> {
  const scratch = mkdtempSync(join(tmpdir(), 'lab-notebook-'));
  try {
    const { output: { exitCode, stdout, stderr }, journal } =
      await convert(readFileSync(path, 'utf8'), nbconvert, scratch);
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

async function executeAll(paths: string[], atOnce: number): Promise<boolean> {
  const nbconvert = jupyter('jupyter-nbconvert');
  const waiting = [...paths];
  let failed = 0;
  await Promise.all(Array.from({ length: atOnce }, async () => {
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

interface Choices { execute?: true; html?: string; allowRoot?: true; atOnce: number }

async function main(): Promise<void> {
  const command = script(import.meta.url)
    .argument('[notebooks...]', 'default: all in notebooks/, without those in notebooks/mine/')
    .option('--execute', 'execute them and rewrite their outputs')
    .option('--at-once <number>', 'so many notebooks at a time', atLeast(1), KNOBS.at_once)
    .option('--html <folder>', 'make pages of them, without executing')
    .option('--allow-root', 'open Jupyter although you are root')
    .parse();
  const { execute, html, allowRoot, atOnce } = command.opts<Choices>();
  if (!execute && html === undefined) {
    return open([...command.args, ...(allowRoot ? ['--allow-root'] : [])]);
  }

  const paths = command.args.length > 0 ? command.args : notebooks();
  if (paths.length === 0) command.error(`error: there is no notebook in ${folder}`);
  for (const path of paths) {
    try {
      codeCells(JSON.parse(readFileSync(path, 'utf8')));
    } catch (error) {
      command.error(`error: ${path}: ${(error as Error).message}`);
    }
  }
  if (execute && !await executeAll(paths, atOnce)) process.exit(1);
  if (html === undefined) return;
  const { exitCode, stderr } = await $({ nothrow: true, quiet: true, env: environment() })`${
    jupyter('jupyter-nbconvert')} --to html --output-dir ${html} ${paths}`;
  if (exitCode === 0) console.log(`${paths.length} pages in ${html}`);
  else command.error(`error: --html: ${stderr.trim().split('\n').at(-1)}`);
}

if (isMain(import.meta.url)) await main();
