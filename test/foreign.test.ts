/** Other people's logs: what is read of them, which rule is inferred, and what is refused how. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkForeign, type Variant as Held } from '../lab/check/foreign.ts';
import { compile, parseWords, PatternError } from '../lab/foreign/patterns.ts';
import { type Imported, NothingToImport, type ReadOptions, readForeign }
  from '../lab/foreign/read.ts';
import { times_us, written_s } from '../lab/foreign/times.ts';
import { classify } from '../lab/foreign/words.ts';
import { fresh, happen, type Happened, RULES, styled, STYLES, VARIANTS, writeStyle }
  from './foreign.styles.ts';
import { thoroughly } from './runs.ts';

const read = (folder: string, options: ReadOptions = {}): Imported =>
  readForeign(folder, options, { lab: '0', node: '0' });
/** The cells of a log of ours, without its header. */
const cells = (log: string): string[][] =>
  log.trim().split('\n').slice(1).map((row) => row.split(','));
const rowsOf = ({ folders: runs }: Imported): number =>
  runs.flatMap(({ logs }) => logs.flatMap(({ log }) => cells(log))).length;
const queuesOf = (log: Happened[]): string[] =>
  log.map(({ event, queue }) => (event === 'receive' ? String(queue) : ''));

// ── The guess ────────────────────────────────────────────────────────────────────────────────

const guess = suite('guess');

const thorough = thoroughly(guess);
for (const [n, style] of STYLES.entries()) {
  const variant = VARIANTS[n % VARIANTS.length]!;
  const test = n % 3 === 0 ? guess : thorough;
  test(`${style.name}: every event is read, and the rule (${variant}) is found`, () => {
    const logs = happen(variant, n + 1, [1, 3, 5], 25);
    const imported = read(styled(style, logs));
    assert.is(imported.folders.length, 1);
    assert.is(imported.folders[0]!.record.machines, 3);
    assert.is(rowsOf(imported), logs.flat().length);
    assert.is(imported.rule.rule, style.vector ? 'other' : RULES[variant], imported.rule.words);
    const clocks = imported.folders[0]!.logs.map(({ log }) =>
      cells(log).map((row) => Number(row[7])));
    if (!style.vector) assert.equal(clocks, logs.map((log) => log.map(({ clock }) => clock)));
  });
}

guess('the patterns that it prints read the same rows when they are stated', () => {
  for (const name of ['old and new clock', 'TSV with codes', 'records of four lines',
    'one-hot columns']) {
    const folder = styled(name, happen('clean', 3, [2, 3, 4], 30));
    const guessed = read(folder);
    const stated = read(folder, { patterns: guessed.patterns, words: guessed.words });
    const logsOf = ({ folders: runs }: Imported) => runs.map(({ logs }) => logs);
    assert.equal(logsOf(stated), logsOf(guessed), name);
  }
});

guess('lines that are no events are counted by their shape, with file and line', () => {
  const folder = styled('errors, connections and stack traces between', happen('clean', 4));
  const { left, lines, lines_read } = read(folder);
  assert.is(left.reduce((sum, { count }) => sum + count, 0), lines - lines_read);
  const failed = left.find(({ example }) => example === 'Failed to receive message!')!;
  assert.ok(failed.count > 20);
  assert.is(failed.file, 'machine_0.log');
});

guess('each row names the file and line that it comes from', () => {
  const logs = happen('clean', 5, [2, 3, 4], 30);
  const folder = styled('records of two lines', logs);
  const sources = read(folder).folders[0]!.logs[1]!.source.trim().split('\n').slice(1);
  assert.is(sources.length, logs[1]!.length);
  assert.match(sources[0]!, /^log1\.txt,1,2,/);
  assert.match(sources[10]!, /^log1\.txt,21,2,/);
});

guess.run();

// ── Runs and machines ────────────────────────────────────────────────────────────────────────

const places = suite('runs and machines');

