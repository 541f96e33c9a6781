/**
 * The smallest configuration that still fails: faults are dropped one by one, knobs and the network
 * become the exercise's, machines go, the run gets shorter, numbers get rounder; whatever passes
 * then was needed for the failure and stays.
 */
import { checkFaults, type Fault, faultText, machinesOf } from '../../lab/model/faults.ts';
import { PERFECT } from '../../lab/model/network.ts';
import { EXERCISE, type Knobs, knobsOf, phasesOf } from '../../lab/model/run.ts';
import type { Case } from './draw.ts';

/** A shrink that has not ended by then is close enough to its end. */
const TRIES_MOST = 1000;
const SEEDS = 5; // A small seed is a rounder number, and as good as any other.

/** Shrinks a run that fails to one from which nothing more can be taken. */
export function shrink(run: Case, fails: (run: Case) => boolean): Case {
  let tries = 0;
  let smallest = run;
  for (let before: Case | null = null; before !== smallest;) {
    before = smallest;
    for (const step of STEPS) {
      for (let found = true; found && tries < TRIES_MOST;) {
        found = false;
        for (const candidate of step(smallest)) {
          if (tries++ >= TRIES_MOST) break;
          if (!isPossible(candidate) || !fails(candidate)) continue;
          [smallest, found] = [candidate, true];
          break;
        }
      }
    }
  }
  return smallest;
}

function isPossible({ faults = [], ...run }: Case): boolean {
  try {
    checkFaults(faults, run);
    return true;
  } catch {
    return false;
  }
}

/** Each step says what a run may become next; nothing where it is as small as that step goes. */
const STEPS: ((run: Case) => Iterable<Case>)[] = [
  inStepAsTheSeedSays, withoutNemesis, fewerFaults, usualKnobs, plainNetwork, lowerVictims,
  fewerMachines, earlierFaults, shorter, usualInternal, rounderRates, rounderFaults, smallerSeed,
];

function* inStepAsTheSeedSays(run: Case): Iterable<Case> {
  const phases = phasesOf(run.seed, run.machines);
  if (String(phases) !== String(run.phases)) yield { ...run, phases };
}

function* withoutNemesis({ nemesis, ...run }: Case): Iterable<Case> {
  if (nemesis) yield run;
}

function withFaults({ faults: _, ...run }: Case, faults: Fault[]): Case {
  return faults.length > 0 ? { ...run, faults } : run;
}

function* fewerFaults(run: Case): Iterable<Case> {
  const { faults = [] } = run;
  if (run.nemesis || faults.length === 0) return; // With a nemesis the seed says which.
  const half = Math.ceil(faults.length / 2);
  if (half > 1) {
    yield withFaults(run, faults.slice(0, half));
    yield withFaults(run, faults.slice(half));
  }
  for (const fault of faults) yield withFaults(run, faults.filter((other) => other !== fault));
}

function* usualKnobs(run: Case): Iterable<Case> {
  for (const name of Object.keys(EXERCISE) as (keyof Knobs)[]) {
    if (knobsOf(run)[name] === EXERCISE[name]) continue;
    const { [name]: _, ...rest } = run;
    yield rest as Case;
  }
}

function* plainNetwork(run: Case): Iterable<Case> {
  for (const name of ['latency', 'loss', 'reorder'] as const) {
    if (run[name] !== PERFECT[name]) yield { ...run, [name]: PERFECT[name] };
  }
  if (!run.latency.startsWith('constant')) {
    for (const ms of [1, 5, 50, 500]) yield { ...run, latency: `constant:${ms}` };
  }
}

/** The machines with the highest ids go first: what is done to them can be done to others. */
function* lowerVictims(run: Case): Iterable<Case> {
  const { faults = [] } = run;
  if (run.nemesis) return;
  for (const [n, fault] of faults.entries()) {
    const { machine, link } = fault;
    const others: Partial<Fault>[] = link
      ? [[0, 1], [0, 2], [1, 2]].filter((pair) => pair[1]! < link[1])
        .map((pair) => ({ link: pair as [number, number] }))
      : [0, 1, 2].filter((id) => id < machine!).map((id) => ({ machine: id }));
    for (const other of others) {
      yield { ...run, faults: faults.map((each, m) => (m === n ? { ...fault, ...other } : each)) };
    }
  }
}

