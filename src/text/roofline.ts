import type { Estimate } from '../stats/interval.js';
import type { Precision } from '../store/node-work.js';
import type { CeilingSubject, StoredRoofline } from '../store/rooflines.js';
import {
  ceilingsOf,
  precisionNames,
  precisionSpeeds,
  type Ceiling,
  type PrecisionSpeed,
} from '../analysis/figures/roofline.js';
import * as format from './format.js';
import type { Table } from './table.js';

const GIGA = 1e9;
const MIB = 1024 ** 2;

/** The operators that stand for the precisions. */
const operators: Readonly<Record<Precision, string>> = {
  float32: 'Gemm',
  float16: 'Gemm',
  int8: 'MatMulIntegerToFloat',
  w8: 'MatMulNBits',
  w4: 'MatMulNBits',
};

/** A roofline for programs: rates with 95 % intervals, in operations or bytes each second. */
export type RooflineDocument = Omit<StoredRoofline, 'ceilings'> & {
  readonly ceilings: readonly Ceiling[];
  /** How fast linears run in each precision beside float32, the fastest first; empty where times are an emulator's. */
  readonly precisions: readonly PrecisionSpeed[];
};

/** A roofline for programs. */
export function rooflineDocument(roofline: StoredRoofline): RooflineDocument {
  return { ...roofline, ceilings: ceilingsOf(roofline), precisions: precisionSpeeds(roofline) };
}

/**
 * What rooflines say, for people.
 *
 * @param rooflines - stored or new
 */
export function rooflineTable(rooflines: readonly StoredRoofline[]): Table {
  const rows = rooflines.flatMap((roofline) =>
    ceilingsOf(roofline).flatMap((ceiling) =>
      ceiling.perSecond === undefined
        ? []
        : [{ ...rowOf(ceiling, ceiling.perSecond), device: roofline.device }],
    ),
  );
  return {
    columns: [
      { key: 'device', title: 'device', align: 'left', spare: 1 },
      { key: 'what', title: 'ceiling', align: 'left' },
      { key: 'operator', title: 'operator', align: 'left', spare: 2 },
      { key: 'shape', title: 'rows × inner × columns', align: 'right' },
      { key: 'rate', title: 'at best', align: 'right' },
      { key: 'interval', title: '95 %', align: 'right' },
      { key: 'executions', title: 'executions', align: 'right', spare: 3 },
    ],
    rows,
    notes: [
      'At best: what the fastest tenth of all executions reaches. A multiplication and its addition are two operations; for a ' +
        'stream, every byte read or written counts once.',
      ...rooflines.flatMap(notesOf),
    ],
  };
}

function rowOf({ subject, executions }: Ceiling, { value, low, high }: Estimate): Record<string, string> {
  const rate = (each: number): string => format.significant(each / GIGA);
  return {
    ...named(subject),
    rate: `${rate(value)} ${subject.kind === 'stream' ? 'GB/s' : 'GOP/s'}`,
    interval: `${rate(low)}–${rate(high)}`,
    executions: String(executions),
  };
}

function named(subject: CeilingSubject): Record<string, string> {
  if (subject.kind === 'stream')
    return { what: 'memory', operator: 'Add', shape: `${format.significant(subject.bytes / MIB)} MiB` };
  const { precision, shape } = subject;
  return {
    ...{ what: precisionNames[precision], operator: operators[precision] },
    shape: [shape.rows, shape.inner, shape.columns].map(format.integer).join(' × '),
  };
}

/**
 * The built-in recipe whose linears are computed in a precision.
 *
 * @param precision - any
 * @param provider - where
 * @returns undefined where none computes in it: the graphs for processors have no float16 in them
 */
export function recipeIn(precision: Precision, provider: string): string | undefined {
  switch (precision) {
    case 'float32':
      return 'fp32';
    case 'float16':
      return provider === 'CPUExecutionProvider' ? undefined : 'fp16';
    default:
      return precision;
  }
}

/** What linears gain in each precision: which recipe to try on the device. */
function speedsText(roofline: StoredRoofline): string[] {
  const speeds = precisionSpeeds(roofline);
  if (speeds.length === 0) return [];
  const { device, setting } = roofline;
  const each = speeds.map(({ precision, speedup }) => {
    const recipe = recipeIn(precision, setting.runtime.provider);
    const way = recipe === undefined ? 'no recipe computes in it there' : `recipe ${recipe}`;
    return `${precisionNames[precision]} ${format.times(speedup)}, ${way}`;
  });
  return [
    `${device}: speed of the linear layers relative to ${precisionNames.float32} (geometric mean, and the range over all shapes): ` +
      `${each.join('; ')}. The rest of a model is no faster for it.`,
  ];
}

/** What could not be measured and where it was measured, a sentence each. */
function notesOf(roofline: StoredRoofline): string[] {
  const { device, measuredAt, setting } = roofline;
  const { environment, threads, runtime } = setting;
  const failures = new Map<string, string>();
  for (const { subject, failure } of roofline.ceilings)
    if (failure !== null)
      failures.set(
        subject.kind === 'stream' ? 'memory' : precisionNames[subject.precision],
        `${failure.status === 'unsupported' ? 'not supported here, because' : 'failed:'} ${format.oneLine(failure.reason)}`,
      );
  return [
    `${device}: ${environment.cpu.model}, ${threads} ${threads === 1 ? 'thread' : 'threads'}, ${runtime.name} ` +
      `${runtime.version}, ${format.moment(measuredAt)}.`,
    ...(environment.gpu?.software === true
      ? [`${device}: a software GPU: its timings say nothing about a real GPU.`]
      : []),
    ...speedsText(roofline),
    ...[...failures].map(([what, why]) => `${device}, ${what}: ${why}.`),
  ];
}
