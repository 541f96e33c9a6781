/**
 * A row a machine: its clock as a number, its last tick as a mark that pulses, its queue as a row
 * of message chips. Messages under way are drawn above the rows, from a sender's mark to the end of
 * the receiver's queue.
 */
import { endOf, type Fault } from '../model/faults.ts';
import { flyingAt, momentsAt, type Film, type Message, type Moment } from './play.film.ts';
import {
  clear, colourOf, COLOURS, element, head, mark, say, surfaceOf, type Look,
} from './play.look.ts';
import { eventWords } from './play.words.ts';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
const CHIPS_MOST = 40; // Chips that a row can show; wider screens have no more.
const LINGER_S = 0.45; // Real seconds in which a message that arrives at once is still seen.
const LINGER_MODEL_S = 1; // Model seconds of it at most: at 100 times all would be arrows.
const PULSE_S = 0.5; // Real seconds of a tick's pulse.
// ─────────────────────────────────────────────────────────────────────────────────────────────

/** Sizes by the number of machines: height of a row, width of a chip with its gap, radius. */
const SIZES = [
  { most: 4, name: 'large', chip: 62, radius: 10 },
  { most: 8, name: 'middle', chip: 55, radius: 8 },
  { most: 20, name: 'small', chip: 44, radius: 5 },
  { most: Infinity, name: 'tiny', chip: 41, radius: 3.5 },
] as const;

interface Row {
  root: HTMLElement;
  clock: HTMLElement;
  lag: HTMLElement;
  what: HTMLElement;
  rate: HTMLElement;
  node: HTMLElement;
  queue: HTMLElement;
  chips: { root: HTMLElement; from: HTMLElement; value: HTMLElement; key: string }[];
  count: HTMLElement;
  /** What it shows, so that nothing is set twice. */
  shown: number;
  extra: string;
}

/** How time passes for the one who looks. */
export interface Pace {
  speed: number;
  playing: boolean;
}

export interface RowsView {
  draw(film: Film, t: number, look: Look, pace: Pace, faults: readonly Fault[]): Moment[];
}

/** The rows of so many machines in an element, which is emptied first. */
export function rowsView(root: HTMLElement, machines: number): RowsView {
  const size = SIZES.find(({ most }) => machines <= most)!;
  root.replaceChildren();
  root.classList.remove(...SIZES.map(({ name }) => name));
  root.classList.add('rows', size.name);
  const list = element('ol');
  const rows = Array.from({ length: machines }, (_, id) => makeRow(id, size.name));
  list.append(...rows.map((row) => row.root));
  const canvas = element('canvas', 'over');
  canvas.setAttribute('aria-hidden', 'true');
  root.append(list, canvas);
  const surface = surfaceOf(canvas);
  let places: { node: [number, number]; queue: [number, number]; fit: number }[] = [];
  const measure = () => {
    const box = root.getBoundingClientRect();
    places = rows.map(({ node, queue }) => {
      const [n, q] = [node.getBoundingClientRect(), queue.getBoundingClientRect()];
      return {
        node: [n.left + n.width / 2 - box.left, n.top + n.height / 2 - box.top],
        queue: [q.left - box.left, q.top + q.height / 2 - box.top],
        fit: Math.max(1, Math.min(CHIPS_MOST, Math.floor(q.width / size.chip))),
      };
    });
  };
  new ResizeObserver(measure).observe(root);
  measure();

  /** Where the next message comes to stand. */
  const tail = (id: number, queue: number): [number, number] => {
    const { queue: [x, y], fit } = places[id]!;
    return [x + Math.min(queue, fit) * size.chip - 4, y];
  };

  return {
    draw(film, t, look, pace, faults) {
      const states = film.lanes.map((_, id) => faultOn(faults, id, t, film.duration_s));
      // What waited at a machine that crashed is lost, though no row says so until it is back.
      const moments = momentsAt(film, t, CHIPS_MOST).map((moment, id) =>
        (states[id] === 'crashed' ? { ...moment, waiting: [], queue: 0 } : moment));
      moments.forEach((moment, id) =>
        showRow(rows[id]!, film, id, moment, places[id]!.fit, states[id]!));
      const context = clear(surface);
      const linger_s = pace.playing
        ? Math.min(LINGER_S * pace.speed, LINGER_MODEL_S) : 1e-6;
      for (const message of flyingAt(film, t, linger_s)) {
        const to = tail(message.to, Math.max(0, moments[message.to]!.queue
          - (message.arrival_s <= t && message.gone_s > t ? 1 : 0)));
        drawFlight(context, look, message, t, linger_s, places[message.from]!.node, to,
          size.name === 'large' || size.name === 'middle');
      }
      moments.forEach(({ last }, id) => {
        if (last < 0 || film.tick[last]! < 0) return;
        const [x, y] = places[id]!.node;
        const age_s = (t - film.time_s[last]!) / (pace.playing ? pace.speed : 1);
        pulse(context, look, id, x, y, size.radius, pace.playing ? age_s : age_s > 0 ? 1 : 0);
        mark(context, look, film.event[last]!, id, x, y, size.radius);
      });
      return moments;
    },
  };
}

