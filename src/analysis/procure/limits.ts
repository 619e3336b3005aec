import type { Estimate } from '../../stats/interval.js';
import type { Constraints, Limited } from './constraints.js';

/** Whether something is within its limit, as far as its uncertainty lets one say. */
export type Answer = 'meets' | 'fails' | 'cannot tell';

/** A quantity against its limit. */
export interface Test {
  readonly answer: Answer;
  /** Undefined where it was not measured. */
  readonly estimate: Estimate | undefined;
  readonly limit: number;
  /**
   * How far the nearest end of the interval is beyond the limit, as a factor: 1 where it is not. Undefined where nothing was measured.
   */
  readonly beyond: number | undefined;
}

/** Tests by what is limited; `fleet` is the number of devices, against those that can be had. Left out what has no limit. */
export type Tests = Readonly<Partial<Record<Limited | 'fleet', Test>>>;

type Figures = Readonly<Record<Limited, Estimate | undefined>>;

/**
 * Holds figures against limits. The whole interval within its limit meets it; none of it within fails; all else one cannot tell, and
 * neither where the figure itself is unsure.
 *
 * @param figures - what was measured
 * @param isSure - by figure, whether its interval can be believed
 * @param constraints - the limits
 * @param stock - a fleet and how many devices can be had; undefined where there is no limit
 */
export function testsOf(
  figures: Figures,
  isSure: Readonly<Record<Limited, boolean>>,
  constraints: Constraints,
  stock: { readonly fleet: Estimate; readonly count: number; readonly isSure: boolean } | undefined,
): Tests {
  const limits: readonly (readonly [name: Limited, limit: number | undefined, least: boolean])[] = [
    ['latency', constraints.latency?.milliseconds, false],
    ['accuracy', constraints.accuracy, true],
    ['memory', constraints.memory, false],
    ['throughput', constraints.throughput, true],
    ['energy', constraints.energy, false],
  ];
  return {
    ...Object.fromEntries(
      limits.flatMap(([name, limit, least]) =>
        limit === undefined ? [] : [[name, testOf(figures[name], limit, least, isSure[name])]],
      ),
    ),
    ...(stock && { fleet: testOf(stock.fleet, stock.count, false, stock.isSure) }),
  };
}

/**
 * All tests together.
 *
 * @param tests - of a candidate
 * @returns fails when one does, meets when all do
 */
export function together(tests: Tests): Answer {
  const answers = Object.values(tests).map(({ answer }) => answer);
  if (answers.includes('fails')) return 'fails';
  return answers.every((answer) => answer === 'meets') ? 'meets' : 'cannot tell';
}

function testOf(estimate: Estimate | undefined, limit: number, least: boolean, isSure: boolean): Test {
  if (estimate === undefined) return { answer: 'cannot tell', estimate, limit, beyond: undefined };
  const { low, high } = estimate;
  const [isWithin, isBeyond] = least ? [low >= limit, high < limit] : [high <= limit, low > limit];
  const answer = !isSure ? 'cannot tell' : isWithin ? 'meets' : isBeyond ? 'fails' : 'cannot tell';
  return { answer, estimate, limit, beyond: Math.max(1, least ? limit / high : low / limit) };
}
