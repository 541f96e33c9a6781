/** A machine's own log on the disk. */
import {
  closeSync, fstatSync, ftruncateSync, openSync, readSync, rmSync, writeSync,
} from 'node:fs';
import { openLog } from '../cli/folder.ts';
import { HEADER, logPath } from '../model/run.ts';

/** A row could not be written; the log ends with the last whole one. */
export class LogError extends Error {}

/** Logs that have no row yet, and are taken away if they never get one. */
const empty = new Set<string>();
const removeEmpty = () => empty.forEach((log) => rmSync(log, { force: true }));

function noteEmpty(path: string): void {
  if (!process.listeners('exit').includes(removeEmpty)) process.on('exit', removeEmpty);
  empty.add(path);
}

/**
 * Appends rows to a log, each of which is in the file when this returns: a kill loses nothing. The
 * header comes with the first row; a log without a row is gone when the process ends.
 * @param returns whether the log is there from before a crash; else it must not be
 * @throws NodeJS.ErrnoException if it cannot be opened; then, from a row, LogError
 */
export function appendTo(folder: string, id: number, returns = false): (line: string) => void {
  const file = returns ? openSync(logPath(folder, id), 'a') : openLog(folder, id);
  let whole_bytes = fstatSync(file).size;
  if (whole_bytes === 0) noteEmpty(logPath(folder, id));
  return (line) => {
    const bytes = Buffer.from(whole_bytes === 0 ? HEADER + line : line);
    try {
      for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
    } catch (error) {
      ftruncateSync(file, whole_bytes); // Half a row would look like a number that was cut.
      throw new LogError(`${logPath(folder, id)}: ${(error as Error).message}`);
    }
    if (whole_bytes === 0) empty.delete(logPath(folder, id));
    whole_bytes += bytes.length;
  };
}

const TAIL_BYTES = 4096; // More than any two rows.

/**
 * Cuts off the line that a killed writer left torn, if it did.
 * @returns the clock of the last whole row; 0 where there is none
 */
export function mendLog(folder: string, id: number): number {
  const file = openSync(logPath(folder, id), 'r+');
  try {
    const { size } = fstatSync(file);
    const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
    readSync(file, tail, 0, tail.length, size - tail.length);
    const whole = tail.lastIndexOf('\n') + 1;
    if (whole < tail.length) ftruncateSync(file, size - tail.length + whole);
    const last = tail.toString('utf8', 0, whole).trimEnd().split('\n').at(-1)!;
    return Number(last.split(',').at(-1)) || 0; // The header's last column is no number.
  } finally {
    closeSync(file);
  }
}
