/** A fault put into one place of the sources, and the tests that must find it. */
export interface Mutant {
  /** The source file, from `src/` on. */
  readonly source: string;
  /** Where the fault goes; it occurs once in the file. */
  readonly from: string;
  readonly to: string;
  /** The test file, from `test/` on. */
  readonly test: string;
}

const of = (
  source: string,
  test: string,
  ...faults: readonly (readonly [from: string, to: string])[]
): Mutant[] => faults.map(([from, to]) => ({ source, test, from, to }));

/** A sample of faults over the rooms that compute. */
export const mutants: readonly Mutant[] = [
  ...of(
    'stats/holm.ts',
    'stats/holm.test.ts',
    ['(ps.length - position)', '(ps.length - position - 1)'],
    ['Math.max(largest, Math.min', 'Math.min(1, Math.min'],
  ),
  ...of(
    'stats/shapley.ts',
    'stats/shapley.test.ts',
    ['players * choose(players - 1, size)', 'players * choose(players, size)'],
    ['? -weight : weight', '? weight : weight'],
  ),
  ...of(
    'stats/contrast.ts',
    'stats/contrast.test.ts',
    ['const n = questions + 2', 'const n = questions + 1'],
    ['variance ** 2 / squares', 'variance / squares'],
    ['sampleVariance(sums) / sums.length', 'sampleVariance(sums)'],
  ),
  ...of(
    'suite/matrix/fraction.ts',
    'suite/fraction.test.ts',
    ['length(product) < resolution', 'length(product) < resolution - 1'],
    ['+ 1) % 2', ') % 2'],
  ),
  ...of(
    'analysis/ablation/terms.ts',
    'analysis/ablation/ablation.test.ts',
    ['- 1 / factor.levels.length', '- 0'],
    ['> 1e-6', '> 1e6'],
  ),
  ...of(
    'stats/wilson.ts',
    'stats/wilson.test.ts',
    ['1 - (1 - confidence) / 2', '1 - (1 - confidence)'],
    ['z ** 2 / (4 * trials ** 2)', 'z ** 2 / (2 * trials ** 2)'],
    ['Math.min(p, centre - half)', 'centre - half'],
  ),
  ...of(
    'stats/outliers.ts',
    'stats/outliers.test.ts',
    ['const LIMIT = 3.5', 'const LIMIT = 4'],
    ['Math.sqrt(2 / Math.PI)', '1'],
    ['deviation > LIMIT', 'deviation >= LIMIT'],
  ),
  ...of(
    'stats/ratio.ts',
    'stats/ratio.test.ts',
    ['sampleVariance(logs) / rounds', 'sampleVariance(logs)'],
    ['rounds - 1, confidence', 'rounds, confidence'],
    ['2 * studentTail', 'studentTail'],
    ['varianceB ** 2 / (b.length - 1)', 'varianceB ** 2 / b.length'],
  ),
  ...of(
    'stats/mcnemar.ts',
    'stats/mcnemar.test.ts',
    ['2 * binomialCumulative', 'binomialCumulative'],
    ['b * b - 8 * images * c', 'b * b - 4 * images * c'],
    ['if (b && !a)', 'if (b)'],
  ),
  ...of(
    'stats/quantile.ts',
    'stats/quantile.test.ts',
    ['(1 - confidence) / 2', '1 - confidence'],
    ['binomialProbability(n, upper - 1, p)', 'binomialProbability(n, upper, p)'],
  ),
  ...of(
    'stats/mann-whitney.ts',
    'stats/mann-whitney.test.ts',
    ['count ** 3 - count', 'count ** 3'],
    ['unevenness - 0.5', 'unevenness'],
    ['>= unevenness', '> unevenness'],
  ),
  ...of(
    'stats/steady-state.ts',
    'stats/steady-state.test.ts',
    ['tolerance: 0.02', 'tolerance: 0.2'],
    ['this.previous = this.window;', ''],
    ['return 2 / orders', 'return 1 / orders'],
  ),
  ...of(
    'stats/drift.ts',
    'stats/drift.test.ts',
    ['slope * (n - 1)', 'slope * count'],
    ['own + (1 + 3 * own) / samples.length', 'own'],
    ['if (!(correlation > 0)) return 1;', 'return 1;'],
  ),
  ...of(
    'onnx/liveness.ts',
    'onnx/liveness.test.ts',
    ["  'Squeeze',", ''],
    ['else live += bytes;', 'live += bytes;'],
    ['live + scratchBytes(node, infos, batch)', 'live'],
  ),
  ...of(
    'onnx/dims.ts',
    'onnx/dims.test.ts',
    ['match[1] ?? 1', 'match[1] ?? 2'],
    ['perBatch * fixed', 'perBatch'],
  ),
  ...of('onnx/dtype.ts', 'onnx/dtype.test.ts', [
    'bfloat16: { code: DataType.BFLOAT16, bytes: 2 }',
    'bfloat16: { code: DataType.BFLOAT16, bytes: 4 }',
  ]),
  ...of(
    'compress/pace.ts',
    'compress/pace.test.ts',
    ['const LEAST_SECONDS = 5', 'const LEAST_SECONDS = 0'],
    ['own > 0 &&', ''],
    ['if (!found) own', 'own'],
    ['found = false;\n      last', 'last'],
  ),
  ...of(
    'run/stopping.ts',
    'run/stopping.test.ts',
    ['const LEAST_ROUNDS = 10', 'const LEAST_ROUNDS = 9'],
    ['rounds >= maxRounds', 'rounds > maxRounds'],
    ['Math.sqrt(ratio.high / ratio.low)', 'ratio.high / ratio.low'],
    ['secondsOf(variant)) >=', 'secondsOf(baseline)) >='],
  ),
  ...of(
    'suite/plan.ts',
    'suite/plan.test.ts',
    ['Math.max(...batches)', 'Math.min(...batches)'],
    ['Math.ceil(minQueries / rounds)', 'Math.floor(minQueries / rounds)'],
    ['seededRandom(suite.seed)', 'seededRandom(1)'],
  ),
  ...of('base/quantities.ts', 'base/quantities.test.ts', ['const SECOND = 1000', 'const SECOND = 100']),
  ...of(
    'search/target-check.ts',
    'search/target-check.test.ts',
    ['Math.max(value, counted?.value ?? value)', 'value'],
    ['&& (counted === undefined || keeps(counted.value))', ''],
  ),
  ...of('search/judged-loss.ts', 'search/loss-judge.test.ts', ['loss.images)', 'truth.length)']),
  ...of('stats/rare-events.ts', 'stats/rare-events.test.ts', [
    'gammaAbove(confidence,',
    'gammaAbove(1 - confidence,',
  ]),
  ...of('search/target.ts', 'search/target.test.ts', ['less > 0 && less < 1', 'less > 0 && less <= 1']),
  ...of(
    'agent/kernels.ts',
    'agent/kernels.test.ts',
    ['(query + 1) * perQuery', 'query * perQuery'],
    ['gpuMilliseconds ?? 0', 'gpuMilliseconds ?? 1'],
  ),
];
