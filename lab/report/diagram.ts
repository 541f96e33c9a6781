/**
 * The drawing of the space-time diagram: a line for each machine, a dot for each event, an arrow
 * for each message. The page of a report bundles this file, so it imports nothing that needs Node.
 */
import type { Scene } from '../frames/causes.ts';
import type { Diagram, Relation } from '../model/causality.ts';
import { dashAttribute, labelColour, machineColour } from './signs.ts';

/** What part of it is drawn, in which size, and which event is looked at (−1: none). */
export interface View {
  from_s: number;
  to_s: number;
  width: number;
  selected: number;
}

/** A diagram as events and messages alone, or with what its page shows beside them. */
export type Drawable = Diagram & Partial<Scene>;

/** What stands at the events where there is room: nothing, their clocks, or another text. */
export type Labels = ((at: number) => string) | null;

const margin = { top: 20, bottom: 38, right: 16 };
/** The lines of more machines than this stand as close as can be. */
const MANY = 20;
const LANE_LEAST = 22;
/** More arrows than this in view have no heads: they would be all that is seen. */
const HEADS_MOST = 300;
const FONT = 'font-family="system-ui,sans-serif" font-size="12"';

/** Where things are: `x` of a time, `y` of a machine's line, in px, and back. */
export function geometry({ machines }: Diagram, { from_s, to_s, width }: View) {
  const digits = String(machines - 1).length;
  const left = width < 500 ? 16 + 8 * digits : 76 + 8 * digits;
  const lane = machines > MANY ? LANE_LEAST : Math.max(28, Math.min(84, 560 / machines));
  const px_s = (width - left - margin.right) / (to_s - from_s);
  return {
    left, right: width - margin.right, lane, px_s,
    height: margin.top + lane * machines + margin.bottom,
    x: (s: number) => left + (s - from_s) * px_s,
    s: (x: number) => from_s + (x - left) / px_s,
    y: (id: number) => margin.top + lane * (id + 0.5),
  };
}
type Geometry = ReturnType<typeof geometry>;

/** Which events the view shows, and of which messages: a message is named by its receive. */
export function inView({ time_s, cause }: Diagram, { from_s, to_s }: View) {
  const events: number[] = [];
  const arrows: number[] = [];
  for (let at = 0; at < time_s.length; at++) {
    const s = time_s[at]!;
    if (s >= from_s && s <= to_s) events.push(at);
    if (cause[at]! >= 0 && s >= from_s && time_s[cause[at]!]! <= to_s) arrows.push(at);
  }
  return { events, arrows };
}

const px = (x: number) => String(Math.round(x * 10) / 10);
/** Groups what belongs together, so that thousands of dots are a few paths. */
function grouped(places: number[], key: (at: number) => number): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  for (const at of places) {
    const group = groups.get(key(at));
    if (group) group.push(at);
    else groups.set(key(at), [at]);
  }
  return groups;
}

/** Dots as small as this stand on whole pixels, so that many of them are one. */
const SIZE_SMALL = 0.6;

/** The dots: a small one is internal, a full one a send, a ring a receive. */
function dots({ machine, event, time_s }: Diagram, g: Geometry, places: number[], size: number) {
  const place = size < SIZE_SMALL ? (x: number) => String(Math.round(x)) : px;
  return [...grouped(places, (at) => machine[at]!)].map(([id, own]) => {
    const path = (kind: string, attributes: string) => {
      const xs = own.filter((at) => event[at] === kind).map((at) => place(g.x(time_s[at]!)));
      const d = [...new Set(xs)].map((x) => `M${x} ${px(g.y(id))}h.01`).join('');
      return d && `<path d="${d}" stroke-linecap="round" ${attributes}/>`;
    };
    const colour = machineColour(id);
    return path('i', `class="internal" stroke="${colour}" stroke-width="${px(4.5 * size)}"`)
      + path('s', `class="send" stroke="${colour}" stroke-width="${px(9 * size)}"`)
      + path('r', `class="receive" stroke="${colour}" stroke-width="${px(10 * size)}"`)
      + path('r', `stroke="var(--paper)" stroke-width="${px(5 * size)}"`);
  }).join('');
}

