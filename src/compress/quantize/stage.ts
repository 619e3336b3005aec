import { layerCount } from '../../vit/config.js';
import { linearNames, PATCH } from '../../vit/linears.js';
import { withWeights, type ViT } from '../../vit/vit.js';
import type { Tensors } from '../checkpoints.js';
import type { StageContext } from '../context.js';
import { openBlas } from '../linalg/blas.js';
import { walkBlocks } from '../observe/walk.js';
import { matchesAny, refuseUnmatched } from '../patterns.js';
import { weightOf } from '../../vit/vit.js';
import { agreementWith } from './agreement.js';
import { quantizeBlock, type QuantizedLinear, type QuantizedName } from './block.js';
import { openEvaluator } from '../evaluate.js';
import { quantizesPatches, type Format, type QuantizeOptions } from './options.js';
import { quantizePatches } from './patches.js';

/** The report of the stage. */
export interface QuantizeReport {
  readonly format: Format;
  readonly images: number;
  readonly linears: readonly QuantizedLinear[];
  /** Linears that stay float because the options say so. */
  readonly kept: readonly QuantizedName[];
  /** Linears that returned to float, worst first, so that the budget holds. */
  readonly returned: readonly QuantizedName[];
  /** Share of held-out training images with the same class as before the stage; undefined without a budget. */
  readonly agreement: number | undefined;
  /** Whether the budget holds; undefined without one. */
  readonly withinBudget: boolean | undefined;
}

/**
 * Quantises the linears of a model's blocks, first to last, each block calibrated on what the already quantised ones
 * before it give; in w8a8 the embedding of the patches before them. Norms, softmax, GELU, the residual stream and the head stay float, as
 * does the embedding in other formats.
 *
 * @param vit - a model whose linears are float
 * @param context - runtime and calibration images
 * @param options - format and searches
 * @throws InputError when a pattern of linears to keep names none
 */
export async function quantize(
  vit: ViT,
  context: StageContext,
  options: QuantizeOptions,
): Promise<{ vit: ViT; report: QuantizeReport }> {
  const blockLinears = linearNames(vit.config);
  refuseUnmatched('quantize.keep', options.keep, [PATCH, ...blockLinears]);
  const names: QuantizedName[] = quantizesPatches(options) ? [PATCH, ...blockLinears] : blockLinears;
  const kept = new Set(names.filter((name) => matchesAny(name, options.keep)));
  const images = await context.calibration.images(options.images);
  const evaluator = await openEvaluator(context.engine, context.threads);
  const blas = await openBlas(context.engine, context.threads);
  const layers = layerCount(vit.config);
  const through = async (): Promise<{ vit: ViT; linears: QuantizedLinear[]; aside: Tensors }> => {
    const embedding =
      quantizesPatches(options) && !kept.has(PATCH)
        ? await quantizePatches(context, images, vit, evaluator, blas, options)
        : undefined;
    const walked = await walkBlocks<readonly QuantizedLinear[]>(context, embedding?.vit ?? vit, {
      name: 'quantize',
      images,
      progress: [0, 1],
      async visit(reached, stream, layer) {
        const block = await quantizeBlock(context, stream, reached, layer, kept, evaluator, blas, options);
        if (layer + 1 < layers) await stream.advance(block.quantized, layer);
        // Only a budget asks for what a linear was before.
        const inBlock = [...block.folded.weights].filter(([name]) => name.startsWith(`layers.${layer}.`));
        const aside = options.budget && new Map(inBlock.map(([name, tensor]) => [`folded.${name}`, tensor]));
        return { vit: block.quantized, value: block.linears, ...(aside && { aside }) };
      },
    });
    const linears = [...(embedding ? [embedding.linear] : []), ...walked.values.flat()];
    return { vit: walked.vit, linears, aside: walked.aside };
  };
  const walked = await through().finally(async () => {
    await evaluator.close();
    await blas.close();
  });
  const { linears } = walked;
  const folded = withWeights(
    vit,
    [...walked.aside].map(([name, tensor]) => [name.replace(/^folded\./, ''), tensor] as const),
  );
  const settled = await withinBudget(vit, walked.vit, folded, linears, context, options);
  return {
    vit: settled.vit,
    report: {
      format: options.format,
      images: images.count,
      linears,
      kept: [...kept],
      returned: settled.returned,
      agreement: settled.agreement,
      withinBudget: options.budget && settled.agreement! >= options.budget.agreement,
    },
  };
}

/** Returns linears to float, the worst first, as few as the budget needs: found by halving, since more is never worse. */
async function withinBudget(
  original: ViT,
  quantized: ViT,
  folded: ViT,
  linears: readonly QuantizedLinear[],
  context: StageContext,
  options: QuantizeOptions,
): Promise<{ vit: ViT; returned: QuantizedName[]; agreement: number | undefined }> {
  const { budget } = options;
  if (budget === undefined) return { vit: quantized, returned: [], agreement: undefined };
  const worstFirst = [...linears].sort((a, b) => a.sqnr - b.sqnr).map(({ linear }) => linear);
  const compare = await agreementWith(original, context, budget.images);
  const trial = async (count: number): Promise<{ vit: ViT; agreement: number }> => {
    const candidate = returnedToFloat(quantized, folded, worstFirst.slice(0, count));
    return {
      vit: candidate,
      agreement: await compare(candidate, `${count} of ${worstFirst.length} linears returned to float`),
    };
  };
  let best = { count: 0, ...(await trial(0)) };
  if (best.agreement < budget.agreement) {
    let tooFew = 0;
    let count = 1;
    for (;;) {
      best = { count, ...(await trial(count)) };
      if (best.agreement >= budget.agreement || count === worstFirst.length) break;
      tooFew = count;
      count = Math.min(count * 2, worstFirst.length);
    }
    while (best.count - tooFew > 1) {
      const middle = Math.floor((best.count + tooFew) / 2);
      const attempt = { count: middle, ...(await trial(middle)) };
      if (attempt.agreement >= budget.agreement) best = attempt;
      else tooFew = middle;
    }
  }
  return { vit: best.vit, returned: worstFirst.slice(0, best.count), agreement: best.agreement };
}

function returnedToFloat(quantized: ViT, folded: ViT, linears: readonly QuantizedName[]): ViT {
  const returned = withWeights(
    quantized,
    linears.flatMap((name) =>
      ['weight', 'bias'].map((kind) => [`${name}.${kind}`, weightOf(folded, `${name}.${kind}`)] as const),
    ),
    linears.filter((name) => name !== PATCH).map((name) => [name, { kind: 'float' }] as const),
  );
  return linears.includes(PATCH) ? { ...returned, bytePatches: undefined } : returned;
}