places('are found in folders, in names of files, and as several trials in one file', () => {
  const sentence = STYLES[0]!;
  const one = happen('clean', 6, [2, 3, 4], 30);
  const two = happen('clean', 7, [2, 3, 4], 30);
  const inFolders = fresh();
  writeStyle(join(inFolders, 'exp_1'), sentence, one);
  writeStyle(join(inFolders, 'exp_2'), sentence, two);
  const inNames = fresh();
  for (const [n, logs] of [one, two].entries()) {
    writeStyle(inNames, { ...sentence, file: (id) => `trial${n + 4}_vm${id}_log.txt` }, logs);
  }
  const inOne = fresh();
  writeStyle(inOne, sentence, one.map((log, id) => [...log, ...two[id]!]));
  for (const folder of [inFolders, inNames, inOne]) {
    const { folders: runs } = read(folder);
    assert.is(runs.length, 2);
    assert.equal(runs.map(({ record }) => record.machines), [3, 3]);
    assert.equal(runs.map(({ logs }) => logs.map(({ log }) => log.split('\n').length - 2)),
      [one, two].map((logs) => logs.map((log) => log.length)));
  }
});

places('are trials of one file too where the next begins with a receive of a larger clock', () => {
  const trials = [happen('clean', 6, [2, 3, 4], 30), happen('clean', 7, [2, 3, 4], 30)];
  const folder = fresh();
  writeStyle(folder, STYLES[0]!, [0, 1, 2].map((id) => [...trials[0]![id]!,
    ...trials[1]![id]!.slice(id === 1 ? 8 : 0)]));
  assert.equal(read(folder).folders.map(({ record }) => record.machines), [3, 3]);
});

places('are found in one file that holds all machines, and a copy of it is no second run', () => {
  const logs = happen('clean', 8, [2, 3, 4], 40);
  const folder = styled('JSON lines', logs);
  const lines = logs.flat().sort((a, b) => a.time - b.time).map((event) =>
    STYLES.find(({ name }) => name === 'JSON lines')!.line(event));
  writeFileSync(join(folder, 'all.jsonl'), `${lines.join('\n')}\n`);
  const { folders: runs, skipped } = read(folder);
  assert.is(runs.length, 1);
  assert.match(skipped.map(({ why }) => why).join(), /the same rows stand in another file/);
  const alone = fresh();
  writeFileSync(join(alone, 'all.jsonl'), `${lines.join('\n')}\n`);
  assert.is(read(alone).folders[0]!.record.machines, 3);
});

places('are those that --run and --machine say', () => {
  const folder = fresh();
  const style = { ...STYLES[0]!, file: (id: number) => `${'xyz'[id]}-alpha-${id * 7 + 3}.log` };
  writeStyle(folder, style, happen('clean', 9));
  const { folders: [run] } = read(folder, { run: /-(\w+)-/, machine: /^(\w)-/ });
  assert.is(run!.name, 'alpha');
  assert.equal(run!.record.foreign.names, ['x', 'y', 'z']);
});

places('have the rates that a text says, that a name says, or that the pace shows', () => {
  const from = (style: string) => {
    const { record } = read(styled(style, happen('clean', 10, [2, 4, 6], 40))).folders[0]!;
    assert.equal(record.rates_hz, [2, 4, 6], style);
    return record.foreign.rates[0]!.from;
  };
  assert.is(from('a sentence with a time stamp'), 'text');
  assert.is(from('one-hot columns'), 'name');
  assert.is(from('pipes, no names'), 'pace');
});

places.run();

// ── What a row means ─────────────────────────────────────────────────────────────────────────

const meaning = suite('what a row means');

meaning('a clock that is written before its event is known by its jumps, one row late', () => {
  const logs = happen('clean', 11, [1, 3, 6], 60);
  const before = logs.map((log) => log.map((event) => ({ ...event, clock: event.before })));
  const { rule, folders: [run] } = read(styled('pipes, no names', before));
  assert.is(run!.record.foreign.logged.clock, 'before');
  assert.is(rule.rule, 'other');
  assert.match(rule.doubts.join(), /before their event/);
  const clocks = cells(run!.logs[0]!.log).map((row) => Number(row[7]));
  assert.equal(clocks, logs[0]!.slice(0, clocks.length).map(({ clock }) => clock));
});

