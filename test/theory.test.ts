/** Theory by itself. Against long sweeps, and as a command: test/system/theory.test.ts. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EVERYONE, NO_MESSAGE, step } from '../lab/model/rule.ts';
import {
  criticalRate_hz, criticalRatio, equal, fastestGrowth_hz, freeTicks, gridTable, meanLagOverRun,
  pair, predict, sendShare, type Setting,
} from '../theory.ts';
import { runs } from './runs.ts';

const near = (actual: number, expected: number, tolerance: number, what = '') =>
  assert.ok(Math.abs(actual - expected) <= tolerance,
    `${what} is ${actual}, not ${expected} ± ${tolerance}`);

const between = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const rate = fc.oneof(fc.integer({ min: 1, max: 6 }), between(0.1, 60));
const internal = fc.oneof(fc.constantFrom(0, 0.7, 1), between(0, 0.99));
const setting: fc.Arbitrary<Setting> =
  fc.record({ rates_hz: fc.array(rate, { minLength: 2, maxLength: 8 }), internal });

// ── Sending ──────────────────────────────────────────────────────────────────────────────────

const sending = suite('sendShare');

sending('is 1 − internal for two machines, two thirds of it for three, nothing for one', () => {
  assert.is(sendShare(2, 0.7), 1 - 0.7);
  near(sendShare(3, 0.7), 0.2, 1e-12);
  assert.is(sendShare(1, 0.7), 0);
  assert.is(sendShare(5, 1), 0);
});

sending('is the share of rolls with which step() reaches a given peer', () => {
  for (const machines of [2, 3, 4, 7]) {
    const rolls = 60_000;
    let reached = 0;
    for (let n = 0; n < rolls; n++) {
      const { to } = step({ id: 0, machines, internal: 0.4, clock: 0 }, NO_MESSAGE, n / rolls);
      if (to === 1 || to === EVERYONE) reached++;
    }
    near(reached / rolls, sendShare(machines, 0.4), 2e-4, `${machines} machines`);
  }
});

sending.run();

// ── Balance ──────────────────────────────────────────────────────────────────────────────────

const balance = suite('freeTicks');

balance('solves its equations: what is free is what does not receive', () => {
  fc.assert(fc.property(setting, ({ rates_hz, internal }) => {
    const send = sendShare(rates_hz.length, internal);
    const { free_hz, sum_hz } = freeTicks(rates_hz, send);
    const top = Math.max(...rates_hz);
    near(free_hz.reduce((sum, free) => sum + free, 0), sum_hz, 1e-6 * top, 'sum');
    rates_hz.forEach((rate_hz, id) => {
      const arrival_hz = send * (sum_hz - free_hz[id]!);
      near(free_hz[id]!, rate_hz - Math.min(arrival_hz, rate_hz), 1e-6 * top, `machine ${id}`);
    });
  }), { numRuns: runs(60, 200) });
});

balance('scales with the rates', () => {
  fc.assert(fc.property(setting, fc.integer({ min: 1, max: 8 }), ({ rates_hz, internal }, n) => {
    const send = sendShare(rates_hz.length, internal);
    const faster = freeTicks(rates_hz.map((rate) => rate * 2 ** n), send).sum_hz;
    near(faster / 2 ** n, freeTicks(rates_hz, send).sum_hz, 1e-9 * faster);
  }));
});

balance('of two that always send: equal ones take turns, else only the faster sends', () => {
  assert.equal(freeTicks([4, 4], 1).free_hz, [2, 2]);
  assert.equal(freeTicks([4, 3], 1).free_hz, [4, 0]);
});

balance.run();

/** Loads by the balance alone: near the boundary the rest of a prediction is work. */
function loadsOf({ rates_hz, internal }: Setting): number[] {
  const send = sendShare(rates_hz.length, internal);
  const { free_hz, sum_hz } = freeTicks(rates_hz, send);
  return rates_hz.map((rate_hz, id) => (send * (sum_hz - free_hz[id]!)) / rate_hz);
}

// ── Boundary ─────────────────────────────────────────────────────────────────────────────────

const boundary = suite('criticalRatio');

boundary('is 10/3 for two machines at 0.7, and 5 or 3 for three', () => {
  near(criticalRatio(2, 0.7), 10 / 3, 1e-9);
  near(criticalRatio(3, 0.7), 5, 1e-9);
  near(criticalRatio(3, 0.7, 2), 3, 1e-9);
});

