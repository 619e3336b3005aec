import { z } from 'zod';
import { metrics, type Metric } from './metric.js';
import { readPlain, readPoints, readShare } from './quantities.js';

/** A limit for changes for the worse. */
export interface Gate {
  readonly metric: Metric;
  /** The only variant that it guards; undefined guards all that no gate of the same metric names. */
  readonly variant?: string | undefined;
  /** The smallest change for the worse that breaks it, as a share; of accuracy a difference of shares, of the cosine one of cosines. */
  readonly limit: number;
}

/** How the limit of a metric is written, and how large it may be. */
interface LimitForm {
  readonly read: (text: string) => number | undefined;
  readonly write: (limit: number) => string;
  readonly most: number;
}

/** A hundredfold change guards nothing more. */
const share: LimitForm = { read: readShare, write: (limit) => `${hundredfold(limit)}%`, most: 100 };

const limits: Readonly<Record<Metric, LimitForm>> = {
  ...{ latency: share, p90: share, memory: share, file: share, rate: share, throughput: share },
  accuracy: { read: readPoints, write: (limit) => `${hundredfold(limit)}pt`, most: 1 },
  cosine: { read: readPlain, write: String, most: 2 },
};

/** Without the digits that binary numbers add. */
function hundredfold(limit: number): number {
  return Number((limit * 100).toPrecision(12));
}

/** What is expected where a gate is read. */
export const GATE_FORM =
  'latency, p90, memory, file, rate or throughput with a percentage up to 10000%, accuracy with points up to 100pt, cosine with a number up to 2, each optionally ' +
  'for a single variant, as in latency@int8:5%';

const pattern = new RegExp(`^(${metrics.join('|')})(?:@([a-z0-9][a-z0-9.+-]*))?:(.+)$`, 'i');

/** A gate as it is written: `latency:2%`, `accuracy:0.3pt`, `latency@int8:5%`. */
export const gateSchema = z.string().transform((text, context): Gate => {
  const [, named, variant, written = ''] = pattern.exec(text) ?? [];
  const metric = metrics.find((each) => each === named?.toLowerCase());
  const limit = metric && limits[metric].read(written);
  if (metric !== undefined && limit !== undefined && limit <= limits[metric].most)
    return { metric, variant, limit };
  context.addIssue({ code: 'custom', message: GATE_FORM });
  return z.NEVER;
});

/** A gate as a user writes it: `latency:2%`, `latency@int8:5%`. */
export function gateName({ metric, variant, limit }: Gate): string {
  return `${metric}${variant === undefined ? '' : `@${variant}`}:${limits[metric].write(limit)}`;
}

/** Gates as a run keeps them. */
export const storedGatesSchema = z.array(
  z.strictObject({
    metric: z.enum(metrics),
    variant: z.string().optional(),
    limit: z.number().nonnegative(),
  }),
);

/** Whether two gates guard the same. */
export function guardSame(one: Gate, other: Gate): boolean {
  return one.metric === other.metric && one.variant === other.variant;
}
