/**
 * machine.ts as one file of JavaScript, and beside it what few machines need: node starts it in a
 * quarter of the time that it takes to find, strip and load the modules one by one, and holds less
 * memory. It is made again whenever a file that may be in it changes.
 */
import { createHash } from 'node:crypto';
import {
  copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync,
  statSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Of the project's own code a machine may hold these rooms. */
const ROOMS = ['lab/model', 'lab/cli', 'lab/real'];
/** Is read beside the bundle, as it is beside the module. */
const PROTO = 'lab/real/wire.proto';
const CACHE = join(ROOT, 'node_modules', '.cache', 'logical-clock-lab');

/** A run that began with an older bundle may start machines with it again, after a crash. */
const KEPT_MS = 24 * 3600 * 1000;

/**
 * The words that start a machine without a shell, but for its options.
 * @returns the bundle where it can be made, else machine.ts through tsx
 */
export async function machineCommand(): Promise<string[]> {
  try {
    return [process.execPath, await bundle()];
  } catch {
    // No place to write it, or no esbuild for this system: slower, and otherwise the same.
    return [process.execPath, '--import', import.meta.resolve('tsx'), join(ROOT, 'machine.ts')];
  }
}

async function bundle(): Promise<string> {
  const folder = join(CACHE, `machine-${digest()}`);
  const file = join(folder, 'machine.mjs');
  if (existsSync(file)) return file;
  mkdirSync(CACHE, { recursive: true });
  const draft = `${folder}.${process.pid}.tmp`;
  const { build } = await import('esbuild');
  await build({
    entryPoints: [join(ROOT, 'machine.ts')], outdir: draft, outExtension: { '.js': '.mjs' },
    // In one file with the rest, what the grpc wire imports would be loaded by every machine.
    splitting: true,
    bundle: true, platform: 'node', format: 'esm', target: 'node20', logLevel: 'silent',
    // Only with a terminal, which a launched machine has not; their size would slow each start.
    external: ['log-update', 'cli-table3', '@grpc/*'],
    banner: { js: 'import { createRequire } from "node:module";'
      + `const require = createRequire(${JSON.stringify(import.meta.url)});` },
  });
  copyFileSync(join(ROOT, PROTO), join(draft, basename(PROTO)));
  for (const old of readdirSync(CACHE).filter((name) => name.startsWith('machine-'))) {
    const { mtimeMs } = statSync(join(CACHE, old));
    if (Date.now() - mtimeMs > KEPT_MS) rmSync(join(CACHE, old), { recursive: true, force: true });
  }
  try {
    renameSync(draft, folder);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(file)) throw error; // Else another launcher has made it in the meantime.
  }
  return file;
}

/** A fingerprint of all that may be in the bundle. */
function digest(): string {
  const files = ROOMS.flatMap((room) =>
    readdirSync(join(ROOT, room)).filter((name) => name.endsWith('.ts')).sort()
      .map((name) => join(room, name)));
  const hash = createHash('sha256');
  for (const file of ['machine.ts', 'package-lock.json', PROTO, ...files]) {
    hash.update(`${file}\n`).update(readFileSync(join(ROOT, file)));
  }
  return hash.digest('hex').slice(0, 16);
}