function* fewerMachines(run: Case): Iterable<Case> {
  if (run.machines === 2) return;
  for (const gone of run.rates_hz.keys()) {
    const faults = (run.faults ?? []).filter((fault) => !machinesOf(fault).includes(gone));
    if (run.nemesis && faults.length !== run.faults!.length) continue;
    const next = (id: number) => (id > gone ? id - 1 : id);
    const without = <T>(list: T[]) => list.filter((_, id) => id !== gone);
    yield withFaults({ ...run, machines: run.machines - 1, rates_hz: without(run.rates_hz),
      // The seed draws phases by id; where all are in step they stay so.
      phases: run.phases.slice(0, -1) }, faults.map((fault) => (fault.link
      ? { ...fault, link: fault.link.map(next) as [number, number] }
      : { ...fault, machine: next(fault.machine!) })));
  }
}

function* earlierFaults(run: Case): Iterable<Case> {
  const { faults = [] } = run;
  if (run.nemesis) return;
  for (const [n, fault] of faults.entries()) {
    for (const at_s of [1, 2, 5, 10, 20, Math.floor(fault.at_s / 2)]) {
      if (at_s >= fault.at_s) continue;
      yield { ...run, faults: faults.map((other, m) => (m === n ? { ...fault, at_s } : other)) };
    }
  }
}

function* shorter(run: Case): Iterable<Case> {
  if (run.nemesis) return; // Its slots are parts of the duration.
  const { duration_s } = run;
  for (const limit_s of [1, 2, 5, 10, 20, 60, duration_s / 2, Math.floor(duration_s),
    Math.floor(0.9 * duration_s)]) {
    if (!(limit_s > 0 && limit_s < duration_s)) continue;
    yield withFaults({ ...run, duration_s: limit_s },
      (run.faults ?? []).filter(({ at_s }) => at_s < limit_s));
  }
}

function* usualInternal(run: Case): Iterable<Case> {
  if (run.internal !== 0.7) yield { ...run, internal: 0.7 };
}

function* rounderRates(run: Case): Iterable<Case> {
  const { rates_hz } = run;
  for (const [id, rate_hz] of rates_hz.entries()) {
    for (const rounder_hz of [1, Math.max(1, Math.round(rate_hz))]) {
      if (rate_hz > 1 && Number.isInteger(rate_hz) && rounder_hz !== 1) continue;
      if (rounder_hz === rate_hz) continue;
      yield { ...run, rates_hz: rates_hz.map((other, n) => (n === id ? rounder_hz : other)) };
    }
  }
}

function* rounderFaults(run: Case): Iterable<Case> {
  const { faults = [] } = run;
  if (run.nemesis) return;
  for (const [n, fault] of faults.entries()) {
    for (const digits of [0, 1, 3]) {
      const at_s = Number(fault.at_s.toFixed(digits));
      const for_s = fault.for_s === null ? null : Number(fault.for_s.toFixed(digits));
      const rounder = { ...fault, at_s, for_s };
      if (faultText(rounder).length >= faultText(fault).length) continue;
      yield { ...run, faults: faults.map((other, m) => (m === n ? rounder : other)) };
    }
  }
}

function* smallerSeed(run: Case): Iterable<Case> {
  if (run.nemesis) return;
  for (let seed = 1; seed <= Math.min(SEEDS, run.seed - 1); seed++) {
    yield { ...run, seed, phases: phasesOf(seed, run.machines) };
  }
}

/**
 * The commands that make a run again and check it, or null where no command line says it: only the
 * swarm puts machines in step.
 */
export function commandOf(run: Case): string | null {
  if (String(phasesOf(run.seed, run.machines)) !== String(run.phases)) return null;
  const { take, queue_max, drop, news, ticks, senders, both } = knobsOf(run);
  const words: [option: string, value: unknown, usual: unknown][] = [
    ['rates', run.rates_hz.join(), ''], ['seed', run.seed, null],
    ['internal', run.internal, 0.7], ['duration', run.duration_s, 60],
    ['latency', run.latency, PERFECT.latency], ['loss', run.loss, 0],
    ['reorder', run.reorder, false], ['take', take, EXERCISE.take],
    ['queue-max', queue_max, null], ['drop', drop, EXERCISE.drop], ['news', news, false],
    ['ticks', ticks, EXERCISE.ticks], ['senders', senders?.join() ?? null, null],
    ['both', both, EXERCISE.both], ['nemesis', run.nemesis?.join() ?? null, null],
    ...(run.nemesis ? [] : run.faults ?? []).map((fault): [string, string, null] =>
      ['fault', `'${faultText(fault)}'`, null]),
    ['name', 'shrunk', null],
  ];
  const options = words.filter(([, value, usual]) => value !== usual)
    .map(([option, value]) => (value === true ? `--${option}` : `--${option} ${value}`));
  return `npx tsx simulate.ts ${options.join(' ')} && npx tsx check.ts logs/shrunk`;
}
