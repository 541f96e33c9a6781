/**
 * The cells of the committed notebooks as modules that tsx runs without Jupyter, with few runs
 * where a cell says quick(…): for test/notebooks.test.ts and test/system/notebooks.test.ts.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { $ } from 'zx';
import { type Cell, codeCells, type Notebook, notebooks, textOf } from '../notebook.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);
/** Runs Node in the project's folder. */
export const node = (env: NodeJS.ProcessEnv, ...args: string[]) => $({
  nothrow: true, quiet: true, cwd: root, env: { ...process.env, ...env },
})`${process.execPath} ${args}`;

export interface Committed { path: string; name: string; notebook: Notebook; cells: Cell[] }

/** The notebooks. */
export const committedNotebooks = (): Committed[] => notebooks().map((path) => {
  const notebook = JSON.parse(readFileSync(path, 'utf8')) as Notebook;
  return { path, name: basename(path, '.ipynb'), notebook, cells: codeCells(notebook) };
});

/** In the place of the kernel: counts for each cell what it shows and prints. */
const KERNEL = `
import { createRequire } from 'node:module';
import { writeFileSync } from 'node:fs';
const counts = {};
let at;
const write = process.stdout.write;
globalThis.cell = (name) => (counts[name] ??= []).push(at = { displays: 0, printed: false });
process.stdout.write = (text, ...rest) => {
  at.printed = true;
  return write.call(process.stdout, text, ...rest);
};
createRequire(${JSON.stringify(import.meta.url)})('tslab/dist/jupyter.js').lastWriteDisplayData =
  (content, update) => { if (!update) at.displays++; };
globalThis.print = (value) => {
  if (Object.prototype.toString.call(value) === '[object DataFrame]') at.displays++;
  else if (value != null) console.log(value);
};
process.on('exit', () => writeFileSync(process.argv[1] + '.json', JSON.stringify(counts)));
`;

/** A cell in the module: the value of its last expression is printed, as tslab does. */
function asModule(code: string): string {
  const ts = require('@tslab/typescript-for-tslab');
  const last = ts.createSourceFile('cell.ts', code, ts.ScriptTarget.ES2022).statements.at(-1);
  const printed = last && ts.isExpressionStatement(last)
    ? `${code.slice(0, last.expression.pos)}\nprint(${code.slice(last.expression.pos,
      last.expression.end)});${code.slice(last.end)}` : code;
  return printed.replace(/(from\s*|import\s*\(?\s*)(['"])\.\//g, '$1$2../');
}

/** A folder for the modules, in the project's, so that imports are found; git ignores *.tmp. */
export function cellsFolder(): string {
  const scratch = join(root, `cells-${process.pid}.tmp`);
  mkdirSync(scratch);
  return scratch;
}

/** Writes each notebook as a module, with a tsconfig.json as strict as the kernel is. */
export function writeModules(scratch: string, all: Committed[]): void {
  writeFileSync(join(scratch, 'kernel.mjs'), KERNEL);
  writeFileSync(join(scratch, 'globals.d.ts'),
    'declare function cell(name: string): void;\ndeclare function print(value: unknown): void;\n');
  // No stricter than the kernel: a cell need not defend itself.
  writeFileSync(join(scratch, 'tsconfig.json'), JSON.stringify({ extends: '../tsconfig.json',
    include: ['*.ts'], compilerOptions: { noUnusedLocals: false, noUncheckedIndexedAccess: false,
      exactOptionalPropertyTypes: false, verbatimModuleSyntax: false } }));
  for (const { name, cells } of all) {
    const parts = cells.map(({ source }) => `cell('${name}');\n${asModule(textOf(source))}\n`);
    writeFileSync(join(scratch, `${name}.ts`), `${parts.join('\n')}\nexport {};\n`);
  }
}

/** Runs these notebooks, half of them at a time, and compares what they put out. */
export async function runCells(scratch: string, all: Committed[]): Promise<void> {
  // Two processes and no more, since half of a notebook's quick run is to load polars and Plot.
  await Promise.all([0, 1].map(async (half) => {
    const mine = all.filter((_, n) => n % 2 === half);
    if (mine.length === 0) return;
    const together = join(scratch, `half-${half}.ts`);
    writeFileSync(together, mine.map(({ name }) => `await import('./${name}.ts');\n`).join(''));
    const { exitCode, stderr } = await node({ LAB_QUICK: '1' }, '--import', 'tsx',
      '--import', join(scratch, 'kernel.mjs'), together);
    assert.is(exitCode, 0, stderr);
    const counts = JSON.parse(readFileSync(`${together}.json`, 'utf8'));
    for (const { name, cells } of mine) {
      const held = cells.map(({ outputs = [] }) => ({
        displays: outputs.filter(({ output_type }) => output_type === 'display_data').length,
        printed: outputs.some(({ output_type }) => output_type === 'stream'),
      }));
      assert.equal(counts[name], held, `${name}: what the cells put out is not what it holds`);
    }
  }));
}
