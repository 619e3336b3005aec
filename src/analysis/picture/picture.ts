import { median } from 'simple-statistics';
import type { FactPicture } from '../../compress/facts.js';
import type { StoredCell, StoredDevice } from '../../store/read.js';
import type { StoredNode } from '../../store/rounds.js';
import type { Analysis } from '../analysis.js';
import { baselineVariant } from '../figures/baseline.js';
import type { Variant } from '../model.js';
import { stagesOf } from '../stages.js';
import { answersBy, type Answers } from './answers.js';

/** A picture of one kind. */
type Of<Kind extends FactPicture['kind']> = Extract<FactPicture, { kind: Kind }>;

/** Where in a model a node belongs: before its blocks, a block (from 0), or behind them. */
export type Depth = 'before' | number | 'behind';

/** Time and traffic of a part of a model in a query. */
export interface NodeCost {
  readonly node: string;
  readonly opType: string;
  readonly depth: Depth;
  /** The median over the profiled queries; on a GPU by its own clock. */
  readonly milliseconds: number;
  /** Read and written, each value once; undefined where that is not known. */
  readonly bytes: number | undefined;
}

/** Where the time of a query goes on a device. */
export interface DeviceCosts {
  readonly device: StoredDevice;
  readonly batch: number;
  /** In the order in which they run. */
  readonly nodes: readonly NodeCost[];
}

/** One variant from the inside: what its stages made of it, block by block, and where its time goes. */
export interface ModelPicture {
  readonly variant: Variant;
  /** Undefined for the baseline itself, and where the run has none. */
  readonly baseline: Variant | undefined;
  /** Of the MLPs; the last stage that changed them. */
  readonly widths: Of<'mlp-widths'>['blocks'];
  /** What is not named has 32 bits. */
  readonly bits: Of<'bits'>['tensors'];
  /** How near each linear's output stays to what it was. */
  readonly sensitivity: Of<'linear-sqnr'>['linears'];
  readonly tokens: Of<'tokens'>['blocks'];
  /** Devices on which its nodes were profiled. */
  readonly costs: readonly DeviceCosts[];
  /** What it answers for the test images; undefined where nothing was scored. */
  readonly answers: Answers | undefined;
}

/**
 * A variant from the inside.
 *
 * @param variant - of the run
 * @param analysis - of the run
 */
export function modelPicture(variant: Variant, { run }: Analysis): ModelPicture {
  const stages = stagesOf(variant);
  const all = <Kind extends FactPicture['kind']>(kind: Kind): Of<Kind>[] =>
    stages
      .flatMap(({ facts }) => facts?.pictures ?? [])
      .filter((picture): picture is Of<Kind> => picture.kind === kind);
  const own = baselineVariant(variant, run);
  const baseline = own === variant ? undefined : own;
  const done = run.cells.filter((cell) => cell.variant === variant && cell.row.status === 'done');
  const scored = (of: Variant, device: StoredDevice): StoredCell | undefined =>
    run.cells.find(
      (cell) =>
        cell.variant === of &&
        cell.device === device &&
        cell.row.kind === 'accuracy' &&
        cell.row.status === 'done',
    );
  const cell = run.devices.map((device) => scored(variant, device)).find((each) => each !== undefined);
  return {
    ...{ variant, baseline },
    widths: all('mlp-widths').at(-1)?.blocks ?? [],
    // A later stage has the last word.
    bits: [
      ...new Map(
        all('bits').flatMap(({ tensors }) => tensors.map((each) => [each.name, each] as const)),
      ).values(),
    ],
    sensitivity: all('linear-sqnr').at(-1)?.linears ?? [],
    tokens: all('tokens').at(-1)?.blocks ?? [],
    costs: done.filter(({ row }) => row.kind === 'kernels').flatMap(costsOf),
    answers: cell && answersBy(cell, baseline && scored(baseline, cell.device)),
  };
}

function costsOf({ device, row, rounds }: StoredCell): DeviceCosts[] {
  const stored = rounds.flatMap(({ nodes }) => nodes);
  if (stored.length === 0) return [];
  let last: Depth = 'before';
  const nodes = stored.map((each) => {
    last = depthOf(each.node, last);
    return costOf(each, last);
  });
  return [{ device, batch: row.batch, nodes }];
}

/** A node that the runtime named itself lies where the one before it does; what has no block behind a block is behind them. */
function depthOf(node: string, last: Depth): Depth {
  const [, block] = /(?:^|[^\w])layers\.(\d+)\b/.exec(node) ?? [];
  if (block !== undefined) return Number(block);
  const ours = /^(?:norm|features|logits|head|pool)/.test(node);
  return last === 'before' ? 'before' : ours ? 'behind' : last;
}

function costOf({ node, opType, milliseconds, gpuMilliseconds, work }: StoredNode, depth: Depth): NodeCost {
  return {
    node,
    opType,
    depth,
    milliseconds: median([...(gpuMilliseconds ?? milliseconds)]),
    bytes: work?.bytes,
  };
}
