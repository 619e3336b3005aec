import { z } from 'zod';
import { metrics, type Metric } from './metric.js';

/** A limit for changes for the worse. */
export interface Gate {
  readonly metric: Metric;
  /** The only variant that it guards; undefined guards all that no gate of the same metric names. */
  readonly variant?: string | undefined;
  /** The smallest change for the worse that breaks it, as a share; of accuracy a difference of shares. */
  readonly limit: number;
}

/** A gate guards nothing beyond a hundredfold change, or beyond all points that there are. */
const MOST_PERCENT = 10_000;
const MOST_POINTS = 100;

/** What is expected where a gate is read. */
export const GATE_FORM =
  `latency, p90, memory or file with a percentage up to ${MOST_PERCENT}, accuracy with points up to ${MOST_POINTS}, each with ` +
  '"@" and the name of a variant where it is for that one alone';

const pattern =
  /^(?:(?<share>latency|p90|memory|file)(?:@(?<of>[a-z0-9][a-z0-9.+-]*))?:(?<percent>\d+(?:\.\d+)?)%|accuracy(?:@(?<ofAccuracy>[a-z0-9][a-z0-9.+-]*))?:(?<points>\d+(?:\.\d+)?)pt)$/i;

/** A gate as it is written: `latency:2%`, `accuracy:0.3pt`, `latency@int8:5%`. */
export const gateSchema = z
  .string()
  .regex(pattern, GATE_FORM)
  .transform((text): Gate => {
    const { share, of, percent, ofAccuracy, points } = pattern.exec(text)?.groups ?? {};
    const metric = (share?.toLowerCase() ?? 'accuracy') as Metric;
    return { metric, variant: of ?? ofAccuracy, limit: Number(percent ?? points) / 100 };
  })
  .refine(
    ({ metric, limit }) => limit * 100 <= (metric === 'accuracy' ? MOST_POINTS : MOST_PERCENT),
    GATE_FORM,
  );

/** A gate as a user writes it: `latency:2%`, `latency@int8:5%`. */
export function gateName({ metric, variant, limit }: Gate): string {
  const number = Number((limit * 100).toPrecision(12));
  return `${metric}${variant === undefined ? '' : `@${variant}`}:${number}${metric === 'accuracy' ? 'pt' : '%'}`;
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