boundary('is where the load of the slow machines passes 1', () => {
  fc.assert(fc.property(fc.integer({ min: 2, max: 9 }), between(0.05, 0.95), fc.nat(),
    (machines, internal, n) => {
      const fast = 1 + (n % (machines - 1));
      const ratio = criticalRatio(machines, internal, fast);
      const rates = (ratio: number) =>
        Array.from({ length: machines }, (_, id) => (id < fast ? ratio : 1));
      const load = (ratio: number) => loadsOf({ rates_hz: rates(ratio), internal }).at(-1)!;
      near(load(ratio), 1, 1e-9);
      assert.ok(load(ratio * 0.99) < 1 && load(ratio * 1.01) > 1);
    }), { numRuns: 12 });
});

boundary('criticalRate_hz() gives a machine beside any others the load 1', () => {
  fc.assert(fc.property(setting, ({ rates_hz, internal }) => {
    fc.pre(internal < 1);
    const rate_hz = criticalRate_hz(rates_hz, internal);
    near(loadsOf({ rates_hz: [...rates_hz, rate_hz], internal }).at(-1)!, 1, 1e-9);
  }), { numRuns: 20 });
});

boundary.run();

// ── Two machines ─────────────────────────────────────────────────────────────────────────────

const two = suite('pair');

two('of equal machines has the closed form', () => {
  for (const q of [0.3, 0.5, 0.9]) {
    const u = 1 / ((2 - q) * (1 + q));
    const { gain, slow_lag, fast_lag, receive_share } = pair(1, q, 2000, 2001);
    near(gain, q * (1 - q) * u, 1e-9);
    near(slow_lag, (1 - u) / 2, 1e-9);
    near(fast_lag, (1 - u) / 2, 1e-9);
    near(receive_share, q / (1 + q), 1e-9);
  }
});

two('receives the share that the fluid balance says, at any ratio', () => {
  const grid = [[1.2, 0.3], [1.37, 0.6], [2.5, 0.3], [Math.PI, 0.2], [7, 0.1]] as const;
  for (const [ratio, q] of grid) {
    const load = (q * (ratio - q)) / (1 - q ** 2);
    near(pair(ratio, q, 1000, 2000).receive_share, load, 2e-3, `ratio ${ratio}`);
  }
});

two('agrees with the generating functions: exactly at integer ratios, else to 0.7 %', () => {
  const grid = [[2, 0.7], [3, 0.7], [5, 0.9], [2.5, 0.7], [Math.E, 0.8]] as const;
  for (const [ratio, internal] of grid) {
    const exact = pair(ratio, 1 - internal, 1500, 2500);
    const [slow, fast] = predict({ rates_hz: [1, ratio], internal });
    const whole = Number.isInteger(ratio);
    near(slow!.mean_lag / exact.slow_lag, 1, whole ? 1e-6 : 0.007, `ratio ${ratio}`);
    near(fast!.mean_lag, exact.fast_lag, whole ? 1e-6 : 0.002, `ratio ${ratio}`);
    assert.is(exact.gain, 0);
  }
});

two('refuses a ratio below 1', () => assert.throws(() => pair(0.5, 0.3, 0, 10), /ratio 0\.5/));

two.run();

// ── Equal machines ───────────────────────────────────────────────────────────────────────────

const same = suite('equal');

same('is the closed form of two, and what another simulator measured of three', () => {
  const u = 1 / 1.7 / 1.3;
  near(equal(2, 2, 0.7).growth, 1 + 0.21 * u, 1e-4);
  near(equal(2, 2, 0.7).mean_lag, (1 - u) / 2, 1e-4);
  near(equal(3, 3, 0.7).growth, 1.1262, 4e-4);
  near(equal(3, 3, 0.2).growth, 1.1403, 4e-4);
});

same('receives the share that the fluid balance says', () => {
  for (const [live, machines, internal] of [[3, 3, 0.7], [3, 4, 0.5], [2, 5, 0.8]] as const) {
    const q = sendShare(machines, internal);
    const expected = ((live - 1) * q) / (1 + (live - 1) * q);
    near(equal(live, machines, internal).receive_share, expected, 1e-4);
  }
});

same.run();

// ── The highest clock ────────────────────────────────────────────────────────────────────────

const front = suite('fastestGrowth_hz');

front('of two equal machines is 1.095 of their rate at 0.7', () => {
  near(fastestGrowth_hz({ rates_hz: [4, 4], internal: 0.7 }), 4 * (1 + 0.21 / 1.7 / 1.3), 1e-9);
});

