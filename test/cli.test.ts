import fc from 'fast-check';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { Command, type CommanderError } from 'commander';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { newFolder, readRun, writeRun } from '../lab/cli/folder.ts';
import {
  configured, faultOptions, folderName, knobOptions, modelOptions, several, whole,
  type FaultOptions, type KnobOptions, type ModelOptions,
} from '../lab/cli/options.ts';
import { type Column, table } from '../lab/cli/table.ts';
import {
  bar, coloured, colourOf, eventWords, listed, machine_colours, plural, terminalWidth, wrapped,
} from '../lab/cli/terminal.ts';
import { type OwnRecord, RunError } from '../lab/model/record.ts';
import { configure } from '../lab/model/run.ts';
import { runs } from './runs.ts';

const lines = (text: string) => stripVTControlCharacters(text).split('\n');

const tables = suite('table');
const columns: Column[] = [
  { heading: 'machine', align: 'left' }, { group: 'rate', heading: 'Hz' },
  { group: 'ticks', heading: 'made' }, { group: 'ticks', heading: 'skipped', spare: 2 },
  { group: 'queue', heading: 'final', spare: 1 },
];
const cells = fc.array(fc.tuple(fc.constant('machine 0'), fc.nat(60), fc.nat(), fc.nat(), fc.nat()),
  { minLength: 1, maxLength: 30 });
tables('fits the width as long as a column can be spared, and aligns its lines', () => {
  fc.assert(fc.property(cells, fc.integer({ min: 40, max: 120 }), (rows, width) => {
    const shown = lines(table(columns, rows, { width }));
    assert.ok(shown.every((line) => line.length <= width), shown.join('\n'));
    const ends = shown.slice(1, 2 + 1 + Math.min(rows.length, 12)).map((line) => line.length);
    assert.is(new Set(ends).size, 1, 'every line ends where the last column does');
  }), { numRuns: runs(30, 100) });
});
tables('leaves out what can best be spared first', () => {
  const rows = [['machine 0', 1, 60, 0, 3]];
  assert.match(table(columns, rows, { width: 80 }), /skipped +final/);
  assert.not.match(table(columns, rows, { width: 36 }), /skipped/);
  assert.match(table(columns, rows, { width: 36 }), /final/);
});
tables('says how many rows it does not show', () => {
  const rows = Array.from({ length: 50 }, (_, id) => [`machine ${id}`, 1, 1, 0, 0]);
  assert.match(table(columns, rows), /\nand 38 machines more$/);
});
tables('measures text and not its colours', () => {
  const plain = lines(table(columns, [['machine 0', 1, 60, 0, 3]]));
  const bright = lines(table(columns, [[coloured(0, 'machine 0'), 1, 60, 0, 3]]));
  assert.equal(bright, plain);
});
tables.run();

const words = suite('words');
words('tell an event in the words of the exercise', () => {
  assert.is(eventWords('send', '0 2', 9), 'send 9 to 0, 2');
  assert.is(eventWords('receive', 1, 17), 'receive 17 from 1');
  assert.is(eventWords('receive', '1 2', '17 20'), 'receive 17, 20 from 1, 2');
  assert.is(eventWords('internal', '', ''), 'internal');
});
words('count and list', () => {
  assert.is(plural(1, 'tick'), '1 tick');
  assert.is(plural(1200, 'tick'), '1,200 ticks');
  assert.is(listed([]) + listed(['a']), 'a');
  assert.is(listed([0, 1, 2]), '0, 1 and 2');
});
words('draw a bar of one length whatever the share', () => {
  for (const share of [-1, 0, 0.5, 1, 2]) {
    assert.is(stripVTControlCharacters(bar(share)).length, 30);
  }
});
words('are broken into lines that fit, with what follows moved in', () => {
  const text = 'one two three four five six seven';
  assert.is(wrapped(text, 2, 14), 'one two three\n  four five\n  six seven');
  assert.is(wrapped('messages  3 sent', 4, 80), 'messages  3 sent');
  fc.assert(fc.property(fc.array(fc.stringMatching(/^\w{1,9}$/), { minLength: 1 }),
    fc.integer({ min: 12, max: 90 }), (all, width) => {
      const lines = wrapped(all.join(' '), 2, width).split('\n');
      assert.ok(lines.every((line) => line.length <= width));
      assert.equal(lines.join(' ').split(/ +/), all);
    }));
});
words('take the width from the terminal, else from COLUMNS, else 80', () => {
  const { COLUMNS } = process.env;
  delete process.env.COLUMNS;
  assert.is(terminalWidth({}), 80);
  process.env.COLUMNS = '60';
  assert.is(terminalWidth({}), 60);
  assert.is(terminalWidth({ columns: 120 }), 120);
  if (COLUMNS === undefined) delete process.env.COLUMNS;
  else process.env.COLUMNS = COLUMNS;
});
words('give each machine its colour, the seventh that of the first', () => {
  assert.is(new Set(machine_colours).size, machine_colours.length);
  assert.is(colourOf(machine_colours.length), colourOf(0));
});
words.run();

/** What a command does with words: its options, or the line with which it ends. */
function read(build: (command: Command) => Command, ...args: string[]): Command | string {
  let said = '';
  const command = build(new Command('x')).exitOverride((error: CommanderError) => { throw error; })
    .configureOutput({ writeErr: (text) => { said += text; } });
  try {
    return command.parse(args, { from: 'user' });
  } catch {
    return said;
  }
}
const knobs = (command: Command) => faultOptions(knobOptions(modelOptions(command)));
function configuration(...args: string[]) {
  const command = read(knobs, ...args);
  if (typeof command === 'string') return command;
  let said = '';
  command.configureOutput({ writeErr: (text) => { said += text; } });
  try {
    return configured(command, command.opts<ModelOptions & KnobOptions & FaultOptions>(), 3, 7);
  } catch {
    return said;
  }
}

