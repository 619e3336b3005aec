import { failureText } from '../../text/failures.js';
import { judgementOf, type Analysis, type VariantFigures } from '../../analysis/analysis.js';
import { refitEffects, type RefitEffect } from '../../analysis/figures/refit.js';
import type { Metric } from '../../base/metric.js';
import type { LatencyFigures } from '../../analysis/figures/latency.js';
import { isEmulated } from '../../analysis/label.js';
import { headOf, rawOf } from '../../analysis/model.js';
import { estimateColumns, type Value } from '../exporters/csv-text.js';

/** A row of figures: values by the columns of `figureColumns`. */
export type FigureRow = Readonly<Record<string, Value>>;

/**
 * Every figure of a run: one row for each variant × device × batch, with the columns of `figureColumns` in their order. What does not
 * depend on the batch stands in every row.
 *
 * @param analysis - of the run
 */
export function figureRows(analysis: Analysis): FigureRow[] {
  const refits = refitEffects(analysis.run);
  return analysis.figures.flatMap((figures) =>
    batchesOf(figures).map((batch) => rowOf(figures, batch, analysis.run, refits)),
  );
}

/** The batch sizes at which a variant was to be timed; one row without any where none was. */
function batchesOf({ latencies, loads, failures, pending }: VariantFigures): (number | undefined)[] {
  const unmeasured = [...failures, ...pending].filter(isTimed);
  const batches = new Set([...latencies, ...loads, ...unmeasured].map(({ batch }) => batch));
  return batches.size === 0 ? [undefined] : [...batches].sort((a, b) => a - b);
}

function rowOf(
  figures: VariantFigures,
  batch: number | undefined,
  run: Analysis['run'],
  refits: readonly RefitEffect[],
): Record<string, Value> {
  const { variant, device, accuracy, failures } = figures;
  const latency = figures.latencies.find((each) => each.batch === batch);
  const relevant = failures.filter((failure) => !isTimed(failure) || failure.batch === batch);
  return {
    run_id: run.row.id,
    suite: run.row.suite,
    device: device.row.name,
    emulated: Number(isEmulated(device)),
    threads: device.row.threads,
    model: variant.model,
    variant: variant.recipe,
    synthetic: variant.synthetic,
    raw: Number(rawOf(variant) !== undefined),
    head: headOf(variant),
    batch,
    status: statusOf(figures, batch),
    failure: relevant.map(({ kind, reason }) => `${kind}: ${failureText(reason)}`).join('; '),
    file_bytes: figures.fileBytes,
    parameters: figures.parameters,
    images: accuracy?.images,
    top1_correct: accuracy?.correct,
    ...estimateColumns('top1', 'share', accuracy?.top1),
    mcnemar_p: accuracy?.mcnemarP,
    ...estimateColumns('agreement', 'share', accuracy?.agreement),
    ...embedded(figures),
    test_set_s: accuracy?.testSetSeconds,
    ...judged('accuracy', figures),
    ...refitted(figures, refits),
    ...timing(latency),
    ...limited(figures, batch),
    ...loaded(figures, batch),
    ...judged('latency', figures, batch),
    ...judged('memory', figures, batch),
  };
}

/** Of a variant without a head. */
function embedded({ features }: VariantFigures): Record<string, Value> {
  return {
    neighbours: features?.scoring.neighbours,
    neighbour_images: features?.scoring.images,
    neighbour_images_asked: features?.scoring.asked,
    ...estimateColumns('cosine', 'mean', features?.cosine?.mean),
    cosine_least: features?.cosine?.least,
  };
}

/** What the head gave that was fitted anew behind the recipe. */
function refitted(
  { variant, device }: VariantFigures,
  refits: readonly RefitEffect[],
): Record<string, Value> {
  const effect = refits.find((each) => each.variant === variant && each.device === device);
  return {
    refit_of: effect?.without.recipe,
    ...estimateColumns('refit_change', 'share', effect?.change),
    refit_mcnemar_p: effect?.mcnemarP,
  };
}

