import type { CellHistory, History } from '../../analysis/history/history.js';

/** The part of a history that a page of the site shows: one model on one device. */
export interface SitePage {
  /** Names its file, and those of its badges; none twice. */
  readonly slug: string;
  readonly suite: string;
  readonly model: string;
  readonly device: string;
  readonly history: History;
}

/**
 * The pages of a site.
 *
 * @param histories - one of each suite
 * @returns in the order of suites, models and devices
 */
export function sitePages(histories: readonly History[]): SitePage[] {
  const taken = new Set(['index']);
  return histories.flatMap((history) =>
    placesOf(history).map(({ model, device }) => {
      const { suite } = history;
      const base = slugOf([suite, model, device].join('-'));
      let slug = base;
      for (let more = 2; taken.has(slug); more++) slug = `${base}-${more}`;
      taken.add(slug);
      return { slug, suite, model, device, history: partOf(history, model, device) };
    }),
  );
}

function placesOf({ cells }: History): Pick<CellHistory['cell'], 'model' | 'device'>[] {
  const places = new Map(cells.map(({ cell }) => [JSON.stringify([cell.model, cell.device]), cell]));
  return [...places.values()].sort((a, b) => compared(a.model, b.model) || compared(a.device, b.device));
}

function compared(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

/** What a history says of one model on one device, in the runs that measured it. */
function partOf(history: History, model: string, device: string): History {
  const cells = history.cells.filter(({ cell }) => cell.model === model && cell.device === device);
  const measured = new Set(
    cells.flatMap(({ series }) => series.flatMap(({ points }) => points.map(({ run }) => run.id))),
  );
  return {
    ...history,
    cells,
    runs: history.runs.filter(({ id }) => measured.has(id)),
    breaks: history.breaks.filter((each) => each.device === device && measured.has(each.run.id)),
  };
}

/** What may stand in the name of a file everywhere. */
function slugOf(text: string): string {
  const slug = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 100);
  return slug === '' ? 'page' : slug;
}
