/**
 * The space-time diagram, growing with time: a line for each machine, a mark for each event, an
 * arrow for each message that was taken. What still waits is a fan of thin lines that ends at now.
 */
import { endOf, type Fault } from '../model/faults.ts';
import { type Relation, relations, vectorClocks } from '../model/causality.ts';
import { faultBands } from './play.bands.ts';
import { countUpTo, type Film, LOST_SEEN_S, type Message } from './play.film.ts';
import {
  clear, colourOf, dashOf, head, labelOf, mark, surfaceOf, type Look,
} from './play.look.ts';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
const EVENTS_SHOWN = 110; // At first a window holds about so many events: they can be told apart.
const SPAN_LEAST_S = 0.05;
const NOW_AT = 0.94; // Where in the window now is, once the run has grown to it.
const REACH_PX = 24; // An event is meant if the pointer is as near as this.
const ARROWS_MOST = 3000; // More than this would be a grey mass, and slow.
const HEADS_MOST = 500;
// ─────────────────────────────────────────────────────────────────────────────────────────────

export interface View {
  span_s: number;
  /** Where the window begins; null: it follows the time. */
  from_s: number | null;
  /** Places in the film, or −1. */
  hovered: number;
  selected: number;
}

/** What else is drawn: what was done to machines, and when two futures part. */
export interface Besides {
  faults: readonly Fault[];
  parts_s: number | null;
}

/** The span that shows about as many events as can be told apart. */
export function spanOf({ rates_hz, duration_s }: Film, share = 1): number {
  const ticks_hz = rates_hz.reduce((sum, rate_hz) => sum + rate_hz, 0) || 1;
  const events = EVENTS_SHOWN * Math.max(1, rates_hz.length / 6) * share;
  return Math.max(SPAN_LEAST_S, Math.min(duration_s, events / ticks_hz));
}

export const windowOf = ({ span_s, from_s }: View, t: number): [number, number] => {
  const begin = from_s ?? Math.max(0, t - span_s * NOW_AT);
  return [begin, begin + span_s];
};

const TOP = 26;
const BOTTOM = 30;
const RIGHT = 18;

function geometry(film: Film, view: View, t: number, width: number, height: number) {
  const [from_s, to_s] = windowOf(view, t);
  const left = film.machines > 20 ? 26 : width < 480 ? 22 : 40;
  const px_s = (width - left - RIGHT) / (to_s - from_s);
  const lane = (height - TOP - BOTTOM) / film.machines;
  return {
    left, right: width - RIGHT, bottom: height - BOTTOM, px_s, lane, from_s, to_s,
    x: (s: number) => left + (s - from_s) * px_s,
    s: (x: number) => from_s + (x - left) / px_s,
    y: (id: number) => TOP + lane * (id + 0.5),
  };
}
type Geometry = ReturnType<typeof geometry>;

export interface DiagramView {
  draw(film: Film, t: number, view: View, look: Look, besides: Besides): void;
  /** The event at a place of the canvas, or −1. */
  at(film: Film, t: number, view: View, x: number, y: number): number;
  /** Where an event stands on the canvas. */
  place(film: Film, t: number, view: View, event: number): [number, number];
  /** Model seconds that so many pixels are. */
  seconds(film: Film, t: number, view: View, px: number): number;
}

