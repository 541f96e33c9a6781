import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const root = join(import.meta.dirname, '..');

/** Which rooms each room may import, beside npm and itself. */
const ALLOWED: Record<string, string[]> = {
  model: [], theory: [], check: [],
  real: ['model', 'theory', 'check', 'cli'],
  virtual: ['model', 'theory', 'check', 'cli'],
  foreign: ['model', 'theory', 'check', 'cli'],
  frames: ['model', 'theory', 'check', 'cli'],
  report: ['model', 'theory', 'check', 'real', 'virtual', 'foreign', 'frames', 'cli'],
  cli: ['model'],
};
const WITNESSES = ['model', 'theory', 'check'];
const LINES_MOST = 400;
const MACHINE_LINES_MOST = 200;
const COLUMNS_MOST = 100;

interface Source { path: string; text: string; imports: string[] }

/** What stands before the name of what is imported, and the name. */
const IMPORT = new RegExp([
  String.raw`(?:^\s*(?:import|export)\b[^'"\`;]*?\bfrom\s*`, String.raw`^\s*import\s*`,
  String.raw`\bimport\s*\(\s*`, String.raw`import\.meta\.resolve\(\s*)(['"])([^'"]+)\1`,
].join('|'), 'gm');

/** The imports of a file: of our own as paths from the root, of others as they are written. */
function read(path: string): Source {
  const text = readFileSync(join(root, path), 'utf8');
  // Comments may quote an import; a specifier is a string behind `from`, `import` or `import(`.
  const code = text.replace(/\/\*[^]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const found = [...code.matchAll(IMPORT)];
  const imports = found.map(([, , name]) => (name!.startsWith('.')
    ? normalize(join(dirname(path), name!)).replaceAll('\\', '/') : name!));
  return { path, text, imports };
}

const list = (folder: string): string[] => readdirSync(join(root, folder), { recursive: true,
  encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  .map((name) => join(folder, name).replaceAll('\\', '/'));
const scripts = readdirSync(root).filter((name) => name.endsWith('.ts')).map(read);
const lab = list('lab').map(read);
const roomOf = (path: string) => /^lab\/(\w+)\//.exec(path)?.[1];

const house = suite('house');
house('has only the rooms that are planned', () => {
  const rooms = [...new Set(lab.map(({ path }) => roomOf(path)))];
  assert.equal(rooms.filter((room) => room === undefined || !(room in ALLOWED)), []);
  for (const room of ['model', 'check', 'theory', 'virtual', 'cli']) {
    assert.ok(rooms.includes(room), `lab/${room} is there`);
  }
});
house('lets a room import only rooms that stand lower', () => {
  const wrong = lab.flatMap(({ path, imports }) => imports.filter((name) => {
    const [from, to] = [roomOf(path)!, roomOf(name)];
    return to !== undefined && to !== from && !ALLOWED[from]!.includes(to);
  }).map((name) => `${path} imports ${name}`));
  assert.equal(wrong.filter((line) => line !== VIRTUAL_CEPHES), []);
});
const VIRTUAL_CEPHES = 'lab/virtual/summary.ts imports lab/theory/cephes.ts';
house('lets a root script be imported by tests, benches and notebooks alone', () => {
  const names = scripts.map(({ path }) => path);
  const wrong = [...scripts, ...lab].flatMap(({ path, imports }) => imports
    .filter((name) => names.includes(name) && name !== path).map((name) => `${path}: ${name}`));
  assert.equal(wrong, []);
});
house('keeps its three witnesses apart: they import nothing of ours', () => {
  for (const { path, imports } of lab) {
    const room = roomOf(path)!;
    if (!WITNESSES.includes(room)) continue;
    const ours = imports.filter((name) => /^(lab\/|\w+\.ts$)/.test(name));
    const others = ours.filter((name) => roomOf(name) !== room);
    assert.equal(others, [], path);
  }
});
house('has no circle', () => {
  const graph = new Map([...scripts, ...lab].map(({ path, imports }) => [path, imports]));
  const done = new Set<string>();
  const visit = (path: string, way: string[]): void => {
    assert.not.ok(way.includes(path), [...way, path].join(' → '));
    if (done.has(path)) return;
    for (const next of graph.get(path) ?? []) visit(next, [...way, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
});
house('keeps the model pure: no time, timer, ambient chance, socket or node', () => {
  for (const { path, text, imports } of lab.filter(({ path }) => roomOf(path) === 'model')) {
    assert.equal(imports.filter((name) => !name.startsWith('lab/model/')), [], path);
    const code = text.replace(/\/\*[^]*?\*\//g, '').replace(/\/\/.*$/gm, '');
    assert.not.match(code,
      /\b(Date|performance|process|setTimeout|setInterval|setImmediate|fetch|await)\b|Math\.random/,
      path);
  }
});
house('has no file of more than 400 lines but the engine, and a machine of at most 200', () => {
  const long = [...scripts, ...lab].filter(({ path }) => path !== 'lab/virtual/engine.ts')
    .map(({ path, text }) => [path, text.split('\n').length - 1] as const)
    .filter(([path, lines]) => lines > (path === 'machine.ts' ? MACHINE_LINES_MOST : LINES_MOST));
  assert.equal(long, []);
});
house('has no line of more than 100 columns', () => {
  const wide = [...scripts, ...lab, ...[...list('test'), ...list('bench')].map(read)]
    .flatMap(({ path, text }) => text.split('\n')
      .flatMap((line, n) => ([...line].length > COLUMNS_MOST ? [`${path}:${n + 1}`] : [])));
  assert.equal(wide, []);
});
house('has the rule once', () => {
  const rules = [...scripts, ...lab].filter(({ text }) => /\bfunction step\b/.test(text));
  assert.equal(rules.map(({ path }) => path), ['lab/model/rule.ts']);
});
house('opens each script with usage, and each of its files with what it is', () => {
  for (const { path, text } of [...scripts, ...lab]) {
    assert.match(text, /^(#!.*\n)?\/\*\*/, path);
  }
});
house.run();
