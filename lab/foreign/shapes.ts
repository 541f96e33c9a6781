/**
 * Lines of one make are one shape: the same words, with numbers, times and lists in the same
 * places. A table's rows are one shape too, whose labels are its header.
 */
import { LINE_MAX, type Text } from './files.ts';
import { TIME } from './times.ts';
import { classify, plain, type Said, subwords } from './words.ts';

/** Number, written time, list of numbers or names, address, identifier; a column holds anything. */
export type Kind = 'number' | 'time' | 'list' | 'address' | 'name' | 'column';

export interface Slot {
  kind: Kind;
  /** In plain words: what stands before it, back to the last slot, and after it. */
  label: string;
  after: string;
  example: string;
}

/** A line that has a shape. */
export interface Line {
  text: number;
  record: number;
  /** So many lines of the file. */
  span: number;
  values: string[];
}

export interface Shape {
  key: string;
  /** The constant texts: before the first slot, between two, and behind the last. */
  parts: string[];
  slots: Slot[];
  /** What its constant words say; of a table nothing. */
  said: Said | null;
  lines: Line[];
  /** Of a table: what separates its columns. */
  separator: string | null;
}

const LIST =
  String.raw`[[({]\s*-?\d+(?:\s*[,;]?\s+-?\d+|\s*,\s*-?\d+)+\s*[\])}]` +
  String.raw`|\{\s*['"]?\w+['"]?\s*:\s*\d+(?:,\s*['"]?\w+['"]?\s*:\s*\d+)+\s*\}` +
  String.raw`|\[\s*(?:\[?\(?['"][\w.:-]+['"](?:,\s*\d+)?\)?\]?(?:,\s*)?)+\]`;
const RUN = String.raw`(?<=^|[\s|;:=[(])\d+(?:,\d+)+(?=$|,\s|[\s|;\])])`;
/** "process = A": a letter that names the machine, as a number would. */
const IDENTIFIER =
  String.raw`\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b|\b0x[0-9a-f]+\b`;
const LETTER =
  String.raw`\b[A-Z]\b(?<=\b(?:[Mm]achine|[Pp]rocess|[Nn]ode|VM|vm|[Pp]?[Ii][Dd])` +
  String.raw`(?:[ _]?[Ii][Dd])?["']?\s*[:=]\s*["']?[A-Z])`;
const TOKEN = new RegExp(
  [
    `(${TIME})`,
    `(${LIST})`,
    `(${RUN})`,
    `(${IDENTIFIER}|${LETTER})`,
    String.raw`(\b\d+\.\d+\.\d+\.\d+(?::\d+)?|\blocalhost:\d+)`,
    String.raw`(?:(?<![\w.)\]])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\d])|\d+(?:\.\d+)?)`,
  ].join('|'),
  'g',
);
/** A file with more shapes than this is prose or noise: the rest of its lines have none. */
const SHAPES_MAX = 4000;
const SLOT = '\u0001';

/** Cuts a record into constant texts and the values between them. */
export function cut(record: string): { parts: string[]; values: string[]; kinds: Kind[] } {
  const parts: string[] = [];
  const values: string[] = [];
  const kinds: Kind[] = [];
  let last = 0;
  for (const match of record.matchAll(TOKEN)) {
    const [, time, list, run, name, address] = match;
    // A whole line of numbers and commas is a row of a table, not a vector.
    if (run !== undefined && match[0].length >= record.trim().length) return columns(record);
    parts.push(record.slice(last, match.index));
    values.push(match[0]);
    kinds.push(
      time !== undefined
        ? 'time'
        : list !== undefined || run !== undefined
          ? 'list'
          : name !== undefined
            ? 'name'
            : address !== undefined
              ? 'address'
              : 'number',
    );
    last = match.index + match[0].length;
  }
  parts.push(record.slice(last));
  return { parts, values, kinds };
}

