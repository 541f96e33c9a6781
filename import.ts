/**
 * Reads other people's logs of this exercise, in any format, into runs of the lab: finds the runs
 * and machines in a folder, guesses how to read a line, and says in words which rule made them.
 *
 *   npx tsx import.ts their/logs                 guess all of it; each run gets a folder in logs/
 *   npx tsx import.ts their/logs --dry           only say what would be read
 *   npx tsx import.ts their/logs --json          the rule, the share of lines read, the patterns
 *   npx tsx import.ts their/logs --pattern '^(?<time>\S+) (?<event>\w+) (?<clock>\d+)$'
 *   npx tsx import.ts their/logs --run 'trial(\d+)' --machine 'vm(\d)' --rate 'rate (\d+)'
 *   npx tsx check.ts logs/their-logs             then all else works on it
 *
 * A pattern is a regular expression with the named groups time, event, machine, run, peer, queue,
 * clock, message; in place of event one of internal, send, receive may be true. A pattern with \n
 * reads as many lines. What the words of an event mean that no dictionary knows, --words says:
 * 'receive=-1;send=1,2,3;internal=4,5'.
 *
 * Exit code 0: imported; 2: there is nothing that can be read.
 */
import { rmSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { newFolder, writeRun } from './lab/cli/folder.ts';
import { folderName, isMain, outliveReaders, readBy, script, several, versions }
  from './lab/cli/options.ts';
import { type Column, table } from './lab/cli/table.ts';
import { printable, terminalWidth, wrapped } from './lab/cli/terminal.ts';
import { compile, parseWords, PatternError } from './lab/foreign/patterns.ts';
import { type Imported, NothingToImport, type ReadOptions, readForeign }
  from './lab/foreign/read.ts';
import { writeLogs } from './lab/foreign/write.ts';

export { readForeign } from './lab/foreign/read.ts';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
const KNOBS = {
  left_shown: 3, // Examples of lines that were left; run.json has 20.
  runs_shown: 30, // Runs in the table; all are written.
  line_width: 110, // Characters of an example that are shown.
};
// ─────────────────────────────────────────────────────────────────────────────────────────────

interface Options extends Omit<ReadOptions, 'patterns'> {
  pattern?: string[];
  name?: string;
  json?: boolean;
  dry?: boolean;
}

/** A parser that throws PatternError, as one that commander understands. */
const stated = <T>(parse: (text: string) => T) =>
  readBy((text) => {
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof PatternError) throw new RangeError(`${error.message}.`);
      throw error;
    }
  });

