import { median } from 'simple-statistics';
import type { Precision } from '../../store/node-work.js';
import type { StoredCell, StoredRun } from '../../store/read.js';
import type { StoredNode } from '../../store/rounds.js';
import {
  rooflineEnvironment,
  settingOf,
  type RooflineSetting,
  type StoredRoofline,
} from '../../store/rooflines.js';
import { ceilingsOf, leastTime, operationsOf, type Ceiling, type LeastTime } from './roofline.js';

/** An operator's share of a query, and how far it is from what the device can do at best. */
export interface OperatorLimit {
  /** Operator that was executed, after the runtime's own fusions. */
  readonly opType: string;
  /** Of its products; undefined for an operator without. */
  readonly precision: Precision | undefined;
  /** How often in a query. */
  readonly calls: number;
  /** In a query, while the profiler watched; on a GPU by its own clock. */
  readonly milliseconds: number;
  /** Of the time of all operators. */
  readonly share: number;
  /** Of its products, each second: a multiplication and its addition are two. */
  readonly operationsPerSecond: number | undefined;
  /** Read and written, each second. */
  readonly bytesPerSecond: number | undefined;
  /** What it would take at the ceilings; undefined where they are not known for all of it. */
  readonly leastMilliseconds: number | undefined;
  /** The least time as a share of the time taken; above 1 where it was faster than what was measured as the best. */
  readonly reached: number | undefined;
  /** What most of the least time goes to. */
  readonly bound: LeastTime['bound'] | undefined;
}

/** Where the time of a query goes, and how far it is from what the device can do at best. */
export interface Limits {
  readonly batch: number;
  /** When the ceilings were measured: ISO 8601, UTC. */
  readonly ceilingsMeasuredAt: string;
  /** The most expensive first. */
  readonly operators: readonly OperatorLimit[];
  /** Of all operators in a query. */
  readonly milliseconds: number;
  /** What they would take at the ceilings; those of which that is not known count as if they took nothing. */
  readonly leastMilliseconds: number;
  readonly reached: number;
  /** Time of the operators of which it is not known. */
  readonly unknownMilliseconds: number;
}

/** The ceilings that hold for a device of a run. */
export interface FittingCeilings {
  readonly measuredAt: string;
  readonly ceilings: readonly Ceiling[];
}

/**
 * The newest roofline of each device of a run that was measured in the very setting of the run.
 *
 * @param run - the run
 * @param rooflines - all that are stored, the newest first
 * @returns by the device's name
 */
export function fittingCeilings(
  run: StoredRun,
  rooflines: readonly StoredRoofline[],
): Map<string, FittingCeilings> {
  const found = new Map<string, FittingCeilings>();
  for (const device of run.devices) {
    const setting = settingOf(device, run.cells);
    const fits = (other: RooflineSetting): boolean =>
      setting !== undefined && rooflineEnvironment(setting) === rooflineEnvironment(other);
    const { name } = device.row;
    const newest = rooflines.find((each) => each.device === name && fits(each.setting));
    if (newest) found.set(name, { measuredAt: newest.measuredAt, ceilings: ceilingsOf(newest) });
  }
  return found;
}

/** Nobody measured what a device can do at best, or only in another setting. */
export interface MissingCeilings {
  readonly kind: 'no-ceilings' | 'ceilings-of-another-setting';
  readonly device: string;
}

/**
 * What to say where a run was profiled on a device without a roofline that fits.
 *
 * @param run - the run
 * @param known - the ceilings that hold for it
 * @param rooflines - all that are stored
 * @returns one for each device
 */
export function missingCeilings(
  run: StoredRun,
  known: ReadonlyMap<string, FittingCeilings>,
  rooflines: readonly StoredRoofline[],
): MissingCeilings[] {
  return run.devices.flatMap((device) => {
    const { name } = device.row;
    const profiled = run.cells.some(
      (cell) => cell.device === device && cell.rounds.some(({ nodes }) => nodes.length > 0),
    );
    if (!profiled || known.has(name)) return [];
    const other = rooflines.some((each) => each.device === name);
    return [{ kind: other ? 'ceilings-of-another-setting' : 'no-ceilings', device: name }];
  });
}

