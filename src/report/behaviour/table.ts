import type { SeriesLink } from './link.js';

/** What the rows of the main table are sorted by, by the key of a column. */
export type RowValues = Readonly<Record<string, number>>;

/** The main table and what belongs to it. */
export interface TableParts {
  readonly table: HTMLTableElement;
  /** Filter and choice of columns, which are hidden until something works them. */
  readonly tools: HTMLElement;
  /** In the order of the rows; words in a column of figures say why there is none. */
  readonly values: readonly RowValues[];
}

/**
 * The main table: sorted by a click on the head of a column, filtered by words, with the columns that fit (those that can be spared
 * go first, as on the terminal) or that were chosen, and with the names of its rows as buttons that show a variant in the charts.
 *
 * @param parts - the table
 * @param link - of the variants in the page
 * @param signal - ends what looks at the window
 */
export function enableTable(parts: TableParts, link: SeriesLink, signal?: AbortSignal): void {
  parts.tools.hidden = false;
  const rows = [...(parts.table.tBodies[0]?.rows ?? [])];
  const state = { key: '', down: false };
  const filter = parts.tools.querySelector<HTMLInputElement>('input[type=search]');
  const mixed = (): void => {
    parts.table.classList.toggle('mixed', state.key !== '' || (filter?.value.trim() ?? '') !== '');
  };
  sortable(parts, rows, state, mixed);
  filterable(parts, rows, filter, mixed);
  choosable(parts, signal);
  pickable(rows, link);
}

function headsOf({ table }: TableParts): HTMLTableCellElement[] {
  return [...(table.tHead?.rows[0]?.cells ?? [])];
}

/** Puts what a cell holds into a button. */
function buttonIn(cell: Element): HTMLButtonElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.append(...cell.childNodes);
  cell.append(button);
  return button;
}

function sortable(
  parts: TableParts,
  rows: readonly HTMLTableRowElement[],
  state: { key: string; down: boolean },
  mixed: () => void,
): void {
  const heads = headsOf(parts);
  const numbers = new Map(rows.map((row, index) => [row, parts.values[index] ?? {}]));
  const sorted = (): void => {
    const numberOf = (row: HTMLTableRowElement): number | undefined => numbers.get(row)?.[state.key];
    const numeric = rows.some((row) => numberOf(row) !== undefined);
    const textOf = ({ dataset }: HTMLTableRowElement): string | undefined =>
      state.key === 'variant' ? dataset['name'] : dataset[state.key];
    const known = (row: HTMLTableRowElement): boolean =>
      (numeric ? numberOf(row) : textOf(row)) !== undefined;
    const order = (a: HTMLTableRowElement, b: HTMLTableRowElement): number =>
      numeric ? (numberOf(a) ?? 0) - (numberOf(b) ?? 0) : (textOf(a) ?? '').localeCompare(textOf(b) ?? '');
    const all =
      state.key === ''
        ? rows
        : [
            ...rows.filter(known).sort((a, b) => (state.down ? -1 : 1) * order(a, b)),
            ...rows.filter((row) => !known(row)),
          ];
    parts.table.tBodies[0]?.append(...all);
    for (const head of heads)
      if (head.dataset['key'] === state.key)
        head.setAttribute('aria-sort', state.down ? 'descending' : 'ascending');
      else head.removeAttribute('aria-sort');
    mixed();
  };
  for (const head of heads) {
    const { key = '' } = head.dataset;
    for (const row of rows) {
      const text = row.cells[head.cellIndex]?.textContent.trim() ?? '';
      if (text !== '' && key !== 'variant') row.dataset[key] = text;
    }
    buttonIn(head).addEventListener('click', () => {
      // Up, down, and as it was.
      if (state.key !== key) Object.assign(state, { key, down: false });
      else if (!state.down) state.down = true;
      else state.key = '';
      sorted();
    });
  }
}

function filterable(
  { tools }: TableParts,
  rows: readonly HTMLTableRowElement[],
  filter: HTMLInputElement | null,
  mixed: () => void,
): void {
  const count = tools.querySelector('output');
  filter?.addEventListener('input', () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = [...row.cells]
        .map((cell) => cell.textContent)
        .join(' ')
        .toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      if (!row.hidden) shown++;
    }
    if (count !== null) count.textContent = words.length === 0 ? '' : `${shown} of ${rows.length} rows`;
    mixed();
  });
}

function choosable(parts: TableParts, signal: AbortSignal | undefined): void {
  const { table, tools } = parts;
  const boxes = [...tools.querySelectorAll<HTMLInputElement>('input[type=checkbox]')];
  const show = (box: HTMLInputElement, shown: boolean): void => {
    const index = headsOf(parts).find(({ dataset }) => dataset['key'] === box.value)?.cellIndex ?? -1;
    for (const row of table.rows) row.cells[index]?.classList.toggle('off', !shown);
    box.checked = shown;
  };
  const spareOf = ({ dataset }: HTMLInputElement): number => Number(dataset['spare']);
  const frame = table.parentElement;
  let chosen = false;
  const fit = (): void => {
    if (chosen || frame === null) return;
    for (const box of boxes) show(box, true);
    const spares = boxes
      .filter(({ dataset }) => dataset['spare'] !== undefined)
      .sort((a, b) => spareOf(a) - spareOf(b));
    for (const box of spares) {
      if (frame.scrollWidth <= frame.clientWidth) break;
      show(box, false);
    }
  };
  for (const box of boxes)
    box.addEventListener('change', () => {
      chosen = true;
      show(box, box.checked);
    });
  for (const button of tools.querySelectorAll<HTMLButtonElement>('button[value]'))
    button.addEventListener('click', () => {
      chosen = button.value === 'all';
      if (chosen) for (const box of boxes) show(box, true);
      else fit();
    });
  addEventListener('resize', fit, { signal });
  fit();
}

function pickable(rows: readonly HTMLTableRowElement[], link: SeriesLink): void {
  const picks = rows.flatMap((row) => {
    const name = row.dataset['series'] ?? '';
    const [cell] = row.cells;
    if (name === '' || cell === undefined) return [];
    const pick = buttonIn(cell);
    pick.title = 'Show this variant in the charts';
    pick.setAttribute('aria-pressed', 'false');
    pick.addEventListener('click', () => link.lookAt({ chosen: link.chosen === name ? '' : name }));
    row.addEventListener('mouseenter', () => link.lookAt({ pointed: name }));
    row.addEventListener('mouseleave', () => link.lookAt({ pointed: '' }));
    return [{ row, pick, name }];
  });
  link.onSeries((told) => {
    for (const { row, pick, name } of picks) {
      row.classList.toggle('lit', told === name);
      pick.setAttribute('aria-pressed', String(link.chosen === name));
    }
  });
}
