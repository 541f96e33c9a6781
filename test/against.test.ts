/** Two runs side by side: tiny ones by hand, whose races are known, and whole ones. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compare, parseLog, parseRun, Unreadable, type Recording, type Run } from '../check.ts';
import { UNEXPLAINED } from '../lab/check/compare.ts';
import { configure, HEADER, row } from '../lab/model/run.ts';
import { simulate } from '../simulate.ts';
import { runs, thoroughly } from './runs.ts';
import { play, textOf, type World } from './worlds/play.ts';

const SAID = {
  seed: 1, machines: 2, rates_hz: [1, 1], phases: [0.1, 0.2], internal: 0.5, duration_s: 3,
  speed: 1, kind: 'virtual', start_us: 0, ended: 'finished',
};
const RUN: Run = parseRun(SAID, 'run.json');

/** A run from the lines of its logs, each without the header. */
function recording(folder: string, run: Run, logs: string[]): Recording {
  return { folder, run, logs: logs.map((text, id) =>
    parseLog(Buffer.from(HEADER + text), `machine-${id}.csv`)) };
}

/** A whole run in virtual time. */
function virtual(folder: string, latency: string, duration_s = 60, seed = 7): Recording {
  const configuration = configure({ seed, machines: 3, rates_hz: [2, 4, 1],
    internal: 0.7, duration_s, speed: 1 });
  const logs = ['', '', ''];
  simulate({ ...configuration, latency, loss: 0, reorder: false }, (...cells) => {
    logs[cells[1]] += row(...cells);
  });
  return recording(folder, parseRun({ ...SAID, ...configuration, latency }, 'run.json'), logs);
}

const START = ['0,0,,start,,,0,0\n', '0,1,,start,,,0,0\n'] as const;
/** Machine 0 sends 1 at 0.1 s; machine 1 ticks at 0.2 s and receives it. */
const there = recording('logs/there', RUN, [
  `${START[0]}100000,0,0,send,1,1,0,1\n1100000,0,1,internal,,,0,2\n`,
  `${START[1]}200000,1,0,receive,0,1,0,2\n1200000,1,1,internal,,,0,3\n2200000,1,2,internal,,,0,4\n`,
]);
/** In real time at tenfold speed the send comes late by 10.1 ms, and the message one tick later. */
const late = recording('logs/late', { ...RUN, kind: 'sockets', speed: 10, start_us: 5_000_000 }, [
  '5000000,0,,start,,,0,0\n5020100,0,0,send,1,1,0,1\n5110000,0,1,internal,,,0,2\n',
  '5000000,1,,start,,,0,0\n5020000,1,0,internal,,,0,1\n5120000,1,1,receive,0,1,0,2\n'
    + '5220000,1,2,internal,,,0,3\n',
]);

const against = suite('compare()');
const thorough = thoroughly(against);
against('finds that a run agrees with itself', () => {
  const run = virtual('a', 'constant:0');
  const { ticks, agree, share, differences, only_one, only_other, machines } = compare(run, run);
  assert.equal([ticks, agree, share, only_one, only_other], [420, 420, 1, 0, 0]);
  assert.equal(machines.map((machine) => machine.ticks), [120, 240, 60]);
  assert.equal(differences, []);
});

against('counts the ticks that agree, and tells the race behind the first that does not', () => {
  const { machines, ticks, agree, share, differences } = compare(late, there);
  assert.equal([ticks, agree, share], [5, 2, 0.4]);
  assert.equal(machines, [{ machine: 0, ticks: 2, agree: 2, share: 1 },
    { machine: 1, ticks: 3, agree: 0, share: 0 }]);
  assert.equal(differences, [
    { machine: 1, tick: 0, due_s: 0.2, one: 'internal, clock 1', other: 'receive 1 from 0, clock 2',
      why: '1 from 0 was sent 100 ms before the tick in logs/there, '
        + '0.1 ms after the tick in logs/late' },
    { machine: 1, tick: 1, due_s: 1.2, one: 'receive 1 from 0, clock 2', other: 'internal, clock 3',
      why: 'it follows from the tick before' },
    { machine: 1, tick: 2, due_s: 2.2, one: 'internal, clock 3', other: 'internal, clock 4',
      why: 'it follows from the tick before' },
  ]);
});

