/**
 * The balance of messages: who is free to send, how much comes in, and where the boundary lies.
 *
 * Words of this room: r a rate, λ the messages that come in a second, ρ = λ/r the load, s the free
 * ticks a second (those that do not receive), S their sum over all machines, q the chance that a
 * free tick sends to a given peer, c the growth of the highest clock. All is for latency 0 and no
 * loss.
 */

/** A load this near to 1 is 1: rates such as 2-4-1 meet the boundary exactly, digits do not. */
export const EXACT = 1e-12;

export interface Setting {
  rates_hz: number[];
  internal: number;
}

/**
 * q, the chance that a free tick sends to a given peer, read off the exercise's three parts: two of
 * them pick one of N − 1 peers, the third takes all, so q = (1 − internal)·(2/(N − 1) + 1)/3. For
 * N = 2 that is 1 − internal, for N = 3 two thirds of it. Nobody to send to: 0.
 */
export function sendShare(machines: number, internal: number): number {
  return machines < 2 ? 0 : ((1 - internal) * (2 / (machines - 1) + 1)) / 3;
}

/**
 * Free ticks a second of each machine, and S: the one solution of s_j = max(0, r_j − λ_j) with
 * λ_j = q·(S − s_j).
 *
 * Where s_j > 0 the equation gives s_j = (r_j − q·S)/(1 − q), where it is 0 it needs r_j ≤ q·S: so
 * s_j = max(0, r_j − q·S)/(1 − q) either way. The sum of the right side falls in S and starts
 * above 0, so it meets S once: there is one solution. The machines with free ticks are the fastest
 * k, and adding them up gives S = (r_1 + … + r_k)/(1 − q + k·q). It is enough to take machines
 * in, fastest first, as long as the next one has r > q·S. No iteration, N·log N steps.
 *
 * In the long run it is exact: free ticks send by a die that knows nothing of the past, so a
 * machine gets q·(S − s) a second, and a queue that comes back to 0 is served as fast as it comes.
 * Left out is the start from empty queues, and chance at ρ = 1.
 */
export function freeTicks(rates_hz: number[], send: number): { free_hz: number[]; sum_hz: number } {
  const falling = [...rates_hz].sort((a, b) => b - a);
  let [k, rates, sum_hz] = [0, 0, 0];
  for (const rate of falling) {
    if (rate < falling[0]! && rate <= send * sum_hz * (1 + EXACT)) break;
    rates += rate;
    sum_hz = rates / (1 + k * send);
    k++;
  }
  // (r − q·S)/(1 − q), written so that equal machines need no division by 1 − q, which can be 0.
  const free_hz = rates_hz.map((rate) => {
    const above = k * rate - rates;
    if (rate < falling[k - 1]!) return 0;
    return (rate + (above === 0 ? 0 : (send * above) / (1 - send))) / (1 + (k - 1) * send);
  });
  return { free_hz, sum_hz };
}

/**
 * The rate at which one more machine beside these others has load 1: at the boundary it sends
 * nothing, so the others balance by themselves, and it gets q·S of them. q is that of all.
 */
export function criticalRate_hz(others_hz: number[], internal: number): number {
  const send = sendShare(others_hz.length + 1, internal);
  return send * freeTicks(others_hz, send).sum_hz;
}

/**
 * The ratio fast/slow at which the slow machines have load 1, with `fast` machines of one rate and
 * the rest of another: (1 + (fast − 1)·q)/(fast·q). Two machines: 1/q = 1/(1 − internal), 10/3
 * at 0.7: what the second team found. Three: 5 with one fast machine, 3 with two. The slow
 * machine's own messages move nothing there, since at the boundary it has no tick left to send.
 */
export function criticalRatio(machines: number, internal: number, fast = 1): number {
  const send = sendShare(machines, internal);
  return (1 + (fast - 1) * send) / (fast * send);
}