/** A message that is under way for less than this arrives, in the picture, as it is sent. */
const FLIGHT_LEAST_S = 0.001;
/** How far from a machine's line its waiting messages are drawn. */
const BESIDE_PX = 8;
/** Of arrows that no row names. */
const GUESSED = ' stroke-dasharray="1 4" stroke-linecap="round"';

/** The messages, each from its send to its receive, in the sender's colour. */
function arrows(diagram: Drawable, g: Geometry, places: number[], heads: boolean): string {
  const { machine, time_s, cause, arrived_s, reconstructed = false } = diagram;
  return [...grouped(places, (at) => machine[cause[at]!]!)].map(([from, own]) => {
    let [lines, tips, waits] = ['', '', ''];
    for (const at of own) {
      const [x1, y1] = [g.x(time_s[cause[at]!]!), g.y(from)];
      let [x2, y2] = [g.x(time_s[at]!), g.y(machine[at]!)];
      const arrived = arrived_s?.[at] ?? null;
      if (arrived !== null && arrived - time_s[cause[at]!]! > FLIGHT_LEAST_S) {
        // It arrives beside the line, and waits there until it is taken.
        const beside = y2 + Math.sign(y1 - y2) * BESIDE_PX;
        waits += `M${px(g.x(arrived))} ${px(beside)}H${px(x2)}V${px(y2)}`;
        [x2, y2] = [g.x(arrived), beside];
      }
      const length = Math.hypot(x2 - x1, y2 - y1) || 1;
      const [dx, dy] = [(x2 - x1) / length, (y2 - y1) / length];
      const short = y2 === g.y(machine[at]!) ? 6 : 0; // The tip touches the ring of the receive.
      const [x, y] = [x2 - dx * short, y2 - dy * short];
      lines += `M${px(x1)} ${px(y1)}L${px(x)} ${px(y)}`;
      const [bx, by] = [x - dx * 8, y - dy * 8];
      tips += `M${px(x)} ${px(y)}L${px(bx - dy * 3)} ${px(by + dx * 3)}`
        + `L${px(bx + dy * 3)} ${px(by - dx * 3)}Z`;
    }
    const colour = machineColour(from);
    const dash = reconstructed ? GUESSED : dashAttribute(from);
    return `<path d="${lines}" fill="none" stroke="${colour}" `
      + `stroke-width="${heads ? 1.2 : 0.5}"${dash}/>`
      + (waits && `<path d="${waits}" fill="none" stroke="${colour}" stroke-width="1" `
        + 'stroke-dasharray="1 3" class="waits"/>')
      + (heads ? `<path d="${tips}" fill="${colour}"/>` : '');
  }).join('');
}

