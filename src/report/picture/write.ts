import { hashJson } from '../../base/hash.js';
import type { Analysis } from '../../analysis/analysis.js';
import { modelPicture, type ModelPicture } from '../../analysis/picture/picture.js';
import { rawOf, type Variant } from '../../analysis/model.js';
import { variantLabel } from '../../analysis/label.js';
import { activationsOf } from '../../run/trace/memory.js';
import type { Engine } from '../../runtime/engine.js';
import { nodeEngine } from '../../runtime/node.js';
import { drawAll } from '../charts/pictured.js';
import { pictureCharts } from './charts.js';
import { picturePage, type PictureParts } from './page.js';
import { samplesOf, testImagesOf, tracesOf } from './samples.js';

/** So many images are looked into. */
const TRACED = 4;

/** So many images whose answer changed are shown. */
const MOST_CHANGED = 48;

/** The page of a variant. */
export interface VariantPage {
  readonly variant: Variant;
  /** Its file, beside the report: `models/int8.html`. */
  readonly path: string;
  readonly text: string;
}

/**
 * A page for each variant of a run: what its stages made of it block by block, where its time and memory go, what it looks at, and
 * which answers changed.
 *
 * @param analysis - of the run
 * @param data - the folder of the images, if they do not lie where they are looked for
 * @throws InputError when images are cut short, or cannot be drawn
 */
export async function variantPages(analysis: Analysis, data: string | undefined): Promise<VariantPage[]> {
  const images = await testImagesOf(analysis.run.data, data);
  const engine = await nodeEngine();
  const pages: VariantPage[] = [];
  for (const variant of analysis.run.variants) {
    const picture = modelPicture(variant, analysis);
    const [costs] = picture.costs;
    const activations =
      costs && rawOf(variant) === undefined ? await activationsOf(variant.artifact, costs.batch) : undefined;
    const charts = await drawAll(pictureCharts(picture, analysis, activations));
    const parts = { charts, activations, ...(await imagesOf(picture, images, engine)) };
    pages.push({
      ...{ variant, path: pathOf(variant, analysis) },
      text: await picturePage(picture, analysis, parts),
    });
  }
  return pages;
}

async function imagesOf(
  picture: ModelPicture,
  images: Awaited<ReturnType<typeof testImagesOf>>,
  engine: Engine,
): Promise<Pick<PictureParts, 'samples' | 'traces'>> {
  if ('kind' in images) return { samples: images, traces: undefined };
  const changed = (picture.answers?.changed ?? []).slice(0, MOST_CHANGED).map(({ image }) => image);
  // The same images for every variant of a run, so that they can be compared.
  const traced = Array.from({ length: Math.min(TRACED, picture.answers?.images ?? 0) }, (_, index) => index);
  return {
    samples: { traced: await samplesOf(images, traced), changed: await samplesOf(images, changed) },
    traces: traced.length === 0 ? undefined : await tracesOf(picture, images, traced, engine),
  };
}

/** A file name that says which variant, and is no other's. */
function pathOf(variant: Variant, analysis: Analysis): string {
  const name = slug(variant, analysis);
  const alone = analysis.run.variants.every((each) => each === variant || slug(each, analysis) !== name);
  const tail =
    alone && name !== '' ? '' : `-${hashJson({ model: variant.model, recipe: variant.recipe }).slice(0, 8)}`;
  return `models/${name}${tail}.html`;
}

function slug(variant: Variant, analysis: Analysis): string {
  return variantLabel(variant, analysis)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 60);
}
