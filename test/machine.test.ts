import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  CLOCK_MAX, configure, due_s, encodeLine, EVERYONE, LINE_MAX, lineDecoder, NO_MESSAGE, NOBODY,
  parseLine, PURPOSE, receivers, row, step, stream, uniform, WireError, type Machine, type Wire,
} from '../machine.ts';

const machine = (id: number, machines = 3, internal = 0.7, clock = 10): Machine =>
  ({ id, machines, internal, clock });
const anyMachine = fc.integer({ min: 2, max: 40 }).chain((machines) => fc.record({
  id: fc.integer({ min: 0, max: machines - 1 }),
  machines: fc.constant(machines),
  internal: fc.double({ min: 0, max: 1, noNaN: true }),
  clock: fc.nat(),
}));
const anyRoll = fc.integer({ min: 0, max: 2 ** 32 - 1 }).map((word) => word / 2 ** 32);

// ── The rule ────────────────────────────────────────────────────────────────────────────────

const rule = suite('step');
rule('takes max + 1 on receive, whatever the die says', () => {
  assert.equal(step(machine(0), 3, 0), { event: 'receive', clock: 11, to: NOBODY });
  assert.equal(step(machine(0), 10, 0.5), { event: 'receive', clock: 11, to: NOBODY });
  assert.equal(step(machine(0), 41, 0.9), { event: 'receive', clock: 42, to: NOBODY });
  fc.assert(fc.property(anyMachine, fc.nat(), anyRoll, (before, message, roll) => {
    const after = step(before, message, roll);
    assert.is(after.event, 'receive');
    assert.is(after.clock, Math.max(before.clock, message) + 1);
    assert.ok(after.clock > message, 'a receive is later than its send');
  }));
});
rule('reads the ten-sided die as the exercise does: one, the other, both, then internal', () => {
  const sides = Array.from({ length: 10 }, (_, side) => 
    step(machine(1), NO_MESSAGE, (side + 0.5) / 10));
  assert.equal(sides.map(({ event }) => event),
    ['send', 'send', 'send', ...Array.from({ length: 7 }, () => 'internal')]);
  assert.equal(sides.slice(0, 3).map(({ to }) => receivers(machine(1), to)), [[0], [2], [0, 2]]);
});
rule('raises the clock by one when it does not receive', () => {
  fc.assert(fc.property(anyMachine, anyRoll, (before, roll) => {
    assert.is(step(before, NO_MESSAGE, roll).clock, before.clock + 1);
  }));
});
rule('sends to one other machine or to all others, never to itself', () => {
  fc.assert(fc.property(anyMachine, anyRoll, (before, roll) => {
    const { event, to } = step(before, NO_MESSAGE, roll);
    const ids = receivers(before, to);
    assert.is(event, ids.length === 0 ? 'internal' : 'send');
    assert.ok([0, 1, before.machines - 1].includes(ids.length));
    assert.ok(ids.every((id) => id !== before.id && id >= 0 && id < before.machines));
    assert.is(new Set(ids).size, ids.length);
  }));
});
rule('gives each of five peers the same share, and all of them a third of the sends', () => {
  const counts = new Map<number, number>();
  const rolls = 30_000;
  for (let n = 0; n < rolls; n++) {
    const { to } = step(machine(2, 6, 0.5), NO_MESSAGE, (n + 0.5) / rolls);
    counts.set(to, (counts.get(to) ?? 0) + 1);
  }
  assert.equal([...counts].sort(([a], [b]) => a - b),
    [[EVERYONE, 5000], [NOBODY, 15000], [0, 2000], [1, 2000], [3, 2000], [4, 2000], [5, 2000]]);
});
rule('sends everything to the one peer where there are two machines', () => {
  fc.assert(fc.property(anyRoll, fc.integer({ min: 0, max: 1 }), (roll, id) => {
    const before = machine(id, 2, 0);
    assert.equal(receivers(before, step(before, NO_MESSAGE, roll).to), [1 - id]);
  }));
});
rule('never sends with internal 1 and always with internal 0', () => {
  fc.assert(fc.property(anyMachine, anyRoll, (before, roll) => {
    assert.is(step({ ...before, internal: 1 }, NO_MESSAGE, roll).event, 'internal');
    assert.is(step({ ...before, internal: 0 }, NO_MESSAGE, roll).event, 'send');
  }));
});
rule('changes nothing and gives the same step for the same arguments', () => {
  fc.assert(fc.property(anyMachine, fc.integer({ min: -1 }), anyRoll, (before, message, roll) => {
    const frozen = Object.freeze({ ...before });
    assert.equal(step(frozen, message, roll), step(frozen, message, roll));
  }));
});
rule('is at most 30 lines, and its section knows no time, timer, socket or ambient chance', () => {
  const source = readFileSync(new URL('../machine.ts', import.meta.url), 'utf8');
  const section = /── The rule ─+\n([^]*?)\/\/ ── /.exec(source)![1]!;
  const lines = /export function step[^]*?\n}\n/.exec(section)![0].split('\n').length;
  assert.ok(lines <= 30, `${lines} lines`);
  assert.not.match(section, /Date|performance|setTimeout|setImmediate|Math\.random|ocket|await/);
});
rule.run();

