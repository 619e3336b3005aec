import type { Procurement, Ranked } from '../../analysis/procure/procurement.js';
import { missingText } from '../../text/procure/words.js';
import { csvText, estimateColumns, type CsvRow } from '../exporters/csv-text.js';

/**
 * One row for each candidate, for programs: names of columns end in their unit, `_low` and `_high` are the ends of intervals, shares go
 * from 0 to 1, and what is not known is empty. `tie` is the same for candidates whose costs are not distinguishable.
 *
 * @param procurement - what was found
 */
export function procurementCsv(procurement: Procurement): string {
  return csvText(procurement.candidates.map((each) => rowOf(each, procurement)));
}

function rowOf(each: Ranked, { batch, currency, quantile, terms }: Procurement): CsvRow {
  const { offer, ownership, tests } = each;
  return {
    ...{ tie: each.byCost?.tie, best_rank: each.byCost?.best, worst_rank: each.byCost?.worst },
    ...{ unranked: each.unranked, device: each.deviceLabel, hardware: each.hardware },
    ...{ emulated: Number(each.emulated), model: each.model, variant: each.recipe, batch },
    ...{ run_id: each.runs.timed, accuracy_run_id: each.runs.scored },
    limits: each.answer,
    ...Object.fromEntries(
      (['latency', 'accuracy', 'memory', 'throughput', 'energy', 'fleet'] as const).map((name) => [
        `limit_${name}`,
        tests[name]?.answer,
      ]),
    ),
    currency,
    ...estimateColumns('cost', terms ? 'per_million_images' : 'per_image_per_s', each.cost),
    ...estimateColumns('total', 'money', ownership?.total),
    ...estimateColumns('purchase', 'money', ownership?.purchase),
    ...estimateColumns('energy_cost', 'money', ownership?.energyCost),
    ...estimateColumns('energy_total', 'kwh', ownership?.energy),
    ...estimateColumns('fleet', 'devices', ownership?.fleet),
    utilisation_share: ownership?.utilisation,
    ...{
      price_each: offer?.price?.amount,
      price_currency: offer?.price?.currency,
      price_date: offer?.price?.date,
    },
    ...{ board: offer?.board, board_memory_bytes: offer?.memoryBytes, board_count: offer?.count },
    ...{ power_idle_w: offer?.power?.idle, power_load_w: offer?.power?.load },
    latency_quantile: quantile,
    ...estimateColumns('latency', 'ms', each.latency),
    ...estimateColumns('top1', 'share', each.accuracy),
    ...estimateColumns('peak_memory', 'bytes', each.memory),
    ...estimateColumns('throughput', 'images_per_s', each.throughput),
    ...estimateColumns('sustained', 'images_per_s', each.sustained?.rate),
    ...{ sustained_p99_bound_ms: each.sustained?.bound, load_run_id: each.runs.served },
    ...estimateColumns('energy', 'j_per_image', each.energy),
    energy_source: each.energy?.source,
    pareto: each.pareto,
    missing: each.missing.map(missingText).join('; '),
  };
}
