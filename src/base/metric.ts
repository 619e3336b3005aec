/** What runs are compared in, and gates guard. */
export const metrics = ['latency', 'p90', 'memory', 'accuracy', 'file'] as const;

export type Metric = (typeof metrics)[number];
