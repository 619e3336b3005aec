import type { Database } from '../../../src/base/sqlite.js';

/** Which cell of the database: names as they are stored. */
export interface CellKey {
  readonly model: string;
  readonly recipe: string;
  readonly device: string;
  readonly kind: 'accuracy' | 'performance' | 'kernels';
  readonly batch: number;
}

/** Raw rows of a results database, read by SQL of the tests' own. */
export class RawRows {
  constructor(private readonly database: Database) {}

  /** Latencies of a cell's timed queries, a list for each round. */
  samples(key: CellKey): number[][] {
    const rows = this.rows<{ round: number; value: number }>(
      'select r.round, s.milliseconds as value from samples s',
      's',
      key,
      'order by r.round, s.query',
    );
    const rounds: number[][] = [];
    for (const { round, value } of rows) (rounds[round] ??= []).push(value);
    return rounds;
  }

  /** The class of each image and the class it was given. */
  predictions(key: CellKey): { readonly label: number; readonly predicted: number }[] {
    return this.rows('select p.label, p.predicted from predictions p', 'p', key, 'order by p.image');
  }

  /** Bytes of one figure of memory in each round, by phase. */
  memory(key: CellKey, figure: string): Map<string, number>[] {
    const rows = this.rows<{ round: number; phase: string; bytes: number }>(
      'select r.round, m.phase, m.bytes from memory m',
      'm',
      key,
      `and m.figure = '${figure}' order by r.round`,
    );
    const rounds: Map<string, number>[] = [];
    for (const { round, phase, bytes } of rows) (rounds[round] ??= new Map()).set(phase, bytes);
    return rounds;
  }

  /** How long a phase took in each round, in milliseconds. */
  phase(key: CellKey, phase: string): number[] {
    return this.rows<{ value: number }>(
      'select p.milliseconds as value from phases p',
      'p',
      key,
      `and p.phase = '${phase}' order by r.round`,
    ).map(({ value }) => value);
  }

  /** The kernels that were listed. */
  kernels(key: CellKey): { readonly opType: string; readonly milliseconds: number }[] {
    return this.rows('select k.op_type as opType, k.milliseconds from kernels k', 'k', key, '');
  }

  private rows<T>(select: string, alias: string, key: CellKey, rest: string): T[] {
    return this.database
      .prepare(
        `${select} join rounds r on r.id = ${alias}.round_id join cells c on c.id = r.cell_id
         join variants v on v.id = c.variant_id join devices d on d.id = c.device_id
         where v.model = @model and v.recipe = @recipe and d.name = @device and c.kind = @kind
         and c.batch = @batch ${rest}`,
      )
      .all(key) as T[];
  }
}

/** The middle one of some numbers, or the mean of the two in the middle. */
export function middle(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** The mean of some numbers. */
export function average(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}
