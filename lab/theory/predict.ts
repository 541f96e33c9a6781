/** The prediction of a setting's long run, machine by machine. */
import { EXACT, type Setting } from './balance.ts';
import { type Basis, frontOf } from './front.ts';
import { meanLags } from './lag.ts';

/** Of one machine, in the long run. */
export interface Prediction {
  machine: number;
  rate_hz: number;
  /** λ, messages a second. */
  arrival_hz: number;
  /** ρ = λ/r. Below 1 the queue comes back to nothing for ever, above 1 it grows for ever. */
  load: number;
  /** Receives / ticks: min(1, ρ). */
  receive_share: number;
  /** max(0, λ − r); at ρ = 1 the queue still grows, but only as √t: 0 a second in the long run. */
  queue_growth_hz: number;
  clock_growth_hz: number;
  /** Growth of the lag: c − clock_growth_hz. */
  lag_growth_hz: number;
  /** Mean over time; Infinity for a machine that is never caught up: ρ ≥ 1, or no messages. */
  mean_lag: number;
  /**
   * Where `mean_lag` and c come from. `exact`: two live machines or fewer, up to four of one rate.
   * `fitted`: formulas times a factor that was measured on such settings. `outside`: the same where
   * nothing was measured, so a guess. Loads, shares and queues are exact wherever they stand.
   */
  basis: Basis;
}

/**
 * Predicts the long run of each machine.
 *
 * `arrival_hz`, `load`, `receive_share` and `queue_growth_hz` are the balance of messages (see
 * freeTicks), exact. `clock_growth_hz` of a machine that keeps up is c (see fastestGrowth_hz). One
 * that is overloaded takes r messages a second of a stream that was sent at λ a second: at time t
 * it reads what was sent at t·r/λ, when the clocks stood at c·t·r/λ, so its own grows by c·r/λ; as
 * λ = q·S is below the rate of each live machine and so below c, the + 1 at each tick adds nothing
 * to that. `mean_lag` below the boundary: see gapBehind and staleness.
 *
 * What is derived and what is fitted: the balance, two machines (or two that are live) and up to
 * four of one rate are derived, and inside the intervals of long sweeps, about 1 %. For more, c
 * and the lags are formulas times a **fitted** factor (measured.ts says how large and how wrong,
 * RANGE where). `npx tsx theory.ts --grid` prints the errors.
 *
 * Outside that range, as with three live machines at internal below 0.3, where waves of messages
 * run to and fro, nothing here holds: lags have been 50 % off. `basis` says so.
 *
 * The second team's conjecture: drift ≈ R/r if the slow machine always receives while its queue
 * does not grow, else R/r over the share of its ticks that receive. That is K/ρ, and as ρ is nearly
 * q·K it is nearly 1/q, whatever the ratio: the fast clock's climb from one message to the next,
 * the *height* of the sawtooth and not its mean. The mean is K/2 − 1 + (K − 1)·n + the wait in the
 * queue (gapBehind), from 0.3 for equal machines to no bound at K = 1/q. At internal 0.7 and K = 2,
 * 2.5, 3 the conjecture says 3.6, 3.4, 3.4 where 2.0, 3.5, 9.9 hold: the curves cross at ρ = 0.72.
 * In a minute 1-3 has come to no more than 6.4, which helps to believe it. And "always receives,
 * but no queue" does not last: at ρ = 1 the queue grows as √t (meanLagOverRun).
 * @throws RangeError if a rate is not above 0, or `internal` not in 0 … 1
 */
export function predict(setting: Setting): Prediction[] {
  const front = frontOf(setting);
  const { send, free_hz, sum_hz, growth_hz, basis } = front;
  const lags = meanLags(front);
  return setting.rates_hz.map((rate_hz, machine) => {
    const arrival_hz = send * Math.max(0, sum_hz - free_hz[machine]!);
    const exact = arrival_hz / rate_hz;
    const load = Math.abs(exact - 1) < 2 * EXACT ? 1 : exact;
    const keepsUp = free_hz[machine]! > 0;
    // Without messages each clock is its own.
    const clock_growth_hz = send === 0 ? rate_hz : keepsUp ? growth_hz : growth_hz / load;
    return {
      machine, rate_hz, arrival_hz, load, receive_share: Math.min(1, load),
      queue_growth_hz: load <= 1 ? 0 : arrival_hz - rate_hz, clock_growth_hz,
      lag_growth_hz: growth_hz - clock_growth_hz, mean_lag: lags[machine]!, basis,
    };
  });
}