const options = suite('options');
options('leave the exercise as it is when none is given', () => {
  assert.equal(configuration(), configure(
    { seed: 7, machines: 3, rates_range: [1, 6], internal: 0.7, duration_s: 60 }));
});
options('state each knob and each fault', () => {
  const stated = configuration('--rates', '1,4,6', '--take', 'all', '--queue-max', '5', '--drop',
    'newest', '--news', '--ticks', 'jitter:0.3', '--senders', '0,2', '--both', '0.5',
    '--fault', 'pause 0 at 10 for 3', '--fault', 'cut 0-2 at 5 for 1');
  assert.ok(typeof stated === 'object');
  const { take, queue_max, drop, news, ticks, senders, both, faults, rates_range } = stated;
  assert.equal([take, queue_max, drop, news, ticks, senders, both, rates_range],
    ['all', 5, 'newest', true, 'jitter:0.3', [0, 2], 0.5, null]);
  assert.equal(faults!.map(({ at_s }) => at_s), [5, 10], 'in the order of time');
});
options('draw the faults of a nemesis, and store its kinds', () => {
  const stated = configuration('--nemesis', 'pause,cut');
  assert.ok(typeof stated === 'object');
  assert.equal(stated.nemesis, ['pause', 'cut']);
  assert.is(stated.faults!.length, 4);
});
options('refuse what cannot be in one line that names the option', () => {
  const bad: [string, ...string[]][] = [
    ['--take', 'any'], ['--queue-max', '0'], ['--ticks', 'jitter:0.7'], ['--senders', '3'],
    ['--both', '2'], ['--fault', 'pause 9 at 1 for 1'], ['--fault', 'rain'],
    ['--nemesis', 'rain'], ['--rates', '1,2'], ['--rates', '0,1,2'], ['--rates', '2,-1,1'],
    ['--rates', '2,NaN,1'], ['--rates', '0,1'], ['--rates', '2,NaN'], ['--rates', ''],
    ['--internal', '-1'], ['--internal', '1.5'], ['--duration', '0'], ['--duration', 'abc'],
    ['--min-rate', '9'], ['--min-rate', '7']];
  for (const [name, value] of bad) {
    const said = configuration(name, value!);
    assert.ok(typeof said === 'string', `${name} ${value}`);
    assert.match(said, new RegExp(`^error: .*${name}.*\n$`));
  }
});
options('take a name for one folder, and an option several times', () => {
  assert.is(folderName('mine-1'), 'mine-1');
  for (const name of ['', '.', '..', 'a/b', '/', 'a b']) assert.throws(() => folderName(name));
  assert.equal(['1', '2'].reduce((all, text) => several(whole)(text, all), [] as number[]), [1, 2]);
});
options.run();

const folders = suite('folder');
const cwd = process.cwd();
let place = '';
folders.before.each(() => process.chdir(place = mkdtempSync(join(tmpdir(), 'lab-cli-'))));
folders.after.each(() => {
  process.chdir(cwd);
  rmSync(place, { recursive: true });
});
const record: OwnRecord = {
  ...configure({ seed: 1, machines: 3, rates_hz: [1, 4, 6], internal: 0.7, duration_s: 60 }),
  kind: 'sockets', start_us: null, ended: null, versions: { lab: '0.2.0', node: 'v20' },
};
folders('gets a number when its usual name is taken, and is never written over', () => {
  const command = new Command('x').exitOverride((error) => { throw error; })
    .configureOutput({ writeErr: () => {} });
  assert.equal([1, 2, 3].map(() => newFolder(command, undefined, 'virtual-7')),
    ['virtual-7', 'virtual-7-2', 'virtual-7-3'].map((name) => join('logs', name)));
  assert.throws(() => newFolder(command, 'virtual-7', 'x'), /exists/);
});
folders('holds a run.json that is read back, and nothing temporary', () => {
  mkdirSync('run');
  writeRun('run', record);
  assert.equal(readRun('run'), JSON.parse(JSON.stringify(record)));
  mkdirSync('run/run.json.d');
  assert.equal(readdirSync('run').sort(), ['run.json', 'run.json.d']);
  assert.throws(() => writeRun('gone', record));
  assert.match(readFileSync('run/run.json', 'utf8'), /\n$/);
});
folders('says in one line what is wrong with a run.json, and what may have been meant', () => {
  const said = (folder: string): string => {
    try {
      readRun(folder);
    } catch (error) {
      assert.ok(error instanceof RunError);
      return error.message;
    }
    return '';
  };
  mkdirSync('example');
  for (const [text, why] of [['{', /JSON/], ['[]', /no JSON object/], ['{}', /kind/]] as const) {
    writeFileSync('example/run.json', text);
    assert.match(said('example'), why);
    assert.not.match(said('example'), /\n/);
  }
  assert.match(said('exmaple'), /not there \(Did you mean example\?\)/);
  assert.not.match(said('elsewhere'), /mean/);
  mkdirSync('runs/first', { recursive: true });
  assert.match(said('rnus/fisrt'), /Did you mean runs\/first\?/);
});
folders.run();
