/**
 * One piece of work in a process of its own, and the most memory that it took; bench/speed.ts
 * starts it.
 *
 *   node --import tsx bench/memory.ts run 100000000 5,60,5 0.7     ticks, rates, internal
 *   node --import tsx bench/memory.ts sweep 1000000 summary        runs; summary or rows
 *
 * It prints what is left at the end (messages in queues, or rows) and the peak in MB.
 */
import { configure } from '../lab/model/run.ts';
import { PERFECT, simulate } from '../simulate.ts';
import { sweep } from '../sweep.ts';

const [what, many, ...more] = process.argv.slice(2);
let left = 0;
if (what === 'run') {
  const rates_hz = more[0]!.split(',').map(Number);
  const drawn = configure({
    seed: 1, machines: rates_hz.length, rates_hz, internal: Number(more[1]), speed: 1,
    duration_s: Number(many) / rates_hz.reduce((sum, rate_hz) => sum + rate_hz),
  });
  left = Array.from(simulate({ ...drawn, ...PERFECT }).final_queue).reduce((sum, n) => sum + n);
} else if (what === 'sweep') {
  left = (await sweep({
    rates_hz: [1, 4, 6], runs: Number(many), summary: more[0] === 'summary',
  })).height;
}
console.log(`${left} ${(process.resourceUsage().maxRSS / 1024).toFixed(0)}`);
