/** What a cell says when it fails: the message, and the line of the cell it comes from. */
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { placeInCell } from './compiler.ts';

/** As many places are named; the first is where it happened. */
const PLACES = 3;
const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));

/** The lines of a cell, which the kernel keeps. */
export type LineOf = (cell: number, line: number) => string;

/** A place that a line of a stack names, if it is in a cell or in the project's own code. */
function place(frame: string, lineOf: LineOf): string | null {
  const inCell = placeInCell(frame);
  if (inCell) {
    const { cell, line } = inCell;
    // tslab adds a line at the end, where a cell is called.
    const text = lineOf(cell, line).trim();
    return text === '' ? null : `cell [${cell}], line ${line}:  ${text}`;
  }
  const [, path, line] = /((?:file:\/\/)?\/[^()]*\.[mc]?[jt]s):(\d+):\d+/.exec(frame) ?? [];
  if (path === undefined) return null;
  const name = relative(PROJECT, path.startsWith('file:') ? fileURLToPath(path) : path);
  return /^\.\.|node_modules|kernels\/lab\//.test(name) ? null : `${name}:${line}`;
}

/** An error in words: its message, then where, without what lies outside cell and project. */
export function explain(error: unknown, lineOf: LineOf): string {
  if (!(error instanceof Error)) return inspect(error);
  const message = `${error.name}: ${error.message}`;
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  const places = frames.map((frame) => place(frame, lineOf)).filter((one) => one !== null);
  const cause = error.cause === undefined ? []
    : [`because of ${explain(error.cause, lineOf).replaceAll('\n', '\n  ')}`];
  return [message, ...[...new Set(places)].slice(0, PLACES), ...cause].join('\n  ');
}

/** What the compiler holds against a line of a cell. */
export function complaint(text: string, cell: number, line: number, lineOf: LineOf): string {
  const hint = /module '\.\.\//.test(text)
    ? '\n  Cells stand in the project\'s folder, wherever the notebook is: import from \'./…\'.'
    : '';
  return `${text}\n  cell [${cell}], line ${line}:  ${lineOf(cell, line).trim()}${hint}`;
}
