// Measures the quickstart's model on a device of one's own: node main.mjs [results]
import { fileURLToPath } from 'node:url';
import { analyse, run } from 'edgeflex';

const beside = (name) => fileURLToPath(new URL(name, import.meta.url));
const results = process.argv[2] ?? 'results';

const running = run(results, 'quickstart', {
  plugins: [beside('device.mjs')],
  devices: [beside('rested.yaml')],
  images: 32,
  batches: [1],
  tier: 'smoke',
  rounds: 1,
});
for await (const event of running)
  if (event.kind === 'measured')
    console.log(`${event.over} of ${event.rounds}: ${event.variant}, ${event.scenario.kind}`);

const { id, state } = await running;
const { document } = await analyse(results, id);
console.log(`run ${id} is ${state}`);
for (const { recipe, device, performance } of document.results)
  for (const { batch, medianMilliseconds: median } of performance)
    console.log(`${recipe} on ${device}, batch ${batch}: ${median.value.toFixed(2)} ms`);
