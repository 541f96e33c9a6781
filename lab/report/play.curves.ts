/** Lag and queue over time, with what theory says: drawn once, uncovered as time goes on. */
import type { Prediction } from '../theory/predict.ts';
import type { Film } from './play.film.ts';
import {
  clear, colourOf, dashOf, labelOf, surfaceOf, type Look,
} from './play.look.ts';
import { curvesOf, type Curves } from './play.series.ts';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
const LOOKS = 700; // Times at which a curve is looked at: more than a screen has room for.
// ─────────────────────────────────────────────────────────────────────────────────────────────

export type Quantity = 'lag' | 'queue';

/** What is drawn: a film, the one beside it (paler), and theory for the first. */
export interface Shown {
  film: Film;
  beside: Film | null;
  predictions: Prediction[] | null;
}

export interface CurvesView {
  draw(shown: Shown, t: number, look: Look): void;
}

const cache = new WeakMap<Film, { events: number; curves: Curves }>();

/** The curves of a film, worked out again only when it has grown. */
function known(film: Film): Curves {
  const found = cache.get(film);
  if (found?.events === film.machine.length) return found.curves;
  const curves = curvesOf(film, LOOKS);
  cache.set(film, { events: film.machine.length, curves });
  return curves;
}

const LEFT = 40;
const TOP = 8;
const BOTTOM = 24;

/** A round number at or above x: 1, 2, 5, 10, 20 … */
function roundUp(x: number): number {
  const ten = 10 ** Math.floor(Math.log10(Math.max(x, 1)));
  return [1, 2, 5, 10].map((n) => n * ten).find((n) => n >= x)!;
}

export function curvesView(canvas: HTMLCanvasElement, quantity: Quantity): CurvesView {
  const surface = surfaceOf(canvas);
  const layer = surfaceOf(document.createElement('canvas'), false);
  const grid = surfaceOf(document.createElement('canvas'), false);
  let key = '';
  const last: { film: Film | null; beside: Film | null } = { film: null, beside: null };
  return {
    draw(shown, t, look) {
      const { width, height } = surface;
      if (width === 0) return;
      const { film, beside, predictions } = shown;
      const own = known(film);
      const other = beside && known(beside);
      const name = quantity === 'lag' ? 'lags' : 'queues';
      const most = Math.max(own[`${quantity}_max`], other?.[`${quantity}_max`] ?? 0, 4);
      const top = most <= 5 ? 5 : roundUp(most / 4) * Math.ceil(most / roundUp(most / 4));
      const right = width - 12;
      const x = (s: number) => LEFT + ((right - LEFT) * s) / film.duration_s;
      const y = (value: number) => height - BOTTOM - ((height - BOTTOM - TOP) * value) / top;
      const now = [film.name, own.times_s.length, film.machine.length, beside?.machine.length,
        width, height, top, look.ink, film.duration_s].join();
      if (now !== key || changed(film, beside)) {
        key = now;
        axes(clear(grid, width, height), look, film.duration_s, top, width, height, x, y);
        if (predictions) {
          theory(grid.context, look, predictions, quantity, film.duration_s, x, y, top);
        }
        const context = clear(layer, width, height);
        if (other) lines(context, look, other[name], other.times_s, x, y, true);
        lines(context, look, own[name], own.times_s, x, y, false);
      }
      const context = clear(surface);
      context.drawImage(grid.canvas, 0, 0, width, height);
      const until = Math.min(width, x(t));
      const sharp = layer.canvas.width / width;
      if (until > 0) {
        context.drawImage(layer.canvas, 0, 0, until * sharp, layer.canvas.height,
          0, 0, until, height);
      }
      ends(context, look, own[name], own.times_s, t, x, y, right);
    },
  };

  /** Whether other films are drawn than the last time. */
  function changed(film: Film, beside: Film | null): boolean {
    const same = last.film === film && last.beside === beside;
    last.film = film;
    last.beside = beside;
    return !same;
  }
}

type Scale = (value: number) => number;

