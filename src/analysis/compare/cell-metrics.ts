import type { Metric } from '../../base/metric.js';
import type { StoredCell } from '../../store/read.js';

/**
 * What cells are compared in.
 *
 * @param cell - of any kind
 * @param p90 - whether the p90 of latencies is asked for, too
 * @returns nothing for a cell that is not compared
 */
export function metricsOf({ row, cosines }: StoredCell, p90 = false): readonly Exclude<Metric, 'file'>[] {
  switch (row.kind) {
    case 'performance':
      return p90 ? ['latency', 'p90', 'memory'] : ['latency', 'memory'];
    case 'accuracy':
      return cosines === undefined ? ['accuracy'] : ['accuracy', 'cosine'];
    case 'server':
      return ['rate'];
    case 'offline':
      return ['throughput'];
    case 'kernels':
      return [];
  }
}
