/**
 * One machine of the scale model: a process that ticks at a rate of its own, keeps a Lamport
 * clock, talks to its peers over sockets and logs each event.
 *
 * `npx tsx launch.ts` starts three of them. To be the launcher yourself, give one to each of
 * three terminals, in any order; they begin together when each is connected to every other:
 *
 *   npx tsx machine.ts --id 0 --listen 7000 --peers 7001,7002 --logs logs/by-hand
 *   npx tsx machine.ts --id 1 --listen 7001 --peers 7000,7002 --logs logs/by-hand
 *   npx tsx machine.ts --id 2 --listen 7002 --peers 7000,7001 --logs logs/by-hand
 *   npx tsx check.ts logs/by-hand
 */
import { constants } from 'node:os';
import { isMain } from './lab/cli/options.ts';
import { NO_MESSAGE, receivers, step, type Machine } from './lab/model/rule.ts';
import { PURPOSE, stream, uniform } from './lab/model/chance.ts';
import { arrive, Inbox, largest, take } from './lab/model/inbox.ts';
import { knobsOf, machineOf, row, schedule } from './lab/model/run.ts';
import { LogError } from './lab/real/log.ts';
import { clockMax, connect, NotConnected } from './lab/real/mesh.ts';
import { placeFromCommand, type Place } from './lab/real/place.ts';
import { now_us, until } from './lab/real/time.ts';

export { PURPOSE, stream, uniform } from './lab/model/chance.ts';
export { EVERYONE, NO_MESSAGE, NOBODY, receivers, step } from './lab/model/rule.ts';
export { configure, due_s, HEADER, logPath, row, schedule } from './lab/model/run.ts';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
export const KNOBS = {
  seed: 1, // By hand each machine must be given the same, so it is not drawn.
  speed: 1, // Model seconds in a real one.
  timeout_s: 60, // For the others to come, who may be started by hand.
  token: 'lab', // Of the run: a machine of another run is refused.
  inbox_max: 2 ** 20, // Messages that wait; what waits longer than that never gets its turn.
};
// ─────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Ticks in real time until the duration is over, or `stop`.
 * @param machine its clock goes up; it may have one from before a crash
 * @param inbox messages that wait, oldest first; the network appends to it
 * @param start_us when the run began or will begin, epoch µs
 * @param send carries the clock to a peer; it is called after the event is logged
 */
async function run(
  { configuration, life, stop, log }: Place, machine: Machine, inbox: Inbox, start_us: number,
  send: (to: number, clock: number) => void,
): Promise<void> {
  const { id } = machine;
  const { seed, duration_s, speed } = configuration;
  const knobs = knobsOf(configuration);
  const rolls = stream(seed, id, PURPOSE.rolls);
  const due_s = schedule(configuration, id);
  const due_us = (k: number) => start_us + (due_s(k) * 1e6) / speed;
  const end_us = start_us + (duration_s * 1e6) / speed;

  let [k, at_us] = [0, due_us(0)];
  if (life === 0) {
    if (await until(start_us, stop) < start_us) return; // Nothing is before the start.
    log(row(start_us, id, '', 'start', '', '', 0, 0));
  } else {
    inbox.empty(); // What was sent to it before this row died with it.
    const back_us = now_us();
    log(row(back_us, id, '', 'restart', '', '', 0, machine.clock));
    while (at_us < back_us) at_us = due_us(++k);
  }

  for (let next_us: number; ; k++, at_us = next_us) {
    // What had arrived by the time of the row is in the inbox.
    const time_us = await until(Math.min(at_us, end_us), stop);
    // A process that was stalled skips what it missed: to catch up would be a burst.
    while ((next_us = due_us(k + 1)) <= time_us) [k, at_us] = [k + 1, next_us];
    if (stop.aborted || at_us >= end_us) {
      return log(row(time_us, id, '', 'stop', '', '', inbox.length, machine.clock));
    }
    const taken = take(inbox, knobs);
    const message = taken.length > 0 ? largest(taken) : NO_MESSAGE;
    const { event, clock, to } = step(machine, message, uniform(rolls, k));
    machine.clock = clock;

    const peers = receivers(machine, to);
    const [whom, what] = event === 'receive'
      ? [taken.map(({ from }) => from), taken.map((one) => one.clock)]
      : [peers, event === 'send' ? [clock] : []];
    log(row(time_us, id, k, event, whom.join(' '), what.join(' '), inbox.length, clock));
    for (const peer of peers) send(peer, clock);
  }
}

async function main(): Promise<void> {
  const place = await placeFromCommand(import.meta.url, KNOBS);
  const { id, configuration, note, stop } = place;
  const machine = { ...machineOf(configuration, id), clock: place.clock };
  const inbox = new Inbox();
  const knobs = knobsOf(configuration);
  const receive = (from: number, clock: number) => {
    arrive(inbox, { from, clock }, machine.clock, knobs);
    if (inbox.length <= KNOBS.inbox_max) return;
    note(`more than ${KNOBS.inbox_max} messages wait: it takes fewer than come in`);
    process.exit(1);
  };
  try {
    const mesh = await connect({ ...place, clockMax: clockMax(configuration), receive });
    place.follow(mesh);
    if (mesh.start_us !== null) {
      place.begin(mesh.start_us);
      await run(place, machine, inbox, mesh.start_us, (to, clock) => mesh.send(to, clock));
    }
    await mesh.close();
    place.end(mesh);
  } catch (error) {
    if (!(error instanceof NotConnected || error instanceof LogError)) throw error;
    note(error.message);
    process.exit(1);
  }
  // Whoever stops a machine by hand sees the signal in its exit code; a launcher sees order.
  const isInterrupted = stop.aborted && !place.isLaunched;
  process.exit(isInterrupted ? 128 + constants.signals[stop.reason as 'SIGINT'] : 0);
}

if (isMain(import.meta.url)) await main();
