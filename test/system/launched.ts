/** What tests of launch.ts share: a launch in a folder of its own, its processes, its logs. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { $, ps, type ProcessPromise } from 'zx';
import { checkRun, compare, type Comparison, readRun } from '../../check.ts';
import { record } from '../../lab/virtual/record.ts';

export const LAUNCH = fileURLToPath(new URL('../../launch.ts', import.meta.url));
export const TSX = import.meta.resolve('tsx');
/** Room for every column of the table. */
const WIDE = { ...process.env, COLUMNS: '120' };

/** On a busy computer a launch alone may take half a minute. */
const LIMIT_MS = 120_000;

export const somewhere = (): string => mkdtempSync(join(tmpdir(), 'lab-'));
export const launch = (cwd: string, options: string[]): ProcessPromise =>
  $({ nothrow: true, quiet: true, cwd, env: WIDE })`
    exec ${[process.execPath, '--import', TSX, LAUNCH, ...options]}`.run();

export const log = (cwd: string, name: string, id: number): string =>
  readFileSync(join(cwd, 'logs', name, `machine-${id}.csv`), 'utf8');
export const verdict = (cwd: string, name: string) => {
  const { run, logs } = readRun(join(cwd, 'logs', name));
  return { run, ...checkRun(run, logs) };
};

/** Lays a run beside the virtual one of its seed, knobs and faults, which is made here. */
export function besideTwin(cwd: string, name: string): Comparison {
  const folder = join(cwd, 'logs', name);
  const twin = join(cwd, 'logs', `${name}-twin`);
  const { faults, kind: _, wire: __, dice: ___, start_us: ____, versions: _____, ended: ______,
    ...configuration } = JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8'));
  const plan = faults?.map(({ from_us: _, to_us: __, ...fault }: object & {
    from_us: unknown; to_us: unknown }) => fault);
  mkdirSync(twin);
  record({ ...configuration, ...(plan && { faults: plan }), latency: 'constant:0', loss: 0,
    reorder: false }, twin);
  return compare(readRun(folder), readRun(twin));
}

/** Resolves when it holds; what never holds must fail a test, not stop it. */
export async function until(
  what: string, holds: () => boolean | Promise<boolean>,
): Promise<void> {
  for (const limit_ms = Date.now() + LIMIT_MS; !(await holds()); await sleep(20)) {
    if (Date.now() > limit_ms) throw new Error(`${LIMIT_MS / 1000} s without ${what}`);
  }
}

/**
 * Resolves when a machine has logged what is looked for.
 * @param launched is not waited for beyond its end
 */
export async function logged(
  cwd: string, name: string, id: number, what: RegExp, launched?: ProcessPromise,
): Promise<void> {
  const file = join(cwd, 'logs', name, `machine-${id}.csv`);
  let said: string | null = null;
  void launched?.then(({ stdout, stderr }) => { said = stdout + stderr; });
  await until(`${what} in ${file}`, () => {
    if (existsSync(file) && what.test(readFileSync(file, 'utf8'))) return true;
    if (said !== null) throw new Error(`it ended without ${what} in ${file}: ${said}`);
    return false;
  });
}

/**
 * Process ids of the machines of one run, by id.
 * @throws where runs of the same name go on beside each other, since they cannot be told apart
 */
export async function processes(name: string): Promise<Map<number, number>> {
  const all = await ps.lookup({ command: process.execPath.split('/').at(-1)! });
  const found = new Map<number, number>();
  for (const { pid, arguments: words } of all) {
    if (!words.includes(`logs/${name}`)) continue;
    const id = Number(words[words.indexOf('--id') + 1]);
    if (found.has(id)) throw new Error(`two runs beside each other are called ${name}`);
    found.set(id, Number(pid));
  }
  return found;
}
