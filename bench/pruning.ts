import { z } from 'zod';
import { chosenClasses } from '../src/compress/observe/logits.js';
import { pruneOptionsSchema, type PruneOptions } from '../src/compress/prune/options.js';
import { prune } from '../src/compress/prune/stage.js';
import type { ViT } from '../src/vit/vit.js';
import { MODEL, openBench, streamsApart } from './pruning-bench.js';

/** What is tried: options of the stage, as JSON. */
const tried = z
  .array(z.looseObject({}))
  .parse(
    JSON.parse(
      process.env['PRUNE'] ??
        '[{"ratio":0.33},{"ratio":0.5},{"ratio":0.33,"allocation":"uniform"},{"ratio":0.5,"allocation":"uniform"}]',
    ),
  );

/**
 * What pruning the MLPs costs a model: test images that are classified rightly, and by block the width that was chosen, the loss
 * that was predicted, and how far the residual stream behind the block lies from that of the model as it was.
 */
export async function pruning(): Promise<void> {
  const bench = await openBench();
  const { vit, context, truth } = bench;
  const rightOf = async (model: ViT): Promise<string> => {
    const choices = chosenClasses(await bench.logits(model), vit.config.labels.length);
    const right = choices.filter((choice, image) => choice === truth[image]).length;
    return `${((100 * right) / choices.length).toFixed(1)} % of ${choices.length}`;
  };
  console.log(`${MODEL}\nas it was: ${await rightOf(vit)}`);
  for (const each of tried) {
    const options: PruneOptions = pruneOptionsSchema.parse(each);
    const started = performance.now();
    const { vit: pruned, report } = await prune(vit, context, options);
    const seconds = (performance.now() - started) / 1000;
    console.log(`${JSON.stringify(each)}: ${await rightOf(pruned)}; pruned in ${seconds.toFixed(0)} s`);
    const apart = await streamsApart(context, vit, pruned);
    for (const { layer, before, after, loss } of report.blocks)
      console.log(
        `  block ${layer + 1}: ${after} of ${before}; predicted ${(100 * loss).toFixed(2)} % of the MLP's variance, stream apart by ${(100 * apart[layer]!.all).toFixed(2)} %`,
      );
  }
}
