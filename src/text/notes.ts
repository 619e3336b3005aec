import { failureText } from './failures.js';
import { substitutionsText } from './substitutions.js';
import { meansNote } from './memory.js';
import { missingCeilingsText, missingFloorText } from './missing.js';
import type { Analysis } from '../analysis/analysis.js';
import { cardNote } from './card.js';
import { isScored } from '../analysis/figures/accuracy.js';
import { flagNotes } from './flag-notes.js';
import { precisionNote } from './precision.js';
import * as format from './format.js';
import { acrossDevices, type DeviceAgreement } from '../analysis/figures/across-devices.js';
import { memoryMeansOf } from '../analysis/figures/memory.js';
import { int8Products } from '../analysis/figures/int8-products.js';
import { widensWeights } from '../analysis/figures/weight-products.js';
import { deviceLabel, isSoftware, labelOf, variantLabel } from '../analysis/label.js';
import { rawOf } from '../analysis/model.js';
import { publishedOf } from '../analysis/published.js';
import { modelNotesOf } from './model-notes.js';
import { profileOf } from '../analysis/sessions.js';
import { stagesOf, type StageSummary } from '../analysis/stages.js';
import type { MemoryMeans } from '../protocol/memory-means.js';
import { untoldOf } from '../store/repository.js';
import { untoldText } from './repository.js';

/**
 * What a reader must know to read the main table: what its figures are, and what went wrong.
 *
 * @param analysis - of a run
 * @returns a sentence or two each, on one line each
 */
export function notesOf(analysis: Analysis): string[] {
  const { run, figures } = analysis;
  const notes = ['In parentheses: 95 % intervals.'];
  const untold = untoldOf(run.row);
  if (untold !== undefined) notes.push(untoldText(untold));
  if (figures.some(({ variant }) => variant.synthetic))
    notes.push('Synthetic weights have no accuracy: "same class" is agreement with their own fp32.');
  for (const model of new Set(
    figures
      .filter(({ variant }) => !variant.synthetic && !isScored(variant, run.data))
      .map(({ variant }) => variant.model),
  ))
    notes.push(`${model} was trained for other classes than those of ${run.data.name}: no accuracy.`);
  const scored = figures.find(({ accuracy }) => accuracy?.top1)?.accuracy;
  if (scored)
    notes.push(
      `Top-1 on ${format.integer(scored.images)} test images of ${run.data.name}, with Wilson's interval; McNemar p is exact, against ` +
        'fp32 on the same images.',
    );
  notes.push(...featureNotes(analysis));
  notes.push(
    'Latency is the median query of a process, averaged over the rounds, inputs on the host to logits on the host. Speed is how ' +
      'many times as fast as fp32.',
    'Peak memory, while loading the model and running it for the first time, is above what the runtime takes before; so is the steady peak while queries ' +
      "are timed, which includes JavaScript's garbage. The raw peak is that of the whole process.",
  );
  if (figures.some(({ judgements }) => judgements.length > 0))
    notes.push(
      'Verdict: every difference from fp32 that is significant (p ≤ 0.05 after Holm correction over all cells) and at least the minimum ' +
        'detectable effect of the device; anything it does not name is not distinguishable.',
    );
  notes.push(...analysis.floorNotes.map(missingFloorText), ...analysis.ceilingNotes.map(missingCeilingsText));
  if (figures.some(({ variant }) => publishedOf(variant) !== undefined))
    notes.push(
      `† Measured by others, on other hardware, with other software: not comparable with our columns (${publishersOf(analysis).join('; ')}).`,
    );
  const precision = precisionNote(analysis);
  if (precision !== undefined) notes.push(precision);
  if (run.devices.some((device) => profileOf(device).emulated))
    notes.push(
      '"(emulated)": an emulator, not the hardware. Its predictions are valid; its timings and memory say nothing about the hardware.',
    );
  for (const each of figures) {
    const raw = rawOf(each.variant);
    // Once for all devices.
    if ((each.isBaseline || raw) && each.device === run.devices[0]) notes.push(...modelNotesOf(each.variant));
    const card = each.isBaseline ? cardNote(each, run.data.name) : undefined;
    if (card !== undefined) notes.push(card);
    const name = labelOf(each, analysis);
    if (raw?.rangeOfBatch === true || stagesOf(each.variant).some(dependsOnBatch))
      notes.push(
        `${name}: inputs are quantised with the range of the whole batch, so the logits of an image depend on the others in its batch.`,
      );
    for (const { kind, batch, reason } of each.failures.filter(({ status }) => status === 'failed'))
      notes.push(`✗ ${name}, batch ${batch}, ${kind}: ${format.oneLine(failureText(reason))}`);
    const unsupported = each.failures.find(({ status }) => status === 'unsupported');
    if (unsupported)
      notes.push(`∅ ${name}: not supported here, because ${format.oneLine(failureText(unsupported.reason))}`);
    if (each.substitutions.length > 0) notes.push(`§ ${name}: ${substitutionsText(each.substitutions)}.`);
  }
  notes.push(
    ...flagNotes(analysis),
    ...int8Notes(analysis),
    ...weightNotes(analysis),
    ...deviceNotes(analysis),
  );
  if (analysis.pending > 0) notes.push(format.pendingCells(analysis.pending));
  return notes;
}