function axes(
  context: CanvasRenderingContext2D, look: Look, duration_s: number, top: number, width: number,
  height: number, x: Scale, y: Scale,
): void {
  context.font = `${look.small_px}px ${look.font}`;
  context.fillStyle = look.muted;
  context.strokeStyle = look.rule;
  context.lineWidth = 1;
  context.textAlign = 'right';
  const step = roundUp(top / 4.01);
  for (let value = 0; value <= top; value += step) {
    context.beginPath();
    context.moveTo(LEFT, Math.round(y(value)) + 0.5);
    context.lineTo(width - 12, Math.round(y(value)) + 0.5);
    context.stroke();
    context.fillText(String(value), LEFT - 7, y(value) + 4);
  }
  const seconds = roundUp(duration_s / (width < 360 ? 4 : 6.01));
  for (let s = 0; s <= duration_s * 1.0001; s += seconds) {
    context.textAlign = s === 0 ? 'left' : s > duration_s * 0.97 ? 'right' : 'center';
    context.fillText(`${s} s`, x(s), height - 7);
  }
}

/** A machine's lag or queue as theory has it: a slope where it falls behind, else a level. */
function theory(
  context: CanvasRenderingContext2D, look: Look, predictions: Prediction[], quantity: Quantity,
  duration_s: number, x: Scale, y: Scale, top: number,
): void {
  context.setLineDash([2, 4]);
  context.lineWidth = 2;
  for (const { machine, load, lag_growth_hz, queue_growth_hz, mean_lag } of predictions) {
    const slope = quantity === 'lag' ? lag_growth_hz : queue_growth_hz;
    const level = load > 1 ? 0 : quantity === 'lag' ? mean_lag : NaN;
    if (!Number.isFinite(level) || (load > 1 && !(slope > 0))) continue;
    if (load <= 1 && predictions.length > 4) continue; // Many levels near zero say nothing.
    const end_s = slope > 0 && load > 1 ? Math.min(duration_s, top / slope) : duration_s;
    context.strokeStyle = labelOf(look, machine);
    context.beginPath();
    context.moveTo(x(0), y(level));
    context.lineTo(x(end_s), y(load > 1 ? slope * end_s : level));
    context.stroke();
  }
  context.setLineDash([]);
}

function lines(
  context: CanvasRenderingContext2D, look: Look, values: number[][], times_s: number[],
  x: Scale, y: Scale, pale: boolean,
): void {
  values.forEach((own, id) => {
    context.strokeStyle = colourOf(look, id);
    context.globalAlpha = pale ? 0.4 : 1;
    context.lineWidth = pale ? 1.2 : values.length > 12 ? 1 : 1.8;
    context.setLineDash(dashOf(id));
    context.beginPath();
    own.forEach((value, at) => {
      if (at === 0) context.moveTo(x(times_s[0]!), y(value));
      else context.lineTo(x(times_s[at]!), y(value));
    });
    context.stroke();
  });
  context.setLineDash([]);
  context.globalAlpha = 1;
}

/** At the end of each line that has grown a dot and, where there is room, the machine's id. */
function ends(
  context: CanvasRenderingContext2D, look: Look, values: number[][], times_s: number[],
  t: number, x: Scale, y: Scale, right: number,
): void {
  const step_s = times_s[1] ?? 1;
  const at = Math.min(times_s.length - 1, Math.floor(t / step_s));
  if (at < 0) return;
  const named: number[] = [];
  const byValue = values.map((own, id) => ({ id, value: own[at]! }))
    .sort((a, b) => b.value - a.value);
  context.font = `600 ${look.small_px}px ${look.font}`;
  for (const { id, value } of byValue) {
    const [px, py] = [Math.min(x(t), right), y(value)];
    context.fillStyle = labelOf(look, id);
    context.beginPath();
    context.arc(px, py, values.length > 12 ? 2 : 3.2, 0, 2 * Math.PI);
    context.fill();
    if (named.some((other) => Math.abs(other - py) < 13) || named.length > 7) continue;
    named.push(py);
    context.textAlign = px > right - 24 ? 'right' : 'left';
    context.fillText(String(id), px + (px > right - 24 ? -7 : 7), py - 4);
  }
}