front('is the fastest rate where nobody sends, or nobody has half of it', () => {
  assert.is(fastestGrowth_hz({ rates_hz: [3, 5, 5], internal: 1 }), 5);
  assert.is(fastestGrowth_hz({ rates_hz: [2, 4, 1], internal: 0.7 }), 4);
  assert.is(fastestGrowth_hz({ rates_hz: [5, 60, 5], internal: 0.7 }), 60);
});

front('is never below the fastest rate, and below twice that', () => {
  fc.assert(fc.property(setting, (setting) => {
    const share = fastestGrowth_hz(setting) / Math.max(...setting.rates_hz);
    assert.ok(share >= 1 && share < 2, String(share));
  }), { numRuns: runs(12, 30) });
});

front.run();

// ── Prediction ───────────────────────────────────────────────────────────────────────────────

const prediction = suite('predict');

prediction('without messages: each clock is its own, lags grow by the difference of rates', () => {
  const [slow, one, other] = predict({ rates_hz: [1, 6, 6], internal: 1 });
  assert.equal([slow!.arrival_hz, slow!.load, slow!.receive_share], [0, 0, 0]);
  assert.equal([slow!.clock_growth_hz, slow!.lag_growth_hz, slow!.mean_lag], [1, 5, Infinity]);
  for (const { lag_growth_hz, mean_lag } of [one!, other!]) {
    assert.is(lag_growth_hz, 0);
    near(mean_lag, 1 / 6, 1e-12);
  }
});

prediction('has the loads of 1-4-6, and of 2-4-1 which is exactly at the boundary', () => {
  const loads = predict({ rates_hz: [1, 4, 6], internal: 0.7 }).map(({ load }) => load);
  [5 / 3, 13 / 48, 7 / 72].forEach((load, id) => near(loads[id]!, load, 1e-9));
  const { load, queue_growth_hz, mean_lag } = predict({ rates_hz: [2, 4, 1], internal: 0.7 })[2]!;
  assert.equal([load, queue_growth_hz, mean_lag], [1, 0, Infinity]);
});

prediction('lets an overloaded clock grow by c·r/λ: 25 a second in 5-60-5', () => {
  const [slow, fast] = predict({ rates_hz: [5, 60, 5], internal: 0.7 });
  near(slow!.arrival_hz, 12, 1e-9);
  near(slow!.queue_growth_hz, 7, 1e-9);
  near(slow!.clock_growth_hz, 25, 1e-9);
  near(slow!.lag_growth_hz, 35, 1e-9);
  near(fast!.load, 0, 1e-9);
});

prediction('is finite and consistent for any setting', () => {
  fc.assert(fc.property(setting, (setting) => {
    for (const p of predict(setting)) {
      for (const [name, value] of Object.entries(p)) {
        if (name !== 'basis') assert.ok(value >= 0, `${name} ${value}`);
      }
      assert.is(p.receive_share, Math.min(1, p.load));
      near(p.queue_growth_hz, Math.max(0, p.arrival_hz - p.rate_hz), 1e-9);
      if (p.load >= 1) assert.is(p.mean_lag, Infinity);
      else if (p.load > 0) assert.ok(p.mean_lag < Infinity && p.lag_growth_hz === 0);
      assert.ok(p.clock_growth_hz >= 0.999 * p.rate_hz, 'a clock grows with each tick');
    }
  }), { numRuns: runs(20, 60) });
});

prediction('does not depend on the order of the machines, and treats equal ones alike', () => {
  fc.assert(fc.property(setting, ({ rates_hz, internal }) => {
    const backward = predict({ rates_hz: [...rates_hz].reverse(), internal }).reverse();
    predict({ rates_hz, internal }).forEach((p, id) => {
      near(p.load, backward[id]!.load, 1e-9);
      if (p.mean_lag < Infinity) near(p.mean_lag, backward[id]!.mean_lag, 1e-6 * (1 + p.mean_lag));
    });
  }), { numRuns: 20 });
});

prediction('loads a machine more when a peer gets faster, and less when it does itself', () => {
  fc.assert(fc.property(setting, fc.nat(7), ({ rates_hz, internal }, nth) => {
    const id = nth % rates_hz.length;
    const before = predict({ rates_hz, internal });
    const after = predict({ rates_hz: rates_hz.map((r, n) => (n === id ? r * 1.3 : r)), internal });
    after.forEach(({ load }, n) => {
      const change = load - before[n]!.load;
      assert.ok(n === id ? change <= 1e-9 : change >= -1e-9, `machine ${n}: ${change}`);
    });
  }), { numRuns: runs(12, 30) });
});

