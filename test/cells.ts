/**
 * The cells of the committed notebooks as modules that tsx runs without Jupyter, with few runs
 * where a cell says quick(…): for test/notebooks.test.ts and test/system/notebooks.test.ts.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { type Cell, codeCells, type Notebook, notebooks, textOf } from '../notebook.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);
export interface Committed { path: string; name: string; notebook: Notebook; cells: Cell[] }

/** The notebooks. */
export const committedNotebooks = (): Committed[] => notebooks().map((path) => {
  const notebook = JSON.parse(readFileSync(path, 'utf8')) as Notebook;
  return { path, name: basename(path, '.ipynb'), notebook, cells: codeCells(notebook) };
});

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
  writeFileSync(join(scratch, 'globals.d.ts'),
    'declare function cell(): void;\ndeclare function print(value: unknown): void;\n');
  // No stricter than the kernel: a cell need not defend itself.
  writeFileSync(join(scratch, 'tsconfig.json'), JSON.stringify({ extends: '../tsconfig.json',
    include: ['*.ts'], compilerOptions: { noUnusedLocals: false, noUncheckedIndexedAccess: false,
      exactOptionalPropertyTypes: false, verbatimModuleSyntax: false } }));
  for (const { name, cells } of all) {
    const parts = cells.map(({ source }) => `cell();\n${asModule(textOf(source))}\n`);
    writeFileSync(join(scratch, `${name}.ts`), `${parts.join('\n')}\nexport {};\n`);
  }
}

/** What a cell put out. */
interface Shown { displays: number; printed: boolean }

/** In the place of the kernel: counts for each cell of a notebook what it shows and prints. */
async function shownBy(module: string): Promise<Shown[]> {
  const all: Shown[] = [];
  const jupyter = require('tslab/dist/jupyter.js');
  const write = process.stdout.write;
  process.stdout.write = () => {
    all.at(-1)!.printed = true;
    return true;
  };
  jupyter.lastWriteDisplayData = (_: unknown, update: boolean) => {
    if (!update) all.at(-1)!.displays++;
  };
  Object.assign(globalThis, {
    cell: () => all.push({ displays: 0, printed: false }),
    print: (value: unknown) => {
      if (Object.prototype.toString.call(value) === '[object DataFrame]') all.at(-1)!.displays++;
      else if (value != null) console.log(value);
    },
  });
  try {
    await import(module);
    return all;
  } finally {
    process.stdout.write = write;
    jupyter.lastWriteDisplayData = null;
  }
}

/** Runs these notebooks in this process, and compares what they put out with what they hold. */
export async function runCells(scratch: string, all: Committed[]): Promise<void> {
  const [cwd, before] = [process.cwd(), process.env.LAB_QUICK];
  process.chdir(root);
  process.env.LAB_QUICK = '1';
  for (const { name, cells } of all) {
    const shown = await shownBy(join(scratch, `${name}.ts`));
    const held = cells.map(({ outputs = [] }) => ({
      displays: outputs.filter(({ output_type }) => output_type === 'display_data').length,
      printed: outputs.some(({ output_type }) => output_type === 'stream'),
    }));
    assert.equal(shown, held, `${name}: what the cells put out is not what it holds`);
  }
  process.chdir(cwd);
  if (before === undefined) delete process.env.LAB_QUICK;
  else process.env.LAB_QUICK = before;
}