// ── The seam ────────────────────────────────────────────────────────────────────────────────

const chance = suite('uniform');
chance('is a function of seed, machine, purpose and number alone', () => {
  const rolls = (seed: number, id: number, purpose: number) =>
    Array.from({ length: 5 }, (_, n) => uniform(stream(seed, id, purpose), n));
  assert.equal(rolls(7, 1, PURPOSE.rolls), rolls(7, 1, PURPOSE.rolls));
  const others = [
    rolls(7, 1, PURPOSE.rolls), rolls(8, 1, PURPOSE.rolls), rolls(7, 2, PURPOSE.rolls),
    rolls(7, 1, PURPOSE.latency), rolls(7 + 2 ** 32, 1, PURPOSE.rolls)].flat();
  assert.is(new Set(others).size, others.length);
});
chance('has not changed since the first release: recorded seeds stay what they were', () => {
  const s = stream(7, 0, PURPOSE.rolls);
  assert.equal([0, 1, 2].map((n) => uniform(s, n) * 2 ** 32), [4240403241, 2822001426, 904261828]);
});
chance('stays in [0, 1) and does not repeat within a stream', () => {
  const s = stream(2 ** 53 - 1, 9_999, PURPOSE.rolls);
  const rolls = Array.from({ length: 10_000 }, (_, n) => uniform(s, n));
  assert.ok(rolls.every((roll) => roll >= 0 && roll < 1));
  assert.is(new Set(rolls).size, rolls.length);
});
chance.run();

const wish = {
  seed: 1, machines: 3, min_rate_hz: 1, max_rate_hz: 6, internal: 0.7, duration_s: 60, speed: 1,
};
const draw = suite('configure');
draw('draws each rate from 1 to 6 about equally often, and phases all over the period', () => {
  const all = Array.from({ length: 2000 }, (_, seed) => configure({ ...wish, seed }));
  for (const rate_hz of [1, 2, 3, 4, 5, 6]) {
    const share =
      all.flatMap(({ rates_hz }) => rates_hz).filter((r) => r === rate_hz).length / 6000;
    assert.ok(Math.abs(share - 1 / 6) < 0.02, `${rate_hz} Hz: ${share}`);
  }
  const phases = all.flatMap((configuration) => configuration.phases);
  assert.ok(Math.abs(phases.reduce((sum, phase) => sum + phase, 0) / 6000 - 0.5) < 0.02);
  assert.ok(phases.every((phase) => phase >= 0 && phase < 1));
});
draw('takes the rates that it is given, and the same phases whatever they are', () => {
  const given = configure({ ...wish, rates_hz: [0.5, 100, 3] });
  assert.equal(given.rates_hz, [0.5, 100, 3]);
  assert.equal(given.phases, configure(wish).phases);
});
draw.run();