/** Steps of 1, 2 or 5 that leave room for their numbers. */
function axisTimes({ from_s, to_s }: View, px_s: number): { times: number[]; digits: number } {
  const least = 64 / px_s;
  const ten = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((n) => n * ten).find((s) => s >= least)!;
  const first = Math.ceil(from_s / step);
  const times = Array.from({ length: Math.floor(to_s / step) - first + 1 },
    (_, k) => (first + k) * step);
  return { times, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
}

function axis(g: Geometry, view: View): string {
  const { times, digits } = axisTimes(view, g.px_s);
  const bottom = g.height - margin.bottom;
  return times.map((s) => `<path d="M${px(g.x(s))} ${margin.top}V${bottom}" stroke="var(--rule)"/>`
    + `<text x="${px(g.x(s))}" y="${bottom + 14}" text-anchor="middle" fill="var(--muted)">`
    + `${s.toFixed(digits)}</text>`).join('')
    + `<text x="${g.right}" y="${bottom + 31}" text-anchor="end" fill="var(--muted)">`
    + 'time, s →</text>';
}

/** The lines of the machines, as long as each lived, with their names. */
function lanes({ machines, ends_s }: Diagram, g: Geometry, view: View): string {
  return Array.from({ length: machines }, (_, id) => {
    const [x, until] = [g.x(Math.max(view.from_s, 0)), g.x(Math.min(view.to_s, ends_s[id]!))];
    const name = view.width < 500 ? `${id}` : `machine ${id}`;
    return (until > x ? `<path d="M${px(x)} ${px(g.y(id))}H${px(until)}" stroke-width="1.5" `
      + `stroke="${machineColour(id)}" opacity="0.45"${dashAttribute(id)}/>` : '')
      + `<text x="${g.left - 12}" y="${px(g.y(id) + 4)}" text-anchor="end" font-weight="600" `
      + `fill="${labelColour(id)}">${name}</text>`;
  }).join('');
}

/**
 * On each machine the past of an event is a stretch that ends with the last event it can know of,
 * and its future one that begins with the first event that can know of it.
 */
function cones(diagram: Diagram, g: Geometry, view: View, how: Relation[]): string {
  const { machine, time_s, machines, ends_s } = diagram;
  const last = new Array<number>(machines).fill(-Infinity);
  const first = new Array<number>(machines).fill(Infinity);
  for (const [at, relation] of how.entries()) {
    const id = machine[at]!;
    if (relation === 'past' || relation === 'self') last[id] = Math.max(last[id]!, time_s[at]!);
    if (relation === 'future' || relation === 'self') first[id] = Math.min(first[id]!, time_s[at]!);
  }
  const band = (id: number, from_s: number, to_s: number, name: string) => {
    const [x1, x2] = [g.x(Math.max(from_s, view.from_s)), g.x(Math.min(to_s, view.to_s))];
    return x2 > x1 ? `<path d="M${px(x1)} ${px(g.y(id))}H${px(x2)}" stroke="var(--${name})" `
      + `stroke-width="22" class="${name} cone"/>` : '';
  };
  const ids = Array.from({ length: machines }, (_, id) => id);
  return ids.map((id) => band(id, 0, last[id]!, 'past')
    + band(id, first[id]!, ends_s[id]!, 'future')).join('') + coneNames(g, view, last, first);
}

/** The words for the bands, above the first line that has room for them. */
function coneNames(g: Geometry, view: View, last: number[], first: number[]): string {
  const text = (from_s: number, to_s: number, id: number, name: string) =>
    `<text x="${px((g.x(from_s) + g.x(to_s)) / 2)}" y="${px(g.y(id) - 15)}" text-anchor="middle" `
    + `fill="var(--ink)">${name}</text>`;
  return (['past', 'concurrent', 'future'] as const).map((name) => {
    const spans = last.map((_, id): [number, number, number] => [
      Math.max(view.from_s, name === 'past' ? 0 : name === 'future' ? first[id]! : last[id]!),
      Math.min(view.to_s, name === 'past' ? last[id]! : name === 'future' ? Infinity : first[id]!),
      id]);
    const room = spans.find(([from_s, to_s]) => (to_s - from_s) * g.px_s > name.length * 7 + 8);
    return room ? text(...room, name) : '';
  }).join('');
}

/**
 * The inside of the diagram's <svg>. Colours are CSS variables.
 * @param how from relations(), if an event is selected: its past, its future and what is concurrent
 *   are groups of those classes
 */
export function drawing(
  diagram: Drawable, view: View, how: Relation[] | null, labels: Labels = null,
): string {
  const g = geometry(diagram, view);
  const { machine, time_s, cause } = diagram;
  const shown = inView(diagram, view);
  const room_px = ((g.right - g.left) * diagram.machines) / Math.max(1, shown.events.length);
  const size = Math.max(0.35, Math.min(1, room_px / 14));
  const heads = shown.arrows.length <= HEADS_MOST;
  const group = (name: string, places: number[], messages: number[]) =>
    `<g class="${name}"${name === 'concurrent' ? ' opacity="0.3"' : ''}>`
    + `<g class="arrows">${arrows(diagram, g, messages, heads)}</g>`
    + `${dots(diagram, g, places, size)}</g>`;
  let inside = group('all', shown.events, shown.arrows);
  if (how) {
    // A message belongs to the past if its receive does, to the future if its send does.
    const part = (relation: Relation) => group(relation,
      shown.events.filter((at) => how[at] === relation),
      shown.arrows.filter((at) => relationOfMessage(how[cause[at]!]!, how[at]!) === relation));
    const at = view.selected;
    inside = cones(diagram, g, view, how) + part('concurrent') + part('past') + part('future')
      + part('self') + `<circle cx="${px(g.x(time_s[at]!))}" cy="${px(g.y(machine[at]!))}" r="9" `
      + `fill="none" stroke="var(--ink)" stroke-width="2" class="selected"/>`;
  }
  const clip = `clip-${diagram.name.replace(/\W/g, '-')}`;
  return `<g ${FONT}>${axis(g, view)}${lanes(diagram, g, view)}</g>`
    + `<clipPath id="${clip}"><path d="M${g.left - 8} 0H${g.right + 8}V${g.height}`
    + `H${g.left - 8}Z"/></clipPath><g ${FONT} clip-path="url(#${clip})">`
    + `${faultBands(diagram, g, view)}${lostMessages(diagram, g, view)}${inside}`
    + `${labels ? eventLabels(diagram, g, shown.events, labels) : ''}</g>`;
}

/** More messages that nobody took than this end after a short way. */
const LOST_MOST = 40;
const STUB_PX = 26;

/** Messages that were never taken: dashed, to the receiver's line at the edge of the picture. */
function lostMessages({ lost = [], machine, time_s }: Drawable, g: Geometry, view: View): string {
  const seen = lost.filter(([at]) =>
    time_s[at]! >= view.from_s && time_s[at]! <= view.to_s);
  return [...grouped(seen.map((_, nth) => nth), (nth) => machine[seen[nth]![0]]!)]
    .map(([from, own]) => {
      const lines = own.map((nth) => {
        const [at, to] = seen[nth]!;
        const [x1, y1, x2, y2] = [g.x(time_s[at]!), g.y(from), g.right + 8, g.y(to)];
        const part = STUB_PX / Math.max(STUB_PX, Math.abs(y2 - y1));
        return `M${px(x1)} ${px(y1)}L` + (seen.length > LOST_MOST
          ? `${px(x1 + STUB_PX / 2)} ${px(y1 + (y2 - y1) * part)}` : `${px(x2)} ${px(y2)}`);
      }).join('');
      return `<path d="${lines}" class="lost" fill="none" stroke="${machineColour(from)}" `
        + 'stroke-width="1" stroke-dasharray="5 4" opacity="0.6"/>';
    }).join('');
}

/** What was done to machines and links: a band on each line that it hit, with its name. */
function faultBands({ faults = [] }: Drawable, g: Geometry, view: View): string {
  return faults.flatMap(({ do: what, machines, from_s, to_s }) => {
    const [x1, x2] = [g.x(Math.max(from_s, view.from_s)), g.x(Math.min(to_s, view.to_s))];
    if (x2 <= x1) return [];
    return machines.map((id, nth) => `<rect x="${px(x1)}" y="${px(g.y(id) - 13)}" `
      + `width="${px(Math.max(2, x2 - x1))}" height="26" fill="var(--fault)" opacity="0.35" `
      + `class="fault"/><text x="${px(x1 + 3)}" y="${px(g.y(id) - 16)}" fill="var(--muted)">`
      + `${what}${what === 'cut' ? ` from ${machines[1 - nth]}` : ''}</text>`);
  }).join('');
}

/** Texts at the events, above their line, wherever the one before leaves room. */
function eventLabels(
  { machine, time_s }: Drawable, g: Geometry, events: number[], text: (at: number) => string,
): string {
  const free: number[] = [];
  return events.flatMap((at) => {
    const [x, id] = [g.x(time_s[at]!), machine[at]!];
    const words = text(at);
    const half = words.length * 3.4 + 3;
    if (x - half < (free[id] ?? g.left - 8)) return [];
    free[id] = x + half;
    return [`<text x="${px(x)}" y="${px(g.y(id) - 9)}" text-anchor="middle" font-size="11" `
      + 'fill="var(--ink)" stroke="var(--paper)" stroke-width="3" paint-order="stroke" '
      + `class="value">${words}</text>`];
  }).join('');
}

function relationOfMessage(send: Relation, receive: Relation): Relation {
  if (receive === 'past' || receive === 'self') return 'past';
  return send === 'future' || send === 'self' ? 'future' : 'concurrent';
}
