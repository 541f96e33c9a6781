/** Virtual time at length: the chance behind it, number by number, and the commands. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkRun, readRun } from '../../check.ts';
import { logarithm, PURPOSE, stream, uniform } from '../../lab/model/chance.ts';
import { delay_ms, parseLatency } from '../../lab/model/network.ts';
import { configure, due_s, logPath } from '../../lab/model/run.ts';
import { simulate } from '../../lab/virtual/engine.ts';
import { configuration, near } from '../virtual.ts';

// ── chance ───────────────────────────────────────────────────────────────────────────────────

const chance = suite('uniform');

/** Chi-square of counts that should be even, as a number of standard deviations from its mean. */
function unevenness(counts: number[]): number {
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const square = counts.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0);
  return (square - (counts.length - 1)) / Math.sqrt(2 * (counts.length - 1));
}
const bins = (values: Iterable<number>, many: number) => {
  const counts = new Array<number>(many).fill(0);
  for (const value of values) counts[Math.floor(value * many)]!++;
  return counts;
};
const times = <T>(n: number, value: (k: number) => T) =>
  Array.from({ length: n }, (_, k) => value(k));

chance('fills bins evenly along a stream, whatever its seed and machine', () => {
  for (const [seed, id] of [[0, 0], [1, 0], [1, 1], [2 ** 40, 9999], [123_456, 7]] as const) {
    const rolls = stream(seed, id, PURPOSE.rolls);
    const deviation = unevenness(bins(times(200_000, (k) => uniform(rolls, k)), 1000));
    assert.ok(Math.abs(deviation) < 5, `seed ${seed}, machine ${id}: ${deviation} sd`);
  }
});

chance('fills bins evenly across seeds, across machines and across purposes', () => {
  const across = {
    seeds: (k: number) => uniform(stream(k, 0, PURPOSE.rolls), 0),
    machines: (k: number) => uniform(stream(1, k, PURPOSE.rolls), 5),
    phases: (k: number) => uniform(stream(k, 2, PURPOSE.configuration), 1),
  };
  for (const [name, draw] of Object.entries(across)) {
    const deviation = unevenness(bins(times(200_000, draw), 1000));
    assert.ok(Math.abs(deviation) < 5, `${name}: ${deviation} sd`);
  }
});

chance('has no pairs: neighbours in a stream, in seeds, in machines are independent', () => {
  const draw = (seed: number, id: number, k: number) => uniform(stream(seed, id, PURPOSE.rolls), k);
  const pairs: Record<string, (k: number) => [number, number]> = {
    ticks: (k) => [draw(1, 0, k), draw(1, 0, k + 1)],
    'ticks, two apart': (k) => [draw(9, 2, k), draw(9, 2, k + 2)],
    seeds: (k) => [draw(k, 0, 3), draw(k + 1, 0, 3)],
    machines: (k) => [draw(k, 0, 3), draw(k, 1, 3)],
    'seed and machine': (k) => [draw(k, 1, 0), draw(k + 1, 0, 0)],
    'one tick of two machines': (k) => [draw(5, 0, k), draw(5, 1, k)],
    purposes: (k) => [uniform(stream(1, 0, PURPOSE.latency), k),
      uniform(stream(1, 0, PURPOSE.loss), k)],
  };
  for (const [name, pair] of Object.entries(pairs)) {
    const cells = new Array<number>(400).fill(0);
    let sum = 0;
    for (let k = 0; k < 100_000; k++) {
      const [x, y] = pair(k);
      cells[Math.floor(x * 20) * 20 + Math.floor(y * 20)]!++;
      sum += (x - 0.5) * (y - 0.5) * 12;
    }
    assert.ok(Math.abs(unevenness(cells)) < 5, `${name}: ${unevenness(cells)} sd`);
    assert.ok(Math.abs(sum / Math.sqrt(100_000)) < 5, `${name}: correlation ${sum / 100_000}`);
  }
});

chance.run();

// ── statistics ───────────────────────────────────────────────────────────────────────────────

const statistics = suite('statistics');

statistics('keep their digits in a long run: lags over 2 million ticks', () => {
  const wish = { rates_hz: [2, 4, 1], duration_s: 300_000, seed: 5 };
  const whole = configuration(wish);
  // Compensated sums (Kahan) over the same events, interval by interval.
  const clocks = [0, 0, 0];
  const sums = clocks.map(() => ({ sum: 0, carry: 0 }));
  let last_s = 0;
  const advance = (now_s: number) => {
    sums.forEach((total, id) => {
      const y = (Math.max(...clocks) - clocks[id]!) * (now_s - last_s) - total.carry;
      const t = total.sum + y;
      total.carry = t - total.sum - y;
      total.sum = t;
    });
    last_s = now_s;
  };
  const { mean_lag } = simulate(whole, (_, id, tick, _event, _peers, _message, _queue, clock) => {
    if (tick !== '') advance(due_s(tick, whole.phases[id]!, whole.rates_hz[id]!));
    clocks[id] = clock;
  });
  advance(whole.duration_s);
  const scale = Math.max(...sums.map(({ sum }) => sum)) / whole.duration_s;
  sums.forEach(({ sum }, id) =>
    near(mean_lag[id]!, sum / whole.duration_s, 1e-12 * scale, `mean_lag of machine ${id}`));
});

statistics.run();

// ── latency ──────────────────────────────────────────────────────────────────────────────────

const latencies = suite('latency');

