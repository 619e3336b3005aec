/** A stream of pseudo-random numbers that a seed determines. */
export interface Random {
  /** The next number, uniform in [0, 1). */
  uniform(): number;
  /** The next integer, uniform in [0, bound). */
  integer(bound: number): number;
  /** The next number from the standard normal distribution. */
  normal(): number;
}

/**
 * xoshiro128** seeded through splitmix32 (Blackman & Vigna, "Scrambled linear pseudorandom number
 * generators", ACM TOMS 2021): reproducible on every platform, which `Math.random` is not.
 *
 * @param seed - any integer; the streams of different seeds are unrelated
 */
export function seededRandom(seed: number): Random {
  // What does not fit into 32 bits tells seeds apart, too.
  let mixer = ((seed | 0) + Math.imul(Math.floor(seed / 2 ** 32), 0x85ebca77)) | 0;
  const splitmix = (): number => {
    mixer = (mixer + 0x9e3779b9) | 0;
    let z = mixer;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
  let [a, b, c, d] = [splitmix(), splitmix(), splitmix(), splitmix()];
  const rotate = (x: number, k: number): number => (x << k) | (x >>> (32 - k));
  const next = (): number => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotate(d, 11);
    return result;
  };
  const uniform = (): number => next() / 2 ** 32;
  let spare: number | undefined;
  const normal = (): number => {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    // Marsaglia's polar method: two normals from one accepted point of the unit disc.
    for (;;) {
      const u = 2 * uniform() - 1;
      const v = 2 * uniform() - 1;
      const s = u * u + v * v;
      if (s > 0 && s < 1) {
        const factor = Math.sqrt((-2 * Math.log(s)) / s);
        spare = v * factor;
        return u * factor;
      }
    }
  };
  return { uniform, integer: (bound) => Math.floor(uniform() * bound), normal };
}

/**
 * A random permutation of `0 … length-1` (Fisher–Yates).
 *
 * @param length - how many indices
 * @param random - where the randomness comes from; it is advanced
 */
export function permutation(length: number, random: Random): number[] {
  const order = Array.from({ length }, (_, index) => index);
  for (let i = length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/**
 * Items in a random order.
 *
 * @param items - left as they are
 * @param random - determines the order, as in `permutation`
 */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  return permutation(items.length, random).flatMap((index) => items.slice(index, index + 1));
}
