/*
 * The same work in C, as one would write it: a scan for the machine that is due, the rule, growing
 * rings for queues, and all statistics of lab/virtual/statistics.ts, their sums over time included.
 * bench/speed.ts compiles it and compares its speed, and its clocks, with the engine's.
 *
 *   cc -O3 -march=native -o reference reference.c -lm && ./reference RUNS INTERNAL DURATION RATE…
 *
 * Prints the CPU seconds, the ticks and a sum of final clocks and queues over all runs.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MACHINES_MAX 64

typedef struct { uint32_t first, second; } Stream;

static uint32_t mix(uint32_t w) {
  w = (w ^ (w >> 16)) * 0x7feb352dU;
  w = (w ^ (w >> 15)) * 0x846ca68bU;
  return w ^ (w >> 16);
}

static Stream stream(uint32_t seed, uint32_t machine, uint32_t purpose) {
  Stream s = { 0x243f6a88U, 0x85a308d3U };
  uint32_t parts[4] = { seed, 0, machine, purpose };
  for (int n = 0; n < 4; n++) {
    s.first = mix((s.first ^ parts[n]) + 0x9e3779b9U);
    s.second = mix((s.second ^ parts[n]) + 0x9e3779b9U);
  }
  return s;
}

static double uniform(Stream s, uint32_t n) {
  return mix(mix(n ^ s.first) + s.second) / 4294967296.0;
}

typedef struct {
  double rate, phase, due, clock_sum, queue_sum;
  Stream rolls;
  int32_t clock, ticks, receives, max_lag, max_jump, max_queue;
  int32_t *ring;
  uint32_t room, head, tail;
} Machine;

static Machine all[MACHINES_MAX];

static void enqueue(Machine *m, int32_t clock, double left) {
  if (m->tail - m->head == m->room) {
    int32_t *roomy = malloc(2 * m->room * sizeof *roomy);
    for (uint32_t n = m->head; n != m->tail; n++)
      roomy[n & (2 * m->room - 1)] = m->ring[n & (m->room - 1)];
    free(m->ring);
    m->ring = roomy;
    m->room *= 2;
  }
  m->ring[m->tail++ & (m->room - 1)] = clock;
  m->queue_sum += left;
}

int main(int argc, char **argv) {
  int runs = atoi(argv[1]), machines = argc - 4;
  double internal = atof(argv[2]), duration = atof(argv[3]), sends = 1 - internal;
  int64_t ticks = 0, check = 0;
  double means = 0;
  for (int id = 0; id < machines; id++) {
    all[id].room = 16;
    all[id].ring = malloc(16 * sizeof *all[id].ring);
  }
  clock_t begin = clock();
  for (int seed = 1; seed <= runs; seed++) {
    int32_t highest = 0;
    double highest_sum = 0;
    for (int id = 0; id < machines; id++) {
      Machine *m = &all[id];
      int32_t *ring = m->ring;
      uint32_t room = m->room;
      *m = (Machine){ .rate = atof(argv[4 + id]), .ring = ring, .room = room };
      m->phase = uniform(stream(seed, id, 1), 1);
      m->rolls = stream(seed, id, 0);
      m->due = m->phase / m->rate;
    }
    for (;;) {
      int id = 0;
      for (int other = 1; other < machines; other++)
        if (all[other].due < all[id].due) id = other;
      Machine *m = &all[id];
      if (m->due >= duration) break;
      double left = duration - m->due;
      int32_t lag = highest - m->clock, before = m->clock, waiting = m->tail - m->head;
      if (lag > m->max_lag) m->max_lag = lag;
      if (waiting > m->max_queue) m->max_queue = waiting;
      double roll = 1;
      if (waiting > 0) {
        int32_t message = m->ring[m->head++ & (m->room - 1)];
        m->queue_sum -= left;
        m->receives++;
        if (message > m->clock) m->clock = message;
      } else roll = uniform(m->rolls, m->ticks);
      m->clock++;
      int32_t jump = m->clock - before;
      if (jump > m->max_jump) m->max_jump = jump;
      m->clock_sum += jump * left;
      if (m->clock > highest) {
        highest_sum += (m->clock - highest) * left;
        highest = m->clock;
      }
      if (roll < sends) {
        if (3 * roll < 2 * sends) {
          int place = (int)(1.5 * roll / sends * (machines - 1));
          enqueue(&all[place < id ? place : place + 1], m->clock, left);
        } else for (int other = 0; other < machines; other++)
          if (other != id) enqueue(&all[other], m->clock, left);
      }
      m->ticks++;
      m->due = (m->ticks + m->phase) / m->rate;
    }
    for (int id = 0; id < machines; id++) {
      Machine *m = &all[id];
      if (highest - m->clock > m->max_lag) m->max_lag = highest - m->clock;
      ticks += m->ticks;
      check += m->clock + (int64_t)(m->tail - m->head);
      means += (highest_sum - m->clock_sum + m->queue_sum) / duration + m->max_lag + m->max_jump
        + m->max_queue + (double)m->receives / m->ticks;
    }
  }
  printf("%.6f %lld %lld %.6f\n", (double)(clock() - begin) / CLOCKS_PER_SEC, (long long)ticks,
    (long long)check, means);
}