latencies('logarithm() is ln x to 15 digits', () => {
  fc.assert(fc.property(fc.double({ min: 2 ** -32, max: 1, noNaN: true }), (x) => {
    near(logarithm(x), Math.log(x), 4e-16 * Math.max(1, Math.abs(Math.log(x))), `ln ${x}`);
  }));
});

latencies('delay_ms() has the mean, the variance and the bounds of its distribution', () => {
  const draws = stream(1, 0, PURPOSE.latency);
  const expected = {
    'constant:5': [5, 0, 5, 5], 'uniform:1,9': [5, 64 / 12, 1, 9],
    'exponential:5': [5, 25, 0, 5 * 32 * Math.LN2],
  };
  for (const [text, [mean, variance, least, most]] of Object.entries(expected)) {
    const delays = times(200_000, (k) => delay_ms(parseLatency(text), uniform(draws, k)));
    const average = delays.reduce((sum, delay) => sum + delay, 0) / delays.length;
    const spread = delays.reduce((sum, delay) => sum + (delay - average) ** 2, 0) / delays.length;
    near(average, mean!, 5 * Math.sqrt(variance! / delays.length), `${text}: mean`);
    near(spread, variance!, 0.02 * variance!, `${text}: variance`);
    assert.ok(delays.every((delay) => delay >= least! && delay <= most!), `${text}: bounds`);
  }
});

latencies('delay_ms() is exponential: e^-x of the delays are longer than x means', () => {
  const latency = parseLatency('exponential:1');
  const draws = stream(2, 0, PURPOSE.latency);
  const ranks = times(200_000, (k) => Math.exp(-delay_ms(latency, uniform(draws, k))));
  const deviation = unevenness(bins(ranks.map((rank) => Math.min(rank, 1 - 1e-12)), 100));
  assert.ok(Math.abs(deviation) < 5, `${deviation} sd`);
});

latencies('parseLatency() refuses what is not a latency', () => {
  for (const text of ['', '5', 'constant', 'constant:', 'constant:-1', 'constant:x', 'uniform:3',
    'uniform:9,1', 'uniform:1,2,3', 'exponential:1,2', 'exponential:Infinity', 'normal:1']) {
    assert.throws(() => parseLatency(text), /constant:5, uniform:1,9 or exponential:5/, text);
  }
});

latencies.run();


// ── The command ──────────────────────────────────────────────────────────────────────────────

const command = suite('simulate.ts');

const folder = mkdtempSync(join(tmpdir(), 'simulate-'));
command.after(() => rmSync(folder, { recursive: true }));
const script = fileURLToPath(new URL('../../simulate.ts', import.meta.url));
const simulateTs = (...words: string[]) => spawnSync(process.execPath,
  ['--import', import.meta.resolve('tsx'), script, ...words], { cwd: folder, encoding: 'utf8' });

command('writes a folder that is complete, and that the rule could have made', () => {
  const { status, stdout } = simulateTs('--rates', '2,4,1', '--seed', '7', '--duration', '20',
    '--latency', 'uniform:1,9', '--loss', '0.1');
  assert.is(status, 0);
  assert.match(stdout, /logs: logs\/virtual-7/);
  const logs = join(folder, 'logs', 'virtual-7');
  assert.equal(readdirSync(logs).sort(),
    ['machine-0.csv', 'machine-1.csv', 'machine-2.csv', 'run.json']);
  const recording = readRun(logs);
  assert.ok(checkRun(recording.run, recording.logs).consistent);
  const { kind, ended, latency, loss, reorder } = JSON.parse(
    readFileSync(join(logs, 'run.json'), 'utf8'));
  assert.equal({ kind, ended, latency, loss, reorder }, {
    kind: 'virtual', ended: 'finished', latency: 'uniform:1,9', loss: 0.1, reorder: false,
  });
});

command('never writes over a run: a name is refused, the usual one gets a number', () => {
  const before = readFileSync(logPath(join(folder, 'logs', 'virtual-7'), 0), 'utf8');
  const { status, stderr } = simulateTs('--seed', '7', '--name', 'virtual-7');
  assert.is(status, 2);
  assert.match(stderr, /^error: --name virtual-7: .*exists\n$/);
  assert.match(simulateTs('--seed', '7').stdout, /logs: logs\/virtual-7-2;/);
  assert.is(readFileSync(logPath(join(folder, 'logs', 'virtual-7'), 0), 'utf8'), before);
});

command('--runs takes seeds in a row, and the first is the run that --seed alone gives', () => {
  const { status } = simulateTs('--seed', '5', '--runs', '3', '--name', 'mine', '--duration', '5');
  assert.is(status, 0);
  const seeds = [1, 2, 3].map((nth) => {
    const { run } = readRun(join(folder, 'logs', `mine-${nth}`));
    const { seed, duration_s, rates_hz } = run;
    const again = configure({ seed, machines: 3, rates_range: [1, 6], internal: 0.7,
      duration_s: 5, speed: 1 });
    assert.equal([rates_hz, duration_s], [again.rates_hz, 5]);
    return seed;
  });
  assert.equal(seeds, [5, 6, 7]);
});

command('ends with 2 and one line that names the flag when it cannot do what is asked', () => {
  for (const [flag, value] of [['--latency', 'uniform:3'], ['--duration', '1e12'],
    ['--name', '../x'], ['--rates', '3']] as const) {
    const { status, stderr } = simulateTs(flag, value);
    assert.is(status, 2, flag);
    assert.match(stderr, new RegExp(`^error: .*${flag}.*\\n$`), flag);
  }
});

command.run();

