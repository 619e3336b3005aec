/** Where a page keeps the specs of its charts. */
export const SPECS_ID = 'chart-specs';

/** Where a page keeps what the rows of its main table are sorted by. */
export const VALUES_ID = 'table-values';

/** The tools above the main table, which only work with code. */
export const TOOLS_ID = 'table-tools';
