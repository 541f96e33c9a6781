/**
 * The oracle at length: thousands of true runs, every lie on every kind of run, receives that are
 * exchanged, fields that are changed, and the command itself.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkRun, readRun } from '../../check.ts';
import { stream, uniform } from '../../lab/model/chance.ts';
import { LIES } from '../worlds/lies.ts';
import { copyOf, play, textOf, type Cells, type Played } from '../worlds/play.ts';
import { check, named, said, SHAPES, worldOf } from '../worlds/shapes.ts';

const TRUE_RUNS = 1500;
const EXCHANGES = 1000;
const MUTATIONS = 700;

const long = suite('checkRun(), at length,');
long(`accepts ${TRUE_RUNS} true runs: all shapes, stalls to 10 s, deaths, faults, knobs`, () => {
  for (const [name, world] of Object.entries(SHAPES)) {
    for (let seed = 100; seed < 106; seed++) {
      assert.is(said(check(play({ ...world, seed }))), '', `${name}, seed ${seed}`);
    }
  }
  for (let seed = 1000; seed < 1000 + TRUE_RUNS; seed++) {
    assert.is(said(check(play(worldOf(seed)))), '', `worldOf(${seed})`);
  }
});

long(`refuses ${LIES.length} kinds of lies on each kind of run, by a rule that names it`, () => {
  let count = 0;
  for (const lie of LIES) {
    for (const base of lie.on) {
      // A lie may change nothing on one run: a latency that no message noticed leaves its logs.
      const seeds = [5, 7, 9, 11].filter((seed) => {
        const rules = named(lie, base, seed);
        return rules?.some((rule) => lie.rules.includes(rule));
      });
      assert.ok(seeds.length >= 2, `${base}: ${lie.name}: only with seeds ${seeds}`);
      count += seeds.length;
    }
  }
  assert.ok(count > 2500, `${count}`);
});

/** A true run with stalls in which two receives are exchanged although a row proves their order. */
function exchanged(seed: number): Played | null {
  const played = play({ kind: 'sockets', seed, rates_hz: [3, 4, 2], internal: 0.3, duration_s: 40,
    stuck: 0.02, stuck_s: 4, stalls: [{ machine: seed % 3, from_s: 12, to_s: 17 }] });
  for (const rows of played.rows) {
    for (let r = 6; r < rows.length; r++) {
      const [m1, m2] = [rows[r - 1]!, rows[r]!];
      if (m1.event !== 'receive' || m2.event !== 'receive') continue;
      const [from1, from2] = [m1.peers[0]!, m2.peers[0]!];
      const sender = played.rows[from1]!;
      const sent = sender.findIndex(({ messages, event }) => event === 'send'
        && messages[0] === m1.messages[0]);
      const left_us = sender[sent + 1]?.time_us ?? Infinity;
      const sent2_us = played.rows[from2]!.find(({ messages, event }) => event === 'send'
        && messages[0] === m2.messages[0])!.time_us;
      // A row R of the receiver: the sender of m1 had gone on before it, m2 was sent after it.
      const proof = rows.some(({ time_us }) =>
        left_us + 1000 < time_us && time_us + 1000 < sent2_us);
      if (!proof || from1 === from2) continue;
      [m1.peers, m2.peers] = [m2.peers, m1.peers];
      [m1.messages, m2.messages] = [m2.messages, m1.messages];
      let clock = rows[r - 2]!.clock;
      for (const cells of [m1, m2]) cells.clock = clock = Math.max(clock, cells.messages[0]!) + 1;
      return played;
    }
  }
  return null;
}
long(`refuses ${EXCHANGES} of ${EXCHANGES} runs with two receives exchanged across a row`, () => {
  let count = 0;
  for (let seed = 1; count < EXCHANGES; seed++) {
    const played = exchanged(seed);
    if (played === null) continue;
    count++;
    assert.ok(check(played).counts['oldest first']! > 0, `seed ${seed}`);
  }
});

/** One field of one row changed, by chance; and what was changed. */
function mutated(played: Played, nth: number): [Played, string] | null {
  const draws = stream(4711, nth, 9);
  const copy = copyOf(played);
  const all = copy.rows.flat();
  const cells = all[Math.floor(all.length * uniform(draws, 0))]! as Cells & Record<string, number>;
  const names = ['time_us', 'tick', 'peer', 'message', 'queue', 'clock'];
  const name = names[Math.floor(6 * uniform(draws, 1))]!;
  const changes = [-2, -1, 1, 2, 3, Math.floor(5000 * uniform(draws, 3))];
  const by = changes[Math.floor(6 * uniform(draws, 2))]!;
  const list = name === 'peer' ? cells.peers : name === 'message' ? cells.messages : null;
  const now = list ? list[0] : cells[name];
  if (typeof now !== 'number' || by === 0 || now + by < 0) return null;
  if (list) list[0] = now + by;
  else cells[name] = now + by;
  return [copy, `${name} of ${cells.event}`];
}
long(`refuses nearly all of ${MUTATIONS} changes of a field; it is known which survive`, () => {
  for (const [world, least, free] of [
    [{ internal: 0.5, latency: 'uniform:0,90' }, 1, /never/],
    // In real time a row may be some µs earlier or later, and one message more may have come.
    [{ kind: 'sockets', internal: 0.5 }, 0.8, /^(time_us|queue) of/],
    [{ ...SHAPES['sockets, stuck between row and write']!, internal: 0.5 }, 0.75,
      /^(time_us|queue)/],
  ] as const) {
    const played = play({ ...world, duration_s: 40 });
    let [refused, told] = [0, 0];
    const survivors: Record<string, number> = {};
    for (let nth = 0; nth < MUTATIONS; nth++) {
      const change = mutated(played, nth);
      if (change === null) continue;
      told++;
      const { consistent } = check(change[0]);
      if (!consistent) refused++;
      else {
        survivors[change[1]] = (survivors[change[1]] ?? 0) + 1;
        assert.match(change[1], free);
      }
    }
    assert.ok(refused / told >= least,
      `${refused} of ${told}, survivors ${JSON.stringify(survivors)}`);
  }
});
long.run();

