/**
 * A real run and the virtual one of its seed do the same on each tick, but for races, for ticks
 * that one of them skipped, and for what follows from these: each difference has its cause. Under
 * every knob and under faults; and the check holds for both.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UNEXPLAINED } from '../../lab/check/compare.ts';
import { besideTwin, launch, somewhere, verdict } from './launched.ts';

const RUN = ['--rates', '3,5,4', '--duration', '60', '--speed', '5'];
/** All knobs, in two launches; and each kind of fault. */
const TWINS: Record<string, string[]> = {
  'the newest first, two may wait, Poisson, one that sends nothing': ['--seed', '21', '--take',
    'newest', '--queue-max', '2', '--drop', 'newest', '--ticks', 'poisson', '--senders', '0,1'],
  'all at once, news alone, jitter, mostly to both': ['--seed', '22', '--take', 'all', '--news',
    '--ticks', 'jitter:0.4', '--both', '0.8', '--queue-max', '3', '--internal', '0.4'],
  'a nemesis': ['--seed', '23', '--nemesis', 'pause,crash,restart,cut'],
};
/** Of the ticks that both made before anything differed, so many at least are looked at. */
const TICKS_LEAST = 200;

const twins = suite('a real run and its virtual twin');
twins('agree under every knob and under faults, but for causes that are named', async () => {
  await Promise.all(Object.entries(TWINS).map(async ([what, words]) => {
    const cwd = somewhere();
    const { exitCode, stdout, stderr } = await launch(cwd, [...RUN, ...words, '--name', 'real']);
    assert.is(exitCode, 0, what + stdout + stderr);
    assert.equal(verdict(cwd, 'real').violations, [], what);
    const { ticks, differences } = besideTwin(cwd, 'real');
    assert.equal(verdict(cwd, 'real-twin').violations, [], what);
    assert.ok(ticks > TICKS_LEAST, `${what}: ${ticks}`);
    assert.equal(differences.filter(({ why }) => why.includes(UNEXPLAINED)), [], what);
  }));
});
twins.run();