meaning('a number that stands behind a peer is no queue because the next words count one', () => {
  const logs = happen('clean', 16, [2, 3, 6], 30);
  const style = { ...STYLES[0]!, line: ({ time, event, peers, queue, clock }: Happened) =>
    `${time.toFixed(3)} ${event !== 'receive' ? event
      : `received from machine ${peers[0]}. Remaining queue length ${queue}.`} clock ${clock}` };
  const { folders: [run] } = read(styled(style, logs));
  assert.equal(cells(run!.logs[0]!.log).map((row) => row[6]), queuesOf(logs[0]!));
});

meaning('a machine that others flood stays, though it has nothing but receives', () => {
  const logs = happen('clean', 17, [1, 6, 6], 40);
  const flooded = [logs[0]!.filter(({ event }) => event === 'receive'), logs[1]!, logs[2]!];
  const { folders: [run] } = read(styled('columns differ by event', flooded));
  assert.is(run!.record.machines, 3);
});

meaning('a queue that is counted with the message that is taken is one less', () => {
  const logs = happen('clean', 12, [2, 3, 6], 60);
  const before = logs.map((log) => log.map((event) =>
    ({ ...event, queue: event.event === 'receive' ? event.queue + 1 : 0 })));
  const { folders: [run] } = read(styled('key=value', before));
  assert.is(run!.record.foreign.logged.queue, 'before');
  assert.equal(cells(run!.logs[0]!.log).map((row) => row[6]), queuesOf(logs[0]!));
});

meaning('two rows of one clock are one send, two rows of two clocks stay two', () => {
  const logs = happen('clean', 13);
  const one = read(styled('sends to both as two rows of one clock', logs));
  assert.is(rowsOf(one), logs.flat().length);
  assert.is(one.folders[0]!.record.foreign.logged.both, 'two rows of one clock');
  const apart = logs.map((log) => {
    let more = -1;
    return log.flatMap((row) => {
      const isSend = row.event === 'send';
      return row.peers.concat(isSend ? [] : [-1]).map((peer, n) => {
        if (n > 0 || more < 0) more++;
        return { ...row, peers: isSend ? [peer] : row.peers, both: false, clock: row.clock + more };
      });
    });
  });
  assert.is(rowsOf(read(styled('key=value', apart))), apart.flat().length);
});

meaning('what is reconstructed is what was sent, and is said to be so', () => {
  for (const [style, least] of [['pipes, no names', 0.3], ['key=value', 0.99],
    ['vector clocks, bare', 0.8]] as const) {
    const logs = happen('clean', 14, [2, 3, 6], 60);
    const { record, logs: written } = read(styled(style, logs)).folders[0]!;
    let [right, all] = [0, 0];
    for (const [id, { log, source }] of written.entries()) {
      const origins = source.trim().split('\n').slice(1);
      for (const [n, [, , , , peer, message]] of cells(log).entries()) {
        const event = logs[id]![n]!;
        if (event.event !== 'receive' || message === '') continue;
        all++;
        const { clock: one, vector } = logs[event.peers[0]!]!.find((sent) =>
          sent.message === event.message && sent.event === 'send')!;
        const clock = style.startsWith('vector') ? vector.reduce((a, b) => a + b, 0) : one;
        if (Number(peer) === event.peers[0] && Number(message) === clock) right++;
        assert.match(origins[n]!, /reconstructed|logged/);
      }
    }
    assert.is(right, all, style);
    const { receives } = record.foreign.messages;
    assert.ok(all >= least * receives, `${style}: ${all} of ${receives}`);
  }
});

meaning('a clock that a message sets back is told', () => {
  const { rule } = read(styled('key=value', happen('forgets', 22, [1, 3, 6])));
  assert.is(rule.rule, 'other');
  assert.match(rule.words, /the clock falls/);
});

meaning('two programs in one folder are told apart', () => {
  const folder = fresh();
  writeStyle(join(folder, 'a1'), STYLES[0]!, happen('clean', 15));
  writeStyle(join(folder, 'a2'), STYLES[0]!, happen('old', 16));
  const { rule } = read(folder);
  assert.is(rule.rule, 'other');
  assert.match(rule.words, /not made by one program/);
});

