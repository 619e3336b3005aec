/** Additions, subtractions and the like in a row that depend on each other too little to leave a core's units idle. */
const STEPS = 20_000;

/** Bursts of a look; the median of them counts, so that one interrupt says nothing. All of them take about a tenth of a millisecond. */
const BURSTS = 5;

/** After so many calls the loop is compiled. */
const WARM_UP_CALLS = 200;

/**
 * How fast the core computes just now: the time of a computation that is always the same, fills the core's integer units and touches no
 * memory. What shares the core without showing in any load (another guest of the hypervisor on its second hardware thread, a lower
 * frequency) shows here: on an EPYC whose second hardware thread is busy it takes 1.4 times as long.
 */
export class Pace {
  /** What nobody reads, so that the loop is not optimised away. */
  private sink = 0;

  /** @param now - a clock with a resolution of a microsecond or better, in milliseconds */
  constructor(private readonly now: () => number) {
    for (let call = 0; call < WARM_UP_CALLS; call++) this.sink ^= computed(STEPS / 10);
  }

  /** @returns nanoseconds a step, the median of a few bursts */
  look(): number {
    const bursts: number[] = [];
    for (let burst = 0; burst < BURSTS; burst++) {
      const before = this.now();
      this.sink ^= computed(STEPS);
      bursts.push(((this.now() - before) * 1e6) / STEPS);
    }
    return bursts.sort((a, b) => a - b)[(BURSTS - 1) / 2] ?? NaN;
  }
}

function computed(steps: number): number {
  let [a, b, c, d, e, f, g, h] = [1, 2, 3, 4, 5, 6, 7, 8];
  for (let step = 0; step < steps; step++) {
    a = (a + step) | 0;
    b ^= a;
    c = (c + step) | 0;
    d ^= step;
    e = (e + 3) | 0;
    f ^= step;
    g = (g + step) | 0;
    h ^= 5;
  }
  return a ^ b ^ c ^ d ^ e ^ f ^ g ^ h;
}
