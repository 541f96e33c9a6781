/**
 * Finds the files that may be logs, within bounds, and cuts them into lines or JSON's records.
 */
import { closeSync, lstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { extname, join, relative } from 'node:path';

/** Beyond these nothing is read: a folder of logs is small, a home folder is not. */
const BOUNDS = { files: 5000, depth: 12, file_bytes: 128 * 2 ** 20, all_bytes: 512 * 2 ** 20 };
/** A longer line is no row of a log: it is counted, and given to no pattern. */
export const LINE_MAX = 4096;
/** Programs, pages and pictures beside the logs. */
const NO_LOG = new Set(
  (
    '.py .pyc .ts .js .mjs .java .class .go .c .h .cc .cpp .hpp .rs .o .so .proto ' +
    '.md .html .htm .css .ipynb .pdf .png .jpg .jpeg .gif .svg .webp .zip .gz .tar .tgz .xz .exe ' +
    '.jar .db .sqlite .pkl .npy .parquet .toml .yml .yaml .xml .sh .bat .tex .docx .pptx .xlsx ' +
    '.lock .mp4'
  ).split(' '),
);
const NO_FOLDER = new Set(['node_modules', '__pycache__', '.git', 'venv', '.venv', 'target']);

/** A file's records: lines as they stand, or the elements of a JSON array, each in one line. */
export interface Text {
  /** Relative to the folder that was named. */
  file: string;
  records: string[];
  /** The line, from 1, of each record; null if record n is line n + 1. */
  at: Int32Array | null;
}

export const lineAt = (text: Text, record: number): number => text.at?.[record] ?? record + 1;

export interface Skipped {
  file: string;
  why: string;
}

/** All regular files under a path, by name; links are not followed. */
function walk(root: string, skipped: Skipped[]): string[] {
  const found: string[] = [];
  const enter = (path: string, depth: number) => {
    const name = relative(root, path);
    const stat = lstatSync(path);
    if (stat.isSymbolicLink())
      return void skipped.push({ file: name, why: 'a link: not followed' });
    if (stat.isDirectory()) {
      if (depth > BOUNDS.depth) return void skipped.push({ file: name, why: 'too deep a folder' });
      for (const entry of readdirSync(path).sort()) {
        if (!NO_FOLDER.has(entry) && !entry.startsWith('.')) enter(join(path, entry), depth + 1);
      }
      return;
    }
    if (!stat.isFile()) return void skipped.push({ file: name, why: 'not a regular file' });
    if (NO_LOG.has(extname(path).toLowerCase())) return;
    if (stat.size === 0) return void skipped.push({ file: name || path, why: 'empty' });
    if (stat.size > BOUNDS.file_bytes) {
      return void skipped.push({
        file: name,
        why: `larger than ${BOUNDS.file_bytes / 2 ** 20} MiB`,
      });
    }
    if (found.length >= BOUNDS.files) {
      return void skipped.push({ file: name, why: `beyond the first ${BOUNDS.files} files` });
    }
    found.push(path);
  };
  enter(root, 0);
  return found;
}

/** Whether the beginning of a file is no text. */
function isBinary(path: string): boolean {
  const head = Buffer.alloc(4096);
  const file = openSync(path, 'r');
  const length = readSync(file, head, 0, head.length, 0);
  closeSync(file);
  let strange = 0;
  for (let n = 0; n < length; n++) {
    const byte = head[n]!;
    if (byte === 0) return true;
    if (byte < 32 && ![9, 10, 13, 27, 12].includes(byte)) strange++;
  }
  return strange > length / 20;
}

/**
 * The texts under a file or folder, and what was left aside and why.
 * @throws the file system's error if the path itself cannot be read
 */
export function readTexts(root: string): { texts: Text[]; skipped: Skipped[] } {
  const skipped: Skipped[] = [];
  const texts: Text[] = [];
  let bytes = 0;
  for (const path of walk(root, skipped)) {
    const file = relative(root, path) || path;
    try {
      if (isBinary(path)) {
        skipped.push({ file, why: 'binary' });
        continue;
      }
      const text = readFileSync(path, 'utf8');
      bytes += text.length;
      if (bytes > BOUNDS.all_bytes) {
        skipped.push({ file, why: `beyond ${BOUNDS.all_bytes / 2 ** 20} MiB in all` });
        break;
      }
      texts.push(textOf(file, text));
    } catch (error) {
      skipped.push({ file, why: (error as NodeJS.ErrnoException).code ?? 'unreadable' });
    }
  }
  return { texts, skipped };
}

/** Cuts a file's contents into records. */
export function textOf(file: string, contents: string): Text {
  const clean = contents.replace(/^\uFEFF/, '');
  if (/^\s*[[{]/.test(clean)) {
    const json = jsonRecords(clean);
    if (json) return { file, ...json };
  }
  // Colours of a terminal say nothing.
  const records = clean.replace(/\u001b\[[\d;]*m/g, '').split(/\r\n|\n|\r/);
  if (records.at(-1) === '') records.pop();
  return { file, records, at: null };
}

/**
 * The elements of the longest array of objects in a JSON text, each as one line. A text that was
 * cut off counts as far as it goes. Null if it holds one object a line, or is not JSON.
 */
function jsonRecords(text: string): { records: string[]; at: Int32Array } | null {
  const first = text.slice(0, text.indexOf('\n') === -1 ? text.length : text.indexOf('\n')).trim();
  if (/^\{.*\},?$/.test(first)) return null;
  const lists = new Map<number, { from: number; to: number; line: number }[]>();
  const open: { mark: string; from: number; line: number; list: number }[] = [];
  let line = 1;
  let quoted = false;
  for (let at = 0, list = 0; at < text.length; at++) {
    const mark = text[at]!;
    if (mark === '\n') line++;
    if (quoted) {
      if (mark === '\\') at++;
      else if (mark === '"') quoted = false;
    } else if (mark === '"') quoted = true;
    else if (mark === '[' || mark === '{') open.push({ mark, from: at, line, list: ++list });
    else if (mark === ']' || mark === '}') {
      const closed = open.pop();
      if (!closed) return null;
      const parent = open.at(-1);
      if (closed.mark !== '{' || (parent && parent.mark !== '[')) continue;
      const key = parent?.list ?? 0;
      if (!lists.has(key)) lists.set(key, []);
      lists.get(key)!.push({ from: closed.from, to: at + 1, line: closed.line });
    }
  }
  const longest = [...lists.values()].sort((a, b) => b.length - a.length)[0];
  if (!longest || longest.length < 2) return null;
  try {
    const records = longest.map(({ from, to }) => JSON.stringify(JSON.parse(text.slice(from, to))));
    return { records, at: Int32Array.from(longest, (entry) => entry.line) };
  } catch {
    return null;
  }
}