/**
 * Where the time of a query goes, and how far it is from what the device can do at best.
 *
 * @param cell - a done cell of kernels
 * @param fitting - the ceilings that hold for its device
 * @returns undefined for a cell that holds no times of nodes
 */
export function limitsOf(cell: StoredCell, { measuredAt, ceilings }: FittingCeilings): Limits | undefined {
  const nodes = cell.rounds.flatMap((round) => round.nodes);
  if (nodes.length === 0) return undefined;
  const groups = new Map<string, Sum>();
  for (const node of nodes) {
    const precision = node.work?.product?.precision;
    const key = `${node.opType} ${precision ?? ''}`;
    const sum = groups.get(key) ?? new Sum(node.opType, precision);
    groups.set(key, sum);
    sum.add(node, ceilings);
  }
  const sums = [...groups.values()].sort((a, b) => b.milliseconds - a.milliseconds);
  const total = (part: (sum: Sum) => number): number => sums.reduce((all, sum) => all + part(sum), 0);
  const milliseconds = total((sum) => sum.milliseconds);
  const leastMilliseconds = total(({ least }) => least);
  return {
    ...{ batch: cell.row.batch, ceilingsMeasuredAt: measuredAt, milliseconds, leastMilliseconds },
    operators: sums.map((sum) => sum.limit(milliseconds)),
    reached: leastMilliseconds / milliseconds,
    unknownMilliseconds: total(({ unknown }) => unknown),
  };
}

/** Nodes of one operator and precision. */
class Sum {
  milliseconds = 0;
  least = 0;
  /** Time of nodes whose least time is not known. */
  unknown = 0;
  private calls = 0;
  private multiplications = 0;
  private bytes = 0;
  private leastByMemory = 0;

  constructor(
    private readonly opType: string,
    private readonly precision: Precision | undefined,
  ) {}

  add({ calls, milliseconds, gpuMilliseconds, work }: StoredNode, ceilings: readonly Ceiling[]): void {
    const taken = median([...(gpuMilliseconds ?? milliseconds)]);
    // A node of several calls moves its bytes in so many parts.
    const least = work && leastTimeOfCalls(work, calls, ceilings);
    this.calls += calls;
    this.milliseconds += taken;
    this.multiplications += work?.product?.multiplications ?? 0;
    this.bytes += work?.bytes ?? 0;
    if (least === undefined) this.unknown += taken;
    else this.least += least.milliseconds;
    if (least?.bound === 'memory') this.leastByMemory += least.milliseconds;
  }

  limit(total: number): OperatorLimit {
    const { opType, precision, calls, milliseconds, least } = this;
    const known = this.unknown === 0;
    const perSecond = (amount: number): number | undefined =>
      amount > 0 && milliseconds > 0 ? (amount / milliseconds) * 1000 : undefined;
    return {
      ...{ opType, precision, calls, milliseconds },
      share: total > 0 ? milliseconds / total : 0,
      operationsPerSecond: perSecond(operationsOf(this.multiplications)),
      bytesPerSecond: perSecond(this.bytes),
      leastMilliseconds: known ? least : undefined,
      reached: known && milliseconds > 0 ? least / milliseconds : undefined,
      bound: known && least > 0 ? (this.leastByMemory > least / 2 ? 'memory' : 'arithmetic') : undefined,
    };
  }
}

function leastTimeOfCalls(
  { product, bytes }: NonNullable<StoredNode['work']>,
  calls: number,
  ceilings: readonly Ceiling[],
): LeastTime | undefined {
  const each = leastTime(
    {
      ...(product && { product: { ...product, multiplications: product.multiplications / calls } }),
      bytes: bytes / calls,
    },
    ceilings,
  );
  return each && { ...each, milliseconds: each.milliseconds * calls };
}
