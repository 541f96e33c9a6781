/** A run as a person sees it: the machines in place on a terminal, plain lines elsewhere. */
import {
  bar, coloured, hasColours, MACHINES_SHOWN, paint, terminalWidth,
} from '../cli/terminal.ts';
import type { Configuration } from '../model/run.ts';
import type { Watched } from './process.ts';
import type { Watch } from './supervise.ts';
import { now_us } from './time.ts';

const REPAINT_MS = 200; // Five times a second is smooth, and costs under a percent of a core.
const PLAIN_LINE_MS = 10_000; // Where there is no terminal, six lines a minute tell enough.
const MANY = 10; // So many machines take long enough to start that a person wants to see it.
const QUEUE_CELLS = 20;

/** Shows one run until `end`. */
export async function show(configuration: Configuration): Promise<Watch & { end(): void }> {
  const { machines: count, duration_s, speed } = configuration;
  const live = process.stdout.isTTY && (await import('log-update')).default;
  let timer: NodeJS.Timeout | undefined;
  const model_s = (start_us: number) =>
    Math.min(duration_s, Math.max(0, ((now_us() - start_us) / 1e6) * speed));
  return {
    note: (text) => (live ? live.persist(paint('yellow', text)) : console.error(text)),
    up(ready) {
      if (live) live(`${bar(ready / count)} ${ready} of ${count} machines are up`);
      else if (count >= MANY && ready % Math.ceil(count / 4) === 0) {
        console.log(`${ready} of ${count} machines are up`);
      }
    },
    begun(machines, start_us) {
      if (!live) console.log('every machine is connected to every other; they tick');
      const draw = () => (live
        ? live(frame(configuration, machines, model_s(start_us), terminalWidth(),
          process.stdout.rows ?? 24))
        : console.log(plainLine(machines, model_s(start_us))));
      timer = setInterval(draw, live ? REPAINT_MS : PLAIN_LINE_MS);
    },
    end() {
      clearInterval(timer);
      if (live) live.clear();
    },
  };
}

/** What a terminal of so many columns and rows shows at a model time. */
export function frame(
  { rates_hz, duration_s, seed, speed }: Configuration, machines: readonly Readonly<Watched>[],
  at_s: number, width: number, rows: number,
): string {
  const highest = Math.max(...machines.map(({ clock }) => clock));
  const room = Math.max(3, rows - 5);
  // The numbers take 40 columns; what is left goes to the queue and, if there is room, the event.
  const left = width - 42;
  const queue_width = left >= 37 ? Math.min(QUEUE_CELLS + 6, left - 24) : left;
  const event_width = left >= 37 ? left - queue_width - 1 : 0;
  const cells = Math.max(1, Math.min(QUEUE_CELLS, queue_width - 6));
  const lines = machines.slice(0, room).map(({ id, ticks, clock, queue, last, exit }) => {
    const numbers = [String(id).padStart(7), String(rates_hz[id]).padStart(9),
      String(ticks).padStart(7), String(clock).padStart(7), String(highest - clock).padStart(6)]
      .join(' ');
    const waits = '▇'.repeat(Math.min(queue, cells)) + (queue > cells ? '…' : '');
    const doing = exit && last !== 'stop' ? paint('red', 'died') : last.slice(0, event_width);
    return `${hasColours() ? coloured(id, numbers) : numbers}  `
      + `${`${waits} ${queue}`.padEnd(queue_width)}${event_width > 0 ? ` ${doing}` : ''}`;
  });
  const about = `seed ${seed}${speed === 1 ? '' : `, speed ${speed}`}`;
  return [
    `${bar(at_s / duration_s)} ${at_s.toFixed(0)} of ${duration_s} s  ${paint('dim', about)}`,
    paint('dim', `machine rate (Hz)   ticks   clock    lag  ${'queue'.padEnd(queue_width)}`
      + (event_width > 0 ? ' last event' : '')),
    ...lines,
    ...(machines.length > room
      ? [paint('dim', `        and ${machines.length - room} more`)] : []),
  ].join('\n');
}

function plainLine(machines: readonly Readonly<Watched>[], at_s: number): string {
  const some = (pick: (machine: Watched) => number) =>
    machines.slice(0, MACHINES_SHOWN).map(pick).join(' ');
  return `${at_s.toFixed(0).padStart(5)} s  clocks ${some(({ clock }) => clock)}`
    + `  queues ${some(({ queue }) => queue)}${machines.length > MACHINES_SHOWN ? '  …' : ''}`;
}