const due = suite('due_s');
due('is exact after a million ticks: nothing adds up', () => {
  assert.is(due_s(1_000_000, 0, 10), 100_000);
  assert.is(due_s(3, 0.5, 2), 1.75);
});
due.run();

const log = suite('row');
log('has the columns of the header in its order', () => {
  assert.is(row(12, 1, 5, 'send', '0 2', 9, 0, 9), '12,1,5,send,0 2,9,0,9\n');
  assert.is(row(0, 1, '', 'start', '', '', 0, 0), '0,1,,start,,,0,0\n');
});
log.run();

// ── The wire ────────────────────────────────────────────────────────────────────────────────

/** What a decoder makes of chunks of bytes: the lines, and the error that ended them. */
function decode(chunks: Uint8Array[]): Promise<{ lines: Wire[]; error: Error | null }> {
  return new Promise((resolve) => {
    const lines: Wire[] = [];
    const decoder = lineDecoder();
    decoder.on('data', (line: Wire) => lines.push(line));
    decoder.on('error', (error) => resolve({ lines, error }));
    decoder.on('end', () => resolve({ lines, error: null }));
    for (const chunk of chunks) decoder.write(chunk);
    decoder.end();
  });
}

const talk: Wire[] = [
  { hello: 2, token: 'ключ' }, { ready: true }, { start_us: 1_700_000_000_000_000 },
  { clock: 0 }, { clock: CLOCK_MAX }, { stop: true },
];
const wire = suite('lineDecoder');
wire('finds the same lines wherever the bytes are cut, also within a character', async () => {
  const bytes = Buffer.from(talk.map(encodeLine).join(''));
  for (let cut = 0; cut <= bytes.length; cut++) {
    const { lines, error } = await decode([bytes.subarray(0, cut), bytes.subarray(cut)]);
    assert.equal(lines, talk);
    assert.is(error, null);
  }
  const { lines } = await decode([...bytes].map((byte) => Uint8Array.of(byte)));
  assert.equal(lines, talk);
});
wire('makes of 10,000 random byte strings a clean error or nothing, and no message', async () => {
  const some = fc.uint8Array({ minLength: 1, maxLength: 64 });
  await fc.assert(fc.asyncProperty(some, async (bytes) => {
    const { lines, error } = await decode([bytes, Uint8Array.of(10)]);
    assert.ok(error instanceof WireError, String(error));
    assert.is(lines.length, 0);
  }), { numRuns: 10_000 });
});
wire('gives up on a line of over 1 KiB, also when its end never comes', async () => {
  const long = Buffer.alloc(LINE_MAX + 1, 'x');
  assert.match((await decode([long])).error!.message, /maximum|more than/);
  assert.match((await decode([long, Buffer.from('\n')])).error!.message, /maximum|more than/);
  const { error } = await decode([Buffer.concat([long, Buffer.from('\n')])]);
  assert.match(error!.message, /more than/);
});
wire.run();

const parse = suite('parseLine');
parse('takes back what encodeLine wrote', () => {
  for (const line of talk) assert.equal(parseLine(encodeLine(line)), line);
});
parse('refuses a clock that is not a safe non-negative integer', () => {
  const bad =
    ['-1', '1.5', '"3"', 'null', 'true', '[1]', '9007199254740993', '1e400', 'NaN', '0x10'];
  for (const value of bad) {
    assert.throws(() => parseLine(`{"clock":${value}}`), /not a line/, value);
  }
});
parse('refuses what is JSON and no line of the protocol', () => {
  for (const text of ['', '1', 'null', '[]', '"clock"', '{}', '{"ready":false}', '{"hello":0}',
    '{"hello":-1,"token":"a"}', '{"hello":0,"token":7}']) {
    assert.throws(() => parseLine(text), /not a line/, text);
  }
});
parse.run();