/** Who published what is shown beside our figures, of which model on what, each once. */
function publishersOf({ run }: Analysis): string[] {
  return [
    ...new Set(
      run.variants.flatMap((variant) => {
        const theirs = publishedOf(variant);
        return theirs === undefined ? [] : [`${theirs.source}: ${theirs.model} on ${theirs.hardware}`];
      }),
    ),
  ];
}

/** How models without a head are scored. */
function featureNotes({ figures }: Analysis): string[] {
  const scoring = figures.find(({ features }) => features !== undefined)?.features?.scoring;
  if (scoring === undefined) return [];
  const { neighbours, images, asked, temperature, width } = scoring;
  const fewer =
    asked === undefined ? '' : ` (${format.integer(asked)} were asked for, but there are not that many)`;
  return [
    `Without a head, a model computes ${format.integer(width)} features per image. Its top-1 comes from a vote of the ${neighbours} nearest of ` +
      `${format.integer(images)} training images${fewer}, by the features of the same variant, each vote weighted by exp(cosine / ${temperature}).`,
    "Cosine to fp32: between the features of the same test image; the mean over the images, with Student's interval.",
  ];
}

function dependsOnBatch({ facts }: StageSummary): boolean {
  return facts?.traits.includes('depends-on-batch') ?? false;
}

/** How devices without VNNI multiply INT8, where a variant of the run has such products. */
function int8Notes({ run }: Analysis): string[] {
  return run.devices.flatMap((device) => {
    switch (int8Products(device, run)) {
      case undefined:
        return [];
      case 'exact-without-vnni':
        return (
          `${deviceLabel(device)}: INT8 products run without saturation (session.x64quantprecision): exact, and slower than the ` +
          "runtime's default where the processor has no VNNI."
        );
      case 'saturating':
        return (
          `${deviceLabel(device)}: INT8 PRODUCTS SATURATE: the processor has no VNNI, and x64QuantPrecision is off. Accuracy may be ` +
          'lower than on other devices.'
        );
    }
  });
}

/** On which devices weights of 8 and 4 bits save no arithmetic. */
function weightNotes({ run }: Analysis): string[] {
  return run.devices
    .filter((device) => widensWeights(device, run))
    .map(
      (device) =>
        `${deviceLabel(device)}: weights in 8 and 4 bits are widened and multiplied in float32, because the processor has no dot products of ` +
        '8-bit integers (asimddp): such variants have smaller files there, and no less to compute.',
    );
}

/** What a reader must know of the devices, and how far they agree. */
function deviceNotes(analysis: Analysis): string[] {
  const { devices } = analysis.run;
  const software = devices.filter(isSoftware).map(deviceLabel);
  return [
    ...devices.flatMap((device) =>
      meansOf(device, analysis).flatMap((means) => {
        const note = meansNote(means);
        return note === undefined ? [] : [`${deviceLabel(device)}: ${note}`];
      }),
    ),
    ...software.map(
      (name) =>
        `${name}: a software GPU: its latencies say nothing about a real GPU, but its predictions are valid.`,
    ),
    ...devices.flatMap((device) => {
      const note = agreementNote(
        acrossDevices(analysis.run).filter((each) => each.device === device),
        analysis,
      );
      return note === undefined ? [] : [note];
    }),
  ];
}

/** By what the memory of a device is known. */
function meansOf(device: Analysis['run']['devices'][number], { run }: Analysis): MemoryMeans[] {
  const timed = run.cells.filter((cell) => cell.device === device && cell.row.kind === 'performance');
  return [...new Set(timed.flatMap(memoryMeansOf))];
}

/** How far a device agrees with the reference, at its worst. */
function agreementNote(agreements: readonly DeviceAgreement[], analysis: Analysis): string | undefined {
  const [first] = agreements;
  if (first === undefined) return undefined;
  const { device, reference, images } = first;
  const least = agreements.reduce((worst, each) => (each.same.value < worst.same.value ? each : worst));
  const furthest = agreements.reduce((worst, each) => (each.difference > worst.difference ? each : worst));
  const named = ({ variant }: DeviceAgreement): string => variantLabel(variant, analysis);
  const share =
    least.same.value === 1
      ? `all ${images} images the class that ${deviceLabel(reference)} gives, with every variant`
      : `at least ${format.percent(least.same.value)} % of ${images} images the class that ` +
        `${deviceLabel(reference)} gives (least: ${named(least)})`;
  return (
    `${deviceLabel(device)} gives ${share}; no logit is further off than ` +
    `${format.significant(furthest.difference * 100, 2)} % of its image's largest (most: ${named(furthest)}).`
  );
}