export function diagramView(canvas: HTMLCanvasElement): DiagramView {
  const surface = surfaceOf(canvas);
  /** Vector clocks are worked out once for a film that is whole, again for one that grew. */
  let known: { film: Film; events: number; clocks: Int32Array } | null = null;
  const clocksOf = (film: Film) => {
    if (known?.film !== film || known.events !== film.machine.length) {
      known = { film, events: film.machine.length, clocks: vectorClocks(film) };
    }
    return known.clocks;
  };
  const layout = (film: Film, t: number, view: View) =>
    geometry(film, view, t, surface.width, surface.height);
  return {
    draw(film, t, view, look, besides) {
      const context = clear(surface);
      const g = layout(film, t, view);
      if (!(g.px_s > 0)) return;
      axis(context, g, look);
      faultBands(context, g, look, film, besides.faults, t);
      const event = view.hovered >= 0 ? view.hovered : view.selected;
      const how = event >= 0 ? relations(film, clocksOf(film), event) : null;
      context.save();
      context.beginPath();
      context.rect(g.left - 1, 0, g.right - g.left + 2, surface.height);
      context.clip();
      if (how) cones(context, g, look, film, how, t);
      if (how && g.lane >= 40) coneNames(context, g, look, film, event, t);
      lanes(context, g, look, film, t);
      arrows(context, g, look, film, t, diedAt(besides.faults, film, t));
      events(context, g, look, film, t, event);
      now(context, g, look, t, besides.parts_s);
      context.restore();
      names(context, g, look, film);
    },
    at(film, t, view, x, y) {
      const g = layout(film, t, view);
      let [best, least] = [-1, REACH_PX];
      const id = Math.round((y - TOP) / g.lane - 0.5);
      for (const lane of [id - 1, id, id + 1]) {
        for (const place of shown(film, lane, g, t)) {
          const distance = Math.hypot(g.x(film.time_s[place]!) - x, (g.y(lane) - y) * 1.2);
          if (distance < least) [best, least] = [place, distance];
        }
      }
      return best;
    },
    place(film, t, view, event) {
      const g = layout(film, t, view);
      return [g.x(film.time_s[event]!), g.y(film.machine[event]!)];
    },
    seconds: (film, t, view, px) => px / layout(film, t, view).px_s,
  };
}

/** Places of a machine's ticks in the window, up to now. */
function shown(film: Film, id: number, { from_s, to_s }: Geometry, t: number): number[] {
  const lane = film.lanes[id] ?? [];
  const time = (at: number) => film.time_s[lane[at]!]!;
  const first = countUpTo(lane.length, time, from_s - 1e-9);
  const last = countUpTo(lane.length, time, Math.min(to_s, t));
  return lane.slice(first, last).filter((place) => film.event[place] !== 'start');
}

function axis(context: CanvasRenderingContext2D, g: Geometry, look: Look): void {
  const least = 70 / g.px_s;
  const ten = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((n) => n * ten).find((s) => s >= least)!;
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  context.strokeStyle = look.rule;
  context.fillStyle = look.muted;
  context.lineWidth = 1;
  context.font = `${look.small_px}px ${look.font}`;
  context.textAlign = 'center';
  for (let n = Math.ceil(g.from_s / step); n * step <= g.to_s; n++) {
    const x = Math.round(g.x(n * step)) + 0.5;
    context.beginPath();
    context.moveTo(x, TOP - 10);
    context.lineTo(x, g.bottom);
    context.stroke();
    context.fillText(`${(n * step).toFixed(digits)} s`, x, g.bottom + 18);
  }
}

/** On each machine the past of an event is a stretch up to one event, its future from another. */
function cones(
  context: CanvasRenderingContext2D, g: Geometry, look: Look, film: Film, how: Relation[],
  t: number,
): void {
  context.lineCap = 'round';
  context.lineWidth = Math.min(24, g.lane * 0.5);
  film.lanes.forEach((lane, id) => {
    let [last, first] = [-Infinity, Infinity];
    for (const place of lane) {
      const s = film.time_s[place]!;
      if (s > t) break;
      if (how[place] === 'past' || how[place] === 'self') last = s;
      if ((how[place] === 'future' || how[place] === 'self') && s < first) first = s;
    }
    const band = (from_s: number, to_s: number, colour: string) => {
      if (!(to_s >= from_s) || to_s < g.from_s || from_s > g.to_s) return;
      context.strokeStyle = colour;
      context.beginPath();
      context.moveTo(g.x(from_s), g.y(id));
      context.lineTo(g.x(to_s) + 0.01, g.y(id));
      context.stroke();
    };
    band(0, last, look.past);
    band(first, t, look.future);
  });
  context.lineCap = 'butt';
}