prediction('lets the lag of two machines grow with their ratio, without bound at 10/3', () => {
  const ratios = [1, 1.05, 1.25, 1.5, 1.75, 2, 2.25, 2.5, 2.75, 3, 3.2, 3.3, 3.33];
  const lags = ratios.map((ratio) => predict({ rates_hz: [1, ratio], internal: 0.7 })[0]!.mean_lag);
  lags.slice(1).forEach((lag, n) => assert.ok(lag > lags[n]!, `${ratios[n + 1]}: ${lag}`));
  assert.ok(lags.at(-1)! > 500);
});

prediction('refuses rates and chances that are none', () => {
  assert.throws(() => predict({ rates_hz: [1, 0], internal: 0.7 }), /rates_hz 1,0/);
  assert.throws(() => predict({ rates_hz: [1, 2], internal: 1.5 }), /internal 1\.5/);
});

prediction('says what it is: exact, fitted to settings of this kind, or outside of them', () => {
  const basis = (rates_hz: number[], internal: number) => predict({ rates_hz, internal })[0]!.basis;
  assert.is(basis([1, 3], 0.7), 'exact');
  assert.is(basis([1, 6, 6], 0.7), 'exact', 'the slow one is overloaded, two are live');
  assert.is(basis([5, 5, 5], 0.9), 'exact');
  assert.is(basis([4, 5, 6], 0.7), 'fitted');
  assert.is(basis([5, 6, 6], 0.2), 'outside');
  assert.is(basis([5, 5, 6, 6], 0.2), 'outside');
  assert.is(basis(Array<number>(40).fill(3), 0.7), 'fitted', 'equal ones of any number');
  assert.is(basis([4, ...Array<number>(40).fill(3)], 0.7), 'outside');
});

prediction.run();

// ── The grid ─────────────────────────────────────────────────────────────────────────────────

const grid = suite('gridTable');

const grid_lines = readFileSync(new URL('../bench/theory.jsonl', import.meta.url), 'utf8')
  .trim().split('\n');

grid('shows mean and worst error by machines and internal, in 80 columns', () => {
  const few = grid_lines.filter((line) => /^."rates_hz":.10,(?!10)[\d.]+,[\d.]+\]/.test(line));
  const lines = gridTable(few.join('\n')).split('\n');
  assert.ok(lines.every((line) => line.length <= 80), lines.join('\n'));
  assert.match(lines[1]!, /^N\s+cells\s+0\.5\s+0\.6\s+0\.7\s+0\.8\s+0\.9\s+all\s+growth$/);
  const [machines, cells, ...errors] = lines[3]!.trim().split(/\s+/).map(Number);
  assert.equal([machines, errors.length], [3, 13]);
  assert.ok(cells! > 20, String(cells));
  const [mean, worst, growth] = errors.slice(-3);
  assert.ok(mean! <= 1.5 && worst! <= 12 && growth! <= 2, `${mean} ${worst} ${growth}`);
});

grid.run();

// ── A run from its start ─────────────────────────────────────────────────────────────────────

const overRun = suite('meanLagOverRun');

overRun('agrees with the exact chain of two machines, at any load and length', () => {
  for (const [ratio, duration_s] of [[3, 60], [3, 600], [10 / 3, 60], [10 / 3, 1000], [4, 300]]) {
    const exact = pair(ratio!, 0.3, 0, duration_s!).slow_lag;
    const [lag] = meanLagOverRun({ rates_hz: [1, ratio!], internal: 0.7 }, duration_s!);
    near(lag! / exact, 1, 0.05, `ratio ${ratio}, ${duration_s} s`);
  }
});

overRun('comes to the long run below the boundary', () => {
  const [slow] = predict({ rates_hz: [1, 4, 4, 2], internal: 0.8 });
  const [lag] = meanLagOverRun({ rates_hz: [1, 4, 4, 2], internal: 0.8 }, 1e5);
  near(lag! / slow!.mean_lag, 1, 2e-3);
});

overRun('grows as the square root of time at the boundary, and with time above', () => {
  const growth = (rates_hz: number[]) => {
    const [short, long] = [1e4, 4e4].map((s) => meanLagOverRun({ rates_hz, internal: 0.7 }, s)[0]!);
    return long! / short!;
  };
  near(growth([3, 10]), 2, 0.01);
  near(growth([3, 15]), 4, 0.01);
  near(growth([1, 4, 2]), 2, 0.02);
});

overRun('without messages is half of what the rates make in that time', () => {
  assert.is(meanLagOverRun({ rates_hz: [1, 5], internal: 1 }, 60)[0], 120);
});

overRun.run();
