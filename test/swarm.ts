/**
 * Random configurations, each run in virtual time and checked by the rules of check.ts, in memory.
 * The seed of a failure runs it again, alone.
 *
 *   npm run swarm                                     10,000 configurations in half a minute
 *   node --import tsx test/swarm.ts --runs 100000     more of them
 *   node --import tsx test/swarm.ts --seed 4711       this one: what it is, and what is wrong
 */
import { checkRun, parseLog, parseRun, type Report } from '../check.ts';
import { atLeast, isMain, script, whole } from '../lab/cli/options.ts';
import { stream, uniform } from '../lab/model/chance.ts';
import { KINDS, nemesis } from '../lab/model/faults.ts';
import {
  type Configuration, configure, HEADER, otherThanExercise, row,
} from '../lab/model/run.ts';
import { simulate } from '../lab/virtual/engine.ts';
import type { Network } from '../lab/model/network.ts';
import { expectedTicks } from '../lab/virtual/statistics.ts';

/** More ticks than this show nothing new, and fewer runs in a minute. */
const TICKS_MOST = 3000;
/** No purpose of the model's own: the swarm's choices are not the runs' chance. */
const PURPOSE_SWARM = 1000;

/** The configuration that a seed stands for: ordinary ones and the edges of what is allowed. */
export function drawn(seed: number): Configuration & Network {
  const draws = stream(seed, 0, PURPOSE_SWARM);
  let n = 0;
  const chance = () => uniform(draws, n++);
  const among = <T>(...choices: T[]): T => choices[Math.floor(chance() * choices.length)]!;
  const round = (x: number) => Number(x.toPrecision(3));

  const machines = 2 + Math.floor(chance() * 11);
  const rate_hz = among(
    () => 1 + Math.floor(chance() * 6), () => round(0.1 + 10 * chance()),
    () => round(10 ** (4 * chance() - 2)), () => among(0.01, 0.3, 1, 60, 1000), () => 3);
  const rates_hz = Array.from({ length: machines }, rate_hz);
  const internal = among(0.7, 0.7, 0, 1, round(chance()));
  const latency = among('constant:0', 'constant:0', `constant:${round(10 ** (4 * chance()))}`,
    `uniform:0,${round(1 + 2000 * chance())}`, `uniform:${round(9 * chance())},9`,
    `exponential:${round(10 ** (4 * chance() - 1))}`);
  const loss = among(0, 0, 0, 1, round(chance()), round(0.1 * chance()));
  const reorder = chance() < 0.3;
  const wish = among(0.01, 1, 60, 60, round(300 * chance()) + 0.1);
  const most = TICKS_MOST / expectedTicks({ rates_hz, duration_s: 1 });
  const whole = configure({
    seed, machines, rates_hz, internal,
    duration_s: Math.min(wish, most), speed: 1,
  });
  // In step, machines tick at one instant again and again: the order of ties is put to the test.
  const phases = chance() < 0.1 ? whole.phases.map(() => 0) : whole.phases;
  const knobs = chance() < 0.5 ? {} : otherThanExercise({
    take: among('oldest', 'newest', 'all'), queue_max: among(null, null, 1, 3),
    drop: among('oldest', 'newest'), news: chance() < 0.2,
    ticks: among('regular', 'jitter:0.4', 'poisson'), both: among(1 / 3, 0, 1, 0.5),
  });
  const run = { ...whole, ...knobs, phases, latency, loss, reorder };
  if (chance() < 0.5) return run;
  const kinds = KINDS.filter(() => chance() < 0.5);
  return kinds.length === 0 ? run : { ...run, faults: nemesis(kinds, run), nemesis: kinds };
}

/** Runs a configuration; its logs, as they would stand in its folder. */
export function logsOf(configuration: Configuration & Network): string[] {
  const texts = configuration.rates_hz.map(() => HEADER);
  simulate(configuration, (...cells) => { texts[cells[1]] += row(...cells); });
  return texts;
}

/** Checks logs as if they had been read from the folder of that configuration. */
export function checked(configuration: Configuration & Network, texts: string[]): Report {
  const record = { ...configuration, kind: 'virtual', start_us: 0, ended: 'finished' };
  const run = parseRun(JSON.parse(JSON.stringify(record)), 'run.json');
  const logs = texts.map((text, id) => parseLog(Buffer.from(text), `machine-${id}.csv`));
  // The swarm puts some machines in step, which no seed does.
  return checkRun(run, logs, { without: ['phases'] });
}

function main(): void {
  const { runs, first, seed } = script(import.meta.url)
    .option('--runs <n>', 'how many configurations', atLeast(1), 10_000)
    .option('--first <n>', 'the seed of the first one', whole, 1)
    .option('--seed <n>', 'only this one', whole)
    .parse().opts<{ runs: number; first: number; seed?: number }>();
  if (seed !== undefined) console.log(drawn(seed));
  const seeds = seed === undefined ? Array.from({ length: runs }, (_, n) => first + n) : [seed];
  let [failures, ticks] = [0, 0];
  for (const each of seeds) {
    const report = checked(drawn(each), logsOf(drawn(each)));
    for (const machine of report.machines) ticks += machine.ticks;
    if (report.consistent) continue;
    failures++;
    const told = seed === undefined ? report.violations.slice(0, 1) : report.violations;
    for (const { file, line, rule, text } of told) {
      console.log(`seed ${each}: ${file}:${line}: ${rule}: ${text}`);
    }
    if (seed === undefined) console.log(`  node --import tsx test/swarm.ts --seed ${each}`);
  }
  console.log(`${seeds.length} configurations, ${ticks} ticks: ${failures} violated`);
  process.exit(failures > 0 ? 1 : 0);
}

if (isMain(import.meta.url)) main();
