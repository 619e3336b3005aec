import { orNull, real, text, whole } from '../description.js';
import { cellColumns } from './cells.js';
import { NAMED, NAMES } from './fragments.js';
import type { View } from './view.js';

/** Where the time of a query goes: `kernelsOf` of `analysis/` in SQL. */
export const operatorsView: View = {
  name: 'v_operators',
  question: 'Which operators take the time of a query?',
  columns: {
    ...cellColumns,
    batch: whole('Batch size.', 'images'),
    op_type: text("Operator that ran, after the runtime's fusions."),
    provider: text('Execution provider.'),
    calls: real('Calls per query.'),
    operator_ms: real('Time per query on the CPU.', 'ms'),
    gpu_ms: orNull(real("Time per query by the GPU's own clock; null without one.", 'ms')),
    share: orNull(
      real(
        "Share of the time of all operators, by the GPU's clock if there is one; null if nothing took time.",
      ),
    ),
  },
  sql: () => `select ${NAMES}, c.batch, k.op_type, k.provider, k.calls, k.milliseconds as operator_ms,
      k.gpu_milliseconds as gpu_ms,
      coalesce(k.gpu_milliseconds, k.milliseconds)
        / nullif(sum(coalesce(k.gpu_milliseconds, k.milliseconds)) over (partition by c.id), 0) as share
    from kernels k join rounds r on r.id = k.round_id join cells c on c.id = r.cell_id ${NAMED}
    where c.kind = 'kernels' and c.status = 'done'`,
};
