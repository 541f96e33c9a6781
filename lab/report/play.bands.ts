/** What was done to machines and links, as bands of the space-time diagram. */
import { endOf, type Fault } from '../model/faults.ts';
import type { Film } from './play.film.ts';
import type { Look } from './play.look.ts';

/** Where the diagram has its edges, seconds and machines, in pixels. */
interface Scale {
  left: number;
  right: number;
  lane: number;
  x(time_s: number): number;
  y(id: number): number;
}

const STEP_PX = 9; // From one line of the hatching to the next.

/** A pause is a hatched band, a crash an empty one with a cross, a cut a band between two lines. */
export function faultBands(
  context: CanvasRenderingContext2D, g: Scale, look: Look, film: Film,
  faults: readonly Fault[], t: number,
): void {
  context.font = `600 ${look.small_px}px ${look.font}`;
  context.textAlign = 'left';
  for (const fault of faults) {
    if (fault.at_s > t) continue;
    const x1 = Math.max(g.left, g.x(fault.at_s));
    const x2 = Math.min(g.right, g.x(Math.min(t, endOf(fault, film.duration_s))));
    if (x2 <= x1) continue;
    const [from, to] = fault.link ?? [fault.machine!, fault.machine!];
    const [y1, y2] = [g.y(from) - (from === to ? g.lane * 0.32 : 0),
      g.y(to) + (from === to ? g.lane * 0.32 : 0)];
    context.fillStyle = look.rule;
    context.globalAlpha = 0.75;
    context.fillRect(x1, y1, x2 - x1, y2 - y1);
    context.globalAlpha = 1;
    hatch(context, look, g.x(fault.at_s), x1, x2, y1, y2);
    const name = { pause: 'paused', crash: '✕ crashed', cut: `cut ${from}–${to}` }[fault.do];
    const width = context.measureText(name).width;
    if (width + 12 > x2 - x1 && g.lane < 40) continue;
    context.fillStyle = look.paper;
    context.fillRect(x1 + 3, y1 + 3, width + 8, 17);
    context.fillStyle = look.ink;
    context.fillText(name, x1 + 7, y1 + 16);
  }
}

/** Hatching that moves with its band, which began at `origin`. */
function hatch(
  context: CanvasRenderingContext2D, look: Look, origin: number, x1: number, x2: number,
  y1: number, y2: number,
): void {
  context.save();
  context.beginPath();
  context.rect(x1, y1, x2 - x1, y2 - y1);
  context.clip();
  context.strokeStyle = look.muted;
  context.lineWidth = 0.7;
  context.beginPath();
  const offset = ((origin % STEP_PX) + STEP_PX) % STEP_PX;
  const first = Math.floor((x1 - (y2 - y1)) / STEP_PX) * STEP_PX + offset - STEP_PX;
  for (let x = first; x < x2; x += STEP_PX) {
    context.moveTo(x, y2);
    context.lineTo(x + (y2 - y1), y1);
  }
  context.stroke();
  context.restore();
}
