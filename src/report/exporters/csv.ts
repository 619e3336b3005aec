import { failureText } from '../../text/failures.js';
import type { Estimate } from '../../stats/interval.js';
import { judgementOf, type Analysis, type VariantFigures } from '../../analysis/analysis.js';
import type { Metric } from '../../base/metric.js';
import type { LatencyFigures } from '../../analysis/figures/latency.js';
import * as format from '../../text/format.js';
import { isEmulated } from '../../analysis/label.js';
import { headOf } from '../../analysis/model.js';
import type { Exporter } from './exporter.js';

/**
 * One row for each variant × device × batch, for programs: names of columns end in their unit, `_low` and `_high` are the
 * ends of 95 % intervals, shares go from 0 to 1, and what is not known is empty. What does not depend on the batch stands in
 * every row. `status` is `done`, `failed` or `pending`, of the timing at that batch size; `failure` says what failed of the
 * variant on the device, at that batch size or in a pass that has no batch size of its own (accuracy, kernels). A text that
 * a spreadsheet would take for a formula begins with an apostrophe. RFC 4180.
 */
export const csvExporter: Exporter = {
  name: 'csv',
  extension: 'csv',
  render: (analysis) => {
    const rows = analysis.figures.flatMap((figures) =>
      batchesOf(figures).map((batch) => rowOf(figures, batch, analysis)),
    );
    const columns = Object.keys(rows[0] ?? {});
    const lines = [columns, ...rows.map((row) => columns.map((column) => row[column]))];
    return lines.map((line) => `${line.map(quoted).join(',')}\r\n`).join('');
  },
};

type Value = string | number | undefined;

/** The batch sizes at which a variant was to be timed; one row without any where none was. */
function batchesOf({ latencies, failures, pending }: VariantFigures): (number | undefined)[] {
  const unmeasured = [...failures, ...pending].filter(({ kind }) => kind === 'performance');
  const batches = new Set([...latencies, ...unmeasured].map(({ batch }) => batch));
  return batches.size === 0 ? [undefined] : [...batches].sort((a, b) => a - b);
}

function rowOf(figures: VariantFigures, batch: number | undefined, { run }: Analysis): Record<string, Value> {
  const { variant, device, accuracy, failures } = figures;
  const latency = figures.latencies.find((each) => each.batch === batch);
  const relevant = failures.filter((failure) => failure.kind !== 'performance' || failure.batch === batch);
  return {
    run_id: run.row.id,
    suite: run.row.suite,
    device: device.row.name,
    emulated: Number(isEmulated(device)),
    threads: device.row.threads,
    model: variant.model,
    variant: variant.recipe,
    synthetic: variant.synthetic,
    head: headOf(variant),
    batch,
    status: statusOf(figures, batch),
    failure: relevant.map(({ kind, reason }) => `${kind}: ${failureText(reason)}`).join('; '),
    file_bytes: figures.fileBytes,
    parameters: variant.parameters,
    images: accuracy?.images,
    top1_correct: accuracy?.correct,
    ...estimate('top1', 'share', accuracy?.top1),
    mcnemar_p: accuracy?.mcnemarP,
    ...estimate('agreement', 'share', accuracy?.agreement),
    test_set_s: accuracy?.testSetSeconds,
    ...judged('accuracy', figures),
    ...timing(latency),
    ...limited(figures, batch),
    ...judged('latency', figures, batch),
    ...judged('memory', figures, batch),
  };
}

/** The difference from the baseline: a share, of the accuracy a difference of shares. */
function judged(metric: Metric, figures: VariantFigures, batch?: number): Record<string, Value> {
  const judgement = judgementOf(figures, metric, batch);
  return {
    ...estimate(`${metric}_change`, 'share', judgement?.change),
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
    ...estimate('latency_median', 'ms', latency?.median),
    ...estimate('latency_p90', 'ms', latency?.p90),
    ...estimate('latency_p99', 'ms', latency?.p99),
    ...estimate('throughput', 'images_per_s', latency?.throughput),
    ...estimate('cpu_time', 'ms', latency?.cpuTime),
    disturbed_rounds: latency?.soundness.disturbed,
    ...estimate('speedup', 'ratio', latency?.speedup),
    load_ms: latency?.load,
    first_run_ms: latency?.firstRun,
    peak_memory_bytes: memory?.peak,
    raw_peak_memory_bytes: memory?.rawPeak,
    steady_peak_memory_bytes: memory?.byPhase.get('steady'),
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

function statusOf({ latencies, failures, pending }: VariantFigures, batch: number | undefined): string {
  const holds = (cell: { kind: string; batch: number }): boolean =>
    batch === undefined || (cell.kind === 'performance' && cell.batch === batch);
  if (failures.some(holds)) return 'failed';
  if (pending.some(holds)) return 'pending';
  return latencies.some((each) => each.batch === batch) || batch === undefined ? 'done' : '';
}

function estimate(name: string, unit: string, figures: Estimate | undefined): Record<string, Value> {
  return {
    [`${name}_${unit}`]: figures?.value,
    [`${name}_low_${unit}`]: figures?.low,
    [`${name}_high_${unit}`]: figures?.high,
  };
}

/** What begins a formula in Excel, LibreOffice and Google Sheets; the last four are the same at full width. */
const FORMULA = /^[=+\-@\uff1d\uff0b\uff0d\uff20]/;

/** A text that programs read as a number, which is no formula whatever its sign. */
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * A text from outside as a cell shows it and nothing runs it: on one line, without control characters, and with an apostrophe before
 * what a spreadsheet would take for a formula (OWASP, "CSV Injection").
 */
function harmless(text: string): string {
  const clean = format.oneLine(text);
  return FORMULA.test(clean) && !NUMBER.test(clean) ? `'${clean}` : clean;
}

function quoted(value: Value): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : '';
  const text = harmless(value);
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
