/**
 * The drawing of the space-time diagram: a line for each machine, a dot for each event, an arrow for
 * each message. The page of a report bundles this file, so it imports nothing that needs Node.
 */
import type { Diagram, Relation } from '../model/causality.ts';

/** What part of it is drawn, in which size, and which event is looked at (−1: none). */
export interface View {
  from_s: number;
  to_s: number;
  width: number;
  selected: number;
}

const margin = { top: 20, bottom: 38, right: 16 };
/** More arrows than this in view have no heads: they would be all that is seen. */
const HEADS_MOST = 300;
const FONT = 'font-family="system-ui,sans-serif" font-size="12"';

/** Where things are: `x` of a time, `y` of a machine's line, in px, and back. */
export function geometry({ machines }: Diagram, { from_s, to_s, width }: View) {
  const left = width < 500 ? 24 : 84;
  const lane = Math.max(28, Math.min(84, 560 / machines));
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
const machineColour = (id: number) => `var(--machine-${id % 6})`;
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

/** The messages, each from its send to its receive, in the sender's colour. */
function arrows(diagram: Diagram, g: Geometry, places: number[], heads: boolean): string {
  const { machine, time_s, cause } = diagram;
  return [...grouped(places, (at) => machine[cause[at]!]!)].map(([from, own]) => {
    let lines = '';
    let tips = '';
    for (const at of own) {
      const [x1, y1] = [g.x(time_s[cause[at]!]!), g.y(from)];
      const [x2, y2] = [g.x(time_s[at]!), g.y(machine[at]!)];
      const length = Math.hypot(x2 - x1, y2 - y1) || 1;
      const [dx, dy] = [(x2 - x1) / length, (y2 - y1) / length];
      const [x, y] = [x2 - dx * 6, y2 - dy * 6]; // The tip touches the ring of the receive.
      lines += `M${px(x1)} ${px(y1)}L${px(x)} ${px(y)}`;
      const [bx, by] = [x - dx * 8, y - dy * 8];
      tips += `M${px(x)} ${px(y)}L${px(bx - dy * 3)} ${px(by + dx * 3)}`
        + `L${px(bx + dy * 3)} ${px(by - dx * 3)}Z`;
    }
    const colour = machineColour(from);
    return `<path d="${lines}" fill="none" stroke="${colour}" `
      + `stroke-width="${heads ? 1.2 : 0.5}"/>`
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
      + `stroke="${machineColour(id)}" opacity="0.45"/>` : '')
      + `<text x="${g.left - 12}" y="${px(g.y(id) + 4)}" text-anchor="end" font-weight="600" `
      + `fill="var(--label-${id % 6})">${name}</text>`;
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
export function drawing(diagram: Diagram, view: View, how: Relation[] | null): string {
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
    + `H${g.left - 8}Z"/></clipPath><g ${FONT} clip-path="url(#${clip})">${inside}</g>`;
}

function relationOfMessage(send: Relation, receive: Relation): Relation {
  if (receive === 'past' || receive === 'self') return 'past';
  return send === 'future' || send === 'self' ? 'future' : 'concurrent';
}