meaning('the rule comes with its evidence, and what cannot be told is said', () => {
  const rule = (logs: Happened[][]) => read(styled('pipes, no names', logs)).rule;
  assert.match(rule(happen('clean', 17)).words,
    /^A send carries its new clock.*\((\d+) of \1 jumps; the next best rule explains \d+\)\.$/);
  assert.match(rule(happen('old', 17)).doubts.join(), /cannot tell which/);
  const shown = read(styled('old and new clock', happen('old', 17))).rule;
  assert.is(shown.send, 'old');
  assert.is(shown.receive, 'max + 1');
  assert.is(rule(happen('clean', 17, [1, 1, 1], 4)).rule, 'too few rows');
});

meaning('times of many forms are the same instant', () => {
  for (const text of ['2025-03-05T20:53:09.5Z', '2025/03/05 20:53:09,500',
    'Wed Mar  5 20:53:09.5 2025']) {
    assert.is(written_s(text), Date.UTC(2025, 2, 5, 20, 53, 9, 500) / 1000);
  }
  assert.is(written_s('08:53:09.5 PM'), 20 * 3600 + 53 * 60 + 9.5);
  assert.equal([...times_us(['23:59:59', '00:00:01']).us].map((us) => us / 1e6), [86399, 86401]);
  assert.ok(Number.isNaN(times_us(['1', '2', '3', '4']).us[0]));
  assert.is(times_us(['1741200000123', '1741200000623']).us[1], 1741200000623000);
});

meaning('words say what happened, loud ones before quiet ones', () => {
  const said = (text: string) => classify(text)?.event ?? null;
  assert.is(said('MESSAGE RECEIVED | SEND CLOCK = 30'), 'receive');
  assert.is(said('Process 1 sent a message'), 'send');
  assert.is(said('internal event, no message received'), 'internal');
  assert.is(said('recieved message'), 'receive');
  assert.is(said('process'), 'receive');
  assert.is(said('hello'), null);
});

meaning.run();

// ── What the checker says of it ──────────────────────────────────────────────────────────────

const verdict = suite('check of an imported run');

const violated = (style: string, logs: Happened[][], held: Held = 'lamport') => {
  const { record, logs: files } = read(styled(style, logs)).folders[0]!;
  return checkForeign(JSON.parse(JSON.stringify(record)), files, held).findings
    .filter((finding) => finding.verdict === 'violated');
};
const broken = (...run: Parameters<typeof violated>): string[] =>
  violated(...run).map(({ rule }) => rule);

verdict('a clean run breaks nothing, whatever is logged of it', () => {
  for (const style of ['pipes, no names', 'key=value', 'old and new clock', 'vector clocks, bare',
    'sends to both as two rows of one clock', 'no times at all']) {
    assert.equal(broken(style, happen('clean', 31)), [], style);
  }
});

verdict('each wrong rule is found by what it breaks, and holds against its own variant', () => {
  assert.match(broken('key=value', happen('old', 32)).join(), /clock condition/);
  assert.equal(broken('key=value', happen('old', 32), 'send-old'), []);
  assert.match(broken('key=value', happen('max', 33)).join(), /receive advances.*clock condition/);
  assert.equal(broken('key=value', happen('max', 33), 'max'), []);
  assert.match(broken('key=value', happen('double', 34)).join(), /by the rule/);
  assert.match(broken('key=value', happen('forgets', 35)).join(), /never falls/);
});

verdict('a violation names their file and line, and says how to mend it', () => {
  const [wrong] = violated('pipes, no names', happen('old', 36));
  const [place] = wrong!.places;
  assert.match(place!.file, /^log_\d\.txt$/);
  assert.ok(place!.line > 0);
  assert.match(wrong!.mend, /Increment before you send/);
});

verdict('a machine that idles while messages wait is found by its queue', () => {
  const logs = happen('clean', 37, [1, 5, 6]).map((log) => log.map((event, n) =>
    ({ ...event, queue: event.event === 'receive' && log[n + 1]?.event !== 'receive' ? 3
      : event.queue })));
  assert.match(broken('key=value', logs).join(), /idles/);
});

