/**
 * True runs that the computer disturbs: machines that are stopped and continued at random, and all
 * of them under a quota that lets them run a few milliseconds in a hundred. Nobody lies, so nothing
 * is refused.
 *
 *   node --import tsx test/system/stalls.test.ts                  one launch of each kind
 *   LAB_LAUNCHES=50 node --import tsx test/system/stalls.test.ts  fifty of each, two at a time
 */
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { stream, uniform } from '../../lab/model/chance.ts';
import { type Disturb, quota, signal } from './disturb.ts';
import { launch, logged, processes, somewhere, verdict } from './launched.ts';

const LAUNCHES = Number(process.env.LAB_LAUNCHES ?? 1);
const STALL_MAX_MS = LAUNCHES > 1 ? 5000 : 2000;

/** One machine after the other stands still for up to some seconds. */
const stall: Disturb = async (pids, chance, over) => {
  while (!over.aborted) {
    const victim = [pids[Math.floor(chance() * pids.length)]!];
    signal(victim, 'SIGSTOP');
    await sleep(STALL_MAX_MS * chance());
    signal(victim, 'SIGCONT');
    await sleep(800 * chance());
  }
};

async function disturbed(words: string[], seed: number, disturb: Disturb): Promise<string> {
  const cwd = somewhere();
  const name = `${disturb.name}-${seed}-${process.pid}`;
  const launched = launch(cwd, [...words, '--seed', String(seed), '--name', name]);
  await logged(cwd, name, 1, /\n\d+,1,\d/, launched);
  const over = new AbortController();
  const pids = [...(await processes(name)).values()];
  const draws = stream(seed, 0, 2000);
  let n = 0;
  const doing = disturb(pids, () => uniform(draws, n++), over.signal);
  const { exitCode, stdout, stderr } = await launched;
  over.abort();
  await doing;
  const { violations, run, machines } = verdict(cwd, name);
  const skipped = machines.reduce((sum, machine) => sum + machine.skipped, 0);
  const told = violations.map(({ file, line, rule, text }) => `${file}:${line} ${rule}: ${text}`);
  assert.is(told.join('\n'), '', `${name} in ${cwd}: ${told.join('; ')}`);
  assert.equal([exitCode, run.ended], [0, 'finished'], `${name}: ${stdout}${stderr}`);
  assert.ok(skipped > 0, 'it was disturbed');
  assert.is((await processes(name)).size, 0);
  rmSync(cwd, { recursive: true });
  return `${name}: ${skipped} ticks skipped`;
}

/** The launches of one kind, one after the other; what was wrong with them. */
async function series(words: string[], disturb: Disturb): Promise<string[]> {
  const wrong: string[] = [];
  for (let seed = 1; seed <= LAUNCHES; seed++) {
    const line = await disturbed(words, seed, disturb)
      .catch((error: Error) => (wrong.push(error.message), error.message));
    if (LAUNCHES > 1) console.log(line);
  }
  return wrong;
}

const stalls = suite('a true run is not refused');
stalls('whoever stands still for how long, and with a few milliseconds in a hundred', async () => {
  const wrong = await Promise.all([
    series(['--duration', '100', '--speed', '10', '--rates', '5,3,1', '--internal', '0.4'], stall),
    series(['--machines', '8', '--duration', '400', '--speed', '50'], quota),
  ]);
  assert.equal(wrong.flat(), []);
});
stalls.run();