function columns(record: string): { parts: string[]; values: string[]; kinds: Kind[] } {
  const values = record.trim().split(',');
  const begin = record.indexOf(values[0]!);
  const parts = [record.slice(0, begin), ...values.slice(1).map(() => ','), ''];
  return { parts, values, kinds: values.map(() => 'number' as const) };
}

/** The shapes of all texts, the most frequent first; lines that are blank or too long have none. */
export function shapesOf(texts: readonly Text[]): Shape[] {
  const shapes = new Map<string, Shape>();
  const headers = texts.map(headerOf);
  const grid = gridOf(texts.filter((_, n) => headers[n] === null));
  for (const [n, text] of texts.entries()) {
    const table = headers[n] ?? (text.at ? null : grid);
    if (table) addTable(shapes, n, text, table);
    else for (const line of recordsOf(text)) addLine(shapes, n, line.record, line.span, line.value);
  }
  return [...shapes.values()].sort((a, b) => b.lines.length - a.lines.length);
}

function addLine(
  shapes: Map<string, Shape>,
  text: number,
  record: number,
  span: number,
  value: string,
): void {
  if (value.length > LINE_MAX || value.trim() === '') return;
  // Thousands of lines of one error, without a number, are looked at once.
  const same = shapes.get(value);
  if (same) return void same.lines.push({ text, record, span, values: [] });
  const { parts, values, kinds } = cut(value);
  const squeezed = parts.map((part) => part.replace(/[ \t]+/g, ' '));
  squeezed[squeezed.length - 1] = squeezed.at(-1)!.trimEnd();
  const key = squeezed.join(SLOT) + kinds.map((kind) => (kind === 'number' ? '' : kind)).join();
  let shape = shapes.get(key);
  if (!shape) {
    if (shapes.size >= SHAPES_MAX) return;
    const slots = values.map((example, n) => ({
      kind: kinds[n]!,
      example,
      label: plain(parts[n]!.slice(-48)),
      after: plain(parts[n + 1]!.slice(0, 32)),
    }));
    const said = classify(squeezed.join(SLOT));
    shapes.set(key, (shape = { key, parts: squeezed, slots, said, lines: [], separator: null }));
  }
  shape.lines.push({ text, record, span, values });
}

// ── Tables with a header ─────────────────────────────────────────────────────────────────────

interface Header {
  record: number;
  separator: string;
  names: string[];
}

const HEADING = new RegExp(
  'clock|time|event|queue|action|type|message|machine|logical|lamport|command|op\\b|code' +
    '|send|sent|receive|peer|process|id$',
  'i',
);

/** Cuts a table's row at its separator, but not within quotes. */
export function fieldsOf(record: string, separator: string): string[] {
  if (!record.includes('"')) return record.split(separator).map((field) => field.trim());
  const fields: string[] = [];
  let field = '';
  let quoted = false;
  for (const mark of record) {
    if (mark === '"') quoted = !quoted;
    else if (mark === separator && !quoted) {
      fields.push(field.trim());
      field = '';
    } else field += mark;
  }
  fields.push(field.trim());
  return fields;
}

/** The header of a table among a text's first lines: names of columns, and rows of as many. */
function headerOf(text: Text): Header | null {
  for (let record = 0; record < Math.min(text.records.length, 20); record++) {
    const line = text.records[record]!;
    if (line.length > LINE_MAX) continue;
    for (const separator of [',', '\t', '|', ';']) {
      const names = fieldsOf(line, separator);
      if (names.length < 3 || names.filter((name) => HEADING.test(name)).length < 2) continue;
      if (
        names.some(
          (name) => /^-?\d|\d{2,}/.test(name) || name.length > 40 || /[:=]\s*\S/.test(name),
        )
      )
        continue;
      const below = text.records.slice(record + 1, record + 30).filter((row) => row.trim() !== '');
      const alike = below.filter((row) => fieldsOf(row, separator).length === names.length);
      const numbers = alike.filter((row) =>
        fieldsOf(row, separator).some((field) => /^-?\d/.test(field)),
      );
      if (numbers.length >= 1 && numbers.length >= below.length * 0.6)
        return { record, separator, names };
    }
  }
  return null;
}