against('tells a race at one instant as what it is', () => {
  const tie = recording('logs/tie', RUN, [
    `${START[0]}100000,0,0,send,1,1,0,1\n`, `${START[1]}100000,1,0,internal,,,0,1\n`]);
  assert.is(compare(tie, there).differences[0]!.why,
    '1 from 0 was sent 100 ms before the tick in logs/there, '
    + 'at the moment of the tick in logs/tie');
});

against('tells both messages where two came in another order', () => {
  const run = { ...RUN, machines: 3, rates_hz: [1, 1, 1], phases: [0.1, 0.2, 0.3] };
  const logs = (sent: number, from: number) => [
    `0,0,,start,,,0,0\n${sent},0,0,send,2,1,0,1\n`,
    '0,1,,start,,,0,0\n200000,1,0,send,2,1,0,1\n',
    `0,2,,start,,,0,0\n300000,2,0,receive,${from},1,1,2\n`,
  ];
  const { differences } = compare(
    recording('logs/a', run, logs(100_000, 0)), recording('logs/b', run, logs(200_500, 1)));
  assert.is(differences.length, 1);
  assert.is(differences[0]!.why,
    '1 from 0 was sent 200 ms before the tick in logs/a, 99.5 ms before the tick in logs/b; '
    + '1 from 1 was sent 100 ms before the tick in logs/b, 100 ms before the tick in logs/a');
});

against('does not call a race what another machine caused', () => {
  const other = recording('logs/other', RUN, [
    `${START[0]}100000,0,0,internal,,,0,1\n1100000,0,1,send,1,2,0,2\n`,
    `${START[1]}200000,1,0,receive,0,9,0,10\n`]);
  assert.is(compare(there, other).differences.find(({ machine }) => machine === 1)!.why,
    '1 from 0 was not sent in logs/other: it follows from tick 0 of machine 0');
});

against('leaves out ticks that only one run has, and counts them', () => {
  const skipped = recording('logs/skipped', RUN, [
    `${START[0]}100000,0,0,send,1,1,0,1\n1100000,0,1,internal,,,0,2\n`,
    `${START[1]}200000,1,0,receive,0,1,0,2\n2200000,1,2,internal,,,0,3\n`,
  ]);
  const { ticks, only_one, only_other } = compare(skipped, there);
  assert.equal([ticks, only_one, only_other], [4, 0, 1]);
  assert.equal(compare(there, skipped).only_one, 1);
});

against('says of a tick that one run skipped why it did, and lists it once', () => {
  const pause = { do: 'pause' as const, machine: 1, at_s: 0.1, for_s: 2.1 };
  const skipped = recording('logs/skipped', { ...RUN, faults: [pause] }, [
    `${START[0]}100000,0,0,send,1,1,0,1\n1100000,0,1,internal,,,0,2\n`,
    `${START[1]}2200000,1,2,receive,0,1,0,2\n`,
  ]);
  const { differences } = compare(there, skipped);
  assert.equal(differences.map(({ tick, one, other, why }) => [tick, one, other, why]), [
    [0, 'receive 1 from 0, clock 2', 'no such tick',
      'it was skipped in logs/skipped (pause 1 at 0.1 s)'],
    [2, 'internal, clock 4', 'receive 1 from 0, clock 2', 'it follows from the tick before'],
  ]);
  const stalled = { ...skipped, run: RUN };
  assert.is(compare(there, stalled).differences[0]!.why,
    'it was skipped in logs/skipped: the one after it was due when the machine ran again');
});

