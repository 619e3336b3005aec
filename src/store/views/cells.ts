import { orNull, real, text, whole, type ColumnDescriptions } from '../description.js';
import { NAMED, NAMES } from './fragments.js';
import type { View } from './view.js';

/** What names a cell in every view. */
export const cellColumns: ColumnDescriptions = {
  run_id: text('The run.'),
  cell_id: whole('The cell: `cells.id`.'),
  device: text('Name of the device.'),
  model: text('Name of the model.'),
  recipe: text('Name of the recipe; `fp32` is the baseline.'),
};

const described: ColumnDescriptions = {
  ...cellColumns,
  kind: text('`accuracy`, `kernels`, `performance`, `server` or `offline`.'),
  batch: whole('Batch size.', 'images'),
  tier: orNull(text('Measuring tier; null if nothing is timed.')),
  bound_ms: orNull(real("Bound of a server's p99 latency; null for other kinds.", 'ms')),
  status: text('`pending`, `done`, `failed` or `unsupported`.'),
  rounds_planned: whole('Number of rounds planned.'),
  rounds: whole('Number of rounds stored.'),
  queries: whole('Number of timed queries stored.'),
  reason: orNull(text('Why it failed or is not supported: JSON, or plain text from older versions.')),
};

/** Cells and what became of each. */
export const cellsView: View = {
  name: 'v_cells',
  question: 'What was planned, and what is its status?',
  columns: described,
  sql: ({ queriesOf }) => `select ${NAMES}, c.kind, c.batch, c.tier, c.bound_ms,
      c.status, c.rounds as rounds_planned,
      (select count(*) from rounds r where r.cell_id = c.id) as rounds,
      (${queriesOf('c.id')}) as queries,
      c.reason
    from cells c ${NAMED}`,
};

/** What failed. */
export const failuresView: View = {
  name: 'v_failures',
  question: 'What failed or could not run, and why?',
  columns: described,
  sql: () =>
    `select ${Object.keys(described).join(', ')} from v_cells where status in ('failed', 'unsupported')`,
};

/** Raw latencies with names. */
export const samplesView: View = {
  name: 'v_samples',
  question: 'How long did every single query take?',
  columns: {
    ...cellColumns,
    kind: text('Kind of cell: `performance` for timed rounds, `accuracy` for passes over the test images.'),
    batch: whole('Batch size.', 'images'),
    round: whole('Counts from 0.'),
    query: whole('Counts from 0.'),
    latency_ms: real('From inputs on the host to logits on the host.', 'ms'),
  },
  sql: () => `select ${NAMES}, c.kind, c.batch, r.round, s.query,
      s.milliseconds as latency_ms
    from samples s join rounds r on r.id = s.round_id join cells c on c.id = r.cell_id ${NAMED}`,
};

/** Predictions with names. */
export const predictionsView: View = {
  name: 'v_predictions',
  question: 'Which class was predicted for each test image?',
  columns: {
    ...cellColumns,
    image: whole('Index in the test set.'),
    label: whole("True class, an index into the run's class names."),
    predicted: whole('Predicted class; -1 for none.'),
  },
  sql: () => `select ${NAMES}, p.image, p.label, p.predicted
    from predictions p join rounds r on r.id = p.round_id join cells c on c.id = r.cell_id ${NAMED}`,
};
