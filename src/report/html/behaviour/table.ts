/** Where the page keeps what the rows of its main table are sorted by. */
export const VALUES_ID = 'table-values';

/** The tools above the main table, which only work with code. */
export const TOOLS_ID = 'table-tools';

/**
 * The main table: sorted by a click on the head of a column, filtered by words, with the columns that fit (those that can be spared
 * go first, as on the terminal) or that were chosen, and with the names of its rows as buttons that show a variant in the charts.
 */
export const tableBehaviour = `
{
  const table = document.querySelector('.main-table');
  const tools = document.getElementById('${TOOLS_ID}');
  if (table !== null && tools !== null) {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const heads = [...table.tHead.rows[0].cells];
    const values = new Map(
      JSON.parse(document.getElementById('${VALUES_ID}').textContent).map((each, index) => [rows[index], each]),
    );
    const buttonIn = (cell) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.append(...cell.childNodes);
      cell.append(button);
      return button;
    };
    tools.hidden = false;

    const state = { key: '', down: false };
    const filter = tools.querySelector('input[type=search]');
    const count = tools.querySelector('output');
    const mixed = () => table.classList.toggle('mixed', state.key !== '' || filter.value.trim() !== '');
    const sorted = () => {
      // Words in a column of figures say why there is none.
      const numeric = rows.some((row) => state.key in values.get(row));
      const textOf = (row) => (state.key === 'variant' ? row.dataset.name : row.dataset[state.key]);
      const valueOf = (row) => (numeric ? values.get(row)[state.key] : textOf(row));
      const known = (row) => valueOf(row) !== undefined;
      const order = (a, b) =>
        numeric ? valueOf(a) - valueOf(b) : valueOf(a).localeCompare(valueOf(b));
      const all =
        state.key === ''
          ? rows
          : [
              ...rows.filter(known).sort((a, b) => (state.down ? -1 : 1) * order(a, b)),
              ...rows.filter((row) => !known(row)),
            ];
      body.append(...all);
      for (const head of heads)
        if (head.dataset.key === state.key)
          head.setAttribute('aria-sort', state.down ? 'descending' : 'ascending');
        else head.removeAttribute('aria-sort');
      mixed();
    };
    for (const head of heads) {
      const { key } = head.dataset;
      for (const row of rows) {
        const text = row.cells[head.cellIndex].textContent.trim();
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

    const filtered = () => {
      const words = filter.value.toLowerCase().split(/\\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rows) {
        const text = [...row.cells].map((cell) => cell.textContent).join(' ').toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
        if (!row.hidden) shown++;
      }
      count.textContent = words.length === 0 ? '' : shown + ' of ' + rows.length + ' rows';
      mixed();
    };
    filter.addEventListener('input', filtered);

    const boxes = [...tools.querySelectorAll('input[type=checkbox]')];
    const show = (key, shown) => {
      const { cellIndex } = heads.find((head) => head.dataset.key === key);
      for (const row of table.rows) row.cells[cellIndex].classList.toggle('off', !shown);
      boxes.find((box) => box.value === key).checked = shown;
    };
    const frame = table.parentElement;
    let chosen = false;
    const fit = () => {
      if (chosen) return;
      for (const box of boxes) show(box.value, true);
      const spares = boxes
        .filter((box) => box.dataset.spare !== undefined)
        .sort((a, b) => a.dataset.spare - b.dataset.spare);
      for (const box of spares) {
        if (frame.scrollWidth <= frame.clientWidth) break;
        show(box.value, false);
      }
    };
    for (const box of boxes)
      box.addEventListener('change', () => {
        chosen = true;
        show(box.value, box.checked);
      });
    for (const button of tools.querySelectorAll('button[value]'))
      button.addEventListener('click', () => {
        chosen = button.value === 'all';
        if (chosen) for (const box of boxes) show(box.value, true);
        else fit();
      });
    addEventListener('resize', fit);

    const picks = rows
      .filter((row) => row.dataset.series !== '')
      .map((row) => {
        const name = row.dataset.series;
        const pick = buttonIn(row.cells[0]);
        pick.title = 'Show this variant in the charts';
        pick.setAttribute('aria-pressed', 'false');
        pick.addEventListener('click', () => lookAt({ chosen: series.chosen === name ? '' : name }));
        row.addEventListener('mouseenter', () => lookAt({ pointed: name }));
        row.addEventListener('mouseleave', () => lookAt({ pointed: '' }));
        return { row, pick, name };
      });
    onSeries((told) => {
      for (const { row, pick, name } of picks) {
        row.classList.toggle('lit', told === name);
        pick.setAttribute('aria-pressed', String(series.chosen === name));
      }
    });
    fit();
  }
}
`;
