import type { Analysis } from '../../analysis/analysis.js';
import { sizesOf } from '../../analysis/figures/size.js';
import { deviceLabel, variantLabel } from '../../analysis/label.js';
import type { DeviceCosts, ModelPicture } from '../../analysis/picture/picture.js';
import type { ActivationMemory } from '../../onnx/liveness.js';
import { basisText } from '../../text/basis.js';
import * as format from '../../text/format.js';
import { imageReasonText, type ImageReason } from '../../text/picture.js';
import type { PicturedChart } from '../charts/pictured.js';
import { framed } from '../html/frame.js';
import { grid } from '../html/grid.js';
import { html, type Markup } from '../html/markup.js';
import { chartFigures } from '../html/sections/charts.js';
import { attentionPicture, mergedPicture, plainPicture } from './images.js';
import type { Sample, Traces } from './samples.js';

/** So many nodes are listed. */
const MOST_NODES = 20;

/** What there is to show of a variant beside its charts. */
export interface PictureParts {
  readonly charts: readonly PicturedChart[];
  readonly activations: ActivationMemory | undefined;
  /** Sample images, those whose answer changed first; or why there are none. */
  readonly samples: { readonly traced: readonly Sample[]; readonly changed: readonly Sample[] } | ImageReason;
  readonly traces: Traces | undefined;
}

/**
 * One variant from the inside, as a page that needs nothing but itself.
 *
 * @param picture - of the variant
 * @param analysis - of its run
 * @param parts - what was drawn, read and traced for it
 * @returns an HTML document
 * @throws InputError where pictures of images cannot be drawn; the file system's error when a library of the charts is not installed
 *   as it should be
 */
export async function picturePage(
  picture: ModelPicture,
  analysis: Analysis,
  { charts, activations, samples, traces }: PictureParts,
): Promise<string> {
  const { variant } = picture;
  const label = variantLabel(variant, analysis);
  const sizes = sizesOf(variant);
  return framed({
    title: `EdgeFlex: ${label}`,
    header: (links) =>
      html`<header>
        <p class="soft">EdgeFlex, run <a href="../report.html">${analysis.run.row.id}</a></p>
        <h1>${label}</h1>
        <p>${variant.description}</p>
        <p class="soft">
          ${variant.model}${sizes === undefined ? '' : `; ${format.parameters(sizes.parameters)} parameters, ${format.mebibytes(sizes.fileBytes)} on disk`}
        </p>
        <nav aria-label="Sections">${links.map(({ id, title }) => html`<a href="#${id}">${title}</a> `)}</nav>
      </header>`,
    sections: [
      {
        id: 'charts',
        title: 'Layer by layer',
        content:
          charts.length === 0
            ? undefined
            : html`<div class="charts">${chartFigures(charts, (basis) => basisText(analysis, basis))}</div>`,
      },
      { id: 'nodes', title: 'The most expensive nodes', content: nodeTables(picture.costs, activations) },
      { id: 'maps', title: 'What it looks at, and what it merges', content: await maps(samples, traces) },
      {
        id: 'changed',
        title: 'Images whose answer changed',
        content: await changed(picture, analysis, samples),
      },
    ],
    closing: html`Written by EdgeFlex ${analysis.run.row.version} from its results database, and from the
    model and the images as they lie on this machine.`,
    ownStyle: pictureStyle,
  });
}

function nodeTables(
  costs: readonly DeviceCosts[],
  activations: ActivationMemory | undefined,
): Markup | undefined {
  const live = new Map(activations?.nodes.map(({ node, liveBytes }) => [node, liveBytes]));
  if (costs.length === 0) return undefined;
  return html`${costs.map(({ device, batch, nodes }) => {
    const all = nodes.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    const dearest = [...nodes].sort((a, b) => b.milliseconds - a.milliseconds).slice(0, MOST_NODES);
    return html`<h3>${deviceLabel(device)}, one query of batch ${batch}</h3>
      ${grid(
        [
          ...['node', 'operator'].map((title) => ({ title })),
          ...['ms', 'share %', 'read and written', 'alive meanwhile'].map((title) => ({
            title,
            align: 'right' as const,
          })),
        ],
        dearest.map(({ node, opType, milliseconds, bytes }) => {
          const alive = activations?.batch === batch ? live.get(node) : undefined;
          return [
            html`<code>${node}</code>`,
            html`<code>${opType}</code>`,
            format.milliseconds(milliseconds),
            format.percent(all > 0 ? milliseconds / all : 0),
            bytes === undefined ? format.NONE : format.mebibytes(bytes),
            alive === undefined ? format.NONE : format.mebibytes(alive),
          ];
        }),
      )}
      <p class="soft">
        ${nodes.length > MOST_NODES ? `The ${MOST_NODES} slowest of ${format.integer(nodes.length)} nodes. ` : ''}Alive:
        activations, laid out from shapes; of nodes that the runtime fused they are not known.
      </p> `;
  })}`;
}

