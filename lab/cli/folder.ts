/** A run's folder: made once, never written over, its run.json whole or not at all. */
import {
  existsSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import type { Command } from 'commander';
import { RunError, type RunRecord, validateRun } from '../model/record.ts';
import { logPath } from '../model/run.ts';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
const RUN_MAX_BYTES = 2 ** 26; // Of a run.json: 100,000 machines take some 5 MB.
const NEAR_EDITS = 3; // A name with so many wrong letters is still taken for a slip.
// ─────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Makes a run's folder under logs/, or ends with one line: a run never writes over another.
 * @param name as the option --name gives it; then a folder of that name must not be there
 * @param usual the name where none is given; if it is taken, a number is added
 */
export function newFolder(command: Command, name: string | undefined, usual: string): string {
  for (let nth = 1; ; nth++) {
    const folder = join('logs', name ?? (nth > 1 ? `${usual}-${nth}` : usual));
    try {
      mkdirSync('logs', { recursive: true });
      mkdirSync(folder);
      return folder;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST' && name === undefined) continue;
      const why = code === 'EEXIST' ? `${folder} exists` : message;
      command.error(`error: ${name === undefined ? folder : `--name ${name}`}: ${why}`);
    }
  }
}

/** The name of a run by the time of its start and its seed. */
export const nameByTime = (seed: number, now = new Date()): string =>
  `${now.toISOString().slice(0, 19).replaceAll(':', '').replace('T', '-')}-seed-${seed}`;

/** Writes `run.json` whole or not at all. */
export const writeRun = (folder: string, run: RunRecord): void =>
  writeWhole(join(folder, 'run.json'), `${JSON.stringify(run, null, 2)}\n`);

/**
 * Writes a file whole or not at all, in the place of an older one; if that fails, nothing temporary
 * is left. What a symbolic link in that place points to stays as it is.
 */
export function writeWhole(path: string, content: string): void {
  const draft = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(draft, content, { flag: 'wx' });
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/** Reads `run.json`. @throws RunError with one line that names the file and what is wrong */
export function readRun(folder: string): RunRecord {
  const path = join(folder, 'run.json');
  try {
    if (statSync(path).size > RUN_MAX_BYTES) throw new RunError('it is too large for a run.json');
    return validateRun(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new RunError(`${path}: it is not there${suggestion(folder)}`);
    throw new RunError(`${path}: ${message}`);
  }
}

/** Opens a machine's log for its first row. @throws if it is there: never over another log */
export const openLog = (folder: string, id: number): number => openSync(logPath(folder, id), 'ax');

/** ' (Did you mean logs/example?)' where there is a folder of nearly that name. */
export function suggestion(folder: string): string {
  const near = nearest(folder);
  return near === null || relative(near, folder) === '' ? '' : ` (Did you mean ${near}?)`;
}

/** The folder that is meant, each part of its path by itself: 'logz/exmple' is logs/example. */
function nearest(folder: string): string | null {
  if (existsSync(folder)) return folder;
  const parent = dirname(folder) === folder ? null : nearest(dirname(folder));
  if (parent === null) return null;
  try {
    const near = readdirSync(parent, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => ({ name, edits: distance(name, basename(folder)) }))
      .filter(({ edits }) => edits <= NEAR_EDITS)
      .sort((one, other) => one.edits - other.edits)[0];
    return near ? join(parent, near.name) : null;
  } catch {
    return null;
  }
}

/** Levenshtein's distance: the fewest letters to add, drop or change. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, place) => place);
  for (const [place, letter] of [...one].entries()) {
    row = [...other].reduce((next, there, at) => [...next, Math.min(
      next[at]! + 1, row[at + 1]! + 1, row[at]! + (letter === there ? 0 : 1))], [place + 1]);
  }
  return row[other.length]!;
}
