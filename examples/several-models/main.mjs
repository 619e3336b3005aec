// Runs one suite for several models, and prints a table of all of them: node main.mjs [results] [model …]
import { analyse, open, run } from 'edgeflex';

const [directory = 'results', ...named] = process.argv.slice(2);
const models = named.length > 0 ? named : ['vit-micro-shapes10', 'vit-tiny'];

const results = await open(directory);
const rows = [];
try {
  for (const model of models) {
    const { id } = await run(results, 'quickstart', {
      ...{ model, images: 16, batches: [1], tier: 'smoke', rounds: 2 },
    });
    const { document } = await analyse(results, id);
    for (const { recipe, fileBytes, accuracy, performance } of document.results) {
      const speedup = performance[0]?.speedup;
      rows.push({
        model,
        recipe,
        // Null where nothing could be made of the variant.
        MiB: fileBytes === null ? '' : (fileBytes / 2 ** 20).toFixed(1),
        // Weights from a seed have no accuracy, and what was disturbed has no ratio.
        accuracy: accuracy?.top1 ? `${(100 * accuracy.top1.value).toFixed(1)} %` : '',
        speedup: speedup ? `${speedup.value.toFixed(2)}×` : '',
      });
    }
  }
} finally {
  await results.close();
}
console.table(rows);