/** The difference from the baseline: a share, of the accuracy a difference of shares. */
function judged(metric: Metric, figures: VariantFigures, batch?: number): Record<string, Value> {
  const judgement = judgementOf(figures, metric, batch);
  return {
    ...estimateColumns(`${metric}_change`, 'share', judgement?.change),
    [`${metric}_p`]: judgement?.p,
    [`${metric}_p_holm`]: judgement?.adjustedP,
    [`${metric}_floor_share`]: judgement?.floor,
    [`${metric}_verdict`]: judgement?.verdict,
  };
}

function timing(latency: LatencyFigures | undefined): Record<string, Value> {
  const memory = latency?.memory;
  return {
    tier: latency?.tier,
    queries: latency?.queries,
    rounds: latency?.rounds,
    unsteady_rounds: latency?.unsteadyRounds,
    flags: latency?.flags.map(({ kind }) => kind).join('; '),
    stopping_reason: latency?.stopping?.reason,
    precision_asked_share: latency?.stopping?.asked,
    precision_reached_share: latency?.stopping?.reached ?? undefined,
    outlier_queries: latency?.outliers,
    ...estimateColumns('latency_median', 'ms', latency?.median),
    ...estimateColumns('latency_p90', 'ms', latency?.p90),
    ...estimateColumns('latency_p99', 'ms', latency?.p99),
    ...estimateColumns('throughput', 'images_per_s', latency?.throughput),
    ...estimateColumns('cpu_time', 'ms', latency?.cpuTime),
    disturbed_rounds: latency?.soundness.disturbed,
    ...estimateColumns('speedup', 'ratio', latency?.speedup),
    load_ms: latency?.load,
    first_run_ms: latency?.firstRun,
    memory_means: memory?.means,
    ...estimateColumns('peak_memory', 'bytes', memory?.estimate),
    raw_peak_memory_bytes: memory?.rawPeak,
    ...estimateColumns('steady_peak_memory', 'bytes', memory?.steady),
    ...estimateColumns('gpu_buffers', 'bytes', latency?.gpuBuffers),
    base_memory_bytes: memory?.base,
    peak_memory_reduction_share: memory?.reduction,
  };
}

/** How far from the device's best, at the batch size that was profiled. */
function limited({ limits }: VariantFigures, batch: number | undefined): Record<string, Value> {
  const known = limits?.batch === batch ? limits : undefined;
  return {
    operators_ms: known?.milliseconds,
    operators_at_best_ms: known?.leastMilliseconds,
    reached_share: known?.reached,
  };
}

/** What it bears under load. */
function loaded(figures: VariantFigures, batch: number | undefined): Record<string, Value> {
  const own = figures.loads.filter((each) => each.batch === batch);
  const server = own.find((each) => each.kind === 'server');
  const offline = own.find((each) => each.kind === 'offline');
  return {
    server_p99_bound_ms: server?.bound,
    server_rounds: server?.rounds,
    server_rounds_without_rate: server?.missed,
    ...estimateColumns('server_rate', 'queries_per_s', server?.rate),
    ...estimateColumns('server_gain', 'ratio', server?.gain),
    server_p99_ms: server?.p99,
    server_busy_share: server?.utilisation,
    server_late_start_ms: server?.startDelay,
    server_flags: server?.flags.map(({ kind }) => kind).join('; '),
    offline_rounds: offline?.rounds,
    ...estimateColumns('offline_throughput', 'images_per_s', offline?.throughput),
    ...estimateColumns('offline_gain', 'ratio', offline?.gain),
    offline_flags: offline?.flags.map(({ kind }) => kind).join('; '),
    ...judged('rate', figures, batch),
    ...judged('throughput', figures, batch),
  };
}

function isTimed({ kind }: { readonly kind: string }): boolean {
  return kind !== 'accuracy' && kind !== 'kernels';
}

function statusOf(
  { latencies, loads, failures, pending }: VariantFigures,
  batch: number | undefined,
): string {
  const holds = (cell: { kind: string; batch: number }): boolean =>
    batch === undefined || (isTimed(cell) && cell.batch === batch);
  if (failures.some(holds)) return 'failed';
  if (pending.some(holds)) return 'pending';
  return [...latencies, ...loads].some((each) => each.batch === batch) || batch === undefined ? 'done' : '';
}
