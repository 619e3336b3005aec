import type { Ablation, AblationPanel } from '../../analysis/ablation/ablation.js';
import type { Term } from '../../analysis/ablation/terms.js';
import type { Analysis } from '../../analysis/analysis.js';
import { deviceLabel } from '../../analysis/label.js';
import { quantity } from '../compare/words.js';
import * as format from '../format.js';
import type { Column, Table } from '../table.js';
import { attributionNotes, effectNotes } from './notes.js';
import { effectText, endNames, figureName, markedEffect, partText, termText } from './words.js';

/** Panels of one model on one device: a row of them stands side by side. */
interface Place {
  readonly model: string;
  readonly device: string;
  readonly panels: readonly AblationPanel[];
}

/**
 * The effects of the factors of a run's matrix, and of each two on each other: a row for each, a column for each figure.
 *
 * @param analysis - of a run
 * @returns without rows where its suite has no matrix, or too little was measured
 */
export function effectsTable({ ablation, run }: Analysis): Table {
  const places = placesOf(ablation);
  const rows = places.flatMap((place) =>
    termsOf(place.panels).map((term): Record<string, string> => {
      const name = termText(term);
      const cells = place.panels.flatMap((panel) => {
        const effect = panel.effects.find((each) => termText(each.term) === name);
        return effect ? [[figureName(panel), markedEffect(panel, effect)] as const] : [];
      });
      return { effect: name, model: place.model, device: place.device, ...Object.fromEntries(cells) };
    }),
  );
  return {
    columns: columnsOf('effect', 'effect of', places, run),
    rows,
    notes: ablation && rows.length > 0 ? effectNotes(ablation) : [],
  };
}

/**
 * What each factor gives of the difference between all at their first level and all at their last: a row for each, and one for all.
 *
 * @param analysis - of a run
 * @returns without rows where not every subset of the factors was measured
 */
export function attributionTable({ ablation, run }: Analysis): Table {
  const places = placesOf(ablation)
    .map((place) => ({
      ...place,
      panels: place.panels.filter(({ attribution }) => attribution !== undefined),
    }))
    .filter(({ panels }) => panels.length > 0);
  const rows = places.flatMap(({ model, device, panels }) => {
    const parts = panels[0]?.attribution?.parts.map(({ part }) => part) ?? [];
    const { first, last } = endNames(parts);
    const row = (
      name: string,
      text: (panel: AblationPanel) => string | undefined,
    ): Record<string, string> => ({
      ...{ part: name, model, device },
      ...Object.fromEntries(panels.map((panel) => [figureName(panel), text(panel) ?? ''])),
    });
    return [
      row(first, (panel) => panel.attribution && quantity(panel.metric, panel.attribution.from)),
      ...parts.map((part, index) => row(partText(part), (panel) => partOf(panel, index))),
      row('all together', (panel) => panel.attribution && effectText(panel, panel.attribution.total)),
      row(last, (panel) => panel.attribution && quantity(panel.metric, panel.attribution.to)),
    ];
  });
  return {
    columns: columnsOf('part', 'due to', places, run),
    rows,
    notes: rows.length > 0 ? attributionNotes() : [],
  };
}

/** Which figures go first where there is no room: 0 for one that stays. */
function spareOf({ metric, batch }: AblationPanel, largest: number): number {
  if (metric === 'latency') return batch === largest ? 0 : 3;
  return { file: 1, memory: 2, accuracy: 4 }[metric];
}

/** A part with its share of the whole: `0.70× (0.68–0.72), 61 %`. */
function partOf(panel: AblationPanel, index: number): string | undefined {
  const { attribution } = panel;
  const part = attribution?.parts[index];
  if (attribution === undefined || part === undefined) return undefined;
  const size = (value: number): number => (panel.metric === 'accuracy' ? value : Math.log(value));
  const { total } = attribution;
  // Of a whole that may be nothing there are no shares.
  const share =
    size(total.low) * size(total.high) > 0 ? size(part.effect.value) / size(total.value) : undefined;
  return `${effectText(panel, part.effect)}${share === undefined ? '' : `, ${wholePercent(share)} %`}`;
}

/** `61`, `−35`, and no `−0`. */
function wholePercent(share: number): string {
  const text = format.percent(Math.abs(share), 0);
  return share < 0 && text !== '0' ? `−${text}` : text;
}

function placesOf(ablation: Ablation | undefined): Place[] {
  const places = new Map<string, Place>();
  for (const panel of ablation?.panels ?? []) {
    const device = deviceLabel(panel.device);
    const key = JSON.stringify([panel.model, device]);
    places.set(key, { model: panel.model, device, panels: [...(places.get(key)?.panels ?? []), panel] });
  }
  return [...places.values()];
}

/** Every term that a panel has, each once. */
function termsOf(panels: readonly AblationPanel[]): Term[] {
  const terms = new Map(
    panels.flatMap(({ effects }) => effects.map(({ term }) => [termText(term), term] as const)),
  );
  return [...terms.values()].sort((a, b) => a.length - b.length);
}

function columnsOf(key: string, title: string, places: readonly Place[], run: Analysis['run']): Column[] {
  const panels = places.flatMap((place) => place.panels);
  const largest = Math.max(0, ...panels.map(({ batch = 0 }) => batch));
  const figures = new Map(panels.map((panel) => [figureName(panel), spareOf(panel, largest)]));
  const several = (values: readonly string[]): boolean => new Set(values).size > 1;
  return [
    { key, title, align: 'left' },
    ...(several(run.variants.map(({ model }) => model))
      ? [{ key: 'model', title: 'model', align: 'left' } as const]
      : []),
    ...(run.devices.length > 1 ? [{ key: 'device', title: 'device', align: 'left' } as const] : []),
    ...[...figures].map(([name, spare]) => ({
      key: name,
      title: `${name} (95 %)`,
      align: 'right' as const,
      ...(spare > 0 && { spare }),
    })),
  ];
}