// ── The command ──────────────────────────────────────────────────────────────────────────────

const command = suite('check.ts');
const folder = mkdtempSync(join(tmpdir(), 'check-'));
process.on('exit', () => rmSync(folder, { recursive: true }));
function write(name: string, { record, rows }: Played): string {
  const path = join(folder, name);
  mkdirSync(path);
  writeFileSync(join(path, 'run.json'), JSON.stringify(record));
  rows.forEach((each, id) => writeFileSync(join(path, `machine-${id}.csv`), textOf(each)));
  return path;
}
function cli(...words: string[]) {
  const script = join(import.meta.dirname, '..', '..', 'check.ts');
  const { status, stdout, stderr } =
    spawnSync(process.execPath, ['--import', 'tsx', script, ...words], { encoding: 'utf8' });
  return { status, stdout, stderr };
}
const TRUE = play({ rates_hz: [2, 4, 1] });

command('ends with 0 and says consistent', () => {
  const { status, stdout, stderr } = cli(write('good', TRUE));
  assert.equal([status, stderr], [0, '']);
  assert.match(stdout, /^consistent: the rule could have made/);
  assert.match(stdout, /messages +\d+ sent = \d+ received \+ \d+ queued \+ 0 in flight \+ 0 lost/);
  assert.match(stdout, /chance +(\d+) of \1 rolls are the seed's/);
  assert.not.match(stdout, '\x1b', 'no colours where there is no terminal');
});

command('ends with 1 and names file, line and rule', () => {
  const played = copyOf(TRUE);
  const line = played.rows[1]!.findIndex(({ event }) => event === 'receive') + 2;
  const cells = played.rows[1]![line - 2]!;
  cells.clock++;
  const { status, stdout } = cli(write('bad', played));
  assert.is(status, 1);
  assert.match(stdout, /^violated: the rule cannot have made/);
  const what = `clock ${cells.clock} is not max\\(\\d+, \\d+\\) \\+ 1`;
  assert.match(stdout, new RegExp(`^machine-1.csv:${line} +receive +${what}$`, 'm'));
});

command('ends with 1 and says that the rule holds where ticks are merely late', () => {
  const played = play({ kind: 'sockets', rates_hz: [2, 4, 1], internal: 1 });
  for (const cells of played.rows[0]!.slice(-2)) cells.time_us += 1_500_000;
  const { status, stdout } = cli(write('late', played));
  assert.is(status, 1);
  assert.match(stdout, /^out of time: the rule could have made/);
});

command('--json prints the report', () => {
  const { status, stdout } = cli(write('json', TRUE), '--json');
  assert.is(status, 0);
  assert.equal(JSON.parse(stdout), JSON.parse(JSON.stringify(check(TRUE))));
});

command('ends with 2 and one line that names what it cannot read', () => {
  const senseless = write('senseless', { ...TRUE, record: { ...TRUE.record, seed: -1 } });
  const cases: [string[], RegExp][] = [
    [[join(folder, 'nowhere')], /^error: .*nowhere\/run.json: there is no such file\n$/],
    [[senseless], /^error: .*run.json: seed is not a whole number of 0 or more\n$/],
    [[], /^error: missing required argument 'folder'\n$/],
    [[folder, '--jsno'], /^error: unknown option '--jsno'/],
  ];
  for (const [words, what] of cases) {
    const { status, stdout, stderr } = cli(...words);
    assert.equal([status, stdout], [2, ''], stderr);
    assert.match(stderr, what);
  }
});

command('--help prints the comment that opens it', () => {
  const { status, stdout } = cli('--help');
  assert.is(status, 0);
  assert.match(stdout, 'npx tsx check.ts logs/mine --json');
});

command('checks 20,000 machines in a second or two', () => {
  const machines = 20_000;
  const played = play({ machines: 2, duration_s: 0.001 });
  const path = join(folder, 'many');
  mkdirSync(path);
  const draws = (id: number, n: number) => uniform(stream(7, id, 1), n);
  const ids = Array.from({ length: machines }, (_, id) => id);
  writeFileSync(join(path, 'run.json'), JSON.stringify({ ...played.record, machines,
    rates_range: [1, 6], rates_hz: ids.map((id) => 1 + Math.floor(6 * draws(id, 0))),
    phases: ids.map((id) => draws(id, 1)), duration_s: 1e-9 }));
  for (const id of ids) {
    writeFileSync(join(path, `machine-${id}.csv`), 'time_us,machine,tick,event,peer,message,queue,'
      + `clock\n0,${id},,start,,,0,0\n0,${id},,stop,,,0,0\n`);
  }
  const { status, stdout } = cli(path);
  assert.is(status, 0, stdout.slice(0, 500));
  assert.match(stdout, 'and 19,988 machines more');
  // It takes one second; N² would take minutes. Time on a processor, since others may be busy.
  const before = process.cpuUsage();
  const { run, logs } = readRun(path);
  assert.ok(checkRun(run, logs).consistent);
  const { user, system } = process.cpuUsage(before);
  assert.ok((user + system) / 1e6 < 5, `${(user + system) / 1e6} s`);
});
command.run();
