/**
 * Reads CSV as RFC 4180 has it.
 *
 * @param text - records that end in CRLF, the first one names the columns
 * @returns records by column
 * @throws Error where it breaks the grammar
 */
export function parseCsv(text: string): Record<string, string>[] {
  const records: string[][] = [];
  let fields: string[] = [];
  let rest = text;
  while (rest !== '') {
    const [whole, quoted, bare] = /^(?:"((?:[^"]|"")*)"|([^",\r\n]*))(?=,|\r\n)/.exec(rest) ?? [];
    if (whole === undefined) throw new Error(`no field at ${JSON.stringify(rest.slice(0, 40))}`);
    fields.push(quoted === undefined ? bare! : quoted.replaceAll('""', '"'));
    const separator = rest.startsWith(',', whole.length) ? ',' : '\r\n';
    rest = rest.slice(whole.length + separator.length);
    if (separator === '\r\n') {
      records.push(fields);
      fields = [];
    }
  }
  if (fields.length > 0) throw new Error('the last record does not end');
  const [columns = [], ...rows] = records;
  return rows.map((row) => {
    if (row.length !== columns.length)
      throw new Error(`${row.length} fields under ${columns.length} columns`);
    return Object.fromEntries(columns.map((column, index) => [column, row[index]!]));
  });
}
