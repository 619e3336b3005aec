import { failureText } from './failures.js';
import { substitutionsText } from './substitutions.js';
import { missingCeilingsText, missingFloorText } from './missing.js';
import type { Analysis } from '../analysis/analysis.js';
import { cardNote } from './card.js';
import { isScored } from '../analysis/figures/accuracy.js';
import { flagsText, signOf } from './flags.js';
import { precisionNote } from './precision.js';
import * as format from './format.js';
import { acrossDevices, type DeviceAgreement } from '../analysis/figures/across-devices.js';
import { int8Products } from '../analysis/figures/int8-products.js';
import { deviceLabel, isSoftware, labelOf, variantLabel } from '../analysis/label.js';
import { publishedOf } from '../analysis/published.js';
import { modelNotesOf } from './model-notes.js';
import { profileOf } from '../analysis/sessions.js';
import { stagesOf, type StageSummary } from '../analysis/stages.js';
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
  notes.push(
    'Latency is the median query of a process, averaged over the rounds, inputs on the host to logits on the host. Speed is how ' +
      'many times as fast as fp32.',
    'Peak memory is over what the runtime takes before it loads a model; the raw peak is of the whole process.',
  );
  if (figures.some(({ judgements }) => judgements.length > 0))
    notes.push(
      'Verdict: what differs from fp32 significantly (p ≤ 0.05 after Holm, over all cells of a figure) and by at least what the ' +
        'device can tell; what it does not name is not distinguishable.',
    );
  notes.push(...analysis.floorNotes.map(missingFloorText), ...analysis.ceilingNotes.map(missingCeilingsText));
  if (figures.some(({ variant }) => publishedOf(variant) !== undefined))
    notes.push(
      '† Measured by others, on other hardware, with other software: not comparable with our columns.',
    );
  const precision = precisionNote(analysis);
  if (precision !== undefined) notes.push(precision);
  if (run.devices.some((device) => profileOf(device).emulated))
    notes.push(
      '"(emulated)": not the hardware but an emulator of it. Its predictions count; its timings and its memory say nothing of the hardware.',
    );
  for (const each of figures) {
    if (each.isBaseline) notes.push(...modelNotesOf(each.variant));
    const card = each.isBaseline ? cardNote(each) : undefined;
    if (card !== undefined) notes.push(card);
    const name = labelOf(each, analysis);
    if (stagesOf(each.variant).some(dependsOnBatch))
      notes.push(
        `${name}: inputs are quantised by the range of the whole batch; an image's logits depend on which others are in it.`,
      );
    for (const { batch, flags } of each.latencies)
      if (flags.length > 0) notes.push(`${signOf(flags)} ${name}, batch ${batch}: ${flagsText(flags)}.`);
    for (const { kind, batch, reason } of each.failures.filter(({ status }) => status === 'failed'))
      notes.push(`✗ ${name}, batch ${batch}, ${kind}: ${format.oneLine(failureText(reason))}`);
    const unsupported = each.failures.find(({ status }) => status === 'unsupported');
    if (unsupported)
      notes.push(`∅ ${name}: not supported here, because ${format.oneLine(failureText(unsupported.reason))}`);
    if (each.substitutions.length > 0) notes.push(`§ ${name}: ${substitutionsText(each.substitutions)}.`);
  }
  notes.push(...int8Notes(analysis), ...deviceNotes(analysis));
  if (analysis.pending > 0) notes.push(format.pendingCells(analysis.pending));
  return notes;
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

/** What a reader must know of the devices, and how far they agree. */
function deviceNotes(analysis: Analysis): string[] {
  const { devices } = analysis.run;
  const software = devices.filter(isSoftware).map(deviceLabel);
  const browsers = devices.filter(({ environment }) => environment.browser !== undefined);
  return [
    ...software.map(
      (name) =>
        `${name}: the processor plays the GPU, so that its timings say nothing about a GPU; its answers count.`,
    ),
    ...(browsers.length > 0
      ? [
          'Peak memory in a browser is what its renderers take over what they took before the model was loaded, and its GPU buffers likewise.',
        ]
      : []),
    ...devices.flatMap((device) => {
      const note = agreementNote(
        acrossDevices(analysis.run).filter((each) => each.device === device),
        analysis,
      );
      return note === undefined ? [] : [note];
    }),
  ];
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