/** Below the bands of the event's own machine, what they are: colours are not the only sign. */
function coneNames(
  context: CanvasRenderingContext2D, g: Geometry, look: Look, film: Film, event: number, t: number,
): void {
  const x = g.x(film.time_s[event]!);
  const y = g.y(film.machine[event]!) + Math.min(28, g.lane * 0.45);
  context.font = `${look.small_px}px ${look.font}`;
  context.fillStyle = look.ink;
  context.textAlign = 'right';
  if (x - g.left > 70) context.fillText('its past', x - 12, y);
  context.textAlign = 'left';
  if (g.x(Math.min(t, g.to_s)) - x > 76) context.fillText('its future', x + 12, y);
}

function lanes(
  context: CanvasRenderingContext2D, g: Geometry, look: Look, film: Film, t: number,
): void {
  context.lineWidth = 1.5;
  for (const [id, lane] of film.lanes.entries()) {
    const last = lane.at(-1);
    const stopped = last !== undefined && film.event[last] === 'stop' ? film.time_s[last]! : t;
    context.globalAlpha = 0.5;
    context.strokeStyle = colourOf(look, id);
    context.setLineDash(dashOf(id));
    context.beginPath();
    context.moveTo(g.x(Math.max(0, g.from_s)), g.y(id));
    context.lineTo(g.x(Math.min(t, stopped, g.to_s)), g.y(id));
    context.stroke();
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
}

/** When each machine that is dead at a time died; Infinity of those that are not. */
const diedAt = (faults: readonly Fault[], film: Film, t: number): number[] =>
  film.lanes.map((_, id) => faults.find((one) => one.do === 'crash' && one.machine === id
    && one.at_s <= t && t < endOf(one, film.duration_s))?.at_s ?? Infinity);

/** Messages of which the window shows a part, the latest first. */
function visible(film: Film, g: Geometry, t: number): Message[] {
  const { messages } = film;
  const found: Message[] = [];
  const upto = Math.min(t, g.to_s);
  let at = countUpTo(messages.length, (place) => messages[place]!.sent_s, upto) - 1;
  for (; at >= 0 && found.length < ARROWS_MOST; at--) {
    const message = messages[at]!;
    if (Math.min(message.gone_s, t) >= g.from_s) found.push(message);
    else if (message.sent_s < g.from_s - film.duration_s) break;
  }
  return found;
}

function arrows(
  context: CanvasRenderingContext2D, g: Geometry, look: Look, film: Film, t: number,
  died_s: readonly number[],
): void {
  const messages = visible(film, g, t);
  const heads = messages.length <= HEADS_MOST;
  const paths = film.lanes.map(() => ({ taken: new Path2D(), tips: new Path2D(),
    waiting: new Path2D() }));
  const ring = Math.min(5, g.lane * 0.28) + 1;
  for (const { from, to, sent_s, arrival_s, gone_s, taken, lost } of messages) {
    const { taken: lines, tips, waiting } = paths[from]!;
    const [x1, y1, y2] = [g.x(sent_s), g.y(from), g.y(to)];
    const end_s = Math.min(gone_s, t);
    const isDead = taken < 0 && gone_s > t && died_s[to]! <= t;
    if (lost || isDead || (taken < 0 && gone_s <= t)) {
      // It never came, or was thrown away: a line that ends in a cross.
      const at_s = !isDead ? arrival_s
        : sent_s > died_s[to]! ? sent_s + LOST_SEEN_S : died_s[to]!;
      const half = lost || (isDead && sent_s > died_s[to]!);
      const [x, y] = [g.x(Math.min(t, at_s)), y1 + (y2 - y1) * (half ? 0.5 : 0.85)];
      waiting.moveTo(x1, y1);
      waiting.lineTo(x, y);
      if (t >= at_s) cross(tips, x, y);
      continue;
    }
    const x2 = g.x(end_s);
    if (gone_s > t) {
      const share = arrival_s > t && arrival_s > sent_s
        ? (t - sent_s) / (arrival_s - sent_s) : 1;
      waiting.moveTo(x1, y1);
      waiting.lineTo(x2, y1 + (y2 - y1) * share);
      continue;
    }
    const length = Math.hypot(x2 - x1, y2 - y1) || 1;
    const [dx, dy] = [(x2 - x1) / length, (y2 - y1) / length];
    lines.moveTo(x1, y1);
    lines.lineTo(x2 - dx * ring, y2 - dy * ring);
    if (heads) head(tips, x2 - dx * ring, y2 - dy * ring, dx, dy, 8);
    if ((arrival_s - sent_s) * g.px_s > 6 && (gone_s - arrival_s) * g.px_s > 8) {
      // Where it arrived, apart from where it was taken.
      tips.rect(g.x(arrival_s) - 1, y2 - Math.sign(y2 - y1) * 9, 2, Math.sign(y2 - y1) * 5);
    }
  }
  paths.forEach(({ taken, tips, waiting }, id) => {
    context.strokeStyle = context.fillStyle = colourOf(look, id);
    context.lineWidth = heads ? 1.3 : 0.6;
    context.globalAlpha = heads ? 0.85 : 0.32;
    context.stroke(taken);
    context.fill(tips);
    if (!heads) return; // A fan for each of many machines hides all else.
    context.globalAlpha = 0.4;
    context.setLineDash([3, 4]);
    context.stroke(waiting);
    context.setLineDash([]);
  });
  context.globalAlpha = 1;
}

/** A cross as a shape that can be filled. */
function cross(path: Path2D, x: number, y: number): void {
  for (const side of [1, -1]) {
    path.moveTo(x - 5, y - 4 * side - 1);
    path.lineTo(x + 5, y + 4 * side - 1);
    path.lineTo(x + 5, y + 4 * side + 1);
    path.lineTo(x - 5, y - 4 * side + 1);
    path.closePath();
  }
}

function events(
  context: CanvasRenderingContext2D, g: Geometry, look: Look, film: Film, t: number,
  event: number,
): void {
  const size = Math.max(2, Math.min(5, g.lane * 0.28));
  const numbers = g.lane >= 30;
  context.textAlign = 'center';
  context.font = `${look.small_px}px ${look.font}`;
  film.lanes.forEach((_, id) => {
    let free = -Infinity;
    for (const place of shown(film, id, g, t)) {
      const [x, y] = [g.x(film.time_s[place]!), g.y(id)];
      if (film.event[place] === 'stop') continue;
      mark(context, look, film.event[place]!, id, x, y, size);
      const text = String(film.clock[place]);
      const half = text.length * look.small_px * 0.32 + 3;
      if (!numbers || x - half < Math.max(free, g.left)) continue;
      context.fillStyle = labelOf(look, id);
      context.fillText(text, x, y - size - 6);
      free = x + half;
    }
  });
  if (event < 0 || film.time_s[event]! > t) return;
  const [x, y] = [g.x(film.time_s[event]!), g.y(film.machine[event]!)];
  context.strokeStyle = look.ink;
  context.lineWidth = 2;
  context.beginPath();
  context.arc(x, y, size + 5, 0, 2 * Math.PI);
  context.stroke();
}

/** Now, and where two futures part. */
function now(
  context: CanvasRenderingContext2D, g: Geometry, look: Look, t: number, parts_s: number | null,
): void {
  const line = (s: number, dash: number[], name: string) => {
    const x = g.x(s);
    if (x < g.left || x > g.right) return;
    context.strokeStyle = look.ink;
    context.lineWidth = 1;
    context.setLineDash(dash);
    context.beginPath();
    context.moveTo(x, 12);
    context.lineTo(x, g.bottom);
    context.stroke();
    context.setLineDash([]);
    context.fillStyle = look.ink;
    context.font = `600 ${look.small_px}px ${look.font}`;
    context.textAlign = x > g.right - 80 ? 'right' : 'left';
    context.fillText(name, x + (x > g.right - 80 ? -5 : 5), 14);
  };
  line(t, [], '');
  if (parts_s !== null && parts_s <= t) line(parts_s, [5, 4], 'here they part');
}

function names(
  context: CanvasRenderingContext2D, g: Geometry, look: Look, film: Film,
): void {
  context.font = `600 ${g.lane < 12 ? 9 : look.small_px + 1}px ${look.font}`;
  context.textAlign = 'right';
  for (let id = 0; id < film.machines; id++) {
    context.fillStyle = labelOf(look, id);
    context.fillText(String(id), g.left - 9, g.y(id) + 4);
  }
}