function makeRow(id: number, size: string): Row {
  const name = element('b', '', size === 'large' || size === 'middle' ? `machine ${id}` : `${id}`);
  const [rate, what] = [element('span', 'rate'), element('span', 'what')];
  const [clock, lag] = [element('output', 'value'), element('span', 'lag')];
  const [node, queue, count] = [element('div', 'node'), element('ul', 'queue'),
    element('li', 'count')];
  const root = element('li', 'row', element('div', 'who', name, rate, what),
    element('div', 'clock', clock, lag), node, queue);
  queue.append(count);
  root.style.setProperty('--own', `var(--machine-${id % COLOURS})`);
  root.style.setProperty('--own-label', `var(--label-${id % COLOURS})`);
  root.dataset.machine = String(id);
  clock.setAttribute('aria-label', `clock of machine ${id}`);
  queue.setAttribute('aria-label', `queue of machine ${id}`);
  return { root, clock, lag, what, rate, node, queue, chips: [], count, shown: 0, extra: '' };
}

/** What is done to a machine at a time, in a word; nothing: ''. */
function faultOn(faults: readonly Fault[], id: number, t: number, duration_s: number): string {
  const fault = faults.find((one) => one.at_s <= t && t < endOf(one, duration_s)
    && (one.machine === id || one.link?.includes(id)));
  if (!fault) return '';
  return fault.do === 'pause' ? 'paused' : fault.do === 'crash' ? 'crashed'
    : `cut from ${fault.link!.find((other) => other !== id)}`;
}

function showRow(
  row: Row, film: Film, id: number, moment: Moment, fit: number, fault: string,
): void {
  const { last, clock, lag, waiting, queue } = moment;
  say(row.clock, String(clock));
  say(row.lag, lag > 0 ? `${lag} behind` : 'leads');
  say(row.rate, `${Number((film.rates_hz[id] ?? 0).toFixed(2))} Hz`);
  say(row.what, fault || (last < 0 ? '' : eventWords(film, last)));
  row.root.classList.toggle('down', fault === 'paused' || fault === 'crashed');
  row.root.classList.toggle('ended', film.event[last] === 'stop');
  const count = queue > fit ? fit - 1 : queue;
  for (let at = row.chips.length; at < count; at++) {
    const [from, value] = [element('i'), element('span')];
    const root = element('li', 'chip', from, value);
    row.count.before(root);
    row.chips.push({ root, from, value, key: '' });
  }
  for (const [at, chip] of row.chips.entries()) {
    const message = at < count ? waiting[at] : undefined;
    if (at < row.shown !== Boolean(message)) chip.root.hidden = !message;
    if (message) showChip(chip, message);
  }
  row.shown = count;
  const extra = queue > count ? `+${queue - count}` : '';
  if (extra !== row.extra) say(row.count, extra);
  row.extra = extra;
}

function showChip(chip: Row['chips'][number], { from, clock }: Message): void {
  const key = `${from} ${clock}`;
  if (chip.key === key) return;
  chip.key = key;
  chip.root.style.setProperty('--from', `var(--machine-${from % COLOURS})`);
  // The last three colours are too light for white letters.
  chip.root.style.setProperty('--on', from % COLOURS > 2 ? '#111' : '#fff');
  chip.from.textContent = String(from);
  chip.value.textContent = String(clock);
  chip.root.classList.toggle('long', clock > 999);
  chip.root.title = `${clock} from machine ${from}`;
}

/** A ring that widens and fades after a tick; without motion, a ring that fades. */
function pulse(
  context: CanvasRenderingContext2D, look: Look, id: number, x: number, y: number,
  radius: number, age_s: number,
): void {
  const share = age_s / PULSE_S;
  if (!(share >= 0 && share < 1)) return;
  context.globalAlpha = (1 - share) * 0.55;
  context.strokeStyle = colourOf(look, id);
  context.lineWidth = radius * 0.45;
  context.beginPath();
  context.arc(x, y, radius * (look.still ? 1.7 : 1.5 + 1.2 * share), 0, 2 * Math.PI);
  context.stroke();
  context.globalAlpha = 1;
}

/** A message on its way: a whole arrow that fades where it arrives at once, else one that grows. */
function drawFlight(
  context: CanvasRenderingContext2D, look: Look, message: Message, t: number, linger_s: number,
  [x1, y1]: [number, number], [x2, y2]: [number, number], labelled: boolean,
): void {
  const { sent_s, arrival_s, from, clock, lost } = message;
  const flight_s = arrival_s - sent_s;
  const under = t < arrival_s;
  const share = lost ? 0.55 : under && flight_s > 0 ? (t - sent_s) / flight_s : 1;
  const age = (t - Math.max(sent_s, under ? t : arrival_s)) / Math.max(linger_s, 1e-9);
  const [x, y] = [x1 + (x2 - x1) * share, y1 + (y2 - y1) * share];
  context.globalAlpha = Math.max(0, 0.9 * (1 - age * 0.85));
  context.strokeStyle = context.fillStyle = colourOf(look, from);
  context.lineWidth = labelled ? 2.2 : 1;
  if (lost) context.setLineDash([4, 4]);
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x, y);
  context.stroke();
  context.setLineDash([]);
  context.beginPath();
  if (lost) {
    for (const side of [1, -1]) {
      context.moveTo(x - 6, y - 6 * side);
      context.lineTo(x + 6, y + 6 * side);
    }
    context.stroke();
  } else {
    head(context, x, y, x2 - x1, y2 - y1, labelled ? 11 : 6);
    context.fill();
  }
  if (labelled && under) {
    context.font = `600 ${look.small_px + 1}px ${look.font}`;
    context.fillStyle = look.ink;
    context.fillText(String(clock), x + 9, y - 4);
  }
  context.globalAlpha = 1;
}
