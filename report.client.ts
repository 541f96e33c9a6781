/**
 * The space-time diagram: a line for each machine, a dot for each event, an arrow for each message.
 * The page of a report runs this file as it is, so it imports nothing; plot.ts and analyze.ts take
 * the drawing and the vector clocks from it, so that there is one of each.
 */

/** A run's ticks in the order of time, one place each in the columns. */
export interface Diagram {
  name: string;
  machines: number;
  /** Model seconds: of the run, and until which each machine was heard of. */
  end_s: number;
  ends_s: number[];
  /** How many the whole run has; the columns may hold only the first of them. */
  events: number;
  machine: number[];
  time_s: number[];
  /** `i`nternal, `s`end or `r`eceive. */
  event: string[];
  /** A send's receivers, separated by a space, or a receive's sender; else empty. */
  peer: string[];
  /** The value that was sent or taken; null of an internal event. */
  message: (number | null)[];
  queue: number[];
  clock: number[];
  /** Of a receive the place of its send, or −1. */
  cause: number[];
}

/** What part of it is drawn, in which size, and which event is looked at (−1: none). */
export interface View {
  from_s: number;
  to_s: number;
  width: number;
  selected: number;
}

// ── Happened-before ──────────────────────────────────────────────────────────────────────────

/**
 * The vector clock of each event (Fidge 1988, Mattern 1989): entry j counts the events of machine
 * j that it can know of, itself included. Row by row, `machines` numbers each.
 */
export function vectorClocks({ machines, machine, cause }: Diagram): Int32Array {
  const clocks = new Int32Array(machine.length * machines);
  const own: number[][] = Array.from({ length: machines }, () => []);
  for (const [at, id] of machine.entries()) own[id]!.push(at);
  const done = new Int32Array(machines);
  const known = new Uint8Array(machine.length);
  // In rounds, since a receive may stand before its send where the clocks of hosts disagree. A
  // round without progress means that the logs contradict themselves: then a cause is left out.
  for (let left = machine.length, stuck = false; left > 0;) {
    const before = left;
    for (let id = 0; id < machines; id++) {
      for (let at; (at = own[id]![done[id]!]) !== undefined; done[id]!++, left--) {
        const from = cause[at]!;
        if (from >= 0 && !known[from] && !stuck) break;
        stuck = false;
        const previous = own[id]![done[id]! - 1];
        for (let j = 0; j < machines; j++) {
          clocks[at * machines + j] = Math.max(
            previous === undefined ? 0 : clocks[previous * machines + j]!,
            from < 0 ? 0 : clocks[from * machines + j]!);
        }
        clocks[at * machines + id] = done[id]! + 1;
        known[at] = 1;
      }
    }
    stuck = left === before;
  }
  return clocks;
}

export type Relation = 'self' | 'past' | 'future' | 'concurrent';

/** How each event stands to one of them, from the vector clocks. */
export function relations(
  { machines, machine }: Diagram, clocks: Int32Array, to: number,
): Relation[] {
  const entry = (at: number, id: number) => clocks[at * machines + id]!;
  const own = entry(to, machine[to]!);
  return machine.map((id, at) => (at === to ? 'self'
    : entry(to, id) >= entry(at, id) ? 'past'
    : entry(at, machine[to]!) >= own ? 'future' : 'concurrent'));
}

// ── Drawing ──────────────────────────────────────────────────────────────────────────────────

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

// ── Words ────────────────────────────────────────────────────────────────────────────────────

