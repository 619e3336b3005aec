import { parse } from 'csv-parse/sync';

/**
 * Reads CSV as RFC 4180 has it.
 *
 * @param text - records that end in CRLF, the first one names the columns
 * @returns records by column
 * @throws Error where it breaks the grammar
 */
export function parseCsv(text: string): Record<string, string>[] {
  // The library takes a last record without its end.
  if (!text.endsWith('\r\n')) throw new Error('the last record does not end');
  return parse(text, { columns: true, record_delimiter: '\r\n' });
}