const pathPattern = stated((text) => {
  let pattern: RegExp;
  try {
    pattern = new RegExp(text);
  } catch (error) {
    throw new PatternError((error as Error).message.replace(/^Invalid regular expression: /, ''));
  }
  if (!/\((?!\?)|\(\?</.test(text)) throw new PatternError('it has no group (…) for what it names');
  return pattern;
});

function parse(): Command {
  const moments = ['before', 'after'];
  return script(import.meta.url)
    .usage('[options] <folder or file>')
    .argument('<path>', 'a folder of logs, or one file')
    .option('--pattern <regexp>', 'how to read a line, with named groups; several times, tried in '
      + 'order', several(stated((text) => (compile(text), text))))
    .option('--run <regexp>', 'which part of a path names the run, as \'trial(\\d+)\'', pathPattern)
    .option('--machine <regexp>', 'which part of a path names the machine', pathPattern)
    .option('--rate <regexp>', 'where the rate stands, in the path or in a line that is no event',
      pathPattern)
    .option('--words <list>', 'what words or codes mean: \'receive=-1;send=1,2,3\'',
      stated((text) => (parseWords(text), text)))
    .addOption(new Option('--clock <when>', 'whether a row bears the clock after or before its '
      + 'event').choices(moments))
    .addOption(new Option('--queue <when>', 'whether the queue is counted after or before the take')
      .choices(moments))
    .option('--name <name>', 'of the folder in logs/ (default: as theirs)', folderName)
    .option('--dry', 'write nothing')
    .option('--json', 'print the result for programs')
    .parse();
}

/** Each run in its folder; where one cannot be written, none of it stays. @returns the folders */
function write(
  command: Command, path: string, { folders }: Imported, name: string | undefined,
): string[] {
  const safe = (text: string) => text.replace(/[^\w.-]+/g, '-');
  const usual = safe(basename(resolve(path))).replace(/^[.-]+/, '') || 'theirs';
  return folders.map((run) => {
    const suffix = folders.length > 1 ? safe(`-${run.name}`) : '';
    const folder = name === undefined ? newFolder(command, undefined, `${usual}${suffix}`)
      : newFolder(command, `${name}${suffix}`, '');
    try {
      for (const [id, log] of run.logs.entries()) writeLogs(folder, id, log);
      writeRun(folder, run.record);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
    return folder;
  });
}

/** What --json prints; `rule` in the words of the field's table. */
function json(imported: Imported, folders: readonly string[]) {
  const { source, lines, lines_read, rows, patterns, command, left, skipped, alone } = imported;
  const { rule, words, doubts, jumps, best, next, send, receive } = imported.rule;
  return {
    source, rule, words, doubts, jumps, best, next, send, receive,
    share_read: lines_read / lines, lines, lines_read, rows,
    patterns, event_words: imported.words, command,
    left: left.slice(0, 20), skipped, alone,
    runs: imported.folders.map(({ name, record: { machines, rates_hz, foreign } }, n) => ({
      name, folder: folders[n] ?? null, machines, files: foreign.files, rates_hz,
      logged: foreign.logged, rule: foreign.rule.rule, words: foreign.rule.words,
      messages: foreign.messages,
    })),
  };
}

const short = (text: string) =>
  (text.length > KNOBS.line_width ? `${text.slice(0, KNOBS.line_width - 1)}…` : text);
const percent = (part: number, all: number) => {
  const share = (100 * part) / (all || 1);
  return `${share > 99 && share < 100 ? Math.floor(share * 100) / 100 : Math.round(share)} %`;
};

/** What a person reads: what was read, what was left, the runs, the rule, what to do next. */
function inWords(imported: Imported, folders: readonly string[]): string {
  const { rows, lines, lines_read, left, skipped, command, rule, alone } = imported;
  const others = left.reduce((sum, { count }) => sum + count, 0);
  const say = [
    `${rows} events in ${lines_read} of ${lines} lines (${percent(lines_read, lines)}), read as by`,
    '', `  ${command}`, ''];
  if (others > 0) {
    say.push(`${others} lines are no events, as`);
    for (const { count, file, line, example } of left.slice(0, KNOBS.left_shown)) {
      const more = count > 1 ? `   (${count} like it)` : '';
      say.push(`  ${file}:${line}  ${short(printable(example))}${more}`);
    }
    say.push('');
  }
  for (const { file, why } of skipped.slice(0, 5)) say.push(`not read: ${file}: ${why}`);
  if (skipped.length > 5) say.push(`not read: ${skipped.length - 5} more files`);
  for (const { name, file } of alone.slice(0, 3)) {
    say.push(`not imported: ${name}: one machine only (${file})`);
  }
  say.push(runsTable(imported, folders), '', wrapped(`The rule: ${rule.words}`, 2));
  for (const doubt of rule.doubts) {
    say.push(`  ${wrapped(`but: ${doubt}`, 4, terminalWidth() - 2)}`);
  }
  say.push(...loggedWords(imported).map((words) => wrapped(words, 2)));
  const [first] = folders;
  if (first) say.push('', `next: npx tsx check.ts ${first}`,
    `      npx tsx analyze.ts ${first}`);
  return say.filter((line, n) => line !== '' || say[n - 1] !== '').join('\n');
}

function runsTable({ folders: runs }: Imported, folders: readonly string[]): string {
  const columns: Column[] = [{ heading: 'run', align: 'left' }, { heading: 'machines' },
    { heading: 'rows' }, { heading: 'Hz' }, { heading: 'arrows', spare: 1 },
    { heading: 'rule', align: 'left', spare: 2 }];
  return table(columns, runs.map(({ name, record }, n) => {
    const { messages, files, rule } = record.foreign;
    const rates = record.rates_hz.map((rate) =>
      (rate === null ? '?' : String(Number(rate.toPrecision(3)))));
    return [folders[n] ?? name, record.machines, files.reduce((sum, file) => sum + file.rows, 0),
      rates.join(' '), percent(messages.logged + messages.reconstructed, messages.receives),
      rule.rule];
  }), { most: KNOBS.runs_shown, what: 'run' });
}

function loggedWords({ folders: [first] }: Imported): string[] {
  if (!first) return [];
  const { logged } = first.record.foreign;
  return [`Their rows: the clock ${logged.clock} the event`
    + (logged.queue ? `, the queue counted ${logged.queue} the take` : ', no queue')
    + (logged.both ? `, a send to several in ${logged.both}` : '')
    + `${logged.resolution_us === null ? ', no times' : ''}.`];
}

function main(): void {
  outliveReaders();
  const command = parse();
  const options = command.opts<Options>();
  const path = command.args[0]!;
  try {
    const imported = readForeign(path, { ...options, patterns: options.pattern ?? [] }, versions());
    const folders = options.dry ? [] : write(command, path, imported, options.name);
    console.log(options.json ? JSON.stringify(json(imported, folders), null, 2)
      : inWords(imported, folders));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (error instanceof NothingToImport) command.error(`error: ${message}`);
    if (error instanceof PatternError) command.error(`error: --pattern: ${message}`);
    if (code === 'ENOENT') command.error(`error: ${path}: it is not there`);
    if (code) command.error(`error: ${path}: ${message}`);
    throw error;
  }
}

if (isMain(import.meta.url)) main();
