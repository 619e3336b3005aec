import { InputError } from '../base/errors.js';
import { readBytes, readDuration, readPoints, readShare } from '../base/quantities.js';

/** How long a batch may take: so many times less than fp32, or so many milliseconds. */
export type LatencyGoal = { readonly speed: number } | { readonly milliseconds: number };

/** What peak memory may be over the runtime's base: a share of fp32's, or so many bytes. */
export type MemoryGoal = { readonly share: number } | { readonly bytes: number };

/** What a search must reach; at least one of its goals is defined. */
export interface Target {
  readonly latency: LatencyGoal | undefined;
  readonly memory: MemoryGoal | undefined;
  /** Percentage points of accuracy that may be lost against fp32. */
  readonly accuracyLoss: number | undefined;
}

const SOURCE = '--target';

const MIB = 2 ** 20;

const NUMBER = String.raw`(\d+(?:\.\d+)?)`;

/**
 * Reads a target: goals with commas between them, such as `latency=6x,memory=-76%,accuracy-loss=0.5pt`.
 *
 * @param text - latency as `6x` (faster than fp32) or `30ms`, memory as `-76%` (of fp32's peak) or `200MiB`, accuracy-loss as `0.5pt`
 * @throws InputError that names the goal, what was found and what is expected
 */
export function parseTarget(text: string): Target {
  const goals = new Map<string, string>();
  for (const part of text.split(',').map((each) => each.trim())) {
    const [goal, value, ...more] = part.split('=').map((each) => each.trim());
    if (goal === undefined || value === undefined || more.length > 0)
      throw refusal(undefined, part === '' ? 'an empty goal' : part, EXAMPLE);
    if (!['latency', 'memory', 'accuracy-loss'].includes(goal))
      throw refusal(undefined, `the unknown goal "${goal}"`, 'latency, memory or accuracy-loss');
    if (goals.has(goal)) throw refusal(goal, 'it twice', 'each goal once');
    goals.set(goal, value);
  }
  return {
    latency: read(goals, 'latency', latencyGoal),
    memory: read(goals, 'memory', memoryGoal),
    accuracyLoss: read(goals, 'accuracy-loss', pointsOf),
  };
}

const EXAMPLE = 'goals with commas between them, such as latency=6x,memory=-76%,accuracy-loss=0.5pt';

function read<Goal>(
  goals: ReadonlyMap<string, string>,
  name: string,
  parse: (value: string) => Goal,
): Goal | undefined {
  const value = goals.get(name);
  return value === undefined ? undefined : parse(value);
}

function latencyGoal(value: string): LatencyGoal {
  const [, speed] = new RegExp(`^${NUMBER}[x×]$`, 'i').exec(value) ?? [];
  if (speed !== undefined && Number(speed) > 1 && Number(speed) < Infinity) return { speed: Number(speed) };
  const milliseconds = readDuration(value) ?? 0;
  if (milliseconds > 0) return { milliseconds };
  throw refusal('latency', value, 'how many times faster than fp32, above 1x, or a time: 6x, 30ms, 1.5s');
}

function memoryGoal(value: string): MemoryGoal {
  const less = /^[-−]/.test(value) ? readShare(value.slice(1)) : undefined;
  if (less !== undefined && less > 0 && less < 1) return { share: 1 - less };
  const bytes = readBytes(value) ?? 0;
  if (bytes > 0) return { bytes };
  throw refusal('memory', value, 'how much less than fp32 takes, or an amount: -76%, 200MiB');
}

function pointsOf(value: string): number {
  const points = readPoints(value);
  // In points, to the digits that were written.
  if (points !== undefined && points < 1) return Number((points * 100).toPrecision(12));
  throw refusal('accuracy-loss', value, 'percentage points that may be lost: 0.5pt');
}

function refusal(place: string | undefined, found: string, expected: string): InputError {
  return new InputError({ source: SOURCE, ...(place !== undefined && { place }), found, expected });
}

/** A target in words, one for each goal. */
export function targetWords({ latency, memory, accuracyLoss }: Target): string[] {
  const words: string[] = [];
  if (latency)
    words.push(
      'speed' in latency ? `${latency.speed}× as fast as fp32` : `${latency.milliseconds} ms a batch`,
    );
  if (memory)
    words.push(
      'share' in memory
        ? `${Number((100 * (1 - memory.share)).toFixed(1))} % less peak memory than fp32`
        : `${Number((memory.bytes / MIB).toFixed(1))} MiB of peak memory`,
    );
  if (accuracyLoss !== undefined) words.push(`${accuracyLoss} points of accuracy lost`);
  return words;
}