async function maps(samples: PictureParts['samples'], traces: Traces | undefined): Promise<Markup> {
  if ('kind' in samples) return html`<p>${imageReasonText(samples)}</p>`;
  if (traces === undefined)
    return html`<p>
      The model is no longer in the cache, or is none that can be looked into. Running the suite again makes
      it.
    </p>`;
  const merges = traces.own.images.some(({ tokens }) => tokens.some((patches) => patches.length > 1));
  const figures = await Promise.all(
    samples.traced.map(async ({ index, image }, place) => {
      const own = traces.own.images[place];
      const theirs = traces.baseline?.images[place];
      if (own === undefined) return [];
      const named = `test image ${index}`;
      return [
        picture(await plainPicture(image), named, `image ${index}`),
        ...(theirs
          ? [
              picture(
                await attentionPicture(image, theirs.attention, traces.baseline.side),
                `what fp32 looks at in ${named}`,
                'fp32 looks at',
              ),
            ]
          : []),
        picture(
          await attentionPicture(image, own.attention, traces.own.side),
          `what this variant looks at in ${named}`,
          'this variant looks at',
        ),
        ...(merges
          ? [
              picture(
                await mergedPicture(image, own.tokens, traces.own.side),
                `which patches of ${named} were merged`,
                `${own.tokens.filter((patches) => patches.length > 0).length} tokens of ${traces.own.side ** 2} patches`,
              ),
            ]
          : []),
      ];
    }),
  );
  return html`<p>
      The brighter a patch, the more attention the last block pays to it, compared with the patch that gets
      most: the mean over the heads, of the class token where there is one.
      ${merges ? 'Patches that became one token before that block have one colour, their mean, and a white line around them.' : 'Nothing is merged: each patch is a token.'}
    </p>
    <div class="pictures">${figures.map((row) => html`<div class="strip">${row}</div>`)}</div>`;
}

async function changed(
  { answers, baseline }: ModelPicture,
  { run }: Analysis,
  samples: PictureParts['samples'],
): Promise<Markup | undefined> {
  if (answers?.before === undefined || baseline === undefined) return undefined;
  const name = (index: number): string => run.data.labels[index] ?? `class ${index}`;
  const { changed: all } = answers;
  const lost = all.filter(({ label, before }) => label === before).length;
  const won = all.filter(({ label, now }) => label === now).length;
  const known = new Map(
    'kind' in samples ? [] : samples.changed.map((sample) => [sample.index, sample.image]),
  );
  const shown = all.filter(({ image }) => known.has(image));
  const told = html`<p>
    ${format.integer(all.length)} of ${format.integer(answers.images)} images get another answer than from
    fp32 on ${deviceLabel(answers.device)}: ${format.integer(lost)} were right and are wrong now,
    ${format.integer(won)} were wrong and are right now, ${format.integer(all.length - lost - won)} are wrong
    both times.
  </p>`;
  if ('kind' in samples)
    return html`${told}
      <p>${imageReasonText(samples)}</p>`;
  const figures = await Promise.all(
    shown.map(async ({ image, label, before, now }) => {
      const pixels = known.get(image);
      if (pixels === undefined) return undefined;
      const mark = label === before ? '✗' : label === now ? '✓' : '·';
      return picture(
        await plainPicture(pixels),
        `test image ${image}, ${name(label)}`,
        `${mark} ${name(before)} → ${name(now)}${label === before || label === now ? '' : ` (${name(label)})`}`,
      );
    }),
  );
  return html`${told}
  ${
    all.length === 0
      ? undefined
      : html`<p class="soft">
            ✗ right before, wrong now; ✓ the other way round; · wrong both times, with the right class in
            parentheses.${all.length > shown.length ? ` The first ${shown.length}.` : ''}
          </p>
          <div class="pictures thumbs">${figures}</div>`
  }`;
}

function picture(source: string, alt: string, caption: string): Markup {
  return html`<figure class="small">
    <img src="${source}" alt="${alt}" />
    <figcaption>${caption}</figcaption>
  </figure> `;
}

const pictureStyle = `
.charts { grid-template-columns: repeat(auto-fit, minmax(min(100%, 500px), 1fr)); }
.pictures { display: flex; flex-wrap: wrap; gap: 14px 28px; } .strip { display: flex; flex-wrap: wrap; gap: 10px; }
figure.small { margin: 0; width: 168px; } figure.small img { width: 100%; height: auto; image-rendering: pixelated; display: block; border-radius: 3px; }
figure.small figcaption { font-size: 13px; margin: 3px 0 0; } .thumbs figure.small { width: 112px; }
@media (max-width: 800px) { figure.small { width: 82px; } .thumbs figure.small { width: 82px; } figure.small figcaption { font-size: 12px; } }
@media print { figure.small { width: 22mm; } figure.small figcaption { font-size: 6pt; } }
`;
