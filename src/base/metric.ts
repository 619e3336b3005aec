/** What runs are compared in, and gates guard. */
export const metrics = [
  'latency',
  'p90',
  'memory',
  'accuracy',
  'cosine',
  'file',
  'rate',
  'throughput',
] as const;

export type Metric = (typeof metrics)[number];

/**
 * Whether more of a metric is better: more right answers, features that lie nearer to fp32's, more queries or images a second.
 *
 * @param metric - any
 */
export function isBetterHigher(metric: Metric): boolean {
  return metric === 'accuracy' || metric === 'cosine' || metric === 'rate' || metric === 'throughput';
}