/** A short word or number, neither a sentence nor a label with its value. */
const isPlainField = (field: string) =>
  field.length <= 40 &&
  !/^["']?[A-Za-z][\w ]*["']?\s*[:=]/.test(field) &&
  field.split(/\s+/).length <= 3;
const NUMBER = /^-?\d+(\.\d+)?$/;
/** A separator within brackets separates a vector's parts, not columns. */
const isTorn = (field: string) =>
  (field.match(/[[({]/g)?.length ?? 0) !== (field.match(/[\])}]/g)?.length ?? 0);
const GRID = { lines: 200, lines_all: 4000 };

/** A table without names: in all files, nearly all lines with a separator have as many fields. */
function gridOf(texts: readonly Text[]): Header | null {
  const sample = texts
    .filter(({ at }) => at === null)
    .flatMap(({ records }) => records.slice(0, GRID.lines))
    .slice(0, GRID.lines_all)
    .filter((line) => line.trim() !== '' && line.length <= LINE_MAX);
  for (const separator of [',', '\t', ';', '|']) {
    const rows = sample.map((line) => fieldsOf(line, separator)).filter(({ length }) => length > 2);
    if (rows.length < Math.max(3, sample.length * 0.5)) continue;
    const length = rows[rows.length >> 1]!.length;
    const alike = rows.filter((row) => row.length === length);
    const isMost = (some: number, of: number) => some >= of * 0.97;
    if (!isMost(alike.length, rows.length)) continue;
    if (!isMost(alike.filter((row) => row.every(isPlainField)).length, alike.length)) continue;
    const isOdd = (field: string) => isTorn(field) || /^[{"]\w+"?:/.test(field);
    if (alike.some((row) => row.some(isOdd))) continue;
    const columns = Array.from({ length }, (_, at) => at);
    const isOf = (at: number, form: RegExp) =>
      isMost(alike.filter((row) => form.test(row[at]!)).length, alike.length);
    if (!columns.some((at) => isOf(at, NUMBER) || isOf(at, /^["'[(]/))) continue;
    return { record: 0, separator, names: columns.map(() => '') };
  }
  return null;
}

function addTable(shapes: Map<string, Shape>, n: number, text: Text, header: Header): void {
  const { names, separator } = header;
  const key = `table ${separator} ${names.join(separator)}`;
  let shape = shapes.get(key);
  for (const [record, line] of text.records.entries()) {
    if (line.length > LINE_MAX) continue;
    const values = fieldsOf(line, separator);
    const isHeading =
      values.length === names.length && values.every((field, at) => field === names[at]);
    if (record < header.record || isHeading || values.length !== names.length) {
      if (!isHeading) addLine(shapes, n, record, 1, line);
      continue;
    }
    if (!shape) {
      const slots = names.map((name, at) => ({
        kind: 'column' as const,
        label: subwords(name).join(' '),
        after: '',
        example: values[at]!,
      }));
      const parts = ['', ...names.slice(1).map(() => separator), ''];
      shapes.set(key, (shape = { key, parts, slots, said: null, lines: [], separator }));
    }
    shape.lines.push({ text: n, record, span: 1, values });
  }
}

// ── Records of several lines ─────────────────────────────────────────────────────────────────

interface Joined {
  record: number;
  span: number;
  value: string;
}

const BREAK = /^[\s\-=*_.#~]*$/;
const SPAN_MAX = 6;

const LEADING_TIME = new RegExp(`^[\\s[(]*(?:${TIME}|\\d{9,}(?:\\.\\d+)?\\b)`);
const isClockLine = (line: string) =>
  /clock|logical|lamport|\bLC\b|\bclk\b|\bL\s*[:=]/i.test(line.replace(LEADING_TIME, '')) &&
  /\d/.test(line);

/** A text's lines, or its records of several lines joined by newlines. */
function recordsOf(text: Text): Joined[] {
  const single = text.records.map((value, record) => ({ record, span: 1, value }));
  if (text.at) return single;
  const sample = text.records.slice(0, 400).filter((line) => line.length <= LINE_MAX);
  const timed = sample.filter((line) => LEADING_TIME.test(line));
  const clocked = sample.filter((line) => !LEADING_TIME.test(line) && isClockLine(line));
  // Each record begins with its time, and its clock stands in a later line.
  if (
    timed.length >= Math.max(3, sample.length / SPAN_MAX) &&
    timed.length <= sample.length * 0.67 &&
    timed.filter(isClockLine).length < timed.length * 0.2 &&
    clocked.length >= timed.length * 0.8
  )
    return joined(text, (line) => LEADING_TIME.test(line));
  const saying = sample.map((line) => (classify(line)?.weight ?? 0) >= 2);
  const said = sample.filter((_, n) => saying[n]);
  if (said.length < 3 || said.length > sample.length * 0.67) return single;
  const others = sample.filter((_, n) => !saying[n]);
  // Lines that say what happened and also hold a clock need no others.
  if (said.filter(isClockLine).length > said.length * 0.2) return single;
  if (others.filter(isClockLine).length < said.length * 0.5) return single;
  const broken = text.records.slice(0, 400).filter((line) => BREAK.test(line)).length;
  const starts = broken >= 3 ? null : startsOf(text);
  return withoutHeads(joined(text, (line) => starts?.has(headOf(line)) ?? false));
}

/** Takes from a record the lines before it that no other record has: a heading, an error. */
function withoutHeads(records: readonly Joined[]): Joined[] {
  const form = (value: string) => cut(value).parts.join('#').replace(/[ \t]+/g, ' ');
  const forms = records.map(({ value }) => form(value));
  const counts = new Map<string, number>();
  for (const one of forms) counts.set(one, (counts.get(one) ?? 0) + 1);
  return records.flatMap((whole, at): Joined[] => {
    if (counts.get(forms[at]!)! > 1) return [whole];
    const lines = whole.value.split('\n');
    for (let head = 1; head < lines.length; head++) {
      const value = lines.slice(head).join('\n');
      if ((counts.get(form(value)) ?? 0) < 2) continue;
      const heads = lines
        .slice(0, head)
        .map((line, n) => ({ record: whole.record + n, span: 1, value: line }));
      return [...heads, { record: whole.record + head, span: lines.length - head, value }];
    }
    return [whole];
  });
}

function joined(text: Text, begins: (line: string) => boolean): Joined[] {
  const found: Joined[] = [];
  let from = -1;
  const close = (to: number) => {
    if (from === -1) return;
    const lines = text.records.slice(from, Math.min(to, from + SPAN_MAX));
    found.push({ record: from, span: lines.length, value: lines.join('\n') });
    from = -1;
  };
  for (const [record, line] of text.records.entries()) {
    if (line.length > LINE_MAX || BREAK.test(line)) close(record);
    else if (begins(line) || (from !== -1 && record - from >= SPAN_MAX)) {
      close(record);
      from = record;
    } else if (from === -1) from = record;
  }
  close(text.records.length);
  return found;
}

const headOf = (line: string) => subwords(line)[0] ?? '';

/** With which words records begin: those of the first line, or of the lines that name an event. */
function startsOf(text: Text): Set<string> {
  const heads = text.records.map(headOf);
  const counts = new Map<string, number>();
  for (const head of heads) counts.set(head, (counts.get(head) ?? 0) + 1);
  const first = heads.find((head) => counts.get(head)! >= text.records.length / 6) ?? '';
  const saying = new Set(
    heads.filter((_, n) => (classify(text.records[n]!)?.weight ?? 0) >= 2),
  );
  return saying.has(first) ? saying : new Set([first]);
}
