// Applies a recipe with a stage of one's own, and says what each stage did: node main.mjs [folder]
import { fileURLToPath } from 'node:url';
import { compress, InputError } from 'edgeflex';

const output = process.argv[2] ?? 'bfloat16';

const job = compress('vit-micro-shapes10', {
  plugins: [fileURLToPath(new URL('stage.mjs', import.meta.url))],
  recipe: {
    name: 'half-bfloat16',
    description: 'Half of the MLP neurons, and weights in bfloat16.',
    stages: [{ prune: { ratio: 0.5 } }, { bfloat16: { skip: ['head'] } }],
  },
  output,
  signal: AbortSignal.timeout(300_000),
});

try {
  let stage = '';
  for await (const event of job)
    if (event.kind === 'compressing' && event.text.split(':')[0] !== stage) {
      [stage] = event.text.split(':');
      console.log(`${Math.round(100 * event.done)} %  ${event.text}`);
    }
  const { files, report } = await job;
  for (const { stage: name, report: what } of report.stages) console.log(name, what);
  console.log(`${files.model}: ${report.parameters} parameters, ${report.fileBytes} bytes`);
} catch (error) {
  if (!(error instanceof InputError)) throw error;
  console.error(`${error.fault.source}: found ${error.fault.found}; expected ${error.fault.expected}`);
  process.exitCode = 2;
}
