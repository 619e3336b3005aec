import type { Analysis, LatencyFigures, VariantFigures } from './analysis.js';
import * as format from './format.js';

/** A table of a report: what every format of it shows. */
export interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly Readonly<Record<string, string>>[];
  /** What a reader must know to read it. */
  readonly notes: readonly string[];
}

/** A column of a table. */
export interface Column {
  readonly key: string;
  readonly title: string;
  readonly align: 'left' | 'right';
}

const columns: readonly Column[] = [
  { key: 'variant', title: 'variant', align: 'left' },
  { key: 'top1', title: 'top-1 % (95 %)', align: 'right' },
  { key: 'mcnemar', title: 'McNemar p', align: 'right' },
  { key: 'agreement', title: 'same class %', align: 'right' },
  { key: 'batch', title: 'batch', align: 'right' },
  { key: 'latency', title: 'latency ms (95 %)', align: 'right' },
  { key: 'p90', title: 'p90 ms', align: 'right' },
  { key: 'speedup', title: 'speed (95 %)', align: 'right' },
  { key: 'memory', title: 'peak memory', align: 'right' },
  { key: 'reduction', title: 'vs fp32', align: 'right' },
  { key: 'rawPeak', title: 'raw peak', align: 'right' },
  { key: 'testSet', title: 'test set', align: 'right' },
  { key: 'file', title: 'file', align: 'right' },
  { key: 'parameters', title: 'parameters', align: 'right' },
  { key: 'published', title: 'published †', align: 'left' },
];

/**
 * The main table: one row for each variant and batch size; what does not depend on the batch stands in a variant's first row.
 *
 * @param analysis - of a run
 */
export function mainTable(analysis: Analysis): Table {
  const { run, figures } = analysis;
  const rows = figures.flatMap((each) => rowsOf(each, analysis));
  const used = columns.filter(({ key }) => rows.some((row) => row[key] !== undefined && row[key] !== ''));
  const notes = [
    'Latency is the median of timed queries, inputs on the host to logits on the host. Speed is how many times as fast as fp32.',
    'Peak memory is over what the runtime takes before it loads a model; the raw peak is of the whole process.',
  ];
  if (figures.some(({ accuracy }) => accuracy?.top1))
    notes.unshift(
      `Top-1 on ${figures.find(({ accuracy }) => accuracy)!.accuracy!.images} test images of ${run.data.name}, with Wilson's ` +
        'interval; McNemar p is exact, against fp32 on the same images.',
    );
  if (figures.some(({ variant }) => variant.synthetic))
    notes.unshift('Synthetic weights have no accuracy: "same class" is agreement with their own fp32.');
  if (figures.some(({ variant }) => variant.published_json !== null))
    notes.push(
      '† Measured by others, on other hardware, with other software: not comparable with our columns.',
    );
  for (const { variant, latencies } of figures)
    for (const { batch, unsteadyRounds } of latencies)
      if (unsteadyRounds > 0)
        notes.push(
          `${variant.recipe}, batch ${batch}: ${unsteadyRounds} round(s) never reached a steady state.`,
        );
  if (analysis.pending > 0) notes.push(`${analysis.pending} cells are not measured yet.`);
  return { columns: used, rows, notes };
}

function rowsOf(figures: VariantFigures, analysis: Analysis): Record<string, string>[] {
  const { variant, accuracy, latencies, failures } = figures;
  const name = labelOf(figures, analysis);
  const common: Record<string, string> = {
    variant: name,
    top1: accuracy?.top1 ? format.share(accuracy.top1) : '',
    mcnemar: accuracy?.mcnemarP === undefined ? '' : format.pValue(accuracy.mcnemarP),
    agreement: accuracy?.agreement === undefined ? '' : format.percent(accuracy.agreement, 2),
    testSet: accuracy ? format.seconds(accuracy.testSetSeconds) : '',
    file: format.mebibytes(variant.file_bytes),
    parameters: format.parameters(variant.parameters),
    published: publishedFigures(variant.published_json),
  };
  const timed = latencies.map(latencyRow);
  const failed = failures.map(({ kind, batch, reason }) => ({
    batch: String(batch),
    latency: `${kind} failed: ${reason}`,
  }));
  const [first = {}, ...rest] = [...timed, ...failed];
  return [{ ...common, ...first }, ...rest];
}

function latencyRow(figures: LatencyFigures): Record<string, string> {
  const { batch, median, p90, speedup, memory } = figures;
  return {
    batch: String(batch),
    latency: format.latency(median),
    p90: format.milliseconds(p90),
    speedup: speedup ? format.times(speedup) : '',
    memory: memory ? format.mebibytes(memory.peak) : '',
    reduction: memory?.reduction === undefined ? '' : format.reduction(memory.reduction),
    rawPeak: memory ? format.mebibytes(memory.rawPeak) : '',
  };
}

/** A variant's name: with its model or device where a run has several. */
export function labelOf({ variant, device }: VariantFigures, { run }: Analysis): string {
  const models = new Set(run.variants.map(({ model }) => model));
  const parts = [variant.recipe];
  if (models.size > 1) parts.unshift(variant.model);
  if (run.devices.length > 1) parts.push(device.row.name);
  return parts.join(' · ');
}

function publishedFigures(json: string | null): string {
  if (json === null) return '';
  return (JSON.parse(json) as { figures: string[] }).figures.join('; ');
}