const seconds = (s: number) => `${s.toFixed(3)} s`;
const list = (words: (string | number)[]) =>
  (words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`);

/** What happened at an event, in a sentence. */
export function tell(diagram: Diagram, at: number): string {
  const { machine, event, peer, message, time_s, cause } = diagram;
  const who = `Machine ${machine[at]}`;
  const when = `at ${seconds(time_s[at]!)}`;
  if (event[at] === 'i') return `${who}, ${when}: an internal event.`;
  if (event[at] === 'r') {
    const sent = cause[at]! < 0 ? ''
      : `, sent at ${seconds(time_s[cause[at]!]!)}: it waited ${
        seconds(time_s[at]! - time_s[cause[at]!]!)}`;
    return `${who}, ${when}: receives ${message[at]} from machine ${peer[at]}${sent}.`;
  }
  const taken = new Map(takers(diagram, at).map((to) => [machine[to]!, time_s[to]!]));
  const told = peer[at]!.split(' ').map((id) => (taken.has(Number(id))
    ? `machine ${id} (taken ${seconds(taken.get(Number(id))! - time_s[at]!)} later)`
    : `machine ${id} (not taken)`));
  return `${who}, ${when}: sends ${message[at]} to ${list(told)}.`;
}

/** The receives of a send. */
const takers = ({ cause }: Diagram, at: number): number[] =>
  cause.flatMap((from, to) => (from === at ? [to] : []));

/** Clock, queue and vector clock of an event; of many machines only the entries above 0. */
export function state({ machines, clock, queue }: Diagram, clocks: Int32Array, at: number): string {
  const vector = [...clocks.subarray(at * machines, (at + 1) * machines)];
  const entries = machines <= 12 ? `[${vector.join(' ')}]`
    : `{${vector.flatMap((n, id) => (n > 0 ? [`${id}: ${n}`] : [])).join(', ')}}`;
  return `clock ${clock[at]} · queue ${queue[at]} · vector clock ${entries}`;
}

/** What the window shows, and whether this is all. */
export function extent(diagram: Diagram, view: View): string {
  const { end_s, events, time_s } = diagram;
  const shown = inView(diagram, view).events.length;
  const whole = view.from_s <= 0 && view.to_s >= end_s && events === time_s.length;
  const s = (x: number) => Number(x.toFixed(view.to_s - view.from_s < 5 ? 2 : 1));
  return (whole ? `The whole run: ${s(end_s)} s and ${events} events.`
    : `A part: ${s(view.from_s)}–${s(view.to_s)} s of ${s(end_s)} s, `
      + `${shown} of ${events} events.`)
    + (events === time_s.length ? ''
      : ` This page holds the first ${time_s.length} events, up to ${s(time_s.at(-1) ?? 0)} s.`);
}

// ── On the page ──────────────────────────────────────────────────────────────────────────────

/** An event is meant if the pointer is as near as this. */
const REACH_PX = 26;
const ZOOM = 1.5;
const SPAN_MIN_S = 0.02;

/** Brings a drawn diagram to life: mouse, fingers and keys move its window and select events. */
export function mount(figure: HTMLElement): void {
  const diagram = JSON.parse(figure.querySelector('script')!.textContent!) as Diagram;
  const svg = figure.querySelector('svg')!;
  const screen = screenOf(figure, svg, diagram);
  const { view, select, show, zoom, pan } = screen;
  const { time_s, end_s } = diagram;
  const walk = walkOn(diagram, view);
  /** An event that was clicked, or reached by the keys, stays selected when the pointer moves. */
  let held = false;

  /** The place of the pointer in the picture. */
  const place = ({ clientX, clientY }: MouseEvent): [number, number] => {
    const { left, top } = svg.getBoundingClientRect();
    return [clientX - left, clientY - top];
  };
  pointer(svg, {
    hover: (mouse) => {
      if (!held) select(mouse ? nearest(diagram, view, ...place(mouse)) : -1);
    },
    click: (mouse) => {
      const at = nearest(diagram, view, ...place(mouse));
      held = at >= 0 && !(held && at === view.selected);
      select(at);
    },
    drag: (by_px) => pan(-by_px / geometry(diagram, view).px_s),
    zoom: (factor, mouse) => zoom(factor, geometry(diagram, view).s(place(mouse)[0])),
  });

  const go = (at: number | undefined) => {
    if (at === undefined || at < 0) return;
    held = true;
    select(at);
    const span = view.to_s - view.from_s;
    if (time_s[at]! < view.from_s || time_s[at]! > view.to_s) show(time_s[at]! - span / 2, span);
  };
  const middle = () =>
    (view.selected >= 0 ? time_s[view.selected]! : (view.from_s + view.to_s) / 2);
  const keys: Record<string, () => void> = {
    ArrowRight: () => go(walk.along(1)),
    ArrowLeft: () => go(walk.along(-1)),
    ArrowDown: () => go(walk.across(1)),
    ArrowUp: () => go(walk.across(-1)),
    Home: () => go(walk.end(0)),
    End: () => go(walk.end(-1)),
    Enter: () => go(walk.message()),
    Escape: () => {
      held = false;
      select(-1);
    },
    PageDown: () => pan((view.to_s - view.from_s) * 0.8),
    PageUp: () => pan((view.from_s - view.to_s) * 0.8),
    '+': () => zoom(ZOOM, middle()),
    '=': () => zoom(ZOOM, middle()), // The same key without shift.
    '-': () => zoom(1 / ZOOM, middle()),
    0: () => show(0, end_s),
  };
  svg.addEventListener('keydown', (event) => {
    const key = keys[event.key];
    if (!key || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    key();
  });
  for (const button of figure.querySelectorAll('button')) {
    button.addEventListener('click', () => keys[button.value]!());
  }
}

/** What is seen: the window of the run, the selected event, and how to change them. */
function screenOf(figure: HTMLElement, svg: SVGSVGElement, diagram: Diagram) {
  const clocks = vectorClocks(diagram);
  const slider = figure.querySelector('input')!;
  const words = figure.querySelector('output')!;
  const note = figure.querySelector('.extent')!;
  const { end_s } = diagram;
  // The first window is meant for the widest page: a narrower one begins with less of the run.
  const share = Math.min(1, Math.max(0.25, svg.clientWidth / Number(svg.getAttribute('width'))));
  const to_s = Math.min(end_s, Number(figure.dataset.window) * share);
  const view: View = { from_s: 0, to_s: Math.max(SPAN_MIN_S, to_s), width: 0, selected: -1 };
  let how: Relation[] | null = null;
  let asked = false;

  const paint = () => {
    asked = false;
    view.width = svg.clientWidth;
    if (view.width === 0) return; // It is not shown.
    const { height } = geometry(diagram, view);
    svg.setAttribute('viewBox', `0 0 ${view.width} ${height}`);
    svg.setAttribute('width', String(view.width));
    svg.setAttribute('height', String(height));
    svg.innerHTML = drawing(diagram, view, how);
    [svg.dataset.from, svg.dataset.to] = [String(view.from_s), String(view.to_s)];
    note.textContent = extent(diagram, view);
    slider.max = String(Math.max(0, end_s - (view.to_s - view.from_s)));
    slider.value = String(view.from_s);
    slider.disabled = Number(slider.max) === 0;
  };
  /** Draws once in a frame, however often it is asked to. */
  const draw = () => {
    if (!asked) requestAnimationFrame(paint);
    asked = true;
  };

  const show = (from_s: number, span_s: number) => {
    const span = Math.max(SPAN_MIN_S, Math.min(end_s, span_s));
    view.from_s = Math.max(0, Math.min(end_s - span, from_s));
    view.to_s = view.from_s + span;
    draw();
  };
  const pan = (by_s: number) => show(view.from_s + by_s, view.to_s - view.from_s);
  /** What is at a time stays where it is. */
  const zoom = (factor: number, about_s: number) => {
    const span = Math.min(end_s, (view.to_s - view.from_s) / factor);
    show(about_s - ((about_s - view.from_s) / (view.to_s - view.from_s)) * span, span);
  };
  /** Selects an event, or with −1 none, and says what it is. */
  const select = (at: number) => {
    if (at === view.selected) return;
    view.selected = at;
    how = at < 0 ? null : relations(diagram, clocks, at);
    words.dataset.event = String(at);
    words.replaceChildren(...(how ? sentences(diagram, clocks, at, how) : [words.dataset.hint!]));
    draw();
  };

  slider.addEventListener('input', () => show(Number(slider.value), view.to_s - view.from_s));
  new ResizeObserver(draw).observe(svg);
  return { view, show, pan, zoom, select };
}

/** What is said of an event, line by line. */
function sentences(
  diagram: Diagram, clocks: Int32Array, at: number, how: Relation[],
): HTMLElement[] {
  const many = (relation: Relation) => how.filter((one) => one === relation).length;
  const lines = [['b', tell(diagram, at)], ['span', state(diagram, clocks, at)],
    ['span', `${many('past')} events in its past, ${many('future')} in its future, `
      + `${many('concurrent')} concurrent`]] as const;
  return lines.map(([name, text]) => {
    const element = document.createElement(name);
    element.textContent = text;
    return element;
  });
}

/** The event nearest to a place in the picture, or −1 if none is near. */
function nearest(diagram: Diagram, view: View, x: number, y: number): number {
  const g = geometry(diagram, view);
  let best = -1;
  let least = REACH_PX;
  for (const at of inView(diagram, view).events) {
    const distance = Math.hypot(g.x(diagram.time_s[at]!) - x, g.y(diagram.machine[at]!) - y);
    if (distance < least) [best, least] = [at, distance];
  }
  return best;
}

/** From the selected event to others; from none to the first in view. */
function walkOn(diagram: Diagram, view: View) {
  const { machine, machines, time_s, cause } = diagram;
  const own: number[][] = Array.from({ length: machines }, () => []);
  for (const [at, id] of machine.entries()) own[id]!.push(at);
  const lane = () => own[machine[view.selected]!]!;
  const since = (next: () => number | undefined) =>
    (view.selected < 0 ? inView(diagram, view).events[0] : next());
  const close = (id: number) => own[id]!.reduce((best, at) => {
    const far = (event: number) => Math.abs(time_s[event]! - time_s[view.selected]!);
    return far(at) < far(best) ? at : best;
  }, own[id]![0]!);
  return {
    /** The next event of the machine in a direction: 1 or −1. */
    along: (by: number) => since(() => lane()[lane().indexOf(view.selected) + by]),
    /** The nearest in time on the next line that has any. */
    across: (by: number) => since(() => {
      let id = machine[view.selected]! + by;
      while (own[id]?.length === 0) id += by;
      return own[id] && close(id);
    }),
    /** The machine's first event (0) or its last (−1). */
    end: (place: number) => (view.selected < 0 ? machine.map((_, at) => at) : lane()).at(place),
    /** From a receive to its send, from a send to its first receive. */
    message: () => since(() => (cause[view.selected]! >= 0 ? cause[view.selected]!
      : takers(diagram, view.selected)[0])),
  };
}

/** Mouse, pen and fingers, as what is meant by them. */
function pointer(svg: SVGSVGElement, on: {
  hover(mouse: MouseEvent | null): void;
  click(mouse: MouseEvent): void;
  drag(by_px: number): void;
  zoom(factor: number, about: MouseEvent): void;
}): void {
  const down = new Map<number, PointerEvent>();
  let moved_px = 0;
  const distance = () => {
    const [one, other] = [...down.values()];
    return Math.hypot(one!.clientX - other!.clientX, one!.clientY - other!.clientY);
  };
  svg.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    down.set(event.pointerId, event);
    moved_px = down.size > 1 ? Infinity : 0;
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener('pointermove', (event) => {
    const before = down.get(event.pointerId);
    if (!before) return event.pointerType === 'mouse' ? on.hover(event) : undefined;
    const apart = down.size === 2 ? distance() : 0;
    down.set(event.pointerId, event);
    const by_px = event.clientX - before.clientX;
    moved_px += Math.abs(by_px) + Math.abs(event.clientY - before.clientY);
    if (apart > 0) on.zoom(distance() / apart, event);
    else if (moved_px > 4) on.drag(by_px);
  });
  const up = (event: PointerEvent) => {
    const was = down.delete(event.pointerId);
    if (was && event.type === 'pointerup' && moved_px <= 4) on.click(event);
  };
  svg.addEventListener('pointerup', up);
  svg.addEventListener('pointercancel', up);
  svg.addEventListener('pointerleave', (event) => {
    if (event.pointerType === 'mouse' && down.size === 0) on.hover(null);
  });
  svg.addEventListener('wheel', (event) => {
    // The wheel scrolls the page, unless the diagram has been clicked or Ctrl is held.
    const here = event.ctrlKey || event.metaKey || document.activeElement === svg;
    const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (!here && !sideways) return;
    event.preventDefault();
    if (sideways) on.drag(-(event.deltaX || event.deltaY));
    else on.zoom(Math.exp(-event.deltaY / 300), event);
  }, { passive: false });
}

if (typeof document !== 'undefined') {
  for (const figure of document.querySelectorAll<HTMLElement>('.live')) mount(figure);
}