verdict.run();

// ── What is refused ──────────────────────────────────────────────────────────────────────────

const refusal = suite('refusals');

const refused = (folder: string, options: ReadOptions = {}): string => {
  try {
    read(folder, options);
  } catch (error) {
    assert.ok(error instanceof NothingToImport || error instanceof PatternError, String(error));
    assert.not.match((error as Error).message, /\n/);
    return (error as Error).message;
  }
  return assert.unreachable('it was imported') as never;
};

refusal('garbage, binary, empty, one machine, errors only: one line each', () => {
  const folder = fresh();
  assert.match(refused(folder), /no file that may be a log/);
  writeFileSync(join(folder, 'empty.log'), '');
  assert.match(refused(folder), /empty\.log: empty/);
  writeFileSync(join(folder, 'machine.log'), Buffer.from([1, 2, 0, 255, 254, 0, 3]));
  assert.match(refused(folder), /binary|empty/);
  const garbage = fresh();
  writeFileSync(join(garbage, 'a.log'), 'lorem ipsum\n12 dolor 7\n'.repeat(50));
  assert.match(refused(garbage), /none of 100 lines in 1 file looks like an event/);
  const errors = fresh();
  writeFileSync(join(errors, 'a.log'), 'Failed to receive message!\n'.repeat(60_000));
  assert.match(refused(errors), /a\.log:1 "Failed to receive message!" \(60000 times\)/);
  const alone = fresh();
  writeStyle(alone, STYLES[0]!, happen('clean', 18).slice(0, 1));
  assert.match(refused(alone), /one machine only \(machine_0\.log, \d+ rows\)/);
});

refusal('60,000 errors between the events do no harm', () => {
  const folder = styled('pipes, no names', happen('clean', 19));
  const whole = read(folder);
  const errors = 'Failed to receive message!\n'.repeat(60_000);
  writeFileSync(join(folder, 'log_0.txt'), errors, { flag: 'a' });
  const { rule, left } = read(folder);
  assert.is(rule.rule, whole.rule.rule);
  assert.is(left[0]!.count, 60_000);
});

refusal('a link is not followed, and a line of a megabyte is no row', () => {
  const folder = styled('pipes, no names', happen('clean', 20));
  mkdirSync(join(folder, 'sub'));
  symlinkSync('/', join(folder, 'sub', 'root'));
  writeFileSync(join(folder, 'log_0.txt'), `${'x'.repeat(2 ** 20)}\n`, { flag: 'a' });
  const { skipped, left } = read(folder);
  assert.match(skipped[0]!.why, /link/);
  assert.is(left[0]!.example.length, 160);
});

refusal('a pattern that lacks a clock, is none, or has a group that nobody knows, is named', () => {
  assert.throws(() => compile('(?<event>\\w+)'), /no group \(\?<clock>/);
  assert.throws(() => compile('(?<event>\\w+) (?<clock>\\d+'), /Unterminated/);
  assert.throws(() => compile('(?<event>\\w+) (?<clok>\\d+)'), /no group "clok"/);
  assert.throws(() => compile('(?<clock>\\d+)'), /no group \(\?<event>/);
  assert.throws(() => parseWords('jump=3'), /not internal, send, receive or none/);
});

refusal('a pattern that never ends is stopped, with the line at which it hangs', () => {
  const folder = fresh();
  writeFileSync(join(folder, 'a.log'), `${'a'.repeat(60)}!\n`);
  const patterns = ['(?<event>(a+)+)(?<clock>\\d)$'];
  assert.match(refused(folder, { patterns, patience_ms: 200 }), /a\.log:1: repetitions/);
});

refusal('a pattern that reads nothing says which lines there are', () => {
  const folder = styled('pipes, no names', happen('clean', 21));
  const patterns = ['^(?<event>x)(?<clock>\\d)$'];
  assert.match(refused(folder, { patterns }), /most are like log_\d\.txt:\d/);
});

refusal.run();