/** What the generator of true worlds plays, as a recording. */
function played(folder: string, world: World): Recording {
  const { record, rows } = play(world);
  return { folder, run: parseRun(record, 'run.json'), logs: rows.map((each, id) =>
    parseLog(Buffer.from(textOf(each)), `machine-${id}.csv`)) };
}
against('names the race, the skipped tick or the fault behind each difference of two twins', () => {
  const kinds: World['nemesis'] = ['pause', 'crash', 'restart', 'cut'];
  let count = 0;
  for (let seed = 1; seed <= runs(4, 8); seed++) {
    const world: World = { seed, nemesis: kinds, internal: 0.5, ...(seed % 3 === 0 ? { stalls:
      [{ machine: 1, from_s: 40, to_s: 44 }] } : {}), take: seed % 4 === 0 ? 'all' : 'oldest' };
    const { differences } = compare(played('logs/real', { ...world, kind: 'sockets' }),
      played('logs/virtual', world));
    count += differences.length;
    const unexplained = differences.filter(({ why }) => why.includes(UNEXPLAINED));
    assert.equal(unexplained, [], `seed ${seed}`);
  }
  assert.ok(count > runs(15, 40), `${count}`);
});

against('compares a long run with a short one to the end of the short one', () => {
  const { ticks, share, only_one } =
    compare(virtual('a', 'constant:0'), virtual('b', 'constant:0', 20));
  assert.equal([ticks, share, only_one], [140, 1, 0]);
});

against('finds a race behind the first difference that a latency makes, in every run', () => {
  let different = 0;
  for (let seed = 1; seed <= runs(8, 20); seed++) {
    const { differences, share, ticks, agree } = compare(
      virtual('logs/a', 'constant:0', 60, seed), virtual('logs/b', 'constant:40', 60, seed));
    assert.is(share, agree / ticks);
    if (share === 1) continue;
    different++;
    assert.match(differences[0]!.why,
      /^\d+ from [012] was sent [\d.]+ ms before the tick in logs\/a, [\d.]+ ms before the tick/);
  }
  assert.ok(different > runs(2, 5));
});

against('refuses runs of two configurations, and lines that cannot be read', () => {
  for (const [name, value] of [['seed', 2], ['rates_hz', [1, 2]], ['phases', [0.1, 0.3]],
    ['internal', 0.4]] as const) {
    const other = { ...there, folder: 'logs/other', run: { ...RUN, [name]: value } };
    assert.throws(() => compare(there, other), (error: Error) => error instanceof Unreadable
      && error.message === `logs/other: ${name} is ${JSON.stringify(value)}, `
        + `and in logs/there it is ${JSON.stringify(RUN[name])}`);
  }
  const torn = recording('logs/torn', RUN, [START[0], `${START[1]}7\n`]);
  assert.throws(() => compare(there, torn), (error: Error) => error instanceof Unreadable
    && error.message === 'logs/torn/machine-1.csv: it has lines that cannot be read');
});

thorough('is --against on the command line: 0 if compared, 2 if it cannot be', () => {
  const folder = mkdtempSync(join(tmpdir(), 'against-'));
  const write = (name: string, run: object) => {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'run.json'), JSON.stringify(run));
    for (const id of [0, 1]) {
      writeFileSync(join(folder, name, `machine-${id}.csv`),
        `${HEADER}${START[id]}${id + 1}00000,${id},0,internal,,,0,1\n`);
    }
    return join(folder, name);
  };
  const [a, b] = [write('a', SAID), write('b', { ...SAID, seed: 2 })];
  const script = join(import.meta.dirname, '..', 'check.ts');
  const cli = (...words: string[]) =>
    spawnSync(process.execPath, ['--import', 'tsx', script, ...words], { encoding: 'utf8' });
  const same = cli(a, '--against', a);
  assert.is(same.status, 0, same.stderr);
  assert.match(same.stdout, /^2 of 2 ticks agree \(100\.00 %\)/);
  assert.is(JSON.parse(cli(a, '--against', a, '--json').stdout).share, 1);
  const other = cli(a, '--against', b);
  assert.equal([other.status, other.stdout], [2, '']);
  assert.match(other.stderr, /^error: .*b: seed is 2, and in .*a it is 1\n$/);
  rmSync(folder, { recursive: true });
});
against.run();
